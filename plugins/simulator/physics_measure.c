/* SPDX-License-Identifier: Apache-2.0
 *
 * physics_measure.c - what the meters of the modelled UPS show, and which alarms it raises, from what the model knows.
 */
#include "physics_internal.h"

#define POWER_FACTOR 920 /* of the consumers, thousandths */
#define EFFICIENCY   930 /* of the whole way through the UPS, thousandths */

/* A block is a 12 V lead-acid battery. Voltages at rest when empty and full, what full load pulls it down by, and
 * where the charger holds it. */
#define BLOCK_EMPTY_MV    11700
#define BLOCK_FULL_MV     12900
#define BLOCK_SAG_MV      900
#define BLOCK_CHARGE_MV   900
#define BLOCK_FLOAT_MV    13650
#define NEARLY_EMPTY_MPCT 10000 /* below that the voltage drops faster */

#define TEMP_AMBIENT_BAD 40000
#define TEMP_BATTERY_BAD 45000
#define TEMP_INSIDE_BAD  55000

static int64_t square_root(int64_t value)
{
	int64_t root = 0;

	for (int64_t bit = INT64_C(1) << 30; bit > 0; bit >>= 1)
		if ((root + bit) * (root + bit) <= value)
			root += bit;
	return root;
}

static int64_t output_mva(const struct physics *physics)
{
	if (physics->source == PHYSICS_NONE)
		return 0;
	return physics->setup.rating_va * physics->world.load_mpct / 100;
}

int64_t physics_output_mw(const struct physics *physics)
{
	return output_mva(physics) * POWER_FACTOR / 1000;
}

/* Blocks in series: small machines have few, big ones many. */
static int64_t blocks(const struct physics *physics)
{
	const int64_t rating = physics->setup.rating_va;

	return rating <= 1000 ? 2 : rating <= 3000 ? 6 : rating <= 10000 ? 16 : 32;
}

static void measure_battery(struct physics *physics)
{
	const int64_t rated_mw = physics->rating_mw;
	const int64_t nominal_mv = blocks(physics) * 12000;

	physics->charge_mpct = physics->charge_ppb / 10000;
	physics->condition = physics->world.condition;
	if (physics->source != PHYSICS_BATTERY)
		physics->on_battery_ms = 0;

	int64_t mv = BLOCK_EMPTY_MV + (BLOCK_FULL_MV - BLOCK_EMPTY_MV) * physics->charge_mpct / 100000;

	if (physics->rate_ppb < 0) {
		const int64_t drawn_mw = physics_output_mw(physics) * 1000 / EFFICIENCY + rated_mw / 50;

		mv -= BLOCK_SAG_MV * (drawn_mw / 1000) / (rated_mw / 1000);
		if (physics->charge_mpct < NEARLY_EMPTY_MPCT)
			mv -= (NEARLY_EMPTY_MPCT - physics->charge_mpct) * 600 / NEARLY_EMPTY_MPCT;
		physics->battery_mv = mv * blocks(physics) + physics->output_wander / 10;
		physics->battery_ma = -(drawn_mw * 1000 / physics->battery_mv);
		return;
	}

	/* The charge that carries the rated load for battery_ms, drawn as slowly as it is charged: 1.7 times more. */
	const int64_t capacity_mas = rated_mw * 1000 / nominal_mv * (physics->setup.battery_ms / 1000) * 17 / 10;

	if (!physics->mains_bad && physics->charge_mpct >= 90000)
		mv = BLOCK_FLOAT_MV;
	else if (physics->rate_ppb > 0)
		mv += BLOCK_CHARGE_MV;
	physics->battery_mv =
		(mv > BLOCK_FLOAT_MV ? BLOCK_FLOAT_MV : mv) * blocks(physics) + physics->output_wander / 10;
	physics->battery_ma = capacity_mas / 1000 * physics->rate_ppb / 1000000;
}

/* Currents, powers and the like of a line from its voltage, apparent power and power factor. */
static void measure_line(struct physics_line *line)
{
	line->ma = line->mv > 0 ? line->mva * 1000 / line->mv : 0;
	line->mw = line->mva * line->power_factor / 1000;
	line->mvar = square_root(line->mva / 1000 * (line->mva / 1000) - line->mw / 1000 * (line->mw / 1000)) * 1000;
}

static void measure_output(struct physics *physics, int64_t i, int64_t mains_mv)
{
	const int64_t lines = physics->setup.lines;
	struct physics_line *line = &physics->output[i];

	*line = (struct physics_line){
		.mva = output_mva(physics) / lines * (1000 + physics->load_wander[i]) / 1000,
		.power_factor = POWER_FACTOR + physics->load_wander[i] / 3,
	};
	if (physics->source == PHYSICS_NONE)
		line->power_factor = 0;
	else if (physics->source == PHYSICS_BYPASS)
		line->mv = mains_mv;
	else
		line->mv = physics->setup.nominal_mv + physics->output_wander;
	if (physics->source == PHYSICS_BATTERY)
		line->mhz = physics->setup.nominal_mhz; /* the inverter's own clock; else it follows the mains */
	else if (physics->source != PHYSICS_NONE)
		line->mhz = physics->setup.nominal_mhz + physics->frequency_wander;
	line->load_mpct = line->mva * lines * 100 / physics->setup.rating_va;
	measure_line(line);
}

