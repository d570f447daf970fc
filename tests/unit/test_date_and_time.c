/* SPDX-License-Identifier: Apache-2.0
 *
 * test_date_and_time.c - moments as RFC 2579 writes them.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <busbar/macros.h>

#include "date_and_time.h"

struct date_case {
	const char *zone; /* as POSIX says it: hours west of Greenwich */
	int64_t wall_ms;
	uint8_t octets[DATE_AND_TIME_SIZE];
};

static const struct date_case cases[] = {
	{"UTC0", 0, {1970 >> 8, 1970 & 0xff, 1, 1, 0, 0, 0, 0, '+', 0, 0}},
	{"UTC0", 1700000000999, {2023 >> 8, 2023 & 0xff, 11, 14, 22, 13, 20, 9, '+', 0, 0}},
	{"CET-1", 1700000000000, {2023 >> 8, 2023 & 0xff, 11, 14, 23, 13, 20, 0, '+', 1, 0}},
	{"IST-5:30", 1700000000000, {2023 >> 8, 2023 & 0xff, 11, 15, 3, 43, 20, 0, '+', 5, 30}},
	{"NST3:30", 1700000000000, {2023 >> 8, 2023 & 0xff, 11, 14, 18, 43, 20, 0, '-', 3, 30}},
	{"UTC0", -1, {1969 >> 8, 1969 & 0xff, 12, 31, 23, 59, 59, 9, '+', 0, 0}},
	{"UTC0", INT64_MAX, {0}},
};

Test(date_and_time, moments_are_local_with_their_offset)
{
	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		uint8_t octets[DATE_AND_TIME_SIZE];

		cr_assert_eq(setenv("TZ", cases[i].zone, 1), 0);
		tzset();
		date_and_time(cases[i].wall_ms, octets);
		cr_expect_eq(memcmp(octets, cases[i].octets, sizeof(octets)), 0, "case %zu", i);
	}
}
