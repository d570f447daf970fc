/* SPDX-License-Identifier: Apache-2.0
 *
 * test_monitor_rules.c - rules of a device as the monitor runs them, and what people say about alarms, on clocks that
 * the test turns.
 */
#include <errno.h>

#include "alarm_admin.h"
#include "monitor_support.h"
#include "rule_support.h"

static void set_rules(const char *text)
{
	struct rule_set *rules = text ? rules_of(text) : NULL;

	registry_set_rules(registry, rules);
	if (device)
		cr_assert_eq(device_set_rules(device, rules), 0);
	rule_set_unref(rules);
}

TestSuite(monitor_rules, .init = monitored_start, .fini = monitored_stop);

/* The charge becomes @charge (−1: it cannot be read), and on-battery what is said. */
static void publish(int64_t charge, bool on_battery)
{
	struct bb_reading *reading = bb_device_begin(device, BB_GROUP_REST);

	cr_assert_eq(bb_reading_set(reading, 0, on_battery), 0);
	if (charge >= 0)
		cr_assert_eq(bb_reading_set(reading, 1, charge), 0);
	else
		bb_reading_set_quality(reading, 1, BB_QUALITY_BAD);
	bb_device_publish(device, reading);
	look();
}

static void begin(const char *rules)
{
	set_rules(rules);
	publish(1000, false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
}

Test(monitor_rules, a_rule_raises_and_clears_its_alarm)
{
	const struct bb_event *event;
	struct bb_alarm alarm;

	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	publish(409, false);
	event = expect(BB_EVENT_ALARM_RAISED, "low");
	cr_assert_str_eq(event->point, "battery.charge");
	cr_assert_str_eq(event->value, "40.9");
	cr_assert_str_eq(event->unit, "%");
	cr_assert_str_eq(event->text, "battery.charge below 41%");
	cr_assert_eq(event->severity, BB_SEVERITY_WARNING);
	alarm = alarm_named("low");
	cr_assert(alarm.active);
	cr_assert_eq(alarm.event, looked);
	cr_assert_eq(alarm.since_ms, now);
	cr_assert_eq(alarm.value, 409);
	cr_assert_str_eq(alarm.point->name, "battery.charge");
	publish(300, false);
	expect_nothing();
	publish(410, false);
	event = expect(BB_EVENT_ALARM_CLEARED, "low");
	cr_assert_str_eq(event->value, "41.0");
	cr_assert_eq(alarm_named("low").event, 0);
}

Test(monitor_rules, a_delay_ends_between_two_readings)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low, delay: 4s }\n");
	publish(300, false);
	pass(3000);
	expect_nothing();
	pass(1000);
	expect(BB_EVENT_ALARM_RAISED, "low");
	expect_nothing();
}

Test(monitor_rules, a_gate_is_seen_as_it_has_become_in_the_same_look)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low, only-while: on-battery }\n"
	      "  - { point: battery.charge, below: 30%, name: lower, only-while: low }\n");
	publish(300, false);
	expect_nothing();
	publish(290, true);
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	expect(BB_EVENT_ALARM_RAISED, "low");
	expect(BB_EVENT_ALARM_RAISED, "lower");
	publish(290, false);
	expect(BB_EVENT_ALARM_CLEARED, "on-battery");
	expect(BB_EVENT_ALARM_CLEARED, "low");
	expect(BB_EVENT_ALARM_CLEARED, "lower");
}

Test(monitor_rules, of_a_lost_device_rules_decide_nothing)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low, delay: 8s }\n"
	      "  - { point: battery.charge, below: 90%, name: used }\n");
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "used");
	now += 3000; /* as old as this the reading was already when the delay began to count */
	look();
	publish(300, false);
	pass(12000);
	expect(BB_EVENT_ALARM_RAISED, "low");
	expect(BB_EVENT_DEVICE_LOST, "");
	expect(BB_EVENT_ALARM_RAISED, "communications-lost");
	pass(60000);
	expect_nothing();
	cr_assert(alarm_named("used").active);
}

Test(monitor_rules, a_value_that_cannot_be_read_changes_nothing)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "low");
	publish(-1, false);
	expect_nothing();
	publish(900, false);
	expect(BB_EVENT_ALARM_CLEARED, "low");
}

Test(monitor_rules, after_a_gap_nothing_is_decided_before_a_poll)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low, delay: 2s }\n");
	publish(300, false);
	expect_nothing();
	now += 3600000;
	look();
	expect(BB_EVENT_CLOCK_GAP, "");
	pass(5000);
	expect_nothing();
}

