/* SPDX-License-Identifier: Apache-2.0
 *
 * monitor_support.h - a device that the monitor looks at, on clocks that the test turns, and the events that come of it.
 *
 * Readings are dated by the real clock, so the test's time begins there and only runs faster.
 */
#ifndef TESTS_MONITOR_SUPPORT_H
#define TESTS_MONITOR_SUPPORT_H

#include <string.h>

#include "events.h"
#include "fake_device.h"
#include "monitor.h"

static struct bb_registry *registry;
static struct bb_device *device;
static struct bb_loop *loop;
static int64_t now;     /* boottime of the test */
static uint64_t looked; /* number of the last event that was looked at */

/** The monitor and a device with @points; events are the caller's. */
static inline void monitored_begin(const char *const *points)
{
	cr_assert_eq(registry_create(NULL, &registry), 0); /* nothing is posted: the test calls the monitor */
	cr_assert_eq(monitor_start(registry), 0);
	device = fake_open_device(registry, "ups-a", points);
	cr_assert_eq(registry_add(registry, device), 0);
	now = bb_clock_ms();
}

static inline void monitored_end(void)
{
	registry_remove(registry, device);
	fake_free(device);
	monitor_stop(registry);
	registry_destroy(registry);
}

/** The same with events that are kept in memory: for .init and .fini of a suite. */
static inline void monitored_start(void)
{
	script = (struct fake_script){0};
	looked = 0;
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(events_start(loop, 1), 0);
	monitored_begin(fake_ups_points);
}

static inline void monitored_stop(void)
{
	monitored_end();
	events_stop();
	bb_loop_destroy(loop);
}

static inline void look(void)
{
	monitor_check(registry, now, now);
}

/** Let @ms pass in seconds, with a look every second, as when all is well. */
static inline void pass(int64_t ms)
{
	for (; ms > 0; ms -= 1000) {
		now += 1000;
		look();
	}
}

/** The next event is of @kind and about @subject. */
static inline const struct bb_event *expect(enum bb_event_kind kind, const char *subject)
{
	const struct bb_event *event = events_next(looked);

	cr_assert_not_null(event, "no event where %s %s was due", bb_event_kind_name(kind), subject);
	cr_assert(event->kind == kind && strcmp(event->subject, subject) == 0, "%s %s where %s %s was due",
		  bb_event_kind_name(event->kind), event->subject, bb_event_kind_name(kind), subject);
	looked = event->number;
	return event;
}

static inline void expect_nothing(void)
{
	const struct bb_event *event = events_next(looked);

	cr_assert(event == NULL, "%s %s came unexpected", event ? bb_event_kind_name(event->kind) : "",
		  event ? event->subject : "");
}

static inline struct bb_alarm alarm_named(const char *name)
{
	struct bb_snapshot snapshot;
	struct bb_alarm alarm = {0};

	bb_device_snapshot(device, now, &snapshot);
	for (size_t i = 0; i < snapshot.alarms->count; i++)
		if (strcmp(snapshot.alarms->alarms[i].type->name, name) == 0)
			alarm = snapshot.alarms->alarms[i];
	bb_snapshot_release(&snapshot);
	cr_assert_not_null(alarm.type, "%s", name);
	return alarm;
}

#endif
