/* SPDX-License-Identifier: Apache-2.0
 *
 * test_dictionary.c - names to rows, patterns, units and label text.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <busbar/macros.h>

#include "dictionary.h"

Test(dictionary, every_row_without_placeholders_is_found_by_its_name)
{
	const struct bb_point *row;
	size_t count = 0;

	for (; (row = bb_dictionary_row(count)) != NULL; count++)
		if (strchr(row->name, '<') == NULL)
			cr_assert_eq(bb_dictionary_find(row->name), row, "%s", row->name);
	cr_assert_geq(count, 254);
}

static void check(const char *name, const char *row_name)
{
	const struct bb_point *row = bb_dictionary_find(name);

	if (row_name == NULL)
		cr_assert_null(row, "%s fits %s", name, row ? row->name : "");
	else
		cr_assert(row != NULL && strcmp(row->name, row_name) == 0, "%s fits %s, not %s", name,
			  row != NULL ? row->name : "nothing", row_name);
}

Test(dictionary, a_name_fits_the_most_specific_row)
{
	static const struct {
		const char *name, *row;
	} cases[] = {
		{"battery.charge", "battery.charge"},
		{"module.12.voltage", "module.<m>.voltage"},
		{"module.480.impedance", "module.<m>.impedance"},
		{"module.3.output.L1.voltage", "module.<m>.<point>"},
		{"module.3.voltages", "module.<m>.<point>"},
		{"string.2.current", "string.<s>.current"},
		{"string.2.current.ac", "string.<s>.current.ac"},
		{"string.2.alarms.more", "string.<s>.alarms.more"},
		{"gxr.1.input.4.state", "gxr.<m>.input.<n>.state"},
		{"gxr.16.output.4.name", "gxr.<m>.output.<n>.name"},
		{"input.3.state", "input.3.state"},
		{"input.3.location", "input.<n>.location"},
		{"input.7.state", NULL},
		{"sts.on.switch-a", "sts.on.switch-a"},
		{"sts.auto-transfermode", "sts.<name>"},
		{"sts.output.L1.voltage", "sts.<name>"},
		{"vendor.fktstatus", "vendor.<symbol>"},
		{"bacs.settings.module-count", "bacs.settings.<name>"},
		{"alarm.on-battery", "alarm.on-battery"},
		{"alarm.sensor-manager-1-low", "alarm.sensor-manager-1-low"},
		{"alarm.bacs-thermal-runaway", "alarm.bacs-thermal-runaway"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++)
		check(cases[i].name, cases[i].row);
}

Test(dictionary, names_that_almost_fit_are_unknown)
{
	static const char *const names[] = {
		"",
		"battery",
		"battery.charge.",
		"battery.charge.x",
		"module.x.voltage",
		"module..voltage",
		"module.01.voltage",
		"module.-1.voltage",
		"vendor.",
		"vendor",
		"alarm.",
		"alarm.on_battery",
		"string.1",
		"marker.1",
		"marker.9999999999.state",
	};

	for (size_t i = 0; i < BB_LENGTH(names); i++)
		check(names[i], NULL);
}

Test(dictionary, what_placeholders_match_is_told)
{
	struct dictionary_match match;

	cr_assert(dictionary_match("gxr.12.input.3.state", &match));
	cr_assert_eq(match.parts[0].length, 2);
	cr_assert_eq(strncmp(match.parts[0].text, "12.", 3), 0);
	cr_assert_eq(strncmp(match.parts[1].text, "3.", 2), 0);
	cr_assert_str_eq(match.labels, "module=\"<1>\",input=\"<2>\"");
	cr_assert_not(match.open);

	cr_assert(dictionary_match("vendor.some-symbol", &match));
	cr_assert_str_eq(match.parts[0].text, "some-symbol");
	cr_assert(match.open);

	cr_assert(dictionary_match("sensor.1.value", &match));
	cr_assert(match.unit_of_device);
}

Test(dictionary, labels_and_member_labels_follow_from_names)
{
	cr_assert_str_eq(bb_dictionary_find("input.L2.voltage")->labels, "line=\"L2\"");
	cr_assert_str_eq(bb_dictionary_find("output.L1-L2.power")->labels, "lines=\"L1-L2\"");
	cr_assert_str_eq(bb_dictionary_find("input.S2.L3.voltage")->labels, "source=\"S2\",line=\"L3\"");
	cr_assert_str_eq(bb_dictionary_find("battery.negative.current")->labels, "half=\"negative\"");
	cr_assert_str_eq(bb_dictionary_find("sts.on.manual-bypass-b")->labels, "path=\"manual-bypass-b\"");
	cr_assert_str_eq(bb_dictionary_find("alarm.on-battery")->labels, "alarm=\"on-battery\"");
	cr_assert_null(bb_dictionary_find("alarm.on-battery")->member_label);
	cr_assert_str_eq(bb_dictionary_find("output.source")->member_label, "source");
	cr_assert_str_eq(bb_dictionary_find("ups.status.word")->member_label, "flag");
	cr_assert_str_eq(bb_dictionary_find("device.mfr")->member_label, "mfr");
	cr_assert_str_eq(bb_dictionary_find("device.mfr")->labels, "");
	cr_assert_str_eq(bb_dictionary_find("module.1.voltage")->labels, "");
}

Test(dictionary, members_are_found_by_value)
{
	const struct bb_point *source = bb_dictionary_find("output.source");

	cr_assert_str_eq(bb_point_member(source, 5)->name, "battery");
	cr_assert_null(bb_point_member(source, 0));
	cr_assert_null(bb_point_member(bb_dictionary_find("battery.charge"), 0));
}

Test(dictionary, label_text_is_escaped_and_cut_like_snprintf)
{
	char text[64];

	cr_assert_eq(bb_label_print(text, sizeof(text), "name", "a \"b\"\\c\nd"), (int)strlen(text));
	cr_assert_str_eq(text, "name=\"a \\\"b\\\"\\\\c\\nd\"");
	cr_assert_eq(bb_label_print(text, 8, "name", "door"), 11);
	cr_assert_str_eq(text, "name=\"d");
	cr_assert_eq(bb_label_print(text, 0, "name", "door"), 11);
}

Test(dictionary, units_have_exact_ways_to_their_base)
{
	int64_t multiplier;
	unsigned decimals;

	bb_unit_base(BB_PERCENT, &multiplier, &decimals);
	cr_assert(multiplier == 1 && decimals == 2);
	bb_unit_base(BB_MILLIOHM, &multiplier, &decimals);
	cr_assert(multiplier == 1 && decimals == 3);
	bb_unit_base(BB_KILOWATTHOUR, &multiplier, &decimals);
	cr_assert(multiplier == 3600000 && decimals == 0);
	bb_unit_base(BB_VOLT, &multiplier, &decimals);
	cr_assert(multiplier == 1 && decimals == 0);
	cr_assert_str_eq(bb_unit_name(BB_CELSIUS), "degC");
	cr_assert_str_eq(bb_unit_name(BB_UNIT_NONE), "");
}