Test(monitor_rules, other_rules_take_over_what_is_of_the_same_name)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n"
	      "  - { point: battery.charge, below: 42%, name: other }\n");
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "low");
	expect(BB_EVENT_ALARM_RAISED, "other");
	set_rules("alarms:\n  - { point: battery.charge, below: 35%, name: low }\n"
		  "  - { point: battery.charge, below: 20%, name: lower }\n");
	look();
	cr_assert_str_eq(expect(BB_EVENT_ALARM_CLEARED, "other")->text, "nobody watches this any more");
	expect_nothing();
	cr_assert(alarm_named("low").active);
	set_rules(NULL);
	look();
	expect(BB_EVENT_ALARM_CLEARED, "low");
	expect_nothing();
}

Test(monitor_rules, rules_go_on_in_a_new_generation)
{
	static const char *const more[] = {"alarm.fan-failure", NULL};

	set_rules("alarms:\n  - { point: battery.charge, below: 99%, name: low }\n");
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0); /* the charge is 97 % */
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "low");
	script.describe_points = more;
	script.relearns = 1;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	look();
	expect_nothing();
	cr_assert(alarm_named("low").active);
	cr_assert_not(alarm_named("fan-failure").active);
}

Test(monitor_rules, an_alarm_that_vanishes_while_active_is_told_as_cleared)
{
	static const char *const lid[] = {"alarm.lid-open", NULL}, *const none[] = {NULL};

	script.describe_points = lid;
	script.on_battery = true;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	look();
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	expect(BB_EVENT_ALARM_RAISED, "lid-open");
	script.describe_points = none;
	script.relearns = 1;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	look();
	expect(BB_EVENT_ALARM_CLEARED, "lid-open");
	expect_nothing();
}

static void stop_loop(struct bb_task *task)
{
	(void)task;
	bb_loop_stop(loop);
}

/* Let everything happen that was posted so far. */
static void drain(void)
{
	struct bb_task task = {.run = stop_loop};

	bb_loop_post(loop, &task);
	cr_assert_eq(bb_loop_run(loop), 0);
}

/* Does the charge of @other becoming @charge wake the main loop? */
static bool wakes(struct bb_device *other, int64_t charge)
{
	struct bb_reading *reading = bb_device_begin(other, BB_GROUP_REST);
	bool woken;

	cr_assert_eq(bb_reading_set(reading, 0, false), 0);
	cr_assert_eq(bb_reading_set(reading, 1, charge), 0);
	bb_device_publish(other, reading);
	woken = atomic_load(&device_record(other)->waking);
	drain();
	return woken;
}

Test(monitor_rules, only_a_value_that_crosses_a_limit_wakes_the_main_loop)
{
	struct rule_set *rules = rules_of("alarms:\n  - { point: battery.charge, below: 41%, hysteresis: 2% }\n");
	struct bb_registry *looped;
	struct bb_device *other;

	cr_assert_eq(registry_create(loop, &looped), 0);
	cr_assert_eq(monitor_start(looped), 0);
	registry_set_rules(looped, rules);
	rule_set_unref(rules);
	other = fake_open_device(looped, "ups-b", fake_ups_points);
	cr_assert_eq(registry_add(looped, other), 0);

	cr_assert(wakes(other, 1000), "the device is found");
	for (int64_t charge = 990; charge > 430; charge -= 10)
		cr_assert_not(wakes(other, charge), "nothing can come of %lld", (long long)charge);
	cr_assert(wakes(other, 420), "into the hysteresis");
	cr_assert_not(wakes(other, 415));
	cr_assert(wakes(other, 409));
	cr_assert_not(wakes(other, 100));
	cr_assert(wakes(other, 900));

	registry_remove(looped, other);
	drain();
	monitor_stop(looped);
	fake_free(other);
	registry_destroy(looped);
}

/* ---- what people say ---- */

Test(monitor_rules, an_acknowledgement_lasts_until_the_alarm_clears)
{
	const struct bb_event *event;

	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "low", "test"), -EINVAL, "it is not active");
	cr_assert_eq(alarm_acknowledge(registry, "ups-b", "low", "test"), -ENODEV);
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "high", "test"), -ENOENT);
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "low");
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "alarm.low", "test"), 0);
	event = expect(BB_EVENT_ALARM_ACKNOWLEDGED, "low");
	cr_assert_str_eq(event->source, "test");
	cr_assert_str_eq(event->device, "ups-a");
	cr_assert(alarm_named("low").acknowledged);
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "low", "test"), 0);
	expect_nothing();
	publish(900, false);
	expect(BB_EVENT_ALARM_CLEARED, "low");
	cr_assert_not(alarm_named("low").acknowledged);
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "low");
	cr_assert_not(alarm_named("low").acknowledged, "it is another one now");
}

