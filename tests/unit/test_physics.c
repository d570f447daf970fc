/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's model of a UPS, and how a scenario happens to it: hours of simulated time, without a clock.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "player.h"

#define MINUTE_MS 60000
#define HOUR_MS   (60 * MINUTE_MS)

static const struct physics_setup single = {
	.lines = 1,
	.rating_va = 1500,
	.battery_ms = 10 * MINUTE_MS,
	.low_ms = 2 * MINUTE_MS,
	.nominal_mv = 230000,
	.nominal_mhz = 50000,
	.transfer_low_mv = 184000,
	.transfer_high_mv = 276000,
	.seed = 1,
};

static const struct physics_world fine = {.mains_mv = 230000, .load_mpct = 100000, .ambient_mdeg = 22000};

static struct physics start(int64_t load_mpct)
{
	struct physics_world world = fine;
	struct physics physics;

	world.load_mpct = load_mpct;
	physics_init(&physics, &single, &world);
	return physics;
}

/* Advance in small steps, as polls do, until @alarm is active; how long that took, or -1. */
static int64_t until(struct physics *physics, enum physics_alarm alarm, int64_t limit_ms)
{
	for (int64_t ms = 0; ms <= limit_ms; ms += 500) {
		if (physics->alarms[alarm])
			return ms;
		physics_advance(physics, 500);
	}
	return -1;
}

static unsigned active(const struct physics *physics)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PHYSICS_ALARM_COUNT; i++)
		count += physics->alarms[i] != 0;
	return count;
}

Test(physics, all_is_well_at_the_start)
{
	struct physics physics = start(40000);

	cr_assert_eq(active(&physics), 0);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	cr_assert_eq(physics.charge_mpct, 100000);
	cr_assert_eq(physics.test_result, PHYSICS_TEST_NEVER);
	cr_assert(physics.input[0].mv > 225000 && physics.input[0].mv < 235000);
	cr_assert(physics.output[0].load_mpct > 38000 && physics.output[0].load_mpct < 42000);
}

Test(physics, values_wander_but_stay_where_they_belong)
{
	struct physics physics = start(40000);
	int64_t low = INT64_MAX, high = 0;

	for (int i = 0; i < 3600; i++) {
		physics_advance(&physics, 1000);
		low = physics.input[0].mv < low ? physics.input[0].mv : low;
		high = physics.input[0].mv > high ? physics.input[0].mv : high;
		cr_assert(physics.input[0].mhz >= 49900 && physics.input[0].mhz <= 50100);
		cr_assert(physics.output[0].load_mpct >= 38000 && physics.output[0].load_mpct <= 42000);
		cr_assert_eq(active(&physics), 0);
	}
	cr_assert(high - low > 1000, "voltage moved by %lld mV only", (long long)(high - low));
	cr_assert(low > 226000 && high < 234000);
}

Test(physics, same_seed_same_values_other_seed_other_values)
{
	struct physics_setup other = single;
	struct physics a = start(40000), b = start(40000), c;

	other.seed = 2;
	physics_init(&c, &other, &a.world);
	physics_advance(&a, HOUR_MS);
	physics_advance(&b, HOUR_MS);
	physics_advance(&c, HOUR_MS);
	cr_assert_eq(memcmp(a.input, b.input, sizeof(a.input)), 0);
	cr_assert_neq(a.input[0].mv, c.input[0].mv);
}

