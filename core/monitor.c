/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor: from readings to decisions, on the main loop.
 *
 * For each device it compares what the reading says with what was said last, and what changed becomes an event: alarms
 * raised and cleared (monitor_alarms.c), the device found or lost. It looks when a device has published something that matters, and at
 * all devices once a second, because nobody publishes silence. Before it looks, it compares the two clocks: after a
 * gap (the machine slept, or the loop stood still) all readings are of another time, so the registry notes the gap
 * and every device is unknown until it has answered again, which it is asked for at once. Nothing is decided about an
 * unknown device.
 *
 * A device may publish at any moment, also between looking and deciding. The decision is then put in place only if
 * what it was made from is still there; otherwise the monitor looks again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "alarm_admin.h"
#include "alarm_told.h"
#include "derive.h"
#include "device.h"
#include "events.h"
#include "monitor.h"
#include "monitor_alarms.h"
#include "reading.h"
#include "registry.h"
#include "scheduler.h"

#define TICK_MS 1000

/* Clocks that differ by more than this have jumped. */
#define GAP_MS 5000

/* After a gap all devices are asked again, not all in the same moment: within this for each. */
#define AGAIN_SPREAD_PER_DEVICE_MS 2

struct monitor {
	struct bb_timer *timer;
	struct bb_timer *due;              /* fires between two ticks, for delays that end there */
	int64_t due_ms;                    /* when, INT64_MAX: not */
	int64_t boottime_ms, monotonic_ms; /* when it looked last; 0: not yet */
};

static int64_t monotonic_ms(void)
{
	return bb_clock_us() / 1000;
}

/* ---- deciding about one device ---- */

static void tell_state(struct bb_device *device, enum bb_device_state state)
{
	const bool up = state == BB_DEVICE_UP;
	const bool again = atomic_load(&device_record(device)->decided) != BB_DEVICE_UNKNOWN;

	(void)events_emit(&(struct bb_event){
		.kind = up ? BB_EVENT_DEVICE_FOUND : BB_EVENT_DEVICE_LOST,
		.severity = up ? BB_SEVERITY_INFO : BB_SEVERITY_ALARM,
		.device = bb_device_name(device),
		.text = up ? (again ? "the device answers again" : "the device answers")
			   : (state == BB_DEVICE_NEVER ? "the device has never answered"
						       : "the device does not answer any more"),
	}); /* nobody needs the number of this one */
}

/* Readers shall see communications-lost in the reading too. False when the device has published meanwhile. */
static bool mark_lost(struct bb_device *device, struct bb_reading *reading)
{
	struct bb_reading *copy = reading_copy(reading);

	if (!copy)
		return true; /* the alarm set says it all the same */
	derive_fill(copy->generation->plan, copy, true);
	return device_replace_reading(device, reading, copy);
}

/* One look at a device. False: it changed while we looked. */
static bool look_at(struct bb_device *device, int64_t now_ms)
{
	struct device_record *record = device_record(device);
	struct bb_snapshot snapshot;
	bool settled = true;

	bb_device_snapshot(device, now_ms, &snapshot);
	if (snapshot.state != BB_DEVICE_UNKNOWN && snapshot.alarms) {
		const int state = (int)snapshot.state;

		if (state == BB_DEVICE_LOST && atomic_load(&record->decided) != state)
			settled = mark_lost(device, snapshot.reading);
		if (settled && atomic_load(&record->decided) != state) {
			tell_state(device, snapshot.state);
			atomic_store(&record->decided, state);
		}
	}
	if (settled && snapshot.alarms)
		settled =
			monitor_decide_alarms(device, &snapshot, registry_alarm_admin(device_registry(device)), now_ms);
	bb_snapshot_release(&snapshot);
	return settled;
}

/* See to it that the devices are looked at by @due_ms, when a delay of a rule is over. */
static void monitor_arm(struct monitor *monitor, int64_t due_ms, int64_t now_ms)
{
	if (due_ms >= monitor->due_ms)
		return;
	monitor->due_ms = due_ms;
	if (monitor->due)
		bb_timer_start(monitor->due, due_ms > now_ms ? due_ms - now_ms : 1, 0);
}

/* A device that publishes faster than we can look is looked at again with its next publish or tick. */
static void decide(struct bb_device *device, int64_t now_ms)
{
	for (int tries = 0; tries < 3; tries++)
		if (look_at(device, now_ms))
			break;
	monitor_arm(registry_monitor(device_registry(device)), device_record(device)->due_ms, now_ms);
}

void monitor_look(struct bb_device *device)
{
	decide(device, bb_clock_ms());
}

/* ---- clocks ---- */

/*
 * What was seen before a gap and what is seen after it were not so all the time between. Nor may a device that is polled
 * once an hour be unknown for so long.
 */
static void begin_anew(struct bb_registry *registry)
{
	struct bb_device_list *list = bb_registry_devices(registry);

	for (size_t i = 0; list && i < list->count; i++) {
		monitor_forget_delays(list->devices[i]);
		scheduler_begin_anew(list->devices[i], (int64_t)list->count * AGAIN_SPREAD_PER_DEVICE_MS);
	}
	bb_device_list_unref(list);
}

