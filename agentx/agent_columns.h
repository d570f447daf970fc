/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_columns.h - the objects of the BUSBAR-MIB: their numbers, and how the value of each is found.
 */
#ifndef AGENTX_AGENT_COLUMNS_H
#define AGENTX_AGENT_COLUMNS_H

#include "agent_rows.h"
#include "codec.h"

#define AGENT_TEXT_MAX 1024 /* bytes of busbarPointText: a flag word may have many names */

/** A value on its way out. Which member holds it follows from the type, as in struct codec_varbind. */
struct agent_value {
	enum codec_syntax syntax;
	uint32_t number;
	uint64_t counter64;
	struct codec_octets octets; /* points into the view or into @buffer */
	struct oid oid;
	char buffer[AGENT_TEXT_MAX];
};

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
