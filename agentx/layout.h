/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.h - all instances that one generation of a device can have, in the order of their names.
 *
 * Eight bytes for each: the row's number and the place of the point. Which object it is follows from where it stands.
 */
#ifndef AGENTX_LAYOUT_H
#define AGENTX_LAYOUT_H

#include <busbar/reading.h>

#include "objects.h"

struct layout_item {
	uint32_t row;
	uint32_t point; /* place in the reading */
};

/** Immutable and counted, on the AgentX thread only. */
struct layout {
	unsigned references;
	uint64_t generation;
	bool has_batteries; /* it is of a battery system, or has one: there is a bacsAlarmTable */
	struct layout_item *items;
	uint32_t first[]; /* where the items of each object begin; one more at the end */
};

/** The layout of the generation that @reading belongs to. 0 or -ENOMEM. */
int layout_create(const struct bb_reading *reading, struct layout **ret_layout);

struct layout *layout_ref(struct layout *layout);
void layout_unref(struct layout *layout); /* accepts NULL */

/** The item of that row, NULL: there is none. */
const struct layout_item *layout_find(const struct layout *layout, size_t object, uint32_t row);

#endif
