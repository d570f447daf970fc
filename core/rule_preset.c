/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of presets. Limits that depend on the battery or the site have no default; the others are a careful start,
 * explained in docs/alarms.md.
 */
#include <stddef.h>

#include "rule_preset.h"

const struct rule_preset rule_presets[] = {
	{"battery-voltage", "battery voltage", "battery.voltage", NULL, RULE_OUTSIDE, "0.2 V", NULL, NULL},
	{"input-voltage", "input voltage", "input.L?.voltage", NULL, RULE_OUTSIDE, "2 V", NULL, NULL},
	{"ups-temperature", "UPS temperature", "ups.temperature", NULL, RULE_OUTSIDE, "1 degC", "10..34 degC",
	 "5..39 degC"},
	{"autonomy", "time left on battery", "battery.runtime", NULL, RULE_BELOW, "30 s", "10 min", "5 min"},
	{"battery-charge", "battery charge", "battery.charge", NULL, RULE_BELOW, "1 %", "71 %", "61 %"},
	{"output-load", "load", "output.L?.load", NULL, RULE_BELOW, "1 %", NULL, NULL},
	{"battery-symmetry", "difference between the battery halves", "battery.positive.voltage",
	 "battery.negative.voltage", RULE_ABOVE, "0.2 V", "3 V", "5 V"},
	{"seconds-on-battery", "time on battery", "battery.discharge.time", NULL, RULE_ABOVE, "0 s", "10 s", NULL},
};
