/* SPDX-License-Identifier: Apache-2.0
 *
 * monitor.h - decides, on the main loop, what the registry's readings mean: which alarms of a device are raised or
 * cleared, which devices are found or lost. Everything it decides becomes an event.
 *
 * It is told when a device published something that matters (an alarm point or the state changed), and it looks at
 * the ages of all devices once a second. It also notices clock gaps (the machine slept, or the loop stood still):
 * then every device is unknown until it had a poll, and nothing is decided about it before.
 */
#ifndef CORE_MONITOR_H
#define CORE_MONITOR_H

#include <busbar/device.h>
#include <busbar/registry.h>

struct device_record;

/** Start ticking on the registry's main loop. */
int monitor_start(struct bb_registry *registry);
void monitor_stop(struct bb_registry *registry);

/** Look at all devices as of these clocks; the tick calls it, tests call it with clocks of their own. */
void monitor_check(struct bb_registry *registry, int64_t boottime_ms, int64_t monotonic_ms);

/** Look at one device now: somebody said something about its alarms. Thread: main loop. */
void monitor_look(struct bb_device *device);

/** Free what @record holds for the monitor; the device is going. Any thread. */
void monitor_forget(struct device_record *record);

/** The device has published something that matters; merges and posts to the main loop. Any thread. */
void monitor_wake(struct bb_device *device);

#endif
