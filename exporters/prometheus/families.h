/* SPDX-License-Identifier: Apache-2.0
 *
 * families.h - the metric families of a page: their names, in the order in which they are written, and their HELP and
 * TYPE lines in both formats. Used while a plan is made, and thrown away with the plan's drafts.
 */
#ifndef PROMETHEUS_FAMILIES_H
#define PROMETHEUS_FAMILIES_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/** The formats of a page. */
enum page_format {
	PAGE_TEXT,        /* Prometheus text 0.0.4 */
	PAGE_OPENMETRICS, /* OpenMetrics 1.0 */
	PAGE_FORMAT_COUNT,
};

struct family {
	const char *name; /* borrowed */
	const char *help; /* borrowed, unless own_help */
	char *own_help;   /* families.c's: what the helps of several rows have in common */
	uint32_t drafts;  /* how many drafts of series it has; plan.c counts */
	uint32_t next;    /* families.c's: the next one with the same hash, plus 1 */
};

#define FAMILIES_SLOTS 1024 /* twice what the dictionary has, rounded up; more only make the chains longer */

/** Zero-initialise. */
struct families {
	struct family *list;
	size_t count, capacity;
	uint32_t slots[FAMILIES_SLOTS]; /* first family with that hash, plus 1; 0: none */
};

/**
 * Place of the family @name, added with @help when it is new. The text stays borrowed. Returns the place or −ENOMEM.
 */
int families_find(struct families *families, const char *name, const char *help);

/**
 * The same for the family of a point that the dictionary may not have: numbers in @help are those of the one point
 * that came first, so words with digits are left out.
 */
int families_find_point(struct families *families, const char *name, const char *help);

/** Add the families of the dictionary in its order, so that pages of all devices are in one order. 0 or -ENOMEM. */
int families_add_dictionary(struct families *families);

/** Append the HELP and TYPE lines of the family. What ends in _total is a counter, all else a gauge. */
void families_header(struct buffer *buffer, const char *name, const char *help, enum page_format format);

/** Free. */
void families_finish(struct families *families);

#endif
