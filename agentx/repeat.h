/* SPDX-License-Identifier: Apache-2.0
 *
 * repeat.h - when upsTrapOnBattery is due again: every minute, counted from when the alarm was raised.
 *
 * Nothing is kept for that: the alarm itself says since when it is active. So the minutes go on over restarts of the
 * agent, and end in the moment in which the alarm does. Pure functions; any thread.
 */
#ifndef AGENTX_REPEAT_H
#define AGENTX_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/device.h>

/**
 * Has a minute since @since_ms ended after @before_ms, and no later than @now_ms? However many: it is due once. All are
 * bb_clock_ms(); @since_ms may be negative.
 */
bool repeat_is_due(int64_t since_ms, int64_t before_ms, int64_t now_ms);

/**
 * The alarm on-battery of a device with that snapshot, if it has to be told again and again: active, told once, not
 * inhibited, and the device has answered lately. NULL: there is none.
 */
const struct bb_alarm *repeat_alarm(const struct bb_snapshot *snapshot);

#endif
