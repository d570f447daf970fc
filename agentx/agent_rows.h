/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_rows.h - the rows of the tables of the BUSBAR-MIB in the order of their index, found by it.
 */
#ifndef AGENTX_AGENT_ROWS_H
#define AGENTX_AGENT_ROWS_H

#include "agent_view.h"

enum agent_table {
	AGENT_SCALARS, /* one row, whose index is .0 */
	AGENT_DEVICES,
	AGENT_POINTS,
	AGENT_ALARMS,
};

struct agent_row {
	enum agent_table table;
	uint32_t device; /* place in the list: AGENT_DEVICES and AGENT_POINTS */
	uint32_t order;  /* AGENT_POINTS: of the device in devices->by_length; AGENT_ALARMS: in the alarm table */
	uint32_t point;  /* AGENT_POINTS: place in bb_reading_by_name() */
};

/** Part of an object identifier: what stands behind a column's name. */
struct agent_index {
	const uint32_t *arcs;
	size_t count;
};

/** The first row of @table behind @index, or at it with @include. False: there is none. */
bool agent_rows_seek(struct agent_view *view, enum agent_table table, const struct agent_index *index, bool include,
		     struct agent_row *ret_row);

/** The row behind @row. False: there is none, @row is as it was. */
bool agent_rows_next(struct agent_view *view, struct agent_row *row);

/** Append the index of @row. Rows are never so long that this could fail. */
void agent_rows_append_index(struct agent_view *view, const struct agent_row *row, struct oid *name);

/** The point of a row of AGENT_POINTS, by its place in the reading. */
size_t agent_rows_point(struct agent_view *view, const struct agent_row *row);

#endif
