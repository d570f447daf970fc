/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of exporters/prometheus/number.h: it must print what bb_decimal_print() prints, only faster.
 */
#include <criterion/criterion.h>

#include <busbar/decimal.h>

#include "number.h"

static void expect(int64_t value, unsigned decimals, const char *text)
{
	char out[NUMBER_SIZE + 1] = {0};
	const char *end = number_print(out, value, decimals);

	cr_assert_eq((size_t)(end - out), strlen(text), "%s: printed %s", text, out);
	cr_assert_str_eq(out, text);
}

Test(prometheus_number, small_numbers_are_printed_with_their_decimals)
{
	expect(0, 0, "0");
	expect(7, 0, "7");
	expect(2301, 1, "230.1");
	expect(5, 1, "0.5");
	expect(-5, 1, "-0.5");
	expect(5, 2, "0.05");
	expect(970, 3, "0.970");
	expect(-1000, 3, "-1.000");
	expect(123456, 6, "0.123456");
}

Test(prometheus_number, the_ends_of_the_range_are_printed_whole)
{
	expect(INT64_MAX, 0, "9223372036854775807");
	expect(INT64_MIN, 0, "-9223372036854775808");
	expect(INT64_MIN, 18, "-9.223372036854775808");
	expect(INT64_MIN, NUMBER_DECIMALS_MAX, "-0.0009223372036854775808");
}

Test(prometheus_number, every_number_of_digits_agrees_with_the_core)
{
	for (unsigned decimals = 0; decimals <= BB_DECIMALS_MAX; decimals++) {
		int64_t value = 1;

		for (int digits = 1; digits < 19; digits++, value = value * 10 + digits % 10) {
			const int64_t values[] = {value, -value, value - 1, value + 1};

			for (size_t i = 0; i < 4; i++) {
				char text[BB_DECIMAL_SIZE];

				(void)bb_decimal_print(text, values[i], decimals);
				expect(values[i], decimals, text);
			}
		}
	}
}
