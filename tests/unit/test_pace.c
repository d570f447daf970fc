/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pace.c - when to poll next, on a clock that the test turns.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>
#include <busbar/pace.h>

#define INTERVAL_MS 10000
#define WATCH_MS    1000
#define START_MS    1000000

static enum bb_group group_of(const struct bb_pace *pace)
{
	enum bb_group group;

	(void)bb_pace_next(pace, &group);
	return group;
}

static int64_t next_of(const struct bb_pace *pace)
{
	enum bb_group group;

	return bb_pace_next(pace, &group);
}

Test(pace, the_first_poll_is_of_everything_and_within_the_spread)
{
	struct bb_pace pace;

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, START_MS, 0);
	cr_assert_eq(next_of(&pace), START_MS);
	cr_assert_eq(group_of(&pace), BB_GROUP_REST);

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, START_MS, 500);
	cr_assert_geq(next_of(&pace), START_MS);
	cr_assert_lt(next_of(&pace), START_MS + 500);
}

Test(pace, urgent_points_are_polled_every_watch_between_polls_of_everything)
{
	struct bb_pace pace;
	int64_t now = START_MS;
	int rest = 0, urgent = 0;

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, now, 0);
	for (const int64_t end = now + 100 * INTERVAL_MS; now < end;) {
		const enum bb_group group = group_of(&pace);

		now = next_of(&pace);
		*(group == BB_GROUP_REST ? &rest : &urgent) += 1;
		bb_pace_done(&pace, group, now, now + 20, 0);
	}
	cr_assert_geq(rest, 99);
	cr_assert_leq(rest, 102, "%d polls of everything in 100 intervals", rest);
	cr_assert_geq(urgent, 880);
	cr_assert_leq(urgent, 1000, "%d watch polls in 1000 watch periods", urgent);
}

Test(pace, a_device_that_fails_is_asked_after_1_2_and_then_every_4_intervals)
{
	static const int steps[] = {1, 2, 4, 4, 4, 4};
	struct bb_pace pace;
	int64_t now = START_MS;

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, now, 0);
	for (size_t i = 0; i < BB_LENGTH(steps); i++) {
		const int64_t most = steps[i] * INTERVAL_MS;

		bb_pace_done(&pace, BB_GROUP_REST, now, now + 3000, -ETIMEDOUT);
		now += 3000;
		cr_assert_leq(next_of(&pace), now + most, "step %zu waits longer than the cap", i);
		cr_assert_geq(next_of(&pace), now + most - most / 10 - 1, "step %zu waits too short", i);
		cr_assert_eq(group_of(&pace), BB_GROUP_REST, "watch polls rest meanwhile");
		now = next_of(&pace);
	}
	bb_pace_done(&pace, BB_GROUP_REST, now, now + 20, 0);
	cr_assert_eq(group_of(&pace), BB_GROUP_URGENT, "back at once when it answers");
	cr_assert_eq(next_of(&pace), now + WATCH_MS);
}

Test(pace, a_thousand_devices_spread_over_the_interval)
{
	int slots[10] = {0};

	for (int i = 0; i < 1000; i++) {
		struct bb_pace pace;
		char name[16];

		(void)snprintf(name, sizeof(name), "ups-%d", i);
		bb_pace_init(&pace, name, INTERVAL_MS, 0, START_MS, 0);
		bb_pace_done(&pace, BB_GROUP_REST, START_MS, START_MS + 5, 0);
		slots[next_of(&pace) % INTERVAL_MS * 10 / INTERVAL_MS]++;
	}
	for (int i = 0; i < 10; i++) {
		cr_assert_gt(slots[i], 50, "slot %d has %d of 1000", i, slots[i]);
		cr_assert_lt(slots[i], 200, "slot %d has %d of 1000", i, slots[i]);
	}
}

Test(pace, a_device_slower_than_its_interval_is_never_polled_twice_at_once)
{
	struct bb_pace pace;

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, START_MS, 0);
	bb_pace_done(&pace, BB_GROUP_REST, START_MS, START_MS + 35000, 0);
	cr_assert_geq(next_of(&pace), START_MS + 35000);
	cr_assert_leq(next_of(&pace), START_MS + 35000 + INTERVAL_MS, "a long first contact is no reason to wait");
}

Test(pace, a_device_that_took_long_gets_as_long_a_rest)
{
	struct bb_pace pace;
	int64_t now = START_MS;

	bb_pace_init(&pace, "ups-a", INTERVAL_MS, WATCH_MS, now, 0);
	for (int i = 0; i < 20; i++) {
		const int64_t took = 3 * WATCH_MS;
		const enum bb_group group = group_of(&pace);

		bb_pace_done(&pace, group, now, now + took, 0);
		now += took;
		cr_assert_geq(next_of(&pace), now + took, "an agent with many askers would never come to rest");
		now = next_of(&pace);
	}
}

Test(pace, watch_is_off_when_it_is_not_shorter_than_the_interval)
{
	struct bb_pace pace;

	bb_pace_init(&pace, "ups-a", 500, WATCH_MS, START_MS, 0);
	bb_pace_done(&pace, BB_GROUP_REST, START_MS, START_MS + 1, 0);
	cr_assert_eq(group_of(&pace), BB_GROUP_REST);
}
