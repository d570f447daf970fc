/* SPDX-License-Identifier: Apache-2.0
 *
 * physics.h - a model of a double-conversion UPS, its battery and the mains it hangs on.
 *
 * Pure: it knows no clock, does no input or output, and draws its noise from a seed, so that the same setup and the
 * same steps always give the same values, and a test runs hours of it in no time. What happens to the UPS from
 * outside (mains, load, a worn battery) is struct physics_world; who plays a scenario writes there between two calls
 * of physics_advance().
 *
 * All quantities are integers in thousandths of the unit in their name (mV, mA, mW, mVA, mHz, ms, thousandths of a
 * percent or of a degree). No binary floating point takes part.
 */
#ifndef SIMULATOR_PHYSICS_H
#define SIMULATOR_PHYSICS_H

#include <stdbool.h>
#include <stdint.h>

#define PHYSICS_LINES_MAX 3

/** What supplies the load; the values of the point output.source. */
enum physics_source {
	PHYSICS_NONE = 2,
	PHYSICS_NORMAL = 3,
	PHYSICS_BYPASS = 4,
	PHYSICS_BATTERY = 5,
};

/** How worn the battery is; the values of the point battery.condition. */
enum physics_condition {
	PHYSICS_GOOD = 0,
	PHYSICS_WEAK = 1,
	PHYSICS_REPLACE = 2,
};

/** How the last test ended; the values of the point ups.test.result. */
enum physics_test {
	PHYSICS_TEST_PASS = 1,
	PHYSICS_TEST_WARNING = 2,
	PHYSICS_TEST_ERROR = 3,
	PHYSICS_TEST_ABORTED = 4,
	PHYSICS_TEST_RUNNING = 5,
	PHYSICS_TEST_NEVER = 6,
};

/** The alarms the UPS can raise; physics_alarm_name() has their names in the alarm table. */
enum physics_alarm {
	PHYSICS_ALARM_BATTERY_BAD,
	PHYSICS_ALARM_ON_BATTERY,
	PHYSICS_ALARM_LOW_BATTERY,
	PHYSICS_ALARM_DEPLETED_BATTERY,
	PHYSICS_ALARM_TEMP_BAD,
	PHYSICS_ALARM_INPUT_BAD,
	PHYSICS_ALARM_OUTPUT_BAD,
	PHYSICS_ALARM_OUTPUT_OVERLOAD,
	PHYSICS_ALARM_ON_BYPASS,
	PHYSICS_ALARM_BYPASS_BAD,
	PHYSICS_ALARM_CHARGER_FAILED,
	PHYSICS_ALARM_UPS_OUTPUT_OFF,
	PHYSICS_ALARM_FAN_FAILURE,
	PHYSICS_ALARM_GENERAL_FAULT,
	PHYSICS_ALARM_DIAGNOSTIC_TEST_FAILED,
	PHYSICS_ALARM_AWAITING_POWER,
	PHYSICS_ALARM_TEST_IN_PROGRESS,
	PHYSICS_ALARM_COUNT,
};

/** What was bought: fixed for the life of the model. */
struct physics_setup {
	int64_t lines;      /* 1 or 3 */
	int64_t rating_va;  /* of the whole output */
	int64_t battery_ms; /* how long a good, full battery carries the rated load */
	int64_t low_ms;     /* less time left than this is low-battery */
	int64_t nominal_mv; /* line to neutral */
	int64_t nominal_mhz;
	int64_t transfer_low_mv; /* outside low to high the mains are no good */
	int64_t transfer_high_mv;
	uint64_t seed;
};

/** What happens to it from outside. */
struct physics_world {
	int64_t mains_mv;  /* 0: mains failure */
	int64_t load_mpct; /* what the consumers want, thousandths of a percent of the rating */
	int64_t ambient_mdeg;
	enum physics_condition condition;
	bool bypass;                      /* somebody turned the switch to bypass */
	bool forced[PHYSICS_ALARM_COUNT]; /* alarms that are active whatever the model says */
};

/** One line of the input, the output or the bypass. */
struct physics_line {
	int64_t mv, ma, mw, mva, mvar, mhz;
	int64_t power_factor; /* thousandths */
	int64_t load_mpct;
};

struct physics {
	struct physics_setup setup;
	struct physics_world world; /* write here, between two calls of physics_advance() */
	bool off;                   /* and here: the output was turned off on request */

	/* As measured at the end of the last physics_advance(). */
	int64_t now_ms; /* since physics_init() */
	int64_t rating_mw;
	struct physics_line input[PHYSICS_LINES_MAX], output[PHYSICS_LINES_MAX], bypass[PHYSICS_LINES_MAX];
	struct physics_line total; /* of the output: mw, mva, power_factor, load_mpct, mhz */
	int64_t source;            /* enum physics_source */
	int64_t condition;         /* enum physics_condition */
	int64_t charge_mpct;
	int64_t runtime_ms;
	int64_t on_battery_ms;          /* 0 when not */
	int64_t battery_mv, battery_ma; /* charging is positive */
	int64_t battery_mdeg, inside_mdeg, ambient_mdeg;
	int64_t input_failures; /* thousandths, as everything here */
	int64_t energy_mkwh;    /* thousandths of a kWh delivered */
	int64_t test_result;    /* enum physics_test */
	int64_t test_started_ms, test_ms;
	int64_t alarms[PHYSICS_ALARM_COUNT]; /* 0 or 1 */

	/* Between the steps; nobody else's business. */
	uint64_t random;
	int64_t charge_ppb;  /* 1,000,000,000 is full */
	int64_t rate_ppb;    /* change of the charge per second */
	int64_t mains_ok_ms; /* how long the mains have been good */
	int64_t heat_ppm;    /* of the overloaded inverter; it gives up at 1,000,000 */
	int64_t energy_mj;
	int64_t wander[PHYSICS_LINES_MAX], load_wander[PHYSICS_LINES_MAX], frequency_wander, output_wander;
	bool mains_bad, on, low, depleted;
};

/** Start with a full battery on good mains. */
void physics_init(struct physics *physics, const struct physics_setup *setup, const struct physics_world *world);

/** Let @dt_ms pass. Any length is fine: long ones are cut into steps. */
void physics_advance(struct physics *physics, int64_t dt_ms);

/** Begin a battery test of 10 s; it ends as aborted where the mains are bad or the battery is nearly empty. */
void physics_test(struct physics *physics);

/** How long @charge_ppb of a battery in @condition lasts at @load_mpct of the rating. */
int64_t physics_runtime_ms(const struct physics_setup *setup, enum physics_condition condition, int64_t charge_ppb,
			   int64_t load_mpct);

/** "on-battery" … */
const char *physics_alarm_name(enum physics_alarm alarm);

#endif