static void measure_input(struct physics *physics, int64_t i, int64_t mains_mv)
{
	const int64_t lines = physics->setup.lines;
	const int64_t charging_mw = physics->battery_ma > 0 ? physics->battery_mv * physics->battery_ma / 1000 : 0;
	struct physics_line *line = &physics->input[i];
	int64_t mw = 0;

	if (!physics->mains_bad) {
		mw = physics->setup.rating_va * 10 / lines + charging_mw / lines; /* 1 % for itself */
		if (physics->source == PHYSICS_NORMAL && physics->rate_ppb >= 0)
			mw += physics->output[i].mw * 1000 / EFFICIENCY;
		else if (physics->source == PHYSICS_BYPASS)
			mw += physics->output[i].mw;
	}
	*line = (struct physics_line){
		.mv = mains_mv,
		.mhz = mains_mv > 0 ? physics->setup.nominal_mhz + physics->frequency_wander : 0,
		.power_factor = mw > 0 ? 980 + physics->load_wander[i] / 3 : 0,
	};
	if (mw > 0)
		line->mva = mw * 1000 / line->power_factor;
	measure_line(line);
}

static void measure_bypass(struct physics *physics, int64_t i)
{
	const int64_t mv = physics->input[i].mv, mhz = physics->input[i].mhz;

	physics->bypass[i] = physics->source == PHYSICS_BYPASS ? physics->output[i] : (struct physics_line){0};
	physics->bypass[i].mv = mv;
	physics->bypass[i].mhz = mhz;
}

static void measure_total(struct physics *physics)
{
	physics->total = (struct physics_line){.mhz = physics->output[0].mhz};
	for (int64_t i = 0; i < physics->setup.lines; i++) {
		physics->total.mva += physics->output[i].mva;
		physics->total.mw += physics->output[i].mw;
	}
	if (physics->total.mva > 0)
		physics->total.power_factor = physics->total.mw * 1000 / physics->total.mva;
	physics->total.load_mpct = physics->total.mva * 100 / physics->setup.rating_va;
	physics->energy_mkwh = physics->energy_mj / 3600000;
}

static void measure_alarms(struct physics *physics)
{
	const bool off = physics->source == PHYSICS_NONE;
	const bool active[PHYSICS_ALARM_COUNT] = {
		[PHYSICS_ALARM_BATTERY_BAD] = physics->world.condition == PHYSICS_REPLACE,
		[PHYSICS_ALARM_ON_BATTERY] = physics->source == PHYSICS_BATTERY,
		[PHYSICS_ALARM_LOW_BATTERY] = physics->low,
		[PHYSICS_ALARM_DEPLETED_BATTERY] = physics->depleted,
		[PHYSICS_ALARM_TEMP_BAD] = physics->ambient_mdeg >= TEMP_AMBIENT_BAD ||
					   physics->battery_mdeg >= TEMP_BATTERY_BAD ||
					   physics->inside_mdeg >= TEMP_INSIDE_BAD,
		[PHYSICS_ALARM_INPUT_BAD] = physics->mains_bad,
		[PHYSICS_ALARM_OUTPUT_OVERLOAD] = !off && physics->world.load_mpct > 100000,
		[PHYSICS_ALARM_ON_BYPASS] = physics->source == PHYSICS_BYPASS,
		[PHYSICS_ALARM_BYPASS_BAD] = physics->mains_bad,
		[PHYSICS_ALARM_UPS_OUTPUT_OFF] = off,
		[PHYSICS_ALARM_DIAGNOSTIC_TEST_FAILED] = physics->test_result == PHYSICS_TEST_ERROR,
		[PHYSICS_ALARM_AWAITING_POWER] = off && physics->mains_bad,
		[PHYSICS_ALARM_TEST_IN_PROGRESS] = physics->test_result == PHYSICS_TEST_RUNNING,
	};

	for (unsigned i = 0; i < PHYSICS_ALARM_COUNT; i++)
		physics->alarms[i] = active[i] || physics->world.forced[i];
}

void physics_measure(struct physics *physics)
{
	physics->rating_mw = physics->setup.rating_va * POWER_FACTOR;
	measure_battery(physics);
	for (int64_t i = 0; i < physics->setup.lines; i++) {
		const int64_t mains_mv = physics->world.mains_mv > 0 ? physics->world.mains_mv + physics->wander[i] : 0;

		measure_output(physics, i, mains_mv);
		measure_input(physics, i, mains_mv);
		measure_bypass(physics, i);
	}
	measure_total(physics);
	measure_alarms(physics);
}