Test(physics, full_load_empties_the_battery_in_the_configured_time)
{
	struct physics physics = start(100000);

	physics.world.mains_mv = 0;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BATTERY);
	cr_assert_eq(physics.input[0].mv, 0);
	cr_assert_eq(physics.output[0].mv > 220000, true);
	cr_assert(physics.alarms[PHYSICS_ALARM_ON_BATTERY] && physics.alarms[PHYSICS_ALARM_INPUT_BAD]);

	const int64_t low_ms = until(&physics, PHYSICS_ALARM_LOW_BATTERY, HOUR_MS);
	const int64_t empty_ms = low_ms + until(&physics, PHYSICS_ALARM_DEPLETED_BATTERY, HOUR_MS);

	cr_assert(low_ms > 470000 && low_ms < 490000, "low after %lld ms", (long long)low_ms);
	cr_assert(empty_ms > 590000 && empty_ms < 610000, "empty after %lld ms", (long long)empty_ms);
	cr_assert_eq(physics.source, PHYSICS_NONE);
	cr_assert_eq(physics.output[0].mv, 0);
	cr_assert_eq(physics.output[0].ma, 0);
	cr_assert_eq(physics.on_battery_ms, 0);
	cr_assert(physics.alarms[PHYSICS_ALARM_UPS_OUTPUT_OFF] && physics.alarms[PHYSICS_ALARM_AWAITING_POWER]);
	cr_assert(!physics.alarms[PHYSICS_ALARM_ON_BATTERY]);
}

Test(physics, half_the_load_lasts_more_than_twice_as_long)
{
	const int64_t whole_ms = physics_runtime_ms(&single, PHYSICS_GOOD, 1000000000, 100000);
	const int64_t half_ms = physics_runtime_ms(&single, PHYSICS_GOOD, 1000000000, 50000);

	cr_assert_eq(whole_ms, 10 * MINUTE_MS);
	cr_assert(half_ms > 2 * whole_ms && half_ms < 3 * whole_ms, "%lld ms", (long long)half_ms);
	cr_assert(physics_runtime_ms(&single, PHYSICS_GOOD, 1000000000, 0) > 10 * whole_ms);
	cr_assert(physics_runtime_ms(&single, PHYSICS_GOOD, 1000000000, 55000) < half_ms, "between two entries");
	cr_assert(physics_runtime_ms(&single, PHYSICS_GOOD, 1000000000, 400000) > 0, "beyond the table");
	cr_assert_eq(physics_runtime_ms(&single, PHYSICS_REPLACE, 1000000000, 100000), whole_ms / 4);
}

Test(physics, runtime_never_grows_while_on_battery)
{
	struct physics physics = start(70000);
	int64_t before;

	physics.world.mains_mv = 0;
	physics_advance(&physics, 1000);
	before = physics.runtime_ms;
	while (physics.source == PHYSICS_BATTERY) {
		physics_advance(&physics, 5000);
		cr_assert_leq(physics.runtime_ms, before);
		before = physics.runtime_ms;
	}
	cr_assert_eq(before, 0);
}

Test(physics, mains_are_trusted_again_after_some_seconds_and_charge_the_battery)
{
	struct physics physics = start(100000);

	physics.world.mains_mv = 0;
	physics_advance(&physics, 5 * MINUTE_MS);
	cr_assert(physics.battery_ma < -10000, "%lld mA", (long long)physics.battery_ma);

	const int64_t discharging_mv = physics.battery_mv, charge = physics.charge_mpct;

	physics.world.mains_mv = 230000;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BATTERY, "one second is not enough");
	for (int i = 0; i < 5; i++)
		physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	cr_assert_eq(physics.on_battery_ms, 0);
	cr_assert(physics.battery_ma > 0 && physics.battery_mv > discharging_mv);

	const int64_t bulk_ma = physics.battery_ma;

	physics_advance(&physics, HOUR_MS);
	cr_assert(physics.charge_mpct > charge + 20000 && physics.charge_mpct < 90000, "%lld",
		  (long long)physics.charge_mpct);
	physics_advance(&physics, 4 * HOUR_MS);
	cr_assert(physics.charge_mpct > 95000);
	cr_assert(physics.battery_ma < bulk_ma / 2, "the current falls towards the end");
	physics_advance(&physics, 24 * HOUR_MS);
	cr_assert_geq(physics.charge_mpct, 99950);
	cr_assert_eq(active(&physics), 0);
}

