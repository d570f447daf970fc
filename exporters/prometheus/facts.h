/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.h - what a page is made from: everything the registry knows at one moment, held by reference, so that a page
 * is consistent in itself and a poll that ends meanwhile disturbs nobody.
 */
#ifndef PROMETHEUS_FACTS_H
#define PROMETHEUS_FACTS_H

#include <busbar/exporter.h>

#include "buffer.h"
#include "tally.h"

struct facts_device {
	const char *name;
	const char *plugin;
	struct bb_snapshot snapshot;
	struct bb_device_stats stats;
};

struct facts_link {
	size_t name; /* where its label text begins in facts.link_labels … */
	size_t name_length;
	uint64_t polls;
	uint64_t errors;
};

/** What has been counted of events: by kind, then the number of the newest. */
struct facts_events {
	int64_t values[TALLY_KINDS_MAX + 1];
	uint8_t qualities[TALLY_KINDS_MAX + 1];
};
#define FACTS_NEWEST_EVENT TALLY_KINDS_MAX

/** Zero-initialise, but for @tally; its arrays are used again by the next gathering. */
struct facts {
	const struct tally *tally;    /* where events are counted; NULL: nowhere */
	struct facts_events events;   /* unless @tally is NULL */
	uint64_t version;             /* of the registry; see bb_registry_version() */
	const char *agent_version;    /* bb_version() */
	struct bb_device_list *list;  /* what the names below are borrowed from */
	struct facts_device *devices; /* sorted by name */
	size_t device_count, device_capacity;
	struct bb_alarm_set *agent_alarms; /* may be NULL */
	struct facts_link *links;
	size_t link_count, link_capacity;
	struct buffer link_labels; /* link="…" of all links, escaped */
};

/** Take everything as of now. Returns 0 or -ENOMEM; facts_release() follows in any case. Any thread. */
int facts_gather(struct facts *facts, struct bb_registry *registry);

/** The counts of @tally as of now; part of facts_gather(). Any thread. */
void facts_count_events(struct facts_events *events, const struct tally *tally);

/** Give back what was taken, keep the arrays. */
void facts_release(struct facts *facts);

/** facts_release(), and free the arrays. */
void facts_finish(struct facts *facts);

#endif
