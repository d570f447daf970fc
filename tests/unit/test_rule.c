/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rule.c - the rule engine, on a clock the test turns.
 */
#include <criterion/criterion.h>

#include "rule.h"

/* A rule, what it sees, and the alarm that follows what it says. */
struct bench {
	struct rule rule;
	struct rule_state state;
	struct rule_facts facts;
	int64_t now_ms, due_ms;
};

/* At @at_ms the value is @value. Returns whether the alarm is active then. */
static bool see(struct bench *bench, int64_t at_ms, int64_t value)
{
	enum rule_verdict verdict;

	bench->now_ms = at_ms;
	bench->facts.sight = RULE_SEEN;
	bench->facts.value = value;
	verdict = rule_step(&bench->rule, &bench->state, &bench->facts, at_ms, &bench->due_ms);
	if (verdict != RULE_STAYS)
		bench->facts.active = verdict == RULE_RAISED;
	return bench->facts.active;
}

/* At @at_ms nothing can be seen. */
static void lose(struct bench *bench, int64_t at_ms, enum rule_sight sight)
{
	bench->facts.sight = sight;
	cr_assert_eq(rule_step(&bench->rule, &bench->state, &bench->facts, at_ms, &bench->due_ms), RULE_STAYS);
}

Test(rule, a_limit_itself_is_not_wrong)
{
	struct bench below = {.rule = {.compare = RULE_BELOW, .low = 410, .high = 410}};
	struct bench above = {.rule = {.compare = RULE_ABOVE, .low = 30, .high = 30}};
	struct bench outside = {.rule = {.compare = RULE_OUTSIDE, .low = 100, .high = 340}};
	struct bench inside = {.rule = {.compare = RULE_INSIDE, .low = 100, .high = 340}};

	cr_assert_not(see(&below, 1, 410));
	cr_assert(see(&below, 2, 409));
	cr_assert_not(see(&above, 1, 30));
	cr_assert(see(&above, 2, 31));
	cr_assert_not(see(&outside, 1, 100));
	cr_assert(see(&outside, 2, 99));
	cr_assert_not(see(&outside, 3, 340));
	cr_assert(see(&outside, 4, 341));
	cr_assert(see(&inside, 1, 100));
	cr_assert_not(see(&inside, 2, 99));
	cr_assert(see(&inside, 3, 340));
	cr_assert_not(see(&inside, 4, 341));
}

Test(rule, an_alarm_clears_only_beyond_the_hysteresis)
{
	struct bench below = {.rule = {.compare = RULE_BELOW, .low = 400, .high = 400, .hysteresis = 10}};
	struct bench outside = {.rule = {.compare = RULE_OUTSIDE, .low = 100, .high = 340, .hysteresis = 10}};
	struct bench inside = {.rule = {.compare = RULE_INSIDE, .low = 100, .high = 200, .hysteresis = 10}};

	cr_assert_not(see(&below, 1, 405), "not raised within the hysteresis");
	cr_assert(see(&below, 2, 399));
	cr_assert(see(&below, 3, 409));
	cr_assert_not(see(&below, 4, 410));
	cr_assert(see(&outside, 1, 341));
	cr_assert(see(&outside, 2, 331));
	cr_assert_not(see(&outside, 3, 330));
	cr_assert(see(&outside, 4, 99));
	cr_assert(see(&outside, 5, 109));
	cr_assert_not(see(&outside, 6, 110));
	cr_assert(see(&inside, 1, 150));
	cr_assert(see(&inside, 2, 210));
	cr_assert_not(see(&inside, 3, 211));
}

Test(rule, a_delay_counts_from_the_first_wrong_value)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .delay_ms = 10000}};

	cr_assert_not(see(&bench, 1000, 6));
	cr_assert_eq(bench.due_ms, 11000);
	cr_assert_not(see(&bench, 10999, 7));
	cr_assert(see(&bench, 11000, 6));
	cr_assert_eq(bench.due_ms, INT64_MAX);
}

Test(rule, a_fine_value_ends_a_delay)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .hysteresis = 2, .delay_ms = 10000}};

	cr_assert_not(see(&bench, 1000, 6));
	cr_assert_not(see(&bench, 6000, 5), "within the hysteresis is not wrong either");
	cr_assert_not(see(&bench, 12000, 6));
	cr_assert_eq(bench.due_ms, 22000);
	cr_assert(see(&bench, 22000, 6));
}

Test(rule, clearing_has_a_delay_of_its_own)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .clear_delay_ms = 5000}};

	cr_assert(see(&bench, 1000, 6));
	cr_assert(see(&bench, 2000, 5));
	cr_assert_eq(bench.due_ms, 7000);
	cr_assert(see(&bench, 6000, 6), "wrong again: it begins anew");
	cr_assert(see(&bench, 7000, 5));
	cr_assert(see(&bench, 11999, 5));
	cr_assert_not(see(&bench, 12000, 5));
}

