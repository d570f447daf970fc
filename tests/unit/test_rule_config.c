/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rule_config.c - what `alarms:` may say, and every fault with its place.
 */
#include <errno.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#include "config_support.h"
#include "rule_config.h"
#include "rule_preset.h"

TestSuite(rule_config, .init = config_start, .fini = config_finish);

static const char *const devices[] = {"ups-a", "ups-b", "bacs"};

static int load(const char *text, struct rule_set **ret_rules)
{
	struct sources sources;
	int r;

	write_file("r.yaml", text, 0640);
	cr_assert_eq(sources_load("r.yaml", &sources), 0);
	r = rule_config_check(&sources, devices, BB_LENGTH(devices), ret_rules);
	sources_free(&sources);
	return r;
}

static struct rule_set *accept(const char *text)
{
	struct rule_set *rules = NULL;
	const int r = load(text, &rules);

	cr_assert_eq(r, 0, "%s refused: %s", text, said);
	return rules;
}

static void refuse(const char *text, const char *lines)
{
	struct rule_set *rules = NULL;

	cr_expect_eq(load(text, &rules), -EINVAL, "%s was taken", text);
	cr_expect_null(rules);
	expect_said(lines);
}

static void expect_limit(struct rule_quantity quantity, unsigned decimals, int64_t value)
{
	cr_expect(rule_quantity_is_exact(quantity, decimals));
	cr_expect_eq(rule_quantity_scale(quantity, decimals), value, "%lld is not %lld",
		     (long long)rule_quantity_scale(quantity, decimals), (long long)value);
}

/* ---- quantities ---- */

Test(rule_config, quantities_are_exact_in_the_unit_of_points)
{
	static const struct {
		const char *text;
		enum bb_unit unit;
		int64_t micro;
	} cases[] = {
		{"40%", BB_PERCENT, 40000000},
		{"40 %", BB_PERCENT, 40000000},
		{" 5V ", BB_VOLT, 5000000},
		{"-5.25 V", BB_VOLT, -5250000},
		{"250mV", BB_VOLT, 250000},
		{"10 min", BB_SECOND, 600000000},
		{"10m", BB_SECOND, 600000000},
		{"2h", BB_SECOND, 7200000000},
		{"250ms", BB_SECOND, 250000},
		{"1.5 Ohm", BB_MILLIOHM, 1500000000},
		{"7", BB_UNIT_NONE, 7000000},
		{"0.000001", BB_UNIT_NONE, 1},
		{"39 \302\260C", BB_CELSIUS, 39000000},
		{"39degC", BB_CELSIUS, 39000000},
		{"3 kVA", BB_VOLTAMPERE, 3000000000},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct rule_quantity quantity;
		struct option_fault fault;

		cr_assert_eq(rule_quantity_parse(cases[i].text, &quantity, &fault), 0, "%s", cases[i].text);
		cr_assert_eq(quantity.unit, cases[i].unit, "%s", cases[i].text);
		cr_assert_eq(quantity.micro, cases[i].micro, "%s", cases[i].text);
	}
}

Test(rule_config, what_is_no_quantity_is_refused)
{
	static const char *const texts[] = {"",
					    "V",
					    "much",
					    "5 parsec",
					    "5V5",
					    "1..2 V",
					    "1.5.5 V",
					    "- V",
					    "5 v",
					    "1e3 V",
					    "0.0000001 V",
					    "0.0001 mV",
					    "99999999999999999999 V",
					    "9223372036854 d"};
	struct rule_quantity quantity = {.micro = 7};
	struct option_fault fault;

	for (size_t i = 0; i < BB_LENGTH(texts); i++)
		cr_assert_eq(rule_quantity_parse(texts[i], &quantity, &fault), -EINVAL, "%s", texts[i]);
	cr_assert_eq(quantity.micro, 7, "output must stay untouched on failure");
}

Test(rule_config, a_range_has_one_unit_and_goes_upwards)
{
	struct rule_quantity low, high;
	struct option_fault fault;

	cr_assert_eq(rule_range_parse("210..250 V", &low, &high, &fault), 0);
	cr_assert_eq(low.micro, 210000000);
	cr_assert_eq(low.unit, BB_VOLT);
	cr_assert_eq(high.micro, 250000000);
	cr_assert_eq(rule_range_parse("-5.5 .. 39 degC", &low, &high, &fault), 0);
	cr_assert_eq(low.micro, -5500000);
	cr_assert_eq(rule_range_parse("100..200 mV", &low, &high, &fault), 0);
	cr_assert_eq(low.micro, 100000);
	cr_assert_eq(rule_range_parse("900 mV..1 V", &low, &high, &fault), 0);
	cr_assert_eq(low.micro, 900000);
	cr_assert_eq(rule_range_parse("1..2", &low, &high, &fault), 0);
	cr_assert_eq(rule_range_parse("250..210 V", &low, &high, &fault), -EINVAL);
	cr_assert_eq(rule_range_parse("210..210 V", &low, &high, &fault), -EINVAL);
	cr_assert_eq(rule_range_parse("210 V..50 %", &low, &high, &fault), -EINVAL);
	cr_assert_eq(rule_range_parse("210-250 V", &low, &high, &fault), -EINVAL);
	cr_assert_eq(rule_range_parse("..250 V", &low, &high, &fault), -EINVAL);
	cr_assert_eq(rule_range_parse("210..", &low, &high, &fault), -EINVAL);
}

