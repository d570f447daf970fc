/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor: from readings to decisions, on the main loop.
 *
 * For each device it compares what the reading says with what was said last, and what changed becomes an event: alarms
 * raised and cleared, the device found or lost. It looks when a device has published something that matters, and at
 * all devices once a second, because nobody publishes silence. Before it looks, it compares the two clocks: after a
 * gap (the machine slept, or the loop stood still) all readings are of another time, so the registry notes the gap
 * and every device is unknown until it has answered again. Nothing is decided about an unknown device.
 *
 * A device may publish at any moment, also between looking and deciding. The decision is then put in place only if
 * what it was made from is still there; otherwise the monitor looks again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alarm.h"
#include "derive.h"
#include "device.h"
#include "events.h"
#include "monitor.h"
#include "reading.h"
#include "registry.h"

#define TICK_MS 1000

/* Clocks that differ by more than this have jumped. */
#define GAP_MS 5000

struct monitor {
	struct bb_timer *timer;
	int64_t boottime_ms, monotonic_ms; /* when it looked last; 0: not yet */
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- deciding about one device ---- */

/* What the reading says of an alarm: 1, 0, or −1 when nothing. */
static int alarm_in_reading(const struct bb_reading *reading, size_t index)
{
	const size_t place = reading->generation->alarms[index];

	return reading->qualities[place] == BB_QUALITY_GOOD ? reading->values[place] != 0 : -1;
}

/* What an alarm has to become; −1: it stays. Of a device that does not answer only that much is known. */
static int alarm_wanted(const struct bb_snapshot *snapshot, size_t index)
{
	if (snapshot->state == BB_DEVICE_LOST || snapshot->state == BB_DEVICE_NEVER)
		return strcmp(snapshot->alarms->alarms[index].type->name, "communications-lost") == 0 ? 1 : -1;
	return snapshot->stale[BB_GROUP_URGENT] ? -1 : alarm_in_reading(snapshot->reading, index);
}

/* The alarms as they have to become, each change with the number its event will have; NULL when none changes. */
static struct bb_alarm_set *change_alarms(const struct bb_snapshot *snapshot, int64_t now_ms)
{
	const struct bb_alarm_set *now = snapshot->alarms;
	struct bb_alarm_set *next = NULL;
	uint64_t number = events_newest();

	for (size_t i = 0; i < now->count; i++) {
		const int wanted = alarm_wanted(snapshot, i);

		if (wanted < 0 || now->alarms[i].active == (wanted != 0))
			continue;
		if (!next)
			next = alarm_set_copy(now);
		if (!next)
			return NULL; /* without memory nothing is decided; the next tick tries again */
		number++;
		next->alarms[i].active = wanted != 0;
		next->alarms[i].since_ms = now_ms;
		next->alarms[i].since_wall_ms = bb_clock_wall_ms();
		next->alarms[i].event = wanted != 0 ? number : 0;
	}
	if (next)
		alarm_set_seal(next);
	return next;
}

static void tell_alarm(struct bb_device *device, const struct bb_alarm *alarm)
{
	(void)events_emit(&(struct bb_event){
		.kind = alarm->active ? BB_EVENT_ALARM_RAISED : BB_EVENT_ALARM_CLEARED,
		.severity = alarm->type->severity,
		.device = bb_device_name(device),
		.subject = alarm->type->name,
		.text = alarm->type->title,
	}); /* the number is known: nobody else numbers events meanwhile */
}

/* Bring the alarms in line with the snapshot. False when the device got other alarms meanwhile. */
static bool decide_alarms(struct bb_device *device, const struct bb_snapshot *snapshot, int64_t now_ms)
{
	const struct bb_alarm_set *before = snapshot->alarms;
	struct bb_alarm_set *after = change_alarms(snapshot, now_ms);
	bool replaced;

	if (!after)
		return true;
	bb_alarm_set_ref(after);
	replaced = device_replace_alarms(device, before, after);
	if (replaced) {
		events_hold();
		for (size_t i = 0; i < after->count; i++)
			if (after->alarms[i].active != before->alarms[i].active)
				tell_alarm(device, &after->alarms[i]);
		events_release();
	}
	bb_alarm_set_unref(after);
	return replaced;
}

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
		settled = settled && decide_alarms(device, &snapshot, now_ms);
	}
	bb_snapshot_release(&snapshot);
	return settled;
}

/* A device that publishes faster than we can look is looked at again with its next publish or tick. */
static void decide(struct bb_device *device, int64_t now_ms)
{
	for (int tries = 0; tries < 3; tries++)
		if (look_at(device, now_ms))
			return;
}

/* ---- clocks ---- */

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
		bb_log_notice(NULL, "the clock jumped: every device is unknown until it answers again");
		(void)events_emit(&(struct bb_event){.kind = BB_EVENT_CLOCK_GAP,
						     .severity = BB_SEVERITY_INFO,
						     .text = "the machine slept, or the agent stood still"});
	}
	return !gap;
}

void monitor_check(struct bb_registry *registry, int64_t boottime_ms, int64_t monotonic)
{
	struct bb_device_list *list;

	if (!check_clocks(registry, boottime_ms, monotonic))
		return;
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

static void monitor_woken(struct bb_task *task)
{
	struct device_record *record = (struct device_record *)((char *)task - offsetof(struct device_record, task));
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

int monitor_start(struct bb_registry *registry)
{
	struct bb_loop *loop = registry_loop(registry);
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor)
		return -ENOMEM;
	if (loop) {
		monitor->timer = bb_timer_create(loop, monitor_tick, registry);
		if (!monitor->timer) {
			free(monitor);
			return -ENOMEM;
		}
		bb_timer_start(monitor->timer, TICK_MS, TICK_MS);
	}
	registry_set_monitor(registry, monitor);
	return 0;
}

void monitor_stop(struct bb_registry *registry)
{
	struct monitor *monitor = registry_monitor(registry);

	if (!monitor)
		return;
	registry_set_monitor(registry, NULL);
	bb_timer_destroy(monitor->timer);
	free(monitor);
}
