/* SPDX-License-Identifier: Apache-2.0
 *
 * test_monitor.c - what becomes an event, on clocks that the test turns.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "monitor_support.h"
#include "reading.h"

TestSuite(monitor, .init = monitored_start, .fini = monitored_stop);

static void poll_with(bool on_battery)
{
	script.on_battery = on_battery;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
}

Test(monitor, an_alarm_is_raised_and_cleared_once)
{
	poll_with(false);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();

	poll_with(true);
	look();
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	cr_assert(alarm_named("on-battery").active);
	cr_assert_eq(alarm_named("on-battery").event, looked);
	cr_assert_eq(alarm_named("on-battery").since_ms, now);
	poll_with(true);
	look();
	expect_nothing();

	poll_with(false);
	look();
	expect(BB_EVENT_ALARM_CLEARED, "on-battery");
	cr_assert_not(alarm_named("on-battery").active);
	cr_assert_eq(alarm_named("on-battery").event, 0);
	expect_nothing();
}

Test(monitor, an_event_says_all_there_is_to_say)
{
	poll_with(true);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	cr_assert_str_eq(events_next(looked)->device, "ups-a");
	cr_assert_eq(events_next(looked)->severity, BB_SEVERITY_ALARM);
	cr_assert_str_eq(events_next(looked)->text, "running on battery");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
}

Test(monitor, a_silent_device_is_lost_then_found)
{
	struct bb_snapshot snapshot;

	poll_with(true);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	pass(9000);
	expect_nothing();
	pass(3000);
	expect(BB_EVENT_DEVICE_LOST, "");
	expect(BB_EVENT_ALARM_RAISED, "communications-lost");
	expect_nothing();
	cr_assert(alarm_named("on-battery").active, "alarms of a silent device stay");

	bb_device_snapshot(device, now, &snapshot);
	const int lost = bb_reading_find(snapshot.reading, "alarm.communications-lost");
	const int word = bb_reading_find(snapshot.reading, "ups.status.word");

	cr_assert_eq(bb_reading_values(snapshot.reading)[lost], 1);
	cr_assert_eq(bb_reading_values(snapshot.reading)[word], 0x400c);
	cr_assert_eq(snapshot.state, BB_DEVICE_LOST);
	cr_assert_geq(snapshot.age_ms, 10000, "the copy is as old as what it was made from");
	bb_snapshot_release(&snapshot);
	pass(30000);
	expect_nothing();

	poll_with(false);
	now = bb_clock_ms();
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_CLEARED, "on-battery");
	expect(BB_EVENT_ALARM_CLEARED, "communications-lost");
	expect_nothing();
}

Test(monitor, a_device_that_never_answered_is_lost_after_stale_after)
{
	pass(9000);
	expect_nothing();
	cr_assert_not(alarm_named("communications-lost").active);
	pass(3000);
	expect(BB_EVENT_DEVICE_LOST, "");
	expect(BB_EVENT_ALARM_RAISED, "communications-lost");
	pass(20000);
	expect_nothing();

	poll_with(false);
	now = bb_clock_ms();
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_CLEARED, "communications-lost");
	expect_nothing();
}

Test(monitor, after_a_suspend_nothing_is_decided_before_the_next_poll)
{
	poll_with(false);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");

	const int64_t awake = now;

	monitor_check(registry, now + 1000, awake + 1000);
	monitor_check(registry, now + 3601000, awake + 2000); /* an hour asleep */
	expect(BB_EVENT_CLOCK_GAP, "");
	monitor_check(registry, now + 3602000, awake + 3000);
	monitor_check(registry, now + 3610000, awake + 11000 - 3000);
	expect_nothing();
	monitor_check(registry, now + 3612000, awake + 11000);
	expect(BB_EVENT_DEVICE_LOST, "");
	expect(BB_EVENT_ALARM_RAISED, "communications-lost");
}

