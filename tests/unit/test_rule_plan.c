/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rule_plan.c - rules bound to the points of a device: which alarms there are, and what they look at.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include <busbar/macros.h>

#include "derive.h"
#include "draft.h"
#include "log.h"
#include "reading.h"
#include "rule_plan.h"
#include "rule_support.h"

static char said[1024];

static void remember_line(void *context, enum bb_log_level level, const char *line)
{
	(void)context;
	(void)level;
	snprintf(said, sizeof(said), "%s", line);
}

static void start(void)
{
	log_set_sink(remember_line, NULL);
}

static void stop(void)
{
	log_set_sink(NULL, NULL);
}

TestSuite(rule_plan, .init = start, .fini = stop);

static struct generation *generation_of(const struct bb_point_spec *specs, size_t count)
{
	struct generation *generation;
	struct derive_plan *plan;
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	cr_assert_eq(draft_add(&draft, specs, count), 0);
	cr_assert_eq(derive_extend(&draft, NULL, &plan), 0);
	cr_assert_eq(generation_create(&draft, plan, &generation), 0);
	draft_finish(&draft);
	return generation;
}

static const struct bb_point_spec ups[] = {
	{.name = "alarm.on-battery"},
	{.name = "battery.charge"},
	{.name = "input.L1.voltage"},
	{.name = "input.L2.voltage"},
	{.name = "battery.positive.voltage"},
	{.name = "battery.negative.voltage"},
	{.name = "output.source"},
	{.name = "bacs.alarms"},
	{.name = "vendor.pressure", .unit = BB_VOLT, .decimals = 2},
	{.name = "device.model"},
};

/* The plan of @text for "ups-a" with the points above. */
static struct rule_plan *plan_of(const char *text)
{
	struct generation *generation = generation_of(ups, BB_LENGTH(ups));
	struct rule_set *rules = rules_of(text);
	struct rule_plan *plan = NULL;

	cr_assert_eq(rule_plan_create(rules, "ups-a", generation, NULL, &plan), 0);
	rule_set_unref(rules); /* the plan keeps what it needs */
	generation_unref(generation);
	return plan;
}

static void expect_names(struct rule_plan *plan, const char *names)
{
	char got[512] = "";

	for (size_t i = 0; plan && i < plan->count; i++) {
		strcat(got, i > 0 ? " " : "");
		strcat(got, plan->bounds[i].type.name);
	}
	cr_expect_str_eq(got, names);
	rule_plan_unref(plan);
}

Test(rule_plan, a_glob_makes_an_alarm_for_each_point)
{
	expect_names(plan_of("alarms:\n  - { preset: input-voltage, warning: 210..250 V, alarm: 200..260 V }\n"),
		     "input-voltage-warning-l1 input-voltage-alarm-l1 input-voltage-warning-l2 input-voltage-alarm-l2");
	expect_names(plan_of("alarms:\n  - { point: '*.voltage', below: 1 V, name: dead }\n"),
		     "dead-input-l1-voltage dead-input-l2-voltage dead-battery-positive-voltage "
		     "dead-battery-negative-voltage");
}

Test(rule_plan, rules_for_other_devices_and_points_make_none)
{
	cr_assert_null(plan_of("alarms:\n  - { device: ups-b, point: battery.charge, below: 40% }\n"));
	cr_assert_null(plan_of("alarms:\n  - { point: battery.current, below: 40 A }\n"));
	cr_assert_null(
		plan_of("alarms:\n  - { point: input.L1.voltage, difference-to: input.L3.voltage, above: 9 V }\n"));
	cr_assert_null(plan_of("alarms: []\n"));
	expect_names(plan_of("alarms:\n  - { device: '*-a', point: battery.charge, below: 40%, name: low }\n"), "low");
}

Test(rule_plan, alarms_say_what_they_are)
{
	struct rule_plan *plan =
		plan_of("alarms:\n"
			"  - { point: battery.charge, warning: below 41%, alarm: below 21%, name: c }\n"
			"  - { preset: battery-symmetry, warning: 3V }\n"
			"  - { point: 'input.L?.voltage', below: 200 V, text: mains are low }\n");

	cr_assert_eq(plan->count, 5);
	cr_assert_str_eq(plan->bounds[0].type.title, "battery.charge below 41%");
	cr_assert_str_eq(plan->bounds[0].type.oid, bb_alarm_type_find("threshold-warning")->oid);
	cr_assert_eq(plan->bounds[1].type.severity, BB_SEVERITY_ALARM);
	cr_assert_str_eq(plan->bounds[1].type.oid, bb_alarm_type_find("threshold-alarm")->oid);
	cr_assert_str_eq(plan->bounds[2].type.title, "difference between the battery halves above 3V");
	cr_assert_str_eq(plan->bounds[4].type.title, "mains are low");
	cr_assert_eq(plan->bounds[0].type.bit, -1);
	rule_plan_unref(plan);
}

Test(rule_plan, limits_have_the_decimals_of_the_point)
{
	struct rule_plan *plan = plan_of("alarms:\n"
					 "  - { point: battery.charge, below: 40%, hysteresis: 2.5% }\n"
					 "  - { point: vendor.pressure, above: 1.25 V }\n");

	cr_assert_eq(plan->bounds[0].rule.low, 400);
	cr_assert_eq(plan->bounds[0].rule.hysteresis, 25);
	cr_assert_eq(plan->bounds[1].rule.high, 125);
	rule_plan_unref(plan);
}