Test(physics, an_empty_ups_starts_by_itself_when_the_mains_return)
{
	struct physics physics = start(100000);

	physics.world.mains_mv = 0;
	physics_advance(&physics, HOUR_MS);
	cr_assert_eq(physics.source, PHYSICS_NONE);
	physics.world.mains_mv = 230000;
	physics_advance(&physics, 2000);
	cr_assert_eq(physics.source, PHYSICS_NONE);
	cr_assert(!physics.alarms[PHYSICS_ALARM_AWAITING_POWER]);
	physics_advance(&physics, 20000);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	cr_assert(physics.alarms[PHYSICS_ALARM_LOW_BATTERY], "it is still empty");
	physics_advance(&physics, 10 * HOUR_MS);
	cr_assert_eq(active(&physics), 0);
	cr_assert_eq(physics.input_failures, 1000);
}

Test(physics, a_brown_out_and_an_overvoltage_are_as_good_as_no_mains)
{
	struct physics physics = start(40000);

	physics.world.mains_mv = 180000;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BATTERY);
	cr_assert(physics.input[0].mv > 170000 && physics.input[0].mv < 190000);
	cr_assert_eq(physics.input[0].ma, 0);
	physics.world.mains_mv = 200000;
	physics_advance(&physics, 10000);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	physics.world.mains_mv = 280000;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BATTERY);
	cr_assert_eq(physics.input_failures, 2000);
}

Test(physics, an_overload_goes_to_bypass_and_comes_back)
{
	struct physics physics = start(40000);

	physics.world.load_mpct = 130000;
	physics_advance(&physics, 1000);
	cr_assert(physics.alarms[PHYSICS_ALARM_OUTPUT_OVERLOAD]);
	cr_assert_eq(physics.source, PHYSICS_NORMAL, "the inverter bears it for a while");

	const int64_t ms = until(&physics, PHYSICS_ALARM_ON_BYPASS, MINUTE_MS);

	cr_assert(ms >= 8000 && ms <= 10000, "after %lld ms", (long long)ms);
	physics_advance(&physics, HOUR_MS);
	cr_assert_eq(physics.source, PHYSICS_BYPASS, "and stays there");
	physics.world.load_mpct = 40000;
	physics_advance(&physics, 15000);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	cr_assert_eq(active(&physics), 0);
}

Test(physics, an_overload_on_battery_switches_off)
{
	struct physics physics = start(130000);

	physics.world.mains_mv = 0;
	cr_assert_geq(until(&physics, PHYSICS_ALARM_UPS_OUTPUT_OFF, MINUTE_MS), 0);
	cr_assert(physics.charge_mpct > 50000);
	cr_assert(!physics.alarms[PHYSICS_ALARM_DEPLETED_BATTERY]);
}

Test(physics, bypass_by_hand_lasts_until_the_mains_fail)
{
	struct physics physics = start(40000);

	physics.world.bypass = true;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BYPASS);
	cr_assert(physics.bypass[0].ma > 0);
	physics.world.mains_mv = 0;
	physics_advance(&physics, 1000);
	cr_assert_eq(physics.source, PHYSICS_BATTERY);
	cr_assert_eq(physics.bypass[0].ma, 0);
}

Test(physics, temperatures_follow_load_surroundings_and_charging)
{
	struct physics physics = start(20000);
	int64_t idle, busy;

	physics_advance(&physics, HOUR_MS);
	idle = physics.inside_mdeg;
	physics.world.load_mpct = 100000;
	physics_advance(&physics, HOUR_MS);
	busy = physics.inside_mdeg;
	cr_assert(busy > idle + 5000, "%lld after %lld", (long long)busy, (long long)idle);

	const int64_t battery = physics.battery_mdeg;

	physics.world.mains_mv = 0;
	physics_advance(&physics, 8 * MINUTE_MS);
	cr_assert_gt(physics.battery_mdeg, battery);
	physics.world = fine;
	physics.world.ambient_mdeg = 45000;
	physics_advance(&physics, 1000);
	cr_assert(physics.alarms[PHYSICS_ALARM_TEMP_BAD]);
	physics_advance(&physics, 3 * HOUR_MS);
	cr_assert_gt(physics.battery_mdeg, 44000);
}