/* Compare the clocks with those of the last look. True when nothing was missed between. */
static bool check_clocks(struct bb_registry *registry, int64_t boottime_ms, int64_t monotonic)
{
	struct monitor *monitor = registry_monitor(registry);
	bool gap = false;

	if (monitor->monotonic_ms != 0) {
		const int64_t awake_ms = monotonic - monitor->monotonic_ms;
		const int64_t asleep_ms = boottime_ms - monitor->boottime_ms - awake_ms;

		gap = asleep_ms > GAP_MS || awake_ms > TICK_MS + GAP_MS;
	}
	monitor->boottime_ms = boottime_ms;
	monitor->monotonic_ms = monotonic;
	if (gap) {
		registry_set_gap(registry, boottime_ms);
		begin_anew(registry);
		bb_log_notice(NULL, "the clock jumped: every device is unknown until it answers again");
		(void)events_emit(&(struct bb_event){.kind = BB_EVENT_CLOCK_GAP,
						     .severity = BB_SEVERITY_INFO,
						     .text = "the machine slept, or the agent stood still"});
	}
	return !gap;
}

/* Alarms that were kept quiet for long enough; those of devices are looked at with them. */
static void release_quiet(struct bb_registry *registry, int64_t now_ms)
{
	struct alarm_admin *admin = registry_alarm_admin(registry);

	if (alarm_admin_due(admin) > now_ms)
		return;
	alarm_admin_expire(registry, now_ms);
	registry_look_at_agent(registry);
}

void monitor_check(struct bb_registry *registry, int64_t boottime_ms, int64_t monotonic)
{
	struct bb_device_list *list;

	if (!check_clocks(registry, boottime_ms, monotonic))
		return;
	release_quiet(registry, boottime_ms);
	list = bb_registry_devices(registry);
	for (size_t i = 0; i < list->count; i++)
		decide(list->devices[i], boottime_ms);
	bb_device_list_unref(list);
}

/* ---- when it looks ---- */

static void monitor_tick(void *context)
{
	monitor_check(context, bb_clock_ms(), monotonic_ms());
}

/* The delay of some rule is over: of which, the devices know. */
static void monitor_due(void *context)
{
	struct bb_registry *registry = context;
	struct monitor *monitor = registry_monitor(registry);
	const int64_t now_ms = bb_clock_ms();
	struct bb_device_list *list;

	monitor->due_ms = INT64_MAX;
	if (!check_clocks(registry, now_ms, monotonic_ms()))
		return; /* the next tick looks at all, and so begins again */
	list = bb_registry_devices(registry);
	for (size_t i = 0; i < list->count; i++) {
		const int64_t due_ms = device_record(list->devices[i])->due_ms;

		if (due_ms <= now_ms)
			decide(list->devices[i], now_ms);
		else
			monitor_arm(monitor, due_ms, now_ms);
	}
	bb_device_list_unref(list);
}

static void monitor_woken(struct bb_task *task)
{
	struct device_record *record = BB_CONTAINER(task, struct device_record, task);
	struct bb_device *device = record->device;
	struct bb_registry *registry = device_registry(device);
	const int64_t now_ms = bb_clock_ms();

	atomic_store(&record->waking, false);
	if (registry_monitor(registry) != NULL && atomic_load(&record->listed)) {
		(void)check_clocks(registry, now_ms, monotonic_ms()); /* what is older than a gap is unknown anyway */
		decide(device, now_ms);
	}
	bb_device_unref(device);
}

void monitor_wake(struct bb_device *device)
{
	struct device_record *record = device_record(device);
	struct bb_loop *loop = registry_loop(device_registry(device));

	if (!loop || atomic_exchange(&record->waking, true))
		return;
	(void)bb_device_ref(device); /* monitor_woken() gives it back */
	record->task.run = monitor_woken;
	bb_loop_post(loop, &record->task);
}

static void monitor_free(struct monitor *monitor)
{
	bb_timer_destroy(monitor->timer);
	bb_timer_destroy(monitor->due);
	free(monitor);
}

int monitor_start(struct bb_registry *registry)
{
	struct bb_loop *loop = registry_loop(registry);
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	struct alarm_admin *admin = NULL;
	struct alarm_told *told = NULL;

	if (!monitor)
		return -ENOMEM;
	monitor->due_ms = INT64_MAX;
	if (alarm_admin_create(&admin) < 0 || alarm_told_create(&told) < 0)
		goto fail;
	if (loop) {
		monitor->timer = bb_timer_create(loop, monitor_tick, registry);
		monitor->due = bb_timer_create(loop, monitor_due, registry);
		if (!monitor->timer || !monitor->due)
			goto fail;
		bb_timer_start(monitor->timer, TICK_MS, TICK_MS);
	}
	registry_set_monitor(registry, monitor);
	registry_set_alarm_admin(registry, admin);
	registry_set_alarm_told(registry, told);
	return 0;
fail:
	monitor_free(monitor);
	alarm_admin_destroy(admin);
	alarm_told_destroy(told);
	return -ENOMEM;
}

void monitor_stop(struct bb_registry *registry)
{
	struct monitor *monitor = registry_monitor(registry);

	if (!monitor)
		return;
	registry_set_monitor(registry, NULL);
	alarm_admin_destroy(registry_alarm_admin(registry));
	registry_set_alarm_admin(registry, NULL);
	alarm_told_destroy(registry_alarm_told(registry));
	registry_set_alarm_told(registry, NULL);
	monitor_free(monitor);
}
