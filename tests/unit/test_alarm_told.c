/* SPDX-License-Identifier: Apache-2.0
 *
 * test_alarm_told.c - alarms over restarts of the agent, with a journal that outlives it.
 */
#include "alarm_admin.h"
#include "alarm_told.h"
#include "journal_support.h"
#include "monitor_support.h"

/* The agent starts, with a device that has @points. */
static void begin_life(const char *const *points)
{
	looked = open_journal() - 1;
	monitored_begin(points);
}

/* What is told and remembered becomes durable: the journal is closed in order. */
static void end_life(void)
{
	monitored_end();
	close_journal();
}

static void restart(void)
{
	end_life();
	begin_life(fake_ups_points);
}

static void start(void)
{
	script = (struct fake_script){0};
	journal_start();
	begin_life(fake_ups_points);
}

static void stop(void)
{
	end_life();
	journal_finish();
}

TestSuite(alarm_told, .init = start, .fini = stop);

static void poll_with(bool on_battery)
{
	script.on_battery = on_battery;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	now = bb_clock_ms();
	look();
}

/* The device is found, and on battery. Returns the number of the event that says the latter. */
static uint64_t raise_on_battery(void)
{
	poll_with(true);
	expect(BB_EVENT_DEVICE_FOUND, "");
	return expect(BB_EVENT_ALARM_RAISED, "on-battery")->number;
}

Test(alarm_told, an_alarm_that_is_still_active_goes_on_as_it_was)
{
	const uint64_t raised = raise_on_battery();
	const struct bb_alarm before = alarm_named("on-battery");
	struct bb_alarm after;

	restart();
	look();
	expect_nothing();
	after = alarm_named("on-battery");
	cr_assert(after.active, "before the device has answered");
	cr_assert_eq(after.event, raised);
	cr_assert_eq(after.since_ms, before.since_ms);
	cr_assert_eq(after.since_wall_ms, before.since_wall_ms);
	poll_with(true);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
	cr_assert_eq(alarm_named("on-battery").event, raised);
	restart();
	poll_with(true);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing(); /* after any number of restarts */
	poll_with(false);
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "on-battery")->raised, raised);
}

Test(alarm_told, an_alarm_that_is_over_meanwhile_is_told_as_cleared_once)
{
	const uint64_t raised = raise_on_battery();

	restart();
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "on-battery")->raised, raised);
	cr_assert_not(alarm_named("on-battery").active);
	restart();
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
	poll_with(true);
	cr_assert_gt(expect(BB_EVENT_ALARM_RAISED, "on-battery")->number, raised, "another one");
}

Test(alarm_told, while_the_device_does_not_answer_nothing_is_over)
{
	raise_on_battery();
	restart();
	pass(60000);
	expect(BB_EVENT_DEVICE_LOST, "");
	expect(BB_EVENT_ALARM_RAISED, "communications-lost");
	expect_nothing();
	cr_assert(alarm_named("on-battery").active);
	restart();
	pass(60000);
	expect(BB_EVENT_DEVICE_LOST, "");
	expect_nothing(); /* of communications people were told before, too */
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_CLEARED, "on-battery");
	expect(BB_EVENT_ALARM_CLEARED, "communications-lost");
	expect_nothing();
}

Test(alarm_told, an_alarm_that_comes_with_the_answer_of_the_device_goes_on_then)
{
	static const char *const lid[] = {"alarm.lid-open", NULL};
	uint64_t raised;

	script.describe_points = lid;
	poll_with(true);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect(BB_EVENT_ALARM_RAISED, "on-battery");
	raised = expect(BB_EVENT_ALARM_RAISED, "lid-open")->number;
	restart();
	look();
	expect_nothing(); /* the device may still say that it has one */
	poll_with(true);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
	cr_assert(alarm_named("lid-open").active);
	cr_assert_eq(alarm_named("lid-open").event, raised);
}

Test(alarm_told, an_alarm_that_the_device_has_no_more_is_over_when_it_has_answered)
{
	static const char *const others[] = {"battery.charge", NULL};
	const uint64_t raised = raise_on_battery();
	const struct bb_event *event;

	end_life();
	begin_life(others);
	look();
	expect_nothing();
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	event = expect(BB_EVENT_ALARM_CLEARED, "on-battery");
	cr_assert_eq(event->raised, raised);
	cr_assert_eq(event->severity, bb_alarm_type_find("on-battery")->severity);
	cr_assert_str_eq(event->device, "ups-a");
	cr_assert_str_eq(event->text, "nobody watches this any more");
	restart();
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
}

Test(alarm_told, what_cleared_quietly_before_a_restart_is_told_at_the_release)
{
	const uint64_t raised = raise_on_battery();

	cr_assert_eq(alarm_inhibit(registry, "ups-a", "on-battery", 3600000, "test"), 0);
	expect(BB_EVENT_ALARM_INHIBITED, "on-battery");
	poll_with(false);
	restart();
	poll_with(false);
	expect(BB_EVENT_DEVICE_FOUND, "");
	expect_nothing();
	cr_assert_eq(alarm_inhibit(registry, "ups-a", "on-battery", 0, "test"), 0);
	cr_assert_eq(expect(BB_EVENT_ALARM_RELEASED, "on-battery")->raised, raised);
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "on-battery")->raised, raised);
	expect_nothing();
}