/* ---- rules that are fine ---- */

Test(rule_config, an_entry_says_all_there_is_to_a_rule)
{
	struct rule_set *rules = accept("alarms:\n"
					"  - device: 'ups-*'\n"
					"    name: battery-cold\n"
					"    point: battery.temperature\n"
					"    below: 5.5 degC\n"
					"    severity: alarm\n"
					"    hysteresis: 0.5 degC\n"
					"    delay: 10s\n"
					"    clear-delay: 1m\n"
					"    not-while: on-battery\n"
					"    hold-off: 30m\n"
					"    text: too cold\n");
	const struct rule_section *section = &rules->sections[0];

	cr_assert_eq(rules->count, 1);
	cr_assert_eq(section->level_count, 1);
	cr_assert_str_eq(section->levels[0].name, "battery-cold");
	cr_assert_eq(section->levels[0].severity, BB_SEVERITY_ALARM);
	cr_assert_eq(section->levels[0].compare, RULE_BELOW);
	expect_limit(section->levels[0].low, 1, 55);
	expect_limit(section->hysteresis, 1, 5);
	cr_assert_eq(section->delay_ms, 10000);
	cr_assert_eq(section->clear_delay_ms, 60000);
	cr_assert_eq(section->gate, RULE_NOT_WHILE);
	cr_assert_str_eq(section->gate_alarm, "on-battery");
	cr_assert_eq(section->hold_off_ms, 1800000);
	cr_assert_str_eq(section->title, "too cold");
	rule_set_unref(rules);
}

Test(rule_config, warning_and_alarm_are_two_alarms)
{
	struct rule_set *rules =
		accept("alarms:\n"
		       "  - { point: battery.charge, name: charge, warning: below 41%, alarm: below 21% }\n"
		       "  - { preset: battery-symmetry, alarm: 6V }\n"
		       "  - { preset: ups-temperature }\n");

	cr_assert_str_eq(rules->sections[0].levels[0].name, "charge-warning");
	cr_assert_str_eq(rules->sections[0].levels[0].text, "below 41%");
	cr_assert_str_eq(rules->sections[0].levels[1].name, "charge-alarm");
	cr_assert_eq(rules->sections[0].levels[1].severity, BB_SEVERITY_ALARM);
	cr_assert_eq(rules->sections[1].level_count, 1, "what one asks for, not what the preset would say");
	cr_assert_str_eq(rules->sections[1].levels[0].name, "battery-symmetry-alarm");
	cr_assert_eq(rules->sections[1].levels[0].compare, RULE_ABOVE);
	cr_assert_str_eq(rules->sections[1].other, "battery.negative.voltage");
	cr_assert_eq(rules->sections[2].level_count, 2, "a preset's own limits");
	expect_limit(rules->sections[2].levels[0].low, 1, 100);
	expect_limit(rules->sections[2].levels[1].high, 1, 390);
	rule_set_unref(rules);
}

Test(rule_config, every_preset_suits_its_points)
{
	for (size_t i = 0; i < 8; i++) {
		const struct rule_preset *preset = &rule_presets[i];
		const char *unit = strchr(preset->hysteresis, ' ');
		char text[256];
		struct rule_set *rules;

		snprintf(text, sizeof(text), "alarms:\n  - { preset: %s, alarm: '%s%s' }\n", preset->name,
			 preset->compare == RULE_OUTSIDE ? "5..50" : "7", unit);
		rules = accept(text);
		cr_assert_str_eq(rules->sections[0].point, preset->point);
		rule_set_unref(rules);
		if (!preset->warning && !preset->alarm)
			continue;
		snprintf(text, sizeof(text), "alarms:\n  - { preset: %s }\n", preset->name);
		rules = accept(text);
		cr_assert_eq(rules->sections[0].level_count, (preset->warning != NULL) + (preset->alarm != NULL));
		rule_set_unref(rules);
	}
}