Test(rule, an_unreadable_value_decides_nothing_and_stops_no_delay)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .delay_ms = 10000}};

	cr_assert_not(see(&bench, 1000, 6));
	lose(&bench, 5000, RULE_UNREADABLE);
	lose(&bench, 12000, RULE_UNREADABLE);
	cr_assert(see(&bench, 12500, 6));
	lose(&bench, 13000, RULE_UNREADABLE);
	cr_assert(bench.facts.active);
}

Test(rule, a_lost_device_decides_nothing_and_delays_begin_anew)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .delay_ms = 10000}};

	cr_assert_not(see(&bench, 1000, 6));
	lose(&bench, 5000, RULE_AWAY);
	cr_assert_not(see(&bench, 60000, 6));
	cr_assert(see(&bench, 70000, 6));
	lose(&bench, 80000, RULE_AWAY);
	cr_assert(bench.facts.active);
	cr_assert_not(see(&bench, 90000, 5));
}

Test(rule, the_same_look_again_says_the_same)
{
	struct bench bench = {.rule = {.compare = RULE_ABOVE, .low = 5, .high = 5, .delay_ms = 10000}};
	enum rule_verdict first, second;

	cr_assert_not(see(&bench, 1000, 6));
	first = rule_step(&bench.rule, &bench.state, &bench.facts, 11000, &bench.due_ms);
	second = rule_step(&bench.rule, &bench.state, &bench.facts, 11000, &bench.due_ms);
	cr_assert_eq(first, RULE_RAISED);
	cr_assert_eq(second, RULE_RAISED, "the change may not have been put in place the first time");
}

Test(rule, only_while_another_alarm_is_active)
{
	struct bench bench = {.rule = {.compare = RULE_BELOW, .low = 100, .high = 100, .gate = RULE_ONLY_WHILE}};

	cr_assert_not(see(&bench, 1000, 50));
	bench.facts.gate_active = true;
	cr_assert(see(&bench, 2000, 50));
	bench.facts.gate_active = false;
	cr_assert_not(see(&bench, 3000, 50), "a closed gate is as good as a fine value");
}

Test(rule, not_while_another_alarm_is_active_nor_for_a_time_after)
{
	struct bench bench = {.rule = {.compare = RULE_BELOW,
				       .low = 100,
				       .high = 100,
				       .delay_ms = 1000,
				       .gate = RULE_NOT_WHILE,
				       .hold_off_ms = 60000}};

	bench.facts.gate_active = true;
	bench.facts.gate_since_ms = 1000;
	cr_assert_not(see(&bench, 5000, 50));
	bench.facts.gate_active = false;
	bench.facts.gate_since_ms = 10000;
	cr_assert_not(see(&bench, 10000, 50));
	cr_assert_eq(bench.due_ms, 70000);
	cr_assert_not(see(&bench, 69999, 50));
	cr_assert_not(see(&bench, 70000, 50), "now the delay begins");
	cr_assert_eq(bench.due_ms, 71000);
	cr_assert(see(&bench, 71000, 50));
}

Test(rule, a_gate_that_never_was_active_holds_nothing_off)
{
	struct bench bench = {
		.rule = {.compare = RULE_BELOW, .low = 1, .high = 1, .gate = RULE_NOT_WHILE, .hold_off_ms = 60000}};

	cr_assert(see(&bench, 10, 0));
}

Test(rule, limits_at_the_ends_of_what_numbers_can_be_do_not_wrap)
{
	struct bench low = {.rule = {.compare = RULE_BELOW, .low = INT64_MAX, .high = INT64_MAX, .hysteresis = 9}};
	struct bench high = {.rule = {.compare = RULE_ABOVE, .low = INT64_MIN, .high = INT64_MIN, .hysteresis = 9}};
	struct bench late = {.rule = {.compare = RULE_ABOVE, .low = 0, .high = 0, .delay_ms = INT64_MAX}};

	cr_assert(see(&low, 1, 0));
	cr_assert_not(see(&low, 2, INT64_MAX));
	cr_assert(see(&high, 1, 0));
	cr_assert_not(see(&high, 2, INT64_MIN));
	cr_assert_not(see(&late, 5, 1));
	cr_assert_eq(late.due_ms, INT64_MAX);
}

Test(rule, regions_tell_whether_a_value_could_change_anything)
{
	const struct rule rule = {.compare = RULE_OUTSIDE, .low = 100, .high = 340, .hysteresis = 10};

	cr_assert_eq(rule_region(&rule, 99), RULE_WRONG);
	cr_assert_eq(rule_region(&rule, 100), RULE_BETWEEN);
	cr_assert_eq(rule_region(&rule, 109), RULE_BETWEEN);
	cr_assert_eq(rule_region(&rule, 110), RULE_FINE);
	cr_assert_eq(rule_region(&rule, 330), RULE_FINE);
	cr_assert_eq(rule_region(&rule, 331), RULE_BETWEEN);
	cr_assert_eq(rule_region(&rule, 341), RULE_WRONG);
}