Test(rule_plan, what_turns_out_not_to_suit_is_left_out_and_said)
{
	cr_assert_null(plan_of("alarms:\n  - { point: vendor.pressure, above: 5 A, name: high }\n"));
	cr_assert_str_eq(said, "rule high is not for vendor.pressure (unit: 'V'), left out");
	expect_names(plan_of("alarms:\n"
			     "  - { point: battery.charge, below: 40%, name: low-l1 }\n"
			     "  - { point: 'input.L?.voltage', below: 200 V, name: low }\n"),
		     "low-l1 low-l2");
	cr_assert_str_eq(said, "there is an alarm low-l1 already, the rule of that name is left out");
}

Test(rule_plan, gates_are_found_among_the_alarms_of_the_device_and_rules_before)
{
	struct rule_plan *plan =
		plan_of("alarms:\n"
			"  - { point: battery.charge, below: 40%, name: low, only-while: on-battery }\n"
			"  - { point: battery.charge, below: 30%, name: lower, only-while: low }\n"
			"  - { point: battery.charge, below: 20%, name: lowest, not-while: fan-failure }\n");

	struct generation *generation = generation_of(ups, BB_LENGTH(ups));

	cr_assert_eq(plan->bounds[0].gate, 0);
	cr_assert_eq((size_t)plan->bounds[1].gate, generation->alarm_count,
		     "the rules stand behind the device's alarms");
	cr_assert_eq(plan->bounds[2].gate, -1);
	generation_unref(generation);
	rule_plan_unref(plan);
}

/* ---- values ---- */

/* A reading of the UPS: @place has @value, all others are unknown, but for those set before. */
static struct bb_reading *reading_with(struct generation *generation, size_t place, int64_t value, size_t place2,
				       int64_t value2)
{
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1);

	cr_assert_eq(bb_reading_set(reading, place, value), 0);
	cr_assert_eq(bb_reading_set(reading, place2, value2), 0);
	reading_finish(reading);
	return reading;
}

static void expect_value(struct generation *generation, const char *rule, size_t place, int64_t value, size_t place2,
			 int64_t value2, bool known, int64_t expected)
{
	struct bb_reading *reading = reading_with(generation, place, value, place2, value2);
	struct rule_set *rules = rules_of(rule);
	struct rule_plan *plan;
	int64_t got = 0;

	cr_assert_eq(rule_plan_create(rules, "ups-a", generation, NULL, &plan), 0);
	cr_assert_eq(rule_bound_value(&plan->bounds[0], reading, &got), known, "%s", rule);
	cr_assert_eq(got, expected, "%s: %lld", rule, (long long)got);
	rule_plan_unref(plan);
	rule_set_unref(rules);
	bb_reading_unref(reading);
}

Test(rule_plan, values_are_numbers_bits_members_and_distances)
{
	struct generation *generation = generation_of(ups, BB_LENGTH(ups));
	const char *symmetry = "alarms:\n  - { preset: battery-symmetry }\n";

	expect_value(generation, "alarms:\n  - { point: battery.charge, below: 40% }\n", 1, 397, 2, 0, true, 397);
	expect_value(generation, "alarms:\n  - { point: battery.charge, below: 40% }\n", 2, 397, 3, 0, false, 0);
	expect_value(generation, symmetry, 4, 2701, 5, 2650, true, 51);
	expect_value(generation, symmetry, 4, 2650, 5, 2701, true, 51);
	expect_value(generation, symmetry, 4, INT64_MAX, 5, -5, true, INT64_MAX);
	expect_value(generation, symmetry, 4, 2650, 1, 5, false, 0);
	expect_value(generation, "alarms:\n  - { point: output.source, is: bypass }\n", 6, 4, 1, 0, true, 4);
	expect_value(generation, "alarms:\n  - { point: bacs.alarms, is: voltage-high }\n", 7, 4, 1, 0, true, 1);
	expect_value(generation, "alarms:\n  - { point: bacs.alarms, is: voltage-high }\n", 7, 11, 1, 0, true, 0);
	generation_unref(generation);
}

Test(rule_plan, only_a_value_that_changes_its_region_crosses)
{
	static const struct {
		int64_t before, after;
		bool crossed;
	} cases[] = {{900, 500, false}, {500, 401, true}, {401, 399, true}, {399, 100, false}, {399, 401, true}};
	struct generation *generation = generation_of(ups, BB_LENGTH(ups));
	struct rule_set *rules = rules_of("alarms:\n  - { point: battery.charge, below: 40%, hysteresis: 1% }\n");
	struct rule_plan *plan;

	cr_assert_eq(rule_plan_create(rules, "ups-a", generation, NULL, &plan), 0);
	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *before = reading_with(generation, 1, cases[i].before, 2, 0);
		struct bb_reading *after = reading_with(generation, 1, cases[i].after, 2, 2300);
		struct bb_reading *unknown = reading_with(generation, 2, 0, 2, 0);

		cr_expect_eq(rule_plan_crossed(plan, before, after), cases[i].crossed, "%lld to %lld",
			     (long long)cases[i].before, (long long)cases[i].after);
		cr_expect(rule_plan_crossed(plan, before, unknown));
		cr_expect_not(rule_plan_crossed(plan, unknown, unknown));
		bb_reading_unref(before);
		bb_reading_unref(after);
		bb_reading_unref(unknown);
	}
	rule_plan_unref(plan);
	rule_set_unref(rules);
	generation_unref(generation);
}
