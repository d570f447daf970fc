/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - what a page looks like before its values are known.
 *
 * Between two changes of the set of devices and points, all that differs from one scrape to the next are the numbers.
 * So the text before each number (`ups_input_volts{device="a",line="L1"} `) is prepared once, all of them in one
 * arena in the order of output, with one small entry per series that says where its number is found. plan.c makes
 * it, page.c writes pages with it.
 */
#ifndef PROMETHEUS_PLAN_H
#define PROMETHEUS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "families.h"

/** The values of a device that a series may be taken from. A source can be missing as a whole: it is stale. */
enum plan_source {
	PLAN_DROP_REST,    /* points that vanish when their group is stale */
	PLAN_DROP_URGENT,  /* the same of the other group */
	PLAN_KEEP,         /* points whose last value stays */
	PLAN_OWN,          /* what the agent knows about the device, enum plan_own */
	PLAN_ALARMS,       /* its alarm set */
	PLAN_ACKNOWLEDGED, /* the same, for whether somebody has seen the alarms */
	PLAN_EVENTS,       /* struct facts_events; the agent's only */
	PLAN_SOURCES,      /* how many; source s of device d has the number d * PLAN_SOURCES + s */
};

/** Values of the source PLAN_OWN. */
enum plan_own {
	PLAN_OWN_UP,
	PLAN_OWN_AGE,      /* ms */
	PLAN_OWN_DURATION, /* us */
	PLAN_OWN_POLLS,
	PLAN_OWN_ERRORS,
	PLAN_OWN_BAD,
	PLAN_OWN_COUNT,
};

/** How a value becomes a number on the page. */
enum plan_kind {
	PLAN_NUMBER, /* as it is */
	PLAN_SCALED, /* times the argument */
	PLAN_MEMBER, /* 1 when it is the argument, else 0 */
	PLAN_BIT,    /* bit number argument */
	PLAN_ALARM,  /* 1 when the alarm of that index is active */
	PLAN_SEEN,   /* 1 when it is acknowledged */
};

struct plan_entry {
	uint32_t source; /* number of its source */
	uint32_t index;  /* place of the value there */
	int64_t argument;
	uint16_t prefix; /* length of its text in the arena; where it begins follows from those before */
	uint8_t kind;
	uint8_t decimals;
};

/** HELP and TYPE lines of a family in plan.headers. */
struct plan_header {
	size_t offset[PAGE_FORMAT_COUNT], length[PAGE_FORMAT_COUNT];
};

struct plan_family {
	size_t first, count; /* its entries */
	size_t prefixes;     /* where the text of its first entry begins in the arena */
	struct plan_header header;
};

/** Labels of busbar_device_info that are texts of the device. */
#define PLAN_INFO_LABELS 4
extern const char *const plan_info_labels[PLAN_INFO_LABELS];

/** The shape of a device. */
struct plan_device {
	uint64_t generation;        /* of the reading, 0: it had none */
	size_t alarms;              /* of its alarm set */
	int info[PLAN_INFO_LABELS]; /* places of the points whose texts are labels; negative: it has none */
};

/** Bytes behind the last prefix that may be read: prefixes are copied in blocks of this size. */
#define PLAN_SLACK 64

struct plan {
	uint64_t version; /* of the registry */
	size_t device_count;
	struct plan_device *devices; /* one more than device_count: the last is the agent itself */
	const struct bb_alarm_type **agent_types;
	size_t entry_count;
	struct plan_entry *entries;
	size_t family_count;
	struct plan_family *families;
	struct buffer headers;
	struct buffer prefixes;      /* PLAN_SLACK more bytes than its length */
	struct plan_header info;     /* of busbar_device_info, whose lines page.c makes */
	struct plan_header links[2]; /* of plan_link_families */
};

/** The names of the two families of links: polls and errors. */
extern const char *const plan_link_families[2];

/** Make a plan for what @facts holds. Returns 0 or -ENOMEM. */
int plan_create(const struct facts *facts, struct plan **ret_plan);

/** Do these facts have the shape that the plan was made for? */
bool plan_fits(const struct plan *plan, const struct facts *facts);

/** Free; accepts NULL. */
void plan_destroy(struct plan *plan);

#endif
