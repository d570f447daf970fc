/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_value.h - what a point of a device looks like in busbarPointTable: its text and its numbers.
 */
#ifndef AGENTX_AGENT_VALUE_H
#define AGENTX_AGENT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/device.h>

/**
 * May the value of point @index be shown? Not when there is none, and not when it is a measurement that is too old;
 * alarms and what the dictionary keeps stay as last known.
 */
bool agent_value_is_shown(const struct bb_snapshot *snapshot, size_t index);

/**
 * The value of point @index as text, as `busbarctl --json` prints it: in @buffer, or where the reading keeps it. Cut at
 * a blank or between characters when @size is too small.
 */
const char *agent_value_text(const struct bb_reading *reading, size_t index, char *buffer, size_t size);

/** The value as a number, scaled by the point's decimals; timestamps in seconds. False: it has none. */
bool agent_value_number(const struct bb_reading *reading, size_t index, int64_t *ret_number);

#endif