Test(monitor, a_device_that_answers_after_a_suspend_was_never_away)
{
	poll_with(false);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");

	/* Ten seconds asleep, as the clocks see it: the one went on, the other was set back. */
	const int64_t gap = bb_clock_ms() + 1;

	monitor_check(registry, gap, now - 10000);
	expect(BB_EVENT_CLOCK_GAP, "");
	while (bb_clock_ms() <= gap) /* readings are dated by the real clock */
		usleep(1000);
	poll_with(true);
	now = bb_clock_ms();
	monitor_check(registry, now, now - 10000);
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	expect_nothing();
}

Test(monitor, a_loop_that_stood_still_is_a_gap)
{
	poll_with(false);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	now += 5900;
	look();
	expect_nothing();
	now += 6100;
	look();
	expect(BB_EVENT_CLOCK_GAP, "");
	expect_nothing();
}

Test(monitor, alarms_go_on_in_a_new_generation)
{
	static const char *const more[] = {"alarm.fan-failure", "alarm.lid-open", NULL};
	struct bb_alarm before;

	poll_with(true);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	before = alarm_named("on-battery");

	script.describe_points = more;
	script.relearns = 1;
	poll_with(true);
	cr_assert(alarm_named("on-battery").active);
	cr_assert_eq(alarm_named("on-battery").event, before.event);
	cr_assert_not(alarm_named("fan-failure").active);
	look();
	expect(BB_EVENT_ALARM_RAISED, "fan-failure");
	expect(BB_EVENT_ALARM_RAISED, "lid-open");
	expect_nothing(); /* DEVICE_CHANGED was posted; the loop has not run */
}

Test(monitor, what_a_reading_does_not_know_changes_no_alarm)
{
	struct bb_reading *reading;

	poll_with(true);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");

	reading = bb_device_begin(device, BB_GROUP_REST);
	bb_reading_set_quality(reading, 0, BB_QUALITY_BAD);
	bb_device_publish(device, reading);
	look();
	expect_nothing();
	cr_assert(alarm_named("on-battery").active);
}

static void listen(void *context, const struct bb_event *event)
{
	/* Whoever is told of an alarm finds it in the alarms already, with this number. */
	if (event->kind == BB_EVENT_ALARM_RAISED) {
		cr_assert(alarm_named(event->subject).active);
		cr_assert_eq(alarm_named(event->subject).event, event->number);
		++*(int *)context;
	}
}

Test(monitor, who_is_told_of_an_alarm_finds_it_raised)
{
	int heard = 0;
	struct event_subscriber subscriber = {.event = listen, .context = &heard};

	events_subscribe(&subscriber);
	poll_with(true);
	look();
	cr_assert_eq(heard, 1);
	events_unsubscribe(&subscriber);
}

Test(monitor, a_removed_device_is_not_looked_at)
{
	registry_remove(registry, device);
	poll_with(true);
	look();
	expect_nothing();
	cr_assert_eq(registry_add(registry, device), 0);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
}

/* ---- with a loop: publishing wakes the monitor ---- */

static void stop_on_alarm(void *context, const struct bb_event *event)
{
	(void)context;
	if (event->kind == BB_EVENT_ALARM_RAISED)
		bb_loop_stop(loop);
}

static void stop_late(void *context)
{
	*(bool *)context = true;
	bb_loop_stop(loop);
}

Test(monitor, publishing_an_alarm_wakes_the_main_loop)
{
	struct event_subscriber subscriber = {.event = stop_on_alarm};
	struct bb_registry *looped;
	struct bb_device *other;
	struct bb_timer *timer;
	bool late = false;

	cr_assert_eq(registry_create(loop, &looped), 0);
	cr_assert_eq(monitor_start(looped), 0);
	other = fake_open_device(looped, "ups-b", fake_ups_points);
	cr_assert_eq(registry_add(looped, other), 0);
	events_subscribe(&subscriber);
	timer = bb_timer_create(loop, stop_late, &late);
	bb_timer_start(timer, 10000, 0);

	script.on_battery = true;
	cr_assert_eq(device_poll(other, BB_GROUP_REST), 0);
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_not(late, "no alarm was raised");

	bb_timer_destroy(timer);
	events_unsubscribe(&subscriber);
	registry_remove(looped, other);
	monitor_stop(looped);
	fake_free(other);
	registry_destroy(looped);
}