Test(monitor_rules, an_inhibited_alarm_is_told_of_afterwards)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", -1, "test"), -ERANGE);
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", ALARM_INHIBIT_MAX_MS + 1, "test"), -ERANGE);
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 0, "test"), -EINVAL);
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 5000, "test"), 0);
	cr_assert_str_eq(expect(BB_EVENT_ALARM_INHIBITED, "low")->value, "5");
	cr_assert_neq(alarm_named("low").inhibited_until_wall_ms, 0);
	publish(300, false);
	expect_nothing();
	cr_assert(alarm_named("low").active, "it is shown all the same");
	cr_assert_eq(alarm_named("low").event, 0);
	pass(6000);
	expect(BB_EVENT_ALARM_RELEASED, "low");
	expect(BB_EVENT_ALARM_RAISED, "low");
	expect_nothing();
	cr_assert_eq(alarm_named("low").event, looked);
	cr_assert_eq(alarm_named("low").inhibited_until_wall_ms, 0);
}

Test(monitor_rules, what_cleared_while_it_was_quiet_is_told_at_the_release)
{
	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	publish(300, false);
	expect(BB_EVENT_ALARM_RAISED, "low");
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 3600000, "test"), 0);
	expect(BB_EVENT_ALARM_INHIBITED, "low");
	publish(900, false);
	publish(300, false);
	publish(900, false);
	expect_nothing();
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 0, "somebody"), 0);
	cr_assert_str_eq(expect(BB_EVENT_ALARM_RELEASED, "low")->source, "somebody");
	expect(BB_EVENT_ALARM_CLEARED, "low");
	expect_nothing();
}

Test(monitor_rules, what_is_told_of_an_alarm_says_which_raise_it_belongs_to)
{
	uint64_t raised;

	begin("alarms:\n  - { point: battery.charge, below: 41%, name: low }\n");
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 1000, "test"), 0);
	cr_assert_eq(expect(BB_EVENT_ALARM_INHIBITED, "low")->raised, 0, "it is not raised");
	pass(2000);
	cr_assert_eq(expect(BB_EVENT_ALARM_RELEASED, "low")->raised, 0);
	publish(300, false);
	raised = expect(BB_EVENT_ALARM_RAISED, "low")->raised;
	cr_assert_eq(raised, looked);
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "low", "test"), 0);
	cr_assert_eq(expect(BB_EVENT_ALARM_ACKNOWLEDGED, "low")->raised, raised);
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 5000, "test"), 0);
	cr_assert_eq(expect(BB_EVENT_ALARM_INHIBITED, "low")->raised, raised);
	publish(900, false);
	publish(300, false); /* another time; nobody was told of the end of the first */
	pass(4000);
	cr_assert_eq(expect(BB_EVENT_ALARM_RELEASED, "low")->raised, raised, "the time is over");
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 3600000, "test"), 0);
	expect(BB_EVENT_ALARM_INHIBITED, "low");
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "low", 0, "test"), 0);
	cr_assert_eq(expect(BB_EVENT_ALARM_RELEASED, "low")->raised, raised, "somebody says so");
	publish(900, false);
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "low")->raised, raised);
	publish(300, false);
	cr_assert_eq(expect(BB_EVENT_ALARM_RAISED, "low")->raised, looked, "the next one");
	raised = looked;
	set_rules(NULL);
	look();
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "low")->raised, raised, "its rule has gone");
}

Test(monitor_rules, alarms_of_devices_and_of_the_agent_can_be_administered_too)
{
	struct bb_alarm_set *alarms;

	begin(NULL);
	publish(900, true);
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "on-battery", "test"), 0);
	expect(BB_EVENT_ALARM_ACKNOWLEDGED, "on-battery");

	registry_agent_alarm(registry, "config-rejected", true, "why");
	expect(BB_EVENT_ALARM_RAISED, "config-rejected");
	cr_assert_eq(alarm_acknowledge(registry, "", "config-rejected", "test"), 0);
	expect(BB_EVENT_ALARM_ACKNOWLEDGED, "config-rejected");
	cr_assert_eq(alarm_inhibit(registry, "", "config-rejected", 5000, "test"), 0);
	expect(BB_EVENT_ALARM_INHIBITED, "config-rejected");
	registry_agent_alarm(registry, "config-rejected", false, "");
	expect_nothing();
	pass(6000);
	expect(BB_EVENT_ALARM_RELEASED, "config-rejected");
	expect(BB_EVENT_ALARM_CLEARED, "config-rejected");
	alarms = bb_registry_agent_alarms(registry);
	for (size_t i = 0; i < alarms->count; i++)
		cr_assert_not(alarms->alarms[i].acknowledged);
	bb_alarm_set_unref(alarms);
}
