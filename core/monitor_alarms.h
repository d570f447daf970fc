/* SPDX-License-Identifier: Apache-2.0
 *
 * monitor_alarms.h - the part of the monitor that decides which alarms of a device are raised and cleared.
 */
#ifndef CORE_MONITOR_ALARMS_H
#define CORE_MONITOR_ALARMS_H

#include <busbar/device.h>

#include "alarm_admin.h"

/**
 * Bring the alarms of @device in line with what @snapshot, taken as of @now_ms, and @admin (may be NULL) say; every
 * change is an event. False: the device got other alarms meanwhile, and the caller looks again. Thread: main loop.
 */
bool monitor_decide_alarms(struct bb_device *device, const struct bb_snapshot *snapshot, struct alarm_admin *admin,
			   int64_t now_ms);

/** The clocks have jumped: delays that count for @device begin anew. Thread: main loop. */
void monitor_forget_delays(struct bb_device *device);

#endif
