/* SPDX-License-Identifier: Apache-2.0
 *
 * test_format.c - busbarctl's texts for values, times, durations and options.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "format.h"

static Busbar__Point point_of(Busbar__Point__Kind kind, int64_t number, unsigned decimals)
{
	Busbar__Point point = BUSBAR__POINT__INIT;

	point.kind = kind;
	point.known = true;
	point.number = number;
	point.decimals = decimals;
	return point;
}

Test(format, prints_a_value_of_each_kind)
{
	char *members[] = {"output-active", "battery-low"};
	char buffer[FORMAT_VALUE_SIZE];
	Busbar__Point point = point_of(BUSBAR__POINT__KIND__NUMBER, 970, 1);

	cr_expect_str_eq(format_value(buffer, &point), "97.0");
	point = point_of(BUSBAR__POINT__KIND__COUNTER, -12, 0);
	cr_expect_str_eq(format_value(buffer, &point), "-12");
	point = point_of(BUSBAR__POINT__KIND__ENUM, 4, 0);
	point.text = "battery";
	cr_expect_str_eq(format_value(buffer, &point), "battery");
	point = point_of(BUSBAR__POINT__KIND__FLAGS, 20, 0);
	cr_expect_str_eq(format_value(buffer, &point), "");
	point.members = members;
	point.n_members = 2;
	cr_expect_str_eq(format_value(buffer, &point), "output-active battery-low");
	point = point_of(BUSBAR__POINT__KIND__BOOL, 1, 0);
	cr_expect_str_eq(format_value(buffer, &point), "true");
	point = point_of(BUSBAR__POINT__KIND__ALARM_STATE, 0, 0);
	cr_expect_str_eq(format_value(buffer, &point), "false");
	point = point_of(BUSBAR__POINT__KIND__TIMESTAMP, 951782400000, 0);
	cr_expect_str_eq(format_value(buffer, &point), "2000-02-29T00:00:00Z");
}

Test(format, survives_more_decimals_than_there_can_be)
{
	char buffer[FORMAT_VALUE_SIZE];
	const Busbar__Point point = point_of(BUSBAR__POINT__KIND__NUMBER, 1, 4000000000U);

	cr_expect_str_eq(format_value(buffer, &point), "0.000000000000000001");
}

Test(format, cuts_flags_that_no_agent_would_send)
{
	char buffer[FORMAT_VALUE_SIZE], name[2000];
	char *members[] = {name, name, name, name, name};
	Busbar__Point point = point_of(BUSBAR__POINT__KIND__FLAGS, 1, 0);

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	point.members = members;
	point.n_members = 5;
	cr_expect_lt(strlen(format_value(buffer, &point)), sizeof(buffer));
}

Test(format, writes_time_stamps_as_rfc_3339)
{
	static const struct {
		int64_t wall_ms;
		const char *expected;
	} cases[] = {
		{0, "1970-01-01T00:00:00Z"},
		{1, "1970-01-01T00:00:00.001Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{1700000000123, "2023-11-14T22:13:20.123Z"},
		{253402300799000, "9999-12-31T23:59:59Z"},
		{INT64_MAX, NULL},
		{INT64_MIN, NULL},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		char buffer[FORMAT_TIME_SIZE];
		const char *stamp = format_utc(buffer, cases[i].wall_ms);

		cr_expect_lt(strlen(stamp), FORMAT_TIME_SIZE);
		if (cases[i].expected != NULL)
			cr_expect_str_eq(stamp, cases[i].expected);
	}
}

Test(format, says_durations_in_the_two_units_that_matter)
{
	static const struct {
		int64_t ms;
		const char *expected;
	} cases[] = {
		{-1, "-"},           {0, "0.0s"},
		{449, "0.4s"},       {9999, "9.9s"},
		{10000, "10s"},      {59999, "59s"},
		{60000, "1m00s"},    {3599999, "59m59s"},
		{3600000, "1h00m"},  {86399999, "23h59m"},
		{86400000, "1d00h"}, {1000LL * 86400000 + 7200000, "1000d02h"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		char buffer[FORMAT_TIME_SIZE];

		cr_expect_str_eq(format_span(buffer, cases[i].ms), cases[i].expected);
	}
	for (int shift = 0; shift < 63; shift++) {
		char buffer[FORMAT_TIME_SIZE];

		cr_expect_lt(strlen(format_span(buffer, INT64_MAX >> shift)), FORMAT_TIME_SIZE);
	}
}

Test(format, writes_options_as_a_configuration_would)
{
	static const struct {
		const char *type;
		int64_t value;
		const char *expected;
	} cases[] = {
		{"duration", 0, "0s"},         {"duration", 250, "250ms"},
		{"duration", 5000, "5s"},      {"duration", 90000, "90s"},
		{"duration", 120000, "2m"},    {"duration", 43200000, "12h"},
		{"duration", 604800000, "7d"}, {"size", 0, "0"},
		{"size", 65536, "64KiB"},      {"size", 1000, "1000"},
		{"size", 2147483648, "2GiB"},  {"decimal", 2500, "2.5"},
		{"integer", -40, "-40"},       {"anything else", 12, "12"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		char buffer[FORMAT_TIME_SIZE];

		cr_expect_str_eq(format_option(buffer, cases[i].type, cases[i].value), cases[i].expected);
	}
}

Test(format, names_what_a_newer_agent_sends_unknown)
{
	cr_expect_str_eq(format_quality(BUSBAR__POINT__QUALITY__STALE), "stale");
	cr_expect_str_eq(format_quality((Busbar__Point__Quality)77), "unknown");
	cr_expect_str_eq(format_quality((Busbar__Point__Quality)-1), "unknown");
	cr_expect_str_eq(format_light(BUSBAR__DEVICE__LIGHT__YELLOW), "yellow");
	cr_expect_str_eq(format_light((Busbar__Device__Light)5), "unknown");
	cr_expect_str_eq(format_severity(BUSBAR__SEVERITY__NO_SEVERITY), "");
	cr_expect_str_eq(format_severity((Busbar__Severity)4), "unknown");
}
