/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_view.h - all devices at one moment, as the tables of the BUSBAR-MIB go through them.
 *
 * A view holds the list of devices, and takes one snapshot of each device that somebody looks at, once, with its
 * counters. So a request about one point of one of a thousand devices costs one snapshot, and all answers of one view
 * agree with each other. Only agent scalars and the alarm table have to look at every device.
 *
 * What stays the same from one view to the next is shared and counted: the order of the devices, and the rows of the
 * alarm table as long as no alarm changes. Thread: the AgentX thread.
 */
#ifndef AGENTX_AGENT_VIEW_H
#define AGENTX_AGENT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_tree.h"

/** The devices of one version of the registry. Counted. */
struct agent_devices {
	unsigned references;
	struct bb_device_list *list; /* sorted by name */
	uint64_t *checked;           /* by place in the list: the generation whose names were looked at */
	uint32_t *by_length;         /* places in the list, shorter names first: the order of an INDEX with lengths */
};

/** A row of the alarm table. */
struct agent_alarm {
	uint32_t id;        /* alarm_row_id() of the event that raised it */
	const char *device; /* "" for the agent */
	const struct bb_alarm *alarm;
};

/** The alarm table as of some alarm sets. Counted. */
struct agent_alarms {
	unsigned references;
	size_t set_count;
	struct bb_alarm_set **sets;    /* of each device of the list (NULL: none yet), then the agent's */
	struct agent_devices *devices; /* keeps the names */
	size_t count;
	struct agent_alarm *rows; /* sorted by id */
};

/** Sums over all devices. */
struct agent_totals {
	uint64_t up, active, polls, errors, bad_values;
};

/** What outlives views: owned by the tree. */
struct agent_shared {
	const struct agent_tree_setup *setup;
	int64_t started_ms;            /* bb_clock_ms() */
	struct agent_devices *devices; /* the newest, NULL at first */
	struct agent_alarms *alarms;   /* the newest, NULL at first */
};

void agent_shared_finish(struct agent_shared *shared);

/** What a view knows of a device. */
struct agent_seen {
	bool taken; /* somebody has looked */
	struct bb_snapshot snapshot;
	struct bb_device_stats stats;
};

struct agent_view {
	struct agent_shared *shared;
	struct agent_devices *devices;
	struct moment moment;
	bool failed;             /* memory lacked: what is missing may exist */
	struct agent_seen *seen; /* by place in the list */
	bool all_taken, summed, counted;
	struct agent_totals totals;
	struct agent_figures figures;
	struct agent_alarms *alarms; /* NULL: nobody has asked yet */
};

/** 0 or -ENOMEM; nothing is to be finished then. */
int agent_view_init(struct agent_view *view, struct agent_shared *shared, const struct moment *moment);
void agent_view_finish(struct agent_view *view);

/** The device at @place of the list, and what it looks like. */
struct bb_device *agent_view_device(const struct agent_view *view, uint32_t place);
const struct bb_snapshot *agent_view_snapshot(struct agent_view *view, uint32_t place);
const struct bb_device_stats *agent_view_stats(struct agent_view *view, uint32_t place);

/** Sums over all devices. */
const struct agent_totals *agent_view_totals(struct agent_view *view);

/** What the exporter has counted. */
const struct agent_figures *agent_view_figures(struct agent_view *view);

/** The alarm table; NULL when memory lacks, the view has failed then. */
const struct agent_alarms *agent_view_alarms(struct agent_view *view);

/** Is the point's name too long for the INDEX of busbarPointTable, or for an object identifier? */
bool agent_view_is_too_long(const struct agent_view *view, uint32_t place, const struct bb_point *point);

#endif
