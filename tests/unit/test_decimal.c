/* SPDX-License-Identifier: Apache-2.0
 *
 * test_decimal.c - rounding, saturation, printing and reading of fixed-point numbers, at all their edges.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#define LENGTH(array) BB_LENGTH(array)

struct scale_case {
	int64_t value, multiplier, divisor, expected;
};

Test(decimal, scaling_rounds_half_away_from_zero)
{
	static const struct scale_case cases[] = {
		{0, 5, 3, 0},       {1, 1, 2, 1},       {-1, 1, 2, -1},   {1, 1, -2, -1},   {-1, 1, -2, 1},
		{1, 1, 3, 0},       {2, 1, 3, 1},       {-2, 1, 3, -1},   {4, 1, 3, 1},     {5, 1, 3, 2},
		{25, 1, 10, 3},     {24, 1, 10, 2},     {-25, 1, 10, -3}, {-24, 1, 10, -2}, {15, 10, 100, 2},
		{2301, 1, 10, 230}, {2305, 1, 10, 231}, {97, 10, 1, 970}, {7, -1, 1, -7},   {1, 1, INT64_MAX, 0},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		cr_expect_eq(bb_decimal_scale(cases[i].value, cases[i].multiplier, cases[i].divisor), cases[i].expected,
			     "case %zu", i);
}

Test(decimal, scaling_saturates_at_both_ends)
{
	static const struct scale_case cases[] = {
		{INT64_MAX, 1, 1, INT64_MAX},
		{INT64_MIN, 1, 1, INT64_MIN},
		{INT64_MIN, -1, 1, INT64_MAX},
		{INT64_MIN, 1, -1, INT64_MAX},
		{INT64_MAX, -1, 1, -INT64_MAX},
		{INT64_MAX, 2, 1, INT64_MAX},
		{INT64_MIN, 2, 1, INT64_MIN},
		{INT64_MIN, INT64_MIN, 1, INT64_MAX},
		{INT64_MIN, INT64_MAX, 1, INT64_MIN},
		{INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN},
		{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
		{INT64_MIN, 1, INT64_MIN, 1},
		{INT64_MAX, 1, INT64_MIN, -1},
		{INT64_MAX, 1, 2, INT64_MAX / 2 + 1},
		{INT64_MIN, 1, 2, INT64_MIN / 2},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		cr_expect_eq(bb_decimal_scale(cases[i].value, cases[i].multiplier, cases[i].divisor), cases[i].expected,
			     "case %zu", i);
}

Test(decimal, small_scalings_agree_with_counting)
{
	/* Half away from zero, said with whole numbers only: the nearest multiple, and of two the farther one. */
	for (int64_t value = -300; value <= 300; value++) {
		for (int64_t divisor = 1; divisor <= 30; divisor++) {
			int64_t magnitude = value < 0 ? -value : value;
			int64_t expected = 0;

			while ((2 * expected + 1) * divisor <= 2 * magnitude)
				expected++;
			if (value < 0)
				expected = -expected;
			cr_assert_eq(bb_decimal_scale(value, 1, divisor), expected, "%d / %d", (int)value,
				     (int)divisor);
			cr_assert_eq(bb_decimal_scale(value, 1, -divisor), -expected, "%d / -%d", (int)value,
				     (int)divisor);
		}
	}
}

Test(decimal, rescaling_changes_only_the_number_of_decimals)
{
	cr_expect_eq(bb_decimal_rescale(2301, 1, 1), 2301);
	cr_expect_eq(bb_decimal_rescale(2301, 1, 3), 230100);
	cr_expect_eq(bb_decimal_rescale(2305, 1, 0), 231);
	cr_expect_eq(bb_decimal_rescale(-2305, 1, 0), -231);
	cr_expect_eq(bb_decimal_rescale(1, 0, 18), INT64_C(1000000000000000000));
	cr_expect_eq(bb_decimal_rescale(10, 0, 18), INT64_MAX, "10 with 18 decimals does not fit");
	cr_expect_eq(bb_decimal_rescale(-10, 0, 18), INT64_MIN);
	cr_expect_eq(bb_decimal_rescale(INT64_MIN, 18, 0), -9);
	cr_expect_eq(bb_decimal_rescale(INT64_MAX, 18, 0), 9);
}

