/* SPDX-License-Identifier: Apache-2.0
 *
 * instances.c - two tables, see instances.h.
 */
#include "instances.h"

#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

/* Further ones of those that the dictionary describes. A '#' stands for the numbers from first to last. */
static const struct {
	const char *name;
	uint8_t first, last;
} known[] = {
	{"site.do.#.state", 2, 8},
	{"site.di.#.state", 2, 8},
	{"site.ai.#.value", 2, 8},
	{"site.ai.#.min", 2, 8},
	{"site.ai.#.max", 2, 8},
	{"site.monitor.#.state", 2, 64},
	{"marker.#.state", 2, 8},
	{"sensor.#.location", 2, 8},
	{"sensor.#.unit", 2, 8},
	{"sensor.#.threshold.low", 2, 8},
	{"sensor.#.threshold.high", 2, 8},
	{"sensor.#.scaling", 2, 8},
	{"sensor.#.offset", 2, 8},
	{"input.#.location", 2, 4},
	{"input.#.nc", 2, 4},
	{"output.#.location", 2, 4},
	{"output.#.nc", 2, 4},
	{"gxr.1.input.#.state", 2, 4},
	{"gxr.1.input.#.name", 2, 4},
	{"gxr.1.output.#.state", 2, 4},
	{"gxr.1.output.#.name", 2, 4},
	{"sts.static-switch-#-on", 1, 2},
	{"sts.manual-bypass-#-on", 1, 2},
	{"sts.prefered-mains-#", 1, 2},
	{"sts.sources-synchron", 1, 1},
	{"sts.autostart-enabled", 1, 1},
	{"alarm.generator-on", 1, 1},
	{"alarm.bacs-discharging", 1, 1},
};

/* Numbers whose unit the dictionary leaves to the device. A '#' stands for the numbers from 1 to last. */
static const struct {
	const char *name;
	uint8_t last;
	enum bb_unit unit;
	uint8_t decimals;
} own[] = {
	{"sts.temperature", 1, BB_CELSIUS, 1},
	{"sts.output-frequency", 1, BB_HERTZ, 2},
	{"sts.output-num-lines", 1, BB_UNIT_NONE, 0},
	{"sts.output.L#.voltage", 3, BB_VOLT, 1},
	{"sts.output.L#.current", 3, BB_AMPERE, 1},
	{"sts.output.L#.realpower", 3, BB_WATT, 0},
	{"sts.output.L#.load", 3, BB_PERCENT, 1},
	{"sts.output.L#.power", 3, BB_VOLTAMPERE, 0},
	{"sts.source-#-input-num-lines", 2, BB_UNIT_NONE, 0},
	{"sts.source-#-bypass-frequency", 2, BB_HERTZ, 2},
	{"sts.source-#-bypass-num-lines", 2, BB_UNIT_NONE, 0},
	{"sts.source1.L#.frequency", 3, BB_HERTZ, 2},
	{"sts.source1.L#.voltage", 3, BB_VOLT, 1},
	{"sts.source1.bypass.L#.voltage", 3, BB_VOLT, 1},
	{"sts.source1.bypass.L#.current", 3, BB_AMPERE, 1},
	{"sts.source2.L#.frequency", 3, BB_HERTZ, 2},
	{"sts.source2.L#.voltage", 3, BB_VOLT, 1},
	{"sts.source2.bypass.L#.voltage", 3, BB_VOLT, 1},
	{"sts.source2.bypass.L#.current", 3, BB_AMPERE, 1},
	{"bacs.settings.module-type", 1, BB_UNIT_NONE, 0},
	{"bacs.settings.num-strings", 1, BB_UNIT_NONE, 0},
	{"bacs.settings.num-batteries", 1, BB_UNIT_NONE, 0},
	{"bacs.settings.batt-cap", 1, BB_UNIT_NONE, 0},
	{"bacs.settings.log-rate-2", 1, BB_SECOND, 0},
	{"bacs.settings.impc-poll-rate", 1, BB_SECOND, 0},
	{"bacs.settings.impc-low-alarm", 1, BB_MILLIOHM, 2},
	{"bacs.settings.impc-high-alarm", 1, BB_MILLIOHM, 2},
	{"bacs.settings.impc-low-warn", 1, BB_MILLIOHM, 2},
	{"bacs.settings.impc-high-warn", 1, BB_MILLIOHM, 2},
	{"bacs.settings.temperature-low-alarm", 1, BB_CELSIUS, 1},
	{"bacs.settings.temperature-high-alarm", 1, BB_CELSIUS, 1},
	{"bacs.settings.temperature-low-warn", 1, BB_CELSIUS, 1},
	{"bacs.settings.temperature-high-warn", 1, BB_CELSIUS, 1},
	{"bacs.settings.temperature-unit", 1, BB_UNIT_NONE, 0},
	{"bacs.settings.voltage-low-alarm", 1, BB_VOLT, 2},
	{"bacs.settings.voltage-high-alarm", 1, BB_VOLT, 2},
	{"bacs.settings.voltage-low-warn", 1, BB_VOLT, 2},
	{"bacs.settings.voltage-high-warn", 1, BB_VOLT, 2},
	{"bacs.settings.string-voltage-low-alarm", 1, BB_VOLT, 2},
	{"bacs.settings.string-voltage-high-alarm", 1, BB_VOLT, 2},
	{"bacs.settings.string-voltage-low-warn", 1, BB_VOLT, 2},
	{"bacs.settings.string-voltage-high-warn", 1, BB_VOLT, 2},
	{"bacs.settings.string-current-deviation-discharge-alarm", 1, BB_PERCENT, 0},
	{"bacs.settings.string-current-deviation-charge-alarm", 1, BB_PERCENT, 0},
	{"bacs.settings.string-current-deviation-discharge-warn", 1, BB_PERCENT, 0},
	{"bacs.settings.string-current-deviation-charge-warn", 1, BB_PERCENT, 0},
};

static void print_name(char *buffer, size_t size, const char *name, size_t number)
{
	const int place = (int)strcspn(name, "#");

	/* The caller's buffer has room for any name. */
	if (name[place] == '\0')
		(void)snprintf(buffer, size, "%s", name);
	else
		(void)snprintf(buffer, size, "%.*s%zu%s", place, name, number, name + place + 1);
}

bool instances_at(size_t index, char *buffer, size_t size, struct bb_point_spec *ret_spec)
{
	for (size_t i = 0; i < BB_LENGTH(known); i++) {
		const size_t count = known[i].last - known[i].first + 1U;

		if (index < count) {
			print_name(buffer, size, known[i].name, known[i].first + index);
			*ret_spec = (struct bb_point_spec){.name = buffer};
			return true;
		}
		index -= count;
	}
	for (size_t i = 0; i < BB_LENGTH(own); i++) {
		if (index < own[i].last) {
			print_name(buffer, size, own[i].name, 1 + index);
			*ret_spec = (struct bb_point_spec){.name = buffer,
							   .kind = BB_KIND_NUMBER,
							   .unit = own[i].unit,
							   .decimals = own[i].decimals};
			return true;
		}
		index -= own[i].last;
	}
	return false;
}
