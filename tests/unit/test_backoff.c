/* SPDX-License-Identifier: Apache-2.0
 *
 * test_backoff.c - how long to wait before the next attempt.
 */
#include <criterion/criterion.h>

#include <busbar/backoff.h>

Test(backoff, the_wait_doubles_up_to_its_limit_less_a_quarter_at_most)
{
	static const int64_t most[] = {200, 400, 800, 1600, 2000, 2000, 2000};
	struct bb_backoff backoff = {.random = 7};

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		const int64_t delay_ms = bb_backoff_next(&backoff, 200, 2000);

		cr_assert(delay_ms <= most[i] && delay_ms > most[i] * 3 / 4, "%zu: %lld", i, (long long)delay_ms);
	}
}

Test(backoff, what_has_worked_begins_again_with_the_first_wait)
{
	struct bb_backoff backoff = {0};

	for (int i = 0; i < 10; i++)
		cr_assert_leq(bb_backoff_next(&backoff, 100, 60000), 100 << i);
	backoff.failures = 0;
	cr_assert_leq(bb_backoff_next(&backoff, 100, 60000), 100);
}

Test(backoff, no_number_of_failures_and_no_limit_is_too_large)
{
	struct bb_backoff backoff = {.failures = UINT32_MAX};

	for (int i = 0; i < 3; i++) {
		const int64_t delay_ms = bb_backoff_next(&backoff, 1, INT64_MAX);

		cr_assert_gt(delay_ms, INT64_MAX / 4 * 3 - 1);
		cr_assert_eq(backoff.failures, UINT32_MAX);
	}
	cr_assert_leq(bb_backoff_next(&backoff, 500, 100), 100, "not even the first wait exceeds the limit");
}

Test(backoff, those_that_fail_together_do_not_come_back_together)
{
	int differ = 0;

	for (uint32_t seed = 0; seed < 100; seed++) {
		struct bb_backoff one = {.random = seed}, other = {.random = seed + 1};

		differ += bb_backoff_next(&one, 60000, 60000) != bb_backoff_next(&other, 60000, 60000);
	}
	cr_assert_gt(differ, 95, "%d of 100 neighbours differ", differ);
}