Test(decimal, time_left_rounds_down_and_is_never_zero_before_it_is_over)
{
	static const struct scale_case cases[] = {
		{0, 1, 60, 0},
		{1, 1, 60, 1},
		{59, 1, 60, 1},
		{60, 1, 60, 1},
		{119, 1, 60, 1},
		{120, 1, 60, 2},
		{3, 60, 1, 180},
		{-1, 1, 60, -1},
		{-60, 1, 60, -1},
		{-61, 1, 60, -2},
		{INT64_MAX, 1000, 1, INT64_MAX},
		{-59, 1, -60, 1},
		{61, 1, -60, -2},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		cr_expect_eq(bb_decimal_scale_time_left(cases[i].value, cases[i].multiplier, cases[i].divisor),
			     cases[i].expected, "case %zu", i);
}

struct print_case {
	int64_t value;
	unsigned decimals;
	const char *full, *brief;
};

static const struct print_case print_cases[] = {
	{0, 0, "0", "0"},
	{0, 1, "0.0", "0"},
	{5, 0, "5", "5"},
	{5, 1, "0.5", "0.5"},
	{-5, 1, "-0.5", "-0.5"},
	{5, 3, "0.005", "0.005"},
	{10, 0, "10", "10"},
	{10, 1, "1.0", "1"},
	{99, 0, "99", "99"},
	{100, 0, "100", "100"},
	{105, 2, "1.05", "1.05"},
	{1005, 2, "10.05", "10.05"},
	{2300, 1, "230.0", "230"},
	{2301, 1, "230.1", "230.1"},
	{-2301, 1, "-230.1", "-230.1"},
	{-100, 2, "-1.00", "-1"},
	{1234567890123456789, 18, "1.234567890123456789", "1.234567890123456789"},
	{INT64_MAX, 0, "9223372036854775807", "9223372036854775807"},
	{INT64_MIN, 0, "-9223372036854775808", "-9223372036854775808"},
	{INT64_MAX, 18, "9.223372036854775807", "9.223372036854775807"},
	{INT64_MIN, 18, "-9.223372036854775808", "-9.223372036854775808"},
	{INT64_MIN, 1, "-922337203685477580.8", "-922337203685477580.8"},
	{7, 18, "0.000000000000000007", "0.000000000000000007"},
	{-7, 18, "-0.000000000000000007", "-0.000000000000000007"},
};

Test(decimal, printing_is_exact)
{
	for (size_t i = 0; i < LENGTH(print_cases); i++) {
		const struct print_case *c = &print_cases[i];
		char buffer[BB_DECIMAL_SIZE];

		cr_expect_eq(bb_decimal_print(buffer, c->value, c->decimals), strlen(c->full));
		cr_expect_str_eq(buffer, c->full);
		cr_expect_eq(bb_decimal_print_short(buffer, c->value, c->decimals), strlen(c->brief));
		cr_expect_str_eq(buffer, c->brief);
	}
}

Test(decimal, printing_agrees_with_printf)
{
	/* A walk over magnitudes and digits, both signs. */
	for (int64_t value = 1; value < INT64_MAX / 7; value = value * 7 + 3) {
		char buffer[BB_DECIMAL_SIZE], expected[32];

		snprintf(expected, sizeof(expected), "%lld", (long long)value);
		bb_decimal_print(buffer, value, 0);
		cr_assert_str_eq(buffer, expected);
		snprintf(expected, sizeof(expected), "%lld.%02lld", (long long)(-value / 100),
			 (long long)(value % 100));
		bb_decimal_print(buffer, -value, 2);
		if (value >= 100) /* printf has no minus zero */
			cr_assert_str_eq(buffer, expected);
	}
}

Test(decimal, what_was_printed_reads_back)
{
	for (size_t i = 0; i < LENGTH(print_cases); i++) {
		const struct print_case *c = &print_cases[i];
		int64_t value = 1;

		cr_expect_eq(bb_decimal_parse(c->full, c->decimals, &value), 0, "%s", c->full);
		cr_expect_eq(value, c->value, "%s", c->full);
		cr_expect_eq(bb_decimal_parse(c->brief, c->decimals, &value), 0, "%s", c->brief);
		cr_expect_eq(value, c->value, "%s", c->brief);
	}
}

struct parse_case {
	const char *text;
	unsigned decimals;
	int result;
	int64_t value;
};

Test(decimal, reading_takes_numbers_and_nothing_else)
{
	static const struct parse_case cases[] = {
		{"+5", 0, 0, 5},
		{"007", 0, 0, 7},
		{"2.5", 0, 0, 3},
		{"-2.5", 0, 0, -3},
		{"2.4999999999999999999999999", 0, 0, 2},
		{"0.05", 1, 0, 1},
		{"0.04", 1, 0, 0},
		{"-0.04", 1, 0, 0},
		{"1.5", 3, 0, 1500},
		{"00000000000000000000000000000000000000000000000001", 0, 0, 1},
		{"9223372036854775807", 0, 0, INT64_MAX},
		{"9223372036854775808", 0, -ERANGE, 0},
		{"-9223372036854775808", 0, 0, INT64_MIN},
		{"-9223372036854775809", 0, -ERANGE, 0},
		{"9223372036854775807.4", 0, 0, INT64_MAX},
		{"9223372036854775807.5", 0, -ERANGE, 0},
		{"-9223372036854775808.5", 0, -ERANGE, 0},
		{"10", 18, -ERANGE, 0},
		{"99999999999999999999999999999999999999999999999999999999999999", 0, -ERANGE, 0},
		{"99999999999999999999999999999999999999999999999999999999999x", 0, -EINVAL, 0},
		{"", 0, -EINVAL, 0},
		{"-", 0, -EINVAL, 0},
		{"+-1", 0, -EINVAL, 0},
		{".5", 1, -EINVAL, 0},
		{"5.", 1, -EINVAL, 0},
		{"1.2.3", 1, -EINVAL, 0},
		{" 1", 0, -EINVAL, 0},
		{"1 ", 0, -EINVAL, 0},
		{"1e3", 0, -EINVAL, 0},
		{"0x10", 0, -EINVAL, 0},
		{"1,5", 1, -EINVAL, 0},
		{"nan", 0, -EINVAL, 0},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		int64_t value = 4711;

		cr_expect_eq(bb_decimal_parse(cases[i].text, cases[i].decimals, &value), cases[i].result, "'%s'",
			     cases[i].text);
		cr_expect_eq(value, cases[i].result == 0 ? cases[i].value : 4711, "'%s'", cases[i].text);
	}
}