Test(physics, a_test_tells_how_good_the_battery_is)
{
	static const int64_t results[] = {PHYSICS_TEST_PASS, PHYSICS_TEST_WARNING, PHYSICS_TEST_ERROR};

	for (int condition = PHYSICS_GOOD; condition <= PHYSICS_REPLACE; condition++) {
		struct physics physics = start(40000);

		physics.world.condition = (enum physics_condition)condition;
		physics_test(&physics);
		physics_advance(&physics, 5000);
		cr_assert(physics.alarms[PHYSICS_ALARM_TEST_IN_PROGRESS]);
		cr_assert(physics.battery_ma < 0, "the battery carries the load meanwhile");
		physics_advance(&physics, 6000);
		cr_assert_eq(physics.test_result, results[condition]);
		cr_assert_eq(physics.test_ms, 10000);
		cr_assert_eq(physics.alarms[PHYSICS_ALARM_DIAGNOSTIC_TEST_FAILED], condition == PHYSICS_REPLACE);
		cr_assert_eq(physics.alarms[PHYSICS_ALARM_BATTERY_BAD], condition == PHYSICS_REPLACE);
	}
}

Test(physics, a_test_is_aborted_by_a_mains_failure)
{
	struct physics physics = start(40000);

	physics_test(&physics);
	physics_advance(&physics, 2000);
	physics.world.mains_mv = 0;
	physics_advance(&physics, 2000);
	cr_assert_eq(physics.test_result, PHYSICS_TEST_ABORTED);
}

Test(physics, powers_of_three_lines_add_up)
{
	struct physics_setup setup = single;
	struct physics physics;
	int64_t mw = 0, mva = 0;

	setup.lines = 3;
	setup.rating_va = 20000;
	physics_init(&physics, &setup, &fine);
	physics_advance(&physics, HOUR_MS);
	for (int i = 0; i < 3; i++) {
		const struct physics_line *line = &physics.output[i];

		mw += line->mw;
		mva += line->mva;
		cr_assert(line->ma > 27000 && line->ma < 31000, "%lld mA", (long long)line->ma);

		/* Apparent power is the hypotenuse of real and reactive power, to a VA or so. */
		const int64_t square = line->mw / 1000 * (line->mw / 1000) + line->mvar / 1000 * (line->mvar / 1000);
		const int64_t error = line->mva / 1000 * (line->mva / 1000) - square;

		cr_assert(error >= 0 && error < 20000, "%lld", (long long)error);
	}
	cr_assert_eq(physics.total.mw, mw);
	cr_assert_eq(physics.total.mva, mva);
	cr_assert(physics.energy_mkwh > 18200 && physics.energy_mkwh < 18600, "18.4 kW for an hour");
}

Test(physics, long_gaps_take_no_time_and_no_harm)
{
	struct physics_setup setup = single;
	struct physics_world world = fine;
	struct physics physics;

	setup.rating_va = 1000000;
	setup.battery_ms = 10000;
	setup.low_ms = 1000;
	world.condition = PHYSICS_REPLACE;
	physics_init(&physics, &setup, &world);
	physics.world.mains_mv = 0;
	physics_advance(&physics, INT64_C(10) * 365 * 24 * HOUR_MS);
	cr_assert_eq(physics.charge_mpct, 0);
	physics.world = fine;
	physics_advance(&physics, INT64_C(10) * 365 * 24 * HOUR_MS);
	cr_assert_eq(physics.source, PHYSICS_NORMAL);
	cr_assert_geq(physics.charge_mpct, 99950);
	physics_advance(&physics, 0);
	cr_assert_eq(active(&physics), 0);
}

Test(physics, forced_alarms_are_active_whatever_the_model_says)
{
	struct physics physics = start(40000);

	for (unsigned i = 0; i < PHYSICS_ALARM_COUNT; i++) {
		physics.world.forced[i] = true;
		physics_advance(&physics, 0);
		cr_assert_eq(physics.alarms[i], 1);
		cr_assert_not_null(physics_alarm_name((enum physics_alarm)i));
	}
}

