/* SPDX-License-Identifier: Apache-2.0
 *
 * physics.c - see physics.h.
 *
 * Time passes in steps. Each step first decides what supplies the load (supply), then moves charge
 * (battery), heat (temperatures) and noise (wander). What a meter would show is computed once at the end, in
 * physics_measure.c. Everything that approaches a target does so by approach(), which stays stable whatever the
 * length of the step.
 */
#include <stddef.h>

#include <busbar/macros.h>

#include "physics_internal.h"

/* Between two polls time usually passes in steps of 1 s; a simulation in fast motion takes longer steps rather than
 * more of them, since a poll has to be cheap. */
#define STEPS          20
#define STEP_MIN_MS    1000
#define STEP_MAX_MS    10000
#define STEPS_MAX      10000                    /* a gap of days is walked through in longer steps still */
#define ADVANCE_MAX_MS (30 * INT64_C(86400000)) /* what happened longer ago does not show any more */

#define MAINS_OK_MS 3000  /* mains must be good that long before the UPS trusts them again */
#define RESTART_MS  10000 /* and that long before it switches its output on */
#define TEST_MS     10000 /* a quick test */
#define COOLING_MS  60000 /* an overloaded inverter recovers in that time */

#define FULL_PPB         INT64_C(1000000000)
#define BULK_PPB_S       62500 /* charging at constant current: 90 % in 4 h */
#define TAPER_S          1600  /* above 90 % the current falls with what is missing */
#define DEPLETED_END_PPB (FULL_PPB / 20)

/* Speed of discharge against load, both in thousandths of the rating's: load^1.2, after Peukert. Between the
 * entries, which stand every 10 % of load, it is taken as straight. */
static const int16_t discharge[] = {
	20, /* without any load the UPS itself still draws something */
	63, 145, 236, 333, 435, 542, 652, 765, 881, 1000, 1121, 1245, 1370, 1497, 1627, 1758, 1890, 2025, 2160, 2297,
};

/* How long the inverter bears an overload. */
static const struct {
	int64_t load_mpct;
	int64_t limit_ms;
} overloads[] = {
	{150000, 1000},
	{125000, 10000},
	{105000, 60000},
};

/* What is left of a worn battery, in thousandths. */
static const int64_t capacities[] = {
	[PHYSICS_GOOD] = 1000,
	[PHYSICS_WEAK] = 600,
	[PHYSICS_REPLACE] = 250,
};

static const char *const alarm_names[PHYSICS_ALARM_COUNT] = {
	[PHYSICS_ALARM_BATTERY_BAD] = "battery-bad",
	[PHYSICS_ALARM_ON_BATTERY] = "on-battery",
	[PHYSICS_ALARM_LOW_BATTERY] = "low-battery",
	[PHYSICS_ALARM_DEPLETED_BATTERY] = "depleted-battery",
	[PHYSICS_ALARM_TEMP_BAD] = "temp-bad",
	[PHYSICS_ALARM_INPUT_BAD] = "input-bad",
	[PHYSICS_ALARM_OUTPUT_BAD] = "output-bad",
	[PHYSICS_ALARM_OUTPUT_OVERLOAD] = "output-overload",
	[PHYSICS_ALARM_ON_BYPASS] = "on-bypass",
	[PHYSICS_ALARM_BYPASS_BAD] = "bypass-bad",
	[PHYSICS_ALARM_CHARGER_FAILED] = "charger-failed",
	[PHYSICS_ALARM_UPS_OUTPUT_OFF] = "ups-output-off",
	[PHYSICS_ALARM_FAN_FAILURE] = "fan-failure",
	[PHYSICS_ALARM_GENERAL_FAULT] = "general-fault",
	[PHYSICS_ALARM_DIAGNOSTIC_TEST_FAILED] = "diagnostic-test-failed",
	[PHYSICS_ALARM_AWAITING_POWER] = "awaiting-power",
	[PHYSICS_ALARM_TEST_IN_PROGRESS] = "test-in-progress",
};

const char *physics_alarm_name(enum physics_alarm alarm)
{
	return alarm_names[alarm];
}

