/* SPDX-License-Identifier: Apache-2.0
 *
 * Which instances of a device feed points, and which requests get them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

static const struct identity anybody = {"1.3.6.1.4.1.8072.3.2.10", ""};

static struct suffix place(const char *text)
{
	char full[128] = "1.3.6.1.2.1.33.";
	struct bb_snmp_oid oid;
	struct suffix suffix = {0};

	strcat(full, text);
	cr_assert_eq(bb_snmp_oid_parse(full, &oid), 0);
	cr_assert(suffix_from_oid(&oid, &suffix));
	return suffix;
}

static int add(struct plan *plan, const char *text)
{
	const struct suffix suffix = place(text);

	return plan_add(plan, &suffix, &anybody, true);
}

static void expect_point(const struct plan *plan, size_t index, const char *point)
{
	char name[64] = "";

	cr_assert_lt(index, plan->count);
	(void)object_point(plan->items[index].decoder.object, plan->items[index].row, name, sizeof(name));
	cr_expect_str_eq(name, point);
}

Test(ups_snmp_plan, instances_are_understood_however_they_are_spelled)
{
	struct plan plan;

	plan_init(&plan, true);
	cr_expect_eq(add(&plan, "1.1.1"), 1, "a scalar without .0");
	cr_expect_eq(add(&plan, "1.2.4.0"), 1);
	cr_expect_eq(add(&plan, "1.3.3.1.1.1"), 0, "the index column feeds nothing");
	cr_expect_eq(add(&plan, "1.3.3.1.3.1.0"), 1, "one more .0");
	cr_expect_eq(add(&plan, "1.3.3.1.3.2"), 1);
	cr_expect_eq(add(&plan, "1.3.3.1.3.2.0"), 0, "the same row again");
	cr_expect_eq(add(&plan, "1.3.3.1.3.4"), 0, "there are three lines");
	cr_expect_eq(add(&plan, "1.4.4.1.2.0"), 1, "rows that count from 0");
	cr_expect_eq(add(&plan, "1.4.4.1.2.1"), 1);
	cr_expect_eq(add(&plan, "6.2.1.2.17"), 1);
	plan_number_lines(&plan);
	cr_assert_eq(plan.count, 7);
	expect_point(&plan, 0, "device.mfr");
	expect_point(&plan, 2, "input.L1.voltage");
	expect_point(&plan, 3, "input.L2.voltage");
	expect_point(&plan, 4, "output.L1.voltage");
	expect_point(&plan, 5, "output.L2.voltage");
	expect_point(&plan, 6, "module.17.status");
	plan_finish(&plan);
}

Test(ups_snmp_plan, one_row_0_in_any_column_tells_that_a_table_counts_from_0)
{
	struct plan plan;

	plan_init(&plan, true);
	cr_expect_eq(add(&plan, "1.3.3.1.2.1"), 1, "a column that lacks row 0 comes first");
	cr_expect_eq(add(&plan, "1.3.3.1.3.0"), 1);
	cr_expect_eq(add(&plan, "1.4.4.1.1.0"), 0, "the index column tells, too");
	cr_expect_eq(add(&plan, "1.4.4.1.2.2"), 1);
	cr_expect_eq(add(&plan, "1.5.3.1.2.1"), 1, "another table");
	plan_number_lines(&plan);
	cr_assert_eq(plan.count, 4);
	expect_point(&plan, 0, "input.L2.frequency");
	expect_point(&plan, 1, "input.L1.voltage");
	expect_point(&plan, 2, "output.L3.voltage");
	expect_point(&plan, 3, "bypass.L1.voltage");
	plan_finish(&plan);
}

Test(ups_snmp_plan, a_table_with_rows_0_to_3_counts_from_1)
{
	struct plan plan;

	plan_init(&plan, true);
	for (unsigned row = 0; row <= 3; row++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "1.4.4.1.5.%u", row);
		cr_expect_eq(add(&plan, name), 1);
	}
	plan_number_lines(&plan);
	cr_assert_eq(plan.count, 3);
	for (size_t i = 0; i < 3; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "output.L%zu.load", i + 1);
		expect_point(&plan, i, name);
	}
	cr_expect_eq(plan.items[0].between, 1, "row 0 is still on the way");
	plan_finish(&plan);
}

Test(ups_snmp_plan, names_elsewhere_or_too_long_are_no_business_of_ours)
{
	struct bb_snmp_oid oid;
	struct suffix suffix;

	cr_assert_eq(bb_snmp_oid_parse("1.3.6.1.2.1.34.1.1.0", &oid), 0);
	cr_expect_not(suffix_from_oid(&oid, &suffix));
	cr_assert_eq(bb_snmp_oid_parse("1.3.6.1.2.1.33.1.1.1.1.1.1.1.1.1.1.1", &oid), 0);
	cr_expect_not(suffix_from_oid(&oid, &suffix));
	cr_assert_eq(bb_snmp_oid_parse("1.3.6", &oid), 0);
	cr_expect_not(suffix_from_oid(&oid, &suffix));
}

Test(ups_snmp_plan, a_run_leads_over_useless_instances_but_not_over_many)
{
	struct plan plan;
	struct suffix start;
	size_t index = 0, last;
	unsigned repetitions;

	plan_init(&plan, true);
	cr_assert_eq(add(&plan, "1.2.1.0"), 1);
	cr_assert_eq(add(&plan, "1.2.2.0"), 1);
	cr_assert_eq(add(&plan, "1.3.3.1.1.1"), 0);
	cr_assert_eq(add(&plan, "1.3.3.1.2.1"), 1);
	for (unsigned i = 1; i <= 30; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "1.10.9.%u.0", i);
		cr_assert_eq(add(&plan, text), 0);
	}
	cr_assert_eq(add(&plan, "1.15.1.0"), 1);

	cr_assert(plan_next_run(&plan, &index, &start, &repetitions, &last));
	const struct suffix before_first = place("1.2.1");
	cr_expect_eq(suffix_compare(&start, &before_first), 0);
	cr_expect_eq(repetitions, 4);
	cr_expect_eq(last, 2);
	for (size_t i = 0; i <= last; i++)
		plan.items[i].seen = true;
	cr_assert(plan_next_run(&plan, &index, &start, &repetitions, &last));
	cr_expect_eq(index, 3);
	cr_expect_eq(repetitions, 1);
	plan.items[3].seen = true;
	cr_expect_not(plan_next_run(&plan, &index, &start, &repetitions, &last));
	plan_finish(&plan);
}

Test(ups_snmp_plan, a_request_asks_for_no_more_than_is_allowed)
{
	size_t places[PLAN_REQUEST_MAX], index = 0;
	struct plan plan;

	plan_init(&plan, false);
	for (unsigned i = 0; i < 60; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "6.2.1.2.%u", i + 1);
		cr_assert_eq(add(&plan, text), 1);
	}
	cr_expect_eq(plan_next_get(&plan, &index, false, places, PLAN_REQUEST_MAX), PLAN_REQUEST_FIRST);
	plan.items[PLAN_REQUEST_FIRST].dropped = true;
	cr_expect_eq(plan_next_get(&plan, &index, false, places, 5), 5);
	cr_expect_eq(places[0], PLAN_REQUEST_FIRST + 1, "what was dropped is not asked for");
	index = 0;
	cr_expect_eq(plan_next_get(&plan, &index, true, places, PLAN_REQUEST_MAX), 0, "none of them is urgent");
	plan_finish(&plan);
}

Test(ups_snmp_plan, requests_grow_while_answers_come)
{
	struct plan plan;

	plan_init(&plan, true);
	plan_answered(&plan, PLAN_REQUEST_FIRST - 1);
	cr_expect_eq(plan.request, PLAN_REQUEST_FIRST, "that says nothing about more");
	plan_answered(&plan, PLAN_REQUEST_FIRST);
	cr_expect_eq(plan.request, 2 * PLAN_REQUEST_FIRST);
	plan_answered(&plan, plan.request);
	plan_answered(&plan, plan.request);
	cr_expect_eq(plan.request, PLAN_REQUEST_MAX);
}

Test(ups_snmp_plan, too_big_is_remembered)
{
	struct plan plan;

	plan_init(&plan, true);
	cr_expect(plan_refused(&plan, 24, true));
	cr_expect(plan_refused(&plan, 12, true));
	plan_answered(&plan, 6);
	plan_answered(&plan, 6);
	cr_expect_eq(plan.request, 6);
	cr_expect(plan_refused(&plan, 6, true));
	cr_expect(plan_refused(&plan, 3, true));
	cr_expect_not(plan_refused(&plan, 1, true), "less cannot be asked for");
}

Test(ups_snmp_plan, silence_after_a_larger_request_is_blamed_on_its_size_once)
{
	struct plan plan;

	plan_init(&plan, true);
	plan_answered(&plan, 24);
	cr_expect(plan_refused(&plan, 48, false), "asked again with less");
	cr_expect_eq(plan.request, 24);
	plan_answered(&plan, 24);
	cr_expect_eq(plan.request, 24, "and never again with so many");
	/* What was answered before is not: the device is gone, and comes back as it was. */
	cr_expect_not(plan_refused(&plan, 24, false));
	cr_expect_not(plan_refused(&plan, 12, false));
	plan_answered(&plan, plan.request);
	plan_answered(&plan, plan.request);
	cr_expect_eq(plan.request, 24);
}

Test(ups_snmp_plan, what_comes_out_of_order_is_found_all_the_same)
{
	static const char *const names[] = {"1.2.1.0", "1.2.4.0", "1.4.1.0"};
	struct plan plan;
	struct suffix name;
	size_t cursor = 0;

	plan_init(&plan, true);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(add(&plan, names[i]), 1);
	name = place("1.2.3.0");
	cr_assert_eq(plan_add(&plan, &name, &anybody, false), 1, "probed later, put where it belongs");
	expect_point(&plan, 1, "battery.runtime");
	name = place("1.4.1.0");
	cr_expect_eq(plan_find(&plan, &name, &cursor), &plan.items[3]);
	name = place("1.2.1.0");
	cr_expect_eq(plan_find(&plan, &name, &cursor), &plan.items[0]);
	name = place("1.2.3.0");
	cr_expect_eq(plan_find(&plan, &name, &cursor), &plan.items[1]);
	name = place("1.9.9.0");
	cr_expect_null(plan_find(&plan, &name, &cursor));
	plan_finish(&plan);
}