static void unexpected(void *context, unsigned line, const char *text)
{
	(void)context;
	cr_assert_fail("line %u: %s", line, text);
}

static struct scenario *scenario(const char *text)
{
	const struct scenario_faults faults = {unexpected, NULL};
	struct scenario *result = NULL;

	cr_assert_eq(scenario_parse(text, &faults, &result), 0);
	return result;
}

Test(player, things_happen_at_their_time_even_between_two_polls)
{
	struct scenario *failure = scenario("at 30s mains off\nat 90s mains on\n");
	struct player player;

	player_init(&player, &single, &fine, failure);
	player_advance(&player, 29999);
	cr_assert_eq(player.physics.source, PHYSICS_NORMAL);
	player_advance(&player, 60000);
	cr_assert_eq(player.physics.source, PHYSICS_BATTERY);
	cr_assert_eq(player.physics.on_battery_ms, 30000);
	player_advance(&player, 2 * MINUTE_MS);
	cr_assert_eq(player.physics.source, PHYSICS_NORMAL);
	cr_assert(player.physics.charge_mpct < 95000);
	scenario_free(failure);
}

Test(player, a_failure_between_two_polls_leaves_its_traces)
{
	struct scenario *failure = scenario("at 30s mains off\nat 90s mains on\n");
	struct player player;

	player_init(&player, &single, &fine, failure);
	player_advance(&player, 2 * MINUTE_MS);
	cr_assert_eq(player.physics.input_failures, 1000);
	cr_assert(player.physics.charge_mpct < 95000);
	scenario_free(failure);
}

Test(player, silence_and_sensor_end_when_the_scenario_says)
{
	struct scenario *trouble = scenario("at 10s silence 20s\nat 40s sensor fail\nat 50s sensor ok\n");
	struct player player;

	player_init(&player, &single, &fine, trouble);
	cr_assert_not(player_is_silent(&player));
	player_advance(&player, 10000);
	cr_assert(player_is_silent(&player));
	player_advance(&player, 29999);
	cr_assert(player_is_silent(&player));
	player_advance(&player, 30000);
	cr_assert_not(player_is_silent(&player));
	player_advance(&player, 45000);
	cr_assert(player.sensor_failed);
	player_advance(&player, 50000);
	cr_assert_not(player.sensor_failed);
	scenario_free(trouble);
}

Test(player, repeat_starts_over_with_a_world_as_configured)
{
	struct scenario *again =
		scenario("at 10s load 20%\nat 20s bypass on\nat 30s alarm fan-failure on\nrepeat 1m\n");
	struct player player;

	player_init(&player, &single, &fine, again);
	player_advance(&player, 40000);
	cr_assert_eq(player.physics.source, PHYSICS_BYPASS);
	cr_assert_eq(player.physics.alarms[PHYSICS_ALARM_FAN_FAILURE], 1);
	player_advance(&player, 65000);
	cr_assert_eq(player.physics.source, PHYSICS_NORMAL);
	cr_assert_eq(player.physics.alarms[PHYSICS_ALARM_FAN_FAILURE], 0);
	cr_assert_eq(player.physics.world.load_mpct, 100000);
	player_advance(&player, 70000);
	cr_assert_eq(player.physics.world.load_mpct, 20000);
	scenario_free(again);
}

Test(player, a_repeated_scenario_survives_a_sleep_of_years)
{
	struct scenario *again = scenario("at 300ms mains off\nat 600ms mains on\nrepeat 1s\n");
	struct player player;

	player_init(&player, &single, &fine, again);
	player_advance(&player, INT64_C(3) * 365 * 24 * HOUR_MS + 100);
	cr_assert_eq(player.round_ms, INT64_C(3) * 365 * 24 * HOUR_MS);
	cr_assert_eq(player.next, 0);
	player_advance(&player, 5);
	cr_assert_eq(player.now_ms, INT64_C(3) * 365 * 24 * HOUR_MS + 100, "time does not run backwards");
	scenario_free(again);
}
