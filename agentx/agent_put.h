/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_put.h - a value on its way out of the BUSBAR-MIB, and the ways to make one of the syntaxes its objects have.
 *
 * Each returns true: there is a value. So a function of agent_columns.c ends with one of them.
 */
#ifndef AGENTX_AGENT_PUT_H
#define AGENTX_AGENT_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/alarm.h>

#include "codec.h"

#define AGENT_TEXT_MAX 1024 /* bytes of busbarPointText: a flag word may have many names */

/** Which member holds the value follows from the syntax, as in struct codec_varbind. */
struct agent_value {
	enum codec_syntax syntax;
	uint32_t number;
	uint64_t counter64;
	struct codec_octets octets; /* points into the view or into @buffer */
	struct oid oid;
	char buffer[AGENT_TEXT_MAX];
};

bool agent_put_integer(struct agent_value *value, int number);

/** Gauge32: what is more than it can hold is its largest value. */
bool agent_put_gauge(struct agent_value *value, uint64_t number);
bool agent_put_counter(struct agent_value *value, uint64_t number);

/** @text must live as long as the value, or be in its buffer. */
bool agent_put_text(struct agent_value *value, const char *text);
bool agent_put_truth(struct agent_value *value, bool truth);

/** DateAndTime, in local time. */
bool agent_put_date(struct agent_value *value, int64_t wall_ms);

/** BusbarSeverity, which has none(0) before those of the core. */
bool agent_put_severity(struct agent_value *value, enum bb_severity severity);

#endif
