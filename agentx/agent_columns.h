/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_columns.h - the objects of the BUSBAR-MIB: their numbers, and how the value of each is found.
 */
#ifndef AGENTX_AGENT_COLUMNS_H
#define AGENTX_AGENT_COLUMNS_H

#include "agent_put.h"
#include "agent_rows.h"

#define AGENT_PREFIX_MAX 4

struct agent_column {
	uint32_t prefix[AGENT_PREFIX_MAX]; /* below base-oid */
	uint32_t length;                   /* of @prefix */
	enum agent_table table;
	/** The value in @row; false: there is none. */
	bool (*get)(struct agent_view *view, const struct agent_row *row, struct agent_value *ret_value);
};

/** All that can be read, in the order of their names. */
extern const struct agent_column agent_columns[];
extern const size_t agent_column_count;

#endif