Test(alarm_told, an_acknowledgement_holds_over_a_restart)
{
	raise_on_battery();
	cr_assert_eq(alarm_acknowledge(registry, "ups-a", "on-battery", "test"), 0);
	restart();
	look();
	cr_assert(alarm_named("on-battery").acknowledged);
	poll_with(true);
	cr_assert(alarm_named("on-battery").acknowledged);
}

/* As if the agent of before had remembered @text of on-battery. */
static void remember(const char *text)
{
	cr_assert_eq(journal_put_state("raised/ups-a/on-battery", text), 0);
	restart();
	look();
}

static void count_line(void *context, const char *key, const char *text)
{
	(void)key;
	(void)text;
	++*(int *)context;
}

Test(alarm_told, what_was_raised_by_an_event_that_is_lost_is_told_again)
{
	int lines = 0;

	remember("4711 1 1000 1000 0 boot");
	cr_assert_not(alarm_named("on-battery").active);
	journal_each_state("raised/", count_line, &lines);
	cr_assert_eq(lines, 0);
	raise_on_battery();
}

Test(alarm_told, what_nobody_can_read_is_as_if_it_had_not_been_said)
{
	static const char *const texts[] = {"", "1", "1 9 1000 1000 0 boot", "x 1 1000 1000 0 boot"};

	raise_on_battery();
	poll_with(false);
	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		remember(texts[i]);
		cr_assert_not(alarm_named("on-battery").active, "'%s'", texts[i]);
	}
}

Test(alarm_told, an_alarm_of_another_boot_of_the_machine_began_before_this_one)
{
	const uint64_t raised = raise_on_battery();
	char text[128];

	poll_with(false);
	(void)snprintf(text, sizeof(text), "%llu 1 1000 5 0 another-boot", (unsigned long long)raised);
	remember(text);
	cr_assert(alarm_named("on-battery").active);
	cr_assert_eq(alarm_named("on-battery").since_wall_ms, 1000);
	cr_assert_lt(alarm_named("on-battery").since_ms, -1000000000, "1970 was long before");

	(void)snprintf(text, sizeof(text), "%llu 1 %lld 5 0 another-boot", (unsigned long long)raised,
		       (long long)bb_clock_wall_ms() + 3600000);
	remember(text);
	cr_assert_eq(alarm_named("on-battery").since_ms, -1, "whatever the wall clock says");
}

Test(alarm_told, alarms_of_the_agent_go_on_or_end_when_it_has_started)
{
	uint64_t rejected, failed;

	registry_agent_alarm(registry, "config-rejected", true, "a fault");
	rejected = expect(BB_EVENT_ALARM_RAISED, "config-rejected")->number;
	registry_agent_alarm(registry, "plugin-failed", true, "a plugin");
	failed = expect(BB_EVENT_ALARM_RAISED, "plugin-failed")->number;
	restart();
	registry_agent_alarm(registry, "plugin-failed", true, "a plugin");
	registry_settle_agent(registry);
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "config-rejected")->raised, rejected);
	expect_nothing();
	registry_agent_alarm(registry, "plugin-failed", false, "");
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "plugin-failed")->raised, failed);
	restart();
	registry_settle_agent(registry);
	expect_nothing();
	registry_agent_alarm(registry, "plugin-failed", true, "again");
	cr_assert_gt(expect(BB_EVENT_ALARM_RAISED, "plugin-failed")->number, failed);
}

static bool is_not_there(void *context, const char *name, const char *alarm)
{
	(void)alarm;
	return strcmp(name, context) != 0;
}

Test(alarm_told, alarms_of_a_device_that_has_gone_end_with_it)
{
	const uint64_t raised = raise_on_battery();
	char name[] = "ups-a";

	restart();
	alarm_told_sweep(registry_alarm_told(registry), is_not_there, name, "gone");
	cr_assert_eq(expect(BB_EVENT_ALARM_CLEARED, "on-battery")->raised, raised);
	alarm_told_sweep(registry_alarm_told(registry), is_not_there, name, "gone");
	expect_nothing();
}

Test(alarm_told, without_a_monitor_nothing_is_remembered)
{
	const struct bb_alarm_type type = {.name = "on-battery"};
	struct bb_alarm alarm = {.type = &type, .active = true, .event = 7};

	alarm_told_raised(NULL, "ups-a", &alarm);
	alarm_told_cleared(NULL, "ups-a", "on-battery");
	alarm_told_sweep(NULL, is_not_there, NULL, "");
	alarm = (struct bb_alarm){.type = &type};
	cr_assert_not(alarm_told_recall(NULL, "ups-a", &alarm));
}
