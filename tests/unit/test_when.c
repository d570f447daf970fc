/* SPDX-License-Identifier: Apache-2.0
 *
 * test_when.c - times and durations as people write them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <busbar/macros.h>

#include "when.h"

/* 2026-05-01 12:00:00 UTC */
#define NOON    1777636800000
#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* The ms that @text means, -1 for an event's number, or the negative errno. */
static int64_t time_of(const char *text)
{
	enum when_kind kind = WHEN_NUMBER;
	int64_t value = -1;
	const int r = when_parse(text, NOON, &kind, &value);

	if (r < 0) {
		cr_expect_eq(value, -1, "output must stay untouched on failure");
		return r;
	}
	return kind == WHEN_TIME ? value : -1;
}

Test(when, takes_the_number_of_an_event)
{
	enum when_kind kind = WHEN_TIME;
	int64_t value = 0;

	cr_assert_eq(when_parse("4711", NOON, &kind, &value), 0);
	cr_expect_eq(kind, WHEN_NUMBER);
	cr_expect_eq(value, 4711);
	cr_assert_eq(when_parse("0", NOON, &kind, &value), 0);
	cr_expect_eq(value, 0);
}

Test(when, takes_times_of_rfc_3339)
{
	zone("Asia/Tokyo"); /* does not matter */
	cr_expect_eq(time_of("2026-05-01T12:00:00Z"), NOON);
	cr_expect_eq(time_of("2026-05-01t12:00:00z"), NOON);
	cr_expect_eq(time_of("2026-05-01 12:00:00Z"), NOON);
	cr_expect_eq(time_of("2026-05-01T14:00:00+02:00"), NOON);
	cr_expect_eq(time_of("2026-05-01T06:30:00-05:30"), NOON);
	cr_expect_eq(time_of("2026-05-01T12:00:00.25Z"), NOON + 250);
	cr_expect_eq(time_of("2026-05-01T12:00:00.123456789Z"), NOON + 123);
	cr_expect_eq(time_of("2016-12-31T23:59:60Z"), 1483228800000, "a leap second");
	cr_expect_eq(time_of("2024-02-29T00:00:00Z"), 1709164800000);
	cr_expect_eq(time_of("1969-12-31T00:00:00Z"), 0);
}

Test(when, takes_local_times)
{
	zone("Europe/Berlin");
	cr_expect_eq(time_of("2026-05-01 14:00:00"), NOON);
	cr_expect_eq(time_of("2026-05-01T14:00"), NOON);
	cr_expect_eq(time_of("2026-05-01"), NOON - 14 * HOUR_MS);
	cr_expect_eq(time_of("14:00"), NOON);
	cr_expect_eq(time_of("13:00:30"), NOON - HOUR_MS + 30000);
	cr_expect_eq(time_of("2026-01-15 13:00"), 1768478400000, "no summer time in January");
}

Test(when, takes_durations_before_now)
{
	cr_expect_eq(time_of("90m"), NOON - 90 * 60000);
	cr_expect_eq(time_of("1h30m"), NOON - 90 * 60000);
	cr_expect_eq(time_of("0s"), NOON);
	cr_expect_eq(time_of("250ms"), NOON - 250);
	cr_expect_eq(time_of("7d"), NOON - 7 * DAY_MS);
	cr_expect_eq(time_of("2w"), NOON - 14 * DAY_MS);
	cr_expect_eq(time_of("100d1h"), NOON - 100 * DAY_MS - HOUR_MS);
	cr_expect_eq(time_of("36525d"), 0, "nothing is before 1970");
}

Test(when, refuses_everything_else)
{
	static const char *const texts[] = {
		"",
		"-1",
		"+5m",
		"now",
		"m",
		"5x",
		"5m3",
		"5 m",
		"5min",
		"1.5h",
		"2026-5-1",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"2100-02-29",
		"2026-04-31",
		"2026-05-01T",
		"2026-05-01 24:00",
		"2026-05-01 12",
		"2026-05-01 12:60",
		"2026-05-01 12:00:61",
		"2026-05-01 12:00:00.",
		"2026-05-01T12:00:00+2",
		"2026-05-01T12:00:00+02:60",
		"2026-05-01T12:00:00Zulu",
		"2026-05-01Z",
		"12:0",
		"12:00 today",
		"9999999999999999999999",
		"99999999999999999d",
		"36526d",
	};

	for (size_t i = 0; i < BB_LENGTH(texts); i++)
		cr_expect_eq(time_of(texts[i]), -EINVAL, "'%s'", texts[i]);
}

Test(when, durations_have_bounds)
{
	int64_t ms = -1;

	cr_expect_eq(when_parse_duration("", &ms), -EINVAL);
	cr_expect_eq(when_parse_duration("5", &ms), -EINVAL);
	cr_expect_eq(when_parse_duration("36526d", &ms), -ERANGE);
	cr_expect_eq(when_parse_duration("36525d1ms", &ms), -ERANGE);
	cr_expect_eq(when_parse_duration("999999999999999999w", &ms), -ERANGE);
	cr_expect_eq(ms, -1, "output must stay untouched on failure");
	cr_expect_eq(when_parse_duration("0s", &ms), 0);
	cr_expect_eq(ms, 0);
	cr_expect_eq(when_parse_duration("36525d", &ms), 0);
	cr_expect_eq(ms, 36525 * DAY_MS);
}