Test(rule_config, a_name_follows_from_the_point)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"point: battery.charge, below: 40%", "battery-charge-low"},
		{"point: 'input.L?.voltage', outside: 210..250 V", "input-voltage-out-of-range"},
		{"point: 'module.*.voltage', above: 15 V", "module-voltage-high"},
		{"point: output.frequency, inside: 49..51 Hz", "output-frequency-in-range"},
		{"point: output.source, is: bypass", "output-source-bypass"},
		{"point: output.source, is-not: normal", "output-source-not-normal"},
		{"point: input.L1-L2.voltage, below: 380 V", "input-l1-l2-voltage-low"},
		{"point: ups.status.word, is: over-temp", "ups-status-word-over-temp"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		char text[256];
		struct rule_set *rules;

		snprintf(text, sizeof(text), "alarms:\n  - { %s }\n", cases[i].text);
		rules = accept(text);
		cr_expect_str_eq(rules->sections[0].levels[0].name, cases[i].name);
		rule_set_unref(rules);
	}
}

Test(rule_config, points_that_only_a_device_knows_are_taken_as_they_are)
{
	rule_set_unref(accept("alarms:\n"
			      "  - { point: vendor.inlet-pressure, above: 5 V }\n"
			      "  - { point: sensor.3.value, above: 30 degC }\n"
			      "  - { point: greenhouse.humidity, above: 80%, name: wet }\n"
			      "  - { point: alarm.lid-open, is: true, only-while: alarm.door-open }\n"));
	expect_said("");
}

Test(rule_config, equal_lists_are_equal)
{
	struct rule_set *a = accept("alarms:\n  - { preset: autonomy, delay: 60s }\n");
	struct rule_set *b = accept("# the same\nalarms:\n  - { delay: 1m, preset: autonomy }\n");
	struct rule_set *c = accept("alarms:\n  - { preset: autonomy, delay: 61s }\n");
	struct rule_set *none = accept("devices: {}\n");

	cr_assert(rule_set_equal(a, b));
	cr_assert_not(rule_set_equal(a, c));
	cr_assert_not(rule_set_equal(a, NULL));
	cr_assert(rule_set_equal(NULL, none));
	rule_set_unref(a);
	rule_set_unref(b);
	rule_set_unref(c);
	rule_set_unref(none);
}

/* ---- and those that are not ---- */

#define FAULT(entry, column, message) refuse("alarms:\n  - { " entry " }\n", "r.yaml:2:" column ": " message "\n")

Test(rule_config, a_rule_needs_a_point_and_one_comparison)
{
	refuse("alarms: { point: battery.charge }\n", "r.yaml:1:9: alarms: must be a list of rules, not a mapping\n");
	refuse("alarms:\n  - battery.charge\n",
	       "r.yaml:2:5: alarms: each entry must be a mapping such as { point: battery.charge, below: 40% }, not a "
	       "text\n");
	FAULT("below: 40%", "5", "alarms: needs a point, or a preset");
	FAULT("point: battery.charge", "5",
	      "alarms: needs one of below, above, outside, inside, is, is-not, or warning and alarm");
	FAULT("preset: battery-voltage", "5",
	      "alarms: needs one of below, above, outside, inside, is, is-not, or warning and alarm");
	FAULT("point: battery.charge, below: 40%, above: 50%", "5",
	      "alarms: needs one of below, above, outside, inside, is, is-not, or warning and alarm, not several");
	FAULT("point: battery.charge, below: 40%, alarm: below 20%", "5",
	      "alarms: needs one of below, above, outside, inside, is, is-not, or warning and alarm, not several");
	FAULT("point: battery.charge, warning: 40%", "39",
	      "warning: must say how to compare: below, above, outside or inside, such as below 40%");
	FAULT("point: battery.charge, warning: below 40%, severity: alarm", "60",
	      "severity: warning and alarm say it already");
}

Test(rule_config, keys_and_choices_are_checked_with_suggestions)
{
	FAULT("point: battery.charge, belov: 40%", "30", "belov: unknown key, did you mean 'below'?");
	FAULT("preset: battery-simmetry", "15",
	      "preset: must be one of: " RULE_PRESET_NAMES
	      "; not 'battery-simmetry', did you mean 'battery-symmetry'?");
	FAULT("point: battery.chrage, below: 40%", "14",
	      "point: there is no point 'battery.chrage', did you mean 'battery.charge'?");
	FAULT("device: ups-c, point: battery.charge, below: 40%", "15",
	      "device: there is no device 'ups-c', did you mean 'ups-a'?");
	FAULT("device: 'pdu-*', point: battery.charge, below: 40%", "15", "device: there is no device 'pdu-*'");
	FAULT("point: output.source, is: batery", "33", "is: output.source is never 'batery', did you mean 'battery'?");
	FAULT("point: ups.normal, is: maybe", "30", "is: must be true or false, not 'maybe'");
	FAULT("point: battery.charge, below: 40%, delay: 5", "49", "delay: '5' needs a unit such as ms, s, m, h");
}