/* splitmix64 by Sebastiano Vigna, public domain: small, and good from any seed on. */
static uint64_t draw(struct physics *physics)
{
	uint64_t z = physics->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Where @value is after @dt_ms on its way to @target, with time constant @tau_ms: implicit Euler. */
static int64_t approach(int64_t value, int64_t target, int64_t dt_ms, int64_t tau_ms)
{
	return value + (target - value) * dt_ms / (tau_ms + dt_ms);
}

/* Noise that never strays further than @range from 0 and comes back to it within about 20 s. */
static int64_t wander(struct physics *physics, int64_t value, int64_t range, int64_t dt_ms)
{
	const int64_t kick = range * (dt_ms < 2000 ? dt_ms : 2000) / 4000;
	const int64_t moved =
		approach(value, 0, dt_ms, 20000) + (int64_t)(draw(physics) % (uint64_t)(2 * kick + 1)) - kick;

	return moved > range ? range : moved < -range ? -range : moved;
}

static int64_t discharge_rate(int64_t load_mpct)
{
	const int64_t last = (int64_t)BB_LENGTH(discharge) - 1;
	const int64_t i = load_mpct / 10000;

	if (load_mpct <= 0)
		return discharge[0];
	if (i >= last)
		return discharge[last];
	return discharge[i] + (discharge[i + 1] - discharge[i]) * (load_mpct % 10000) / 10000;
}

int64_t physics_runtime_ms(const struct physics_setup *setup, enum physics_condition condition, int64_t charge_ppb,
			   int64_t load_mpct)
{
	/* In thousandths of the charge first: a day of 86,400,000 ms times 10^9 would not fit with what follows. */
	return setup->battery_ms * capacities[condition] / 1000 * (charge_ppb / 1000) / (FULL_PPB / 1000) * 1000 /
	       discharge_rate(load_mpct);
}

static bool mains_good(const struct physics *physics)
{
	return physics->world.mains_mv >= physics->setup.transfer_low_mv &&
	       physics->world.mains_mv <= physics->setup.transfer_high_mv;
}

/* The inverter heats up under overload and cools down without. True when it has to give up. */
static bool overheats(struct physics *physics, int64_t dt_ms)
{
	const bool inverter = physics->source == PHYSICS_NORMAL || physics->source == PHYSICS_BATTERY;

	for (size_t i = 0; i < BB_LENGTH(overloads); i++) {
		if (physics->world.load_mpct < overloads[i].load_mpct)
			continue;
		if (inverter)
			physics->heat_ppm += dt_ms * 1000000 / overloads[i].limit_ms;
		if (physics->heat_ppm > 1000000)
			physics->heat_ppm = 1000000;
		return physics->heat_ppm == 1000000; /* it does not come back while the overload lasts */
	}
	physics->heat_ppm -= dt_ms * 1000000 / COOLING_MS;
	if (physics->heat_ppm < 0)
		physics->heat_ppm = 0;
	return physics->source == PHYSICS_BYPASS && physics->heat_ppm > 900000; /* a moment longer, not to and fro */
}

/* What supplies the load from now on. */
static void supply(struct physics *physics, int64_t dt_ms)
{
	const bool good = mains_good(physics);
	const bool hot = overheats(physics, dt_ms);

	if (!good && !physics->mains_bad)
		physics->input_failures += 1000;
	physics->mains_bad = !good;
	physics->mains_ok_ms = good ? physics->mains_ok_ms + dt_ms : 0;

	if (physics->off)
		physics->on = false;
	else if (!physics->on && physics->mains_ok_ms >= RESTART_MS)
		physics->on = true;
	if (physics->on && !good && (hot || physics->charge_ppb == 0)) {
		physics->on = false;
		physics->depleted = physics->depleted || physics->charge_ppb == 0;
	}

	if (!physics->on)
		physics->source = PHYSICS_NONE;
	else if (good && (hot || physics->world.bypass))
		physics->source = PHYSICS_BYPASS;
	else if (!good)
		physics->source = PHYSICS_BATTERY;
	else if (physics->source != PHYSICS_BATTERY || physics->mains_ok_ms >= MAINS_OK_MS)
		physics->source = PHYSICS_NORMAL;
}

static void test(struct physics *physics, int64_t dt_ms)
{
	static const enum physics_test results[] = {
		[PHYSICS_GOOD] = PHYSICS_TEST_PASS,
		[PHYSICS_WEAK] = PHYSICS_TEST_WARNING,
		[PHYSICS_REPLACE] = PHYSICS_TEST_ERROR,
	};

	if (physics->test_result != PHYSICS_TEST_RUNNING)
		return;
	physics->test_ms += dt_ms;
	if (physics->source != PHYSICS_NORMAL || physics->charge_ppb < FULL_PPB / 10) {
		physics->test_result = PHYSICS_TEST_ABORTED;
	} else if (physics->test_ms >= TEST_MS) {
		physics->test_ms = TEST_MS;
		physics->test_result = results[physics->world.condition];
	}
}

/* Moves charge. A step longer than what is left in the battery ends with an empty one; the next step sees it. */
static void battery(struct physics *physics, int64_t dt_ms)
{
	const bool testing = physics->test_result == PHYSICS_TEST_RUNNING;
	const int64_t missing = FULL_PPB - physics->charge_ppb;

	if (physics->source == PHYSICS_BATTERY || testing) {
		const int64_t lasts_ms = physics_runtime_ms(&physics->setup, physics->world.condition, FULL_PPB,
							    physics->world.load_mpct);

		physics->rate_ppb = -(FULL_PPB * 1000 / (lasts_ms > 0 ? lasts_ms : 1));
	} else if (physics->mains_bad || physics->world.forced[PHYSICS_ALARM_CHARGER_FAILED]) {
		physics->rate_ppb = 0;
	} else {
		physics->rate_ppb = missing / TAPER_S;
		if (physics->rate_ppb > BULK_PPB_S)
			physics->rate_ppb = BULK_PPB_S;
	}
	if (physics->rate_ppb > 0 && physics->rate_ppb < BULK_PPB_S)
		physics->charge_ppb += missing * dt_ms / (TAPER_S * 1000 + dt_ms);
	else
		physics->charge_ppb += physics->rate_ppb * dt_ms / 1000;
	if (physics->charge_ppb < 0)
		physics->charge_ppb = 0;
	if (physics->charge_ppb > FULL_PPB)
		physics->charge_ppb = FULL_PPB;

	physics->on_battery_ms = physics->source == PHYSICS_BATTERY ? physics->on_battery_ms + dt_ms : 0;
	physics->runtime_ms = physics_runtime_ms(&physics->setup, physics->world.condition, physics->charge_ppb,
						 physics->world.load_mpct);
	if (physics->charge_ppb > DEPLETED_END_PPB)
		physics->depleted = false;
	/* A tenth more to leave the state than to enter it, so that a wandering load does not make it flicker. */
	physics->low = physics->runtime_ms < physics->setup.low_ms + (physics->low ? physics->setup.low_ms / 10 : 0);
}

static void temperatures(struct physics *physics, int64_t dt_ms)
{
	const int64_t ambient = physics->world.ambient_mdeg;
	/* Losses warm the inside by up to 15 degrees at full load, more without a fan. */
	int64_t inside = ambient + 3000 + (physics->on ? physics->world.load_mpct * 15 / 100 : 0);
	/* The battery warms with the current through it, discharging much more than charging. */
	int64_t battery_target = ambient + 1000;

	if (physics->world.forced[PHYSICS_ALARM_FAN_FAILURE])
		inside += 12000;
	if (physics->rate_ppb > 0)
		battery_target += physics->rate_ppb * 3000 / BULK_PPB_S;
	else
		battery_target += -physics->rate_ppb * physics->setup.battery_ms / FULL_PPB * 10;
	physics->ambient_mdeg = ambient;
	physics->inside_mdeg = approach(physics->inside_mdeg, inside, dt_ms, 180000);
	physics->battery_mdeg = approach(physics->battery_mdeg, battery_target, dt_ms, 900000);
}

static void noise(struct physics *physics, int64_t dt_ms)
{
	for (int64_t i = 0; i < physics->setup.lines; i++) {
		physics->wander[i] = wander(physics, physics->wander[i], physics->setup.nominal_mv / 75, dt_ms);
		physics->load_wander[i] = wander(physics, physics->load_wander[i], 30, dt_ms);
	}
	physics->frequency_wander = wander(physics, physics->frequency_wander, 60, dt_ms);
	physics->output_wander = wander(physics, physics->output_wander, physics->setup.nominal_mv / 700, dt_ms);
}

void physics_advance(struct physics *physics, int64_t dt_ms)
{
	int64_t step_ms;

	if (dt_ms > ADVANCE_MAX_MS) {
		physics->now_ms += dt_ms - ADVANCE_MAX_MS;
		dt_ms = ADVANCE_MAX_MS;
	}
	step_ms = dt_ms / STEPS;
	if (step_ms < STEP_MIN_MS)
		step_ms = STEP_MIN_MS;
	if (step_ms > STEP_MAX_MS)
		step_ms = dt_ms / STEPS_MAX > STEP_MAX_MS ? dt_ms / STEPS_MAX : STEP_MAX_MS;

	while (dt_ms > 0) {
		const int64_t now_ms = dt_ms < step_ms ? dt_ms : step_ms;

		supply(physics, now_ms);
		test(physics, now_ms);
		battery(physics, now_ms);
		temperatures(physics, now_ms);
		noise(physics, now_ms);
		physics->energy_mj += physics_output_mw(physics) * now_ms / 1000;
		physics->now_ms += now_ms;
		dt_ms -= now_ms;
	}
	supply(physics, 0); /* what changed within the last step shows at once, without time having passed */
	physics_measure(physics);
}

void physics_init(struct physics *physics, const struct physics_setup *setup, const struct physics_world *world)
{
	*physics = (struct physics){
		.setup = *setup,
		.world = *world,
		.random = setup->seed,
		.charge_ppb = FULL_PPB,
		.mains_ok_ms = RESTART_MS,
		.on = true,
		.source = PHYSICS_NORMAL,
		.test_result = PHYSICS_TEST_NEVER,
		.inside_mdeg = world->ambient_mdeg + 3000 + world->load_mpct * 15 / 100,
		.battery_mdeg = world->ambient_mdeg + 1000,
	};
	physics_advance(physics, 1);
}

void physics_test(struct physics *physics)
{
	physics->test_result = PHYSICS_TEST_RUNNING;
	physics->test_started_ms = physics->now_ms;
	physics->test_ms = 0;
}
