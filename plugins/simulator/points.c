/* SPDX-License-Identifier: Apache-2.0
 *
 * points.c - see points.h.
 *
 * One table row per point: its name, where struct physics keeps the value, and in which scale. The order of the
 * table is the order of the points. A single-phase UPS has only the rows marked with 1 line. What the core derives
 * from these (status word, NUT tokens, battery status, number of alarms) is left to it.
 */
#include <string.h>

#include "points.h"

/* How a value is kept in struct physics. */
enum scale {
	RAW,          /* enumerations, alarms, VA: as the point wants it */
	MILLI,        /* thousandths */
	MILLI_LEFT,   /* thousandths of time that is left: rounded down, but not to 0 */
	MILLI_SENSOR, /* thousandths, through the sensor that a scenario can break */
};

struct source {
	const char *name;
	uint16_t offset; /* of an int64_t in struct physics */
	uint8_t scale;
	uint8_t lines; /* the fewest lines a UPS with this point has */
};

#define SOURCE(name, field, scale, lines)                                                                              \
	{                                                                                                              \
		name, offsetof(struct physics, field), scale, lines                                                    \
	}
#define ALARM(name, alarm) SOURCE("alarm." name, alarms[PHYSICS_ALARM_##alarm], RAW, 1)

#define LINE(lines, i, n)                                                                                              \
	SOURCE("input.L" #n ".frequency", input[i].mhz, MILLI, lines),                                                 \
		SOURCE("input.L" #n ".voltage", input[i].mv, MILLI, lines),                                            \
		SOURCE("input.L" #n ".current", input[i].ma, MILLI, lines),                                            \
		SOURCE("input.L" #n ".realpower", input[i].mw, MILLI, lines),                                          \
		SOURCE("input.L" #n ".powerfactor", input[i].power_factor, MILLI, lines),                              \
		SOURCE("output.L" #n ".voltage", output[i].mv, MILLI, lines),                                          \
		SOURCE("output.L" #n ".current", output[i].ma, MILLI, lines),                                          \
		SOURCE("output.L" #n ".realpower", output[i].mw, MILLI, lines),                                        \
		SOURCE("output.L" #n ".power", output[i].mva, MILLI, lines),                                           \
		SOURCE("output.L" #n ".reactivepower", output[i].mvar, MILLI, lines),                                  \
		SOURCE("output.L" #n ".powerfactor", output[i].power_factor, MILLI, lines),                            \
		SOURCE("output.L" #n ".load", output[i].load_mpct, MILLI, lines)

#define BYPASS(i, n)                                                                                                   \
	SOURCE("bypass.L" #n ".voltage", bypass[i].mv, MILLI, 3),                                                      \
		SOURCE("bypass.L" #n ".current", bypass[i].ma, MILLI, 3),                                              \
		SOURCE("bypass.L" #n ".realpower", bypass[i].mw, MILLI, 3),                                            \
		SOURCE("bypass.L" #n ".powerfactor", bypass[i].power_factor, MILLI, 3)

static const struct source sources[] = {
	SOURCE("output.source", source, RAW, 1),
	SOURCE("battery.discharge.time", on_battery_ms, MILLI, 1),
	SOURCE("battery.runtime", runtime_ms, MILLI_LEFT, 1),
	SOURCE("battery.charge", charge_mpct, MILLI, 1),
	SOURCE("battery.voltage", battery_mv, MILLI, 1),
	SOURCE("battery.current", battery_ma, MILLI, 1),
	SOURCE("battery.temperature", battery_mdeg, MILLI_SENSOR, 1),
	SOURCE("battery.condition", condition, RAW, 1),
	SOURCE("ups.temperature", inside_mdeg, MILLI, 1),
	SOURCE("ambient.temperature", ambient_mdeg, MILLI, 1),
	SOURCE("input.failure.count", input_failures, MILLI, 1),
	SOURCE("input.phases", setup.lines, RAW, 1),
	SOURCE("output.phases", setup.lines, RAW, 1),
	SOURCE("bypass.phases", setup.lines, RAW, 3),
	SOURCE("output.frequency", total.mhz, MILLI, 1),
	SOURCE("bypass.frequency", bypass[0].mhz, MILLI, 3),
	LINE(1, 0, 1),
	LINE(3, 1, 2),
	LINE(3, 2, 3),
	BYPASS(0, 1),
	BYPASS(1, 2),
	BYPASS(2, 3),
	SOURCE("output.realpower", total.mw, MILLI, 3),
	SOURCE("output.power", total.mva, MILLI, 3),
	SOURCE("output.powerfactor", total.power_factor, MILLI, 3),
	SOURCE("output.energy", energy_mkwh, MILLI, 1),
	ALARM("battery-bad", BATTERY_BAD),
	ALARM("on-battery", ON_BATTERY),
	ALARM("low-battery", LOW_BATTERY),
	ALARM("depleted-battery", DEPLETED_BATTERY),
	ALARM("temp-bad", TEMP_BAD),
	ALARM("input-bad", INPUT_BAD),
	ALARM("output-bad", OUTPUT_BAD),
	ALARM("output-overload", OUTPUT_OVERLOAD),
	ALARM("on-bypass", ON_BYPASS),
	ALARM("bypass-bad", BYPASS_BAD),
	ALARM("charger-failed", CHARGER_FAILED),
	ALARM("ups-output-off", UPS_OUTPUT_OFF),
	ALARM("fan-failure", FAN_FAILURE),
	ALARM("general-fault", GENERAL_FAULT),
	ALARM("diagnostic-test-failed", DIAGNOSTIC_TEST_FAILED),
	ALARM("awaiting-power", AWAITING_POWER),
	ALARM("test-in-progress", TEST_IN_PROGRESS),
	SOURCE("ups.test.result", test_result, RAW, 1),
	SOURCE("ups.test.duration", test_ms, MILLI, 1),
	SOURCE("input.voltage.nominal", setup.nominal_mv, MILLI, 1),
	SOURCE("input.frequency.nominal", setup.nominal_mhz, MILLI, 1),
	SOURCE("output.voltage.nominal", setup.nominal_mv, MILLI, 1),
	SOURCE("output.frequency.nominal", setup.nominal_mhz, MILLI, 1),
	SOURCE("input.transfer.low", setup.transfer_low_mv, MILLI, 1),
	SOURCE("input.transfer.high", setup.transfer_high_mv, MILLI, 1),
	SOURCE("ups.power.nominal", setup.rating_va, RAW, 1),
	SOURCE("ups.realpower.nominal", rating_mw, MILLI, 1),
	SOURCE("battery.runtime.low", setup.low_ms, MILLI, 1),
};

/* What follows the table: texts and what the wall clock has a part in. */
static const char *const others[] = {
	"device.mfr",       "device.model", "device.serial",   "ups.firmware",
	"ups.firmware.aux", "battery.date", "ups.test.detail", "ups.test.start",
};

int points_add(struct bb_builder *builder, int64_t lines)
{
	struct bb_point_spec specs[BB_LENGTH(sources) + BB_LENGTH(others)] = {{0}};
	size_t count = 0;
	int r;

	for (size_t i = 0; i < BB_LENGTH(sources); i++)
		if (sources[i].lines <= lines)
			specs[count++].name = sources[i].name;
	for (size_t i = 0; i < BB_LENGTH(others); i++)
		specs[count++].name = others[i];
	r = bb_builder_add_points(builder, specs, count);
	return r < 0 ? r : 0;
}

static int64_t scaled(int64_t value, enum scale scale, unsigned decimals)
{
	switch (scale) {
	case MILLI:
	case MILLI_SENSOR:
		return bb_decimal_rescale(value, 3, decimals);
	case MILLI_LEFT:
		return bb_decimal_scale_time_left(value, 1, 1000); /* counted in whole seconds */
	case RAW:
		break;
	}
	return value;
}

static void set_text(struct bb_reading *reading, size_t index, const char *text)
{
	(void)bb_reading_set_text(reading, index, text, strlen(text)); /* without memory its quality is BAD */
}

static const char *test_detail(int64_t result)
{
	switch ((enum physics_test)result) {
	case PHYSICS_TEST_PASS:
		return "battery passed";
	case PHYSICS_TEST_WARNING:
		return "battery is weak";
	case PHYSICS_TEST_ERROR:
		return "battery failed";
	case PHYSICS_TEST_ABORTED:
		return "aborted, or not possible: not on mains, battery nearly empty";
	case PHYSICS_TEST_RUNNING:
		return "battery test in progress";
	case PHYSICS_TEST_NEVER:
		break;
	}
	return "";
}

/* In the order of others[]. None of these is urgent. */
static void fill_others(const struct player *player, const struct points_identity *identity, int64_t test_wall_ms,
			size_t index, struct bb_reading *reading)
{
	const bool tested = player->physics.test_result != PHYSICS_TEST_NEVER;

	set_text(reading, index++, "busbar");
	set_text(reading, index++, identity->model);
	set_text(reading, index++, identity->serial);
	set_text(reading, index++, "1.0");
	set_text(reading, index++, bb_version());
	set_text(reading, index++, "2026-01-15");
	set_text(reading, index++, test_detail(player->physics.test_result));
	if (tested)
		(void)bb_reading_set(reading, index, test_wall_ms); /* any time is in range */
	else
		bb_reading_set_quality(reading, index, BB_QUALITY_UNSUPPORTED);
}

void points_fill(const struct player *player, const struct points_identity *identity, int64_t test_wall_ms,
		 enum bb_group group, struct bb_reading *reading)
{
	const char *base = (const char *)&player->physics;
	size_t index = 0;

	for (size_t i = 0; i < BB_LENGTH(sources); i++) {
		const struct source *source = &sources[i];
		const struct bb_point *point;
		int64_t value;

		if (source->lines > player->physics.setup.lines)
			continue;
		point = bb_reading_point(reading, index);
		if (group == BB_GROUP_URGENT && !point->urgent) {
			index++;
			continue;
		}
		memcpy(&value, base + source->offset, sizeof(value));
		if (source->scale == MILLI_SENSOR && player->sensor_failed)
			bb_reading_set_quality(reading, index, BB_QUALITY_BAD);
		else /* the model keeps to members and to 0 and 1 */
			(void)bb_reading_set(reading, index, scaled(value, (enum scale)source->scale, point->decimals));
		index++;
	}
	if (group == BB_GROUP_REST)
		fill_others(player, identity, test_wall_ms, index, reading);
}