Test(rule_config, units_must_suit_the_point)
{
	FAULT("point: battery.charge, below: 40", "37", "below: battery.charge is counted in %: needs a unit of %");
	FAULT("point: battery.charge, below: 40 V", "37", "below: battery.charge is counted in %: needs a unit of %");
	FAULT("point: battery.runtime, below: 40%", "38",
	      "below: battery.runtime is counted in s: needs a unit of ms, s, min, h, d");
	FAULT("point: battery.charge, below: 40.55%", "37",
	      "below: is finer than battery.charge, which has 1 decimals");
	FAULT("point: input.failure.count, above: 5 V", "42",
	      "above: input.failure.count is a plain number, without a unit");
	FAULT("point: battery.charge, below: 40%, hysteresis: 1 V", "54",
	      "hysteresis: battery.charge is counted in %: needs a unit of %");
	FAULT("point: battery.charge, below: 40%, hysteresis: -1%", "54", "hysteresis: must not be negative");
	FAULT("point: ups.temperature, outside: 10..34 degC, hysteresis: 13 degC", "65",
	      "hysteresis: is more than half of the range: nothing would be fine in it");
	FAULT("point: battery.charge, below: lots", "37",
	      "below: 'lots' is not a number with a unit, such as 40%, 5 V or 10 min");
	FAULT("point: '*.L1.*', below: 5 V", "14",
	      "point: '*.L1.*' fits points of different kinds: input.L1.frequency and input.L1.voltage");
}

Test(rule_config, kinds_must_suit_the_comparison)
{
	FAULT("point: output.source, below: 5", "5", "alarms: output.source is no number: use is or is-not");
	FAULT("point: device.model, below: 5", "5", "alarms: device.model cannot be compared");
	FAULT("point: battery.charge, is: 40%", "34", "is: battery.charge is neither a yes or no nor a choice");
	FAULT("point: battery.positive.voltage, difference-to: 'battery.*', above: 3 V", "55",
	      "difference-to: needs two points, each with its full name");
	FAULT("point: battery.positive.voltage, difference-to: battery.charge, above: 3 V", "55",
	      "difference-to: battery.positive.voltage is counted in V, battery.charge in %");
}

Test(rule_config, names_must_be_free)
{
	FAULT("point: battery.charge, below: 40%, name: on-battery", "48",
	      "name: there is an alarm on-battery already, which devices raise; take another name");
	FAULT("point: battery.charge, below: 40%, name: Low_Charge", "48",
	      "name: 'Low_Charge' cannot be the name of an alarm: 1 to 63 of a-z, 0-9 and '-'");
	refuse("alarms:\n"
	       "  - { device: ups-a, point: battery.charge, below: 40% }\n"
	       "  - { device: ups-b, point: battery.charge, below: 30% }\n"
	       "  - { device: 'ups-*', point: battery.charge, below: 20% }\n",
	       "r.yaml:4:5: alarms: device ups-a has a rule battery-charge-low already; give this one another name\n");
	rule_set_unref(accept("alarms:\n"
			      "  - { device: ups-a, point: battery.charge, below: 40% }\n"
			      "  - { device: ups-b, point: battery.charge, below: 30% }\n"));
}

Test(rule_config, gates_must_be_alarms)
{
	FAULT("point: battery.charge, below: 40%, only-while: on-batery", "54",
	      "only-while: there is no alarm 'on-batery', did you mean 'on-battery'?");
	FAULT("point: battery.charge, below: 40%, only-while: full-moon", "54",
	      "only-while: there is no alarm 'full-moon', nor a rule of that name before this one (write "
	      "alarm.full-moon when the device has it)");
	FAULT("point: battery.charge, below: 40%, only-while: on-battery, not-while: on-bypass", "54",
	      "only-while: and not-while exclude each other");
	FAULT("point: battery.charge, below: 40%, only-while: on-battery, hold-off: 5m", "76",
	      "hold-off: needs not-while");
	rule_set_unref(accept("alarms:\n"
			      "  - { point: battery.charge, below: 40%, name: low }\n"
			      "  - { point: 'output.L?.load', above: 90%, only-while: low, name: high }\n"
			      "  - { point: ups.temperature, above: 40 degC, not-while: high-l1 }\n"));
}

Test(rule_config, all_faults_are_shown)
{
	refuse("alarms:\n"
	       "  - { point: battery.charge, below: 40 }\n"
	       "  - { point: battery.voltage, above: 5 V, dely: 5s }\n"
	       "  - { device: ups-x, point: battery.charge, below: 40% }\n",
	       "r.yaml:2:37: below: battery.charge is counted in %: needs a unit of %\n"
	       "r.yaml:3:43: dely: unknown key, did you mean 'delay'?\n"
	       "r.yaml:4:15: device: there is no device 'ups-x', did you mean 'ups-a'?\n");
}
