/* SPDX-License-Identifier: Apache-2.0
 *
 * test_derive_battery.c - age of a battery and the time it would last, from what the configuration knows.
 */
#include <errno.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "derive_battery.h"
#include "derive_support.h"

#define MINUTES INT64_C(60000)

Test(derive_battery, dates_are_days_of_the_calendar)
{
	int64_t wall_ms = 7;

	cr_assert_eq(battery_date_parse("1970-01-01", &wall_ms), 0);
	cr_assert_eq(wall_ms, 0);
	cr_assert_eq(battery_date_parse("2023-05-01", &wall_ms), 0);
	cr_assert_eq(wall_ms, INT64_C(1682899200000));
	cr_assert_eq(battery_date_parse("2024-02-29", &wall_ms), 0);
	cr_assert_eq(wall_ms, INT64_C(1709164800000));
	cr_assert_eq(battery_date_parse("2100-03-01", &wall_ms), 0);
	cr_assert_eq(wall_ms, INT64_C(4107542400000));
}

Test(derive_battery, what_is_no_date_is_refused)
{
	static const char *const texts[] = {"",           "2023",       "2023-13-01", "2023-00-10", "2023-02-29",
					    "2100-02-29", "2023-04-31", "2023-5-1",   "01.05.2023", "2023-05-011",
					    "2023-05-00", "1969-12-31", "2023--5-01"};
	int64_t wall_ms = 7;

	for (size_t i = 0; i < BB_LENGTH(texts); i++)
		cr_assert_eq(battery_date_parse(texts[i], &wall_ms), -EINVAL, "%s", texts[i]);
	cr_assert_eq(wall_ms, 7, "output must stay untouched on failure");
}

Test(derive_battery, the_rated_load_lasts_for_the_hold_time)
{
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 1000000, 0), 600);
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 500000, 0), 1200, "half the load, twice the time");
	cr_assert_eq(battery_time_left(10 * MINUTES, 500, 1000000, 0), 300, "half the charge, half the time");
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 1250000, 0), 480, "overload");
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 1000000, 60), 540, "a minute is spent");
}

Test(derive_battery, time_left_is_rounded_down_but_not_to_nothing)
{
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 900000, 0), 666); /* 666.67 s */
	cr_assert_eq(battery_time_left(10 * MINUTES, 1, 1000000, 0), 1);     /* 0.6 s */
	cr_assert_eq(battery_time_left(10 * MINUTES, 0, 1000000, 0), 0);
	cr_assert_eq(battery_time_left(10 * MINUTES, -5, 1000000, 0), 0);
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 1000000, 5000), 0, "more is spent than there was");
}

Test(derive_battery, without_a_load_it_does_not_last_for_ever)
{
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 0, 0), 60000);
	cr_assert_eq(battery_time_left(10 * MINUTES, 1000, 10000, 0), 60000, "as with 1 %%");
	cr_assert_eq(battery_time_left(INT64_MAX, 1000, 1, 0), INT64_MAX / 1000, "saturated");
}

/* ---- points ---- */

static struct bb_reading *derived(const struct battery_settings *settings, const char *names, ...)
{
	struct bb_reading *reading;
	va_list values;

	va_start(values, names);
	reading = derived_from(settings, names, values);
	va_end(values);
	return reading;
}

/* The runtime of the reading, which goes. */
static int64_t runtime_of(struct bb_reading *reading)
{
	const int64_t seconds = value_of(reading, "battery.runtime");

	bb_reading_unref(reading);
	return seconds;
}

Test(derive_battery, runtime_follows_from_what_the_device_knows)
{
	const struct battery_settings hold = {.hold_ms = 10 * MINUTES};
	const struct battery_settings rated = {.hold_ms = 10 * MINUTES, .rated_va = 1000};
	const struct battery_settings assumed = {.hold_ms = 10 * MINUTES, .rated_va = 1000, .load_va = 250};

	cr_assert_eq(runtime_of(derived(&hold, "battery.charge output.L1.load", 800, 400)), 1200);
	cr_assert_eq(runtime_of(derived(&hold, "output.L1.load output.L2.load output.L3.load", 300, 600, 600)), 1200,
		     "the mean of the lines");
	cr_assert_eq(runtime_of(derived(&rated, "output.power", 500)), 1200);
	cr_assert_eq(runtime_of(derived(&rated, "output.L1.power output.L2.power", 300, 200)), 1200);
	cr_assert_eq(runtime_of(derived(&hold, "output.power ups.power.nominal", 500, 2000)), 2400);
	cr_assert_eq(runtime_of(derived(&assumed, "battery.discharge.time", 100)), 2300);
	cr_assert_eq(runtime_of(derived(&assumed, "output.L1.power battery.charge", 500, 500)), 600,
		     "what is measured comes before what is assumed");
}

Test(derive_battery, without_a_load_runtime_is_unknown)
{
	const struct battery_settings hold = {.hold_ms = 10 * MINUTES};
	const struct battery_settings rated = {.hold_ms = 10 * MINUTES, .rated_va = 1000};

	cr_assert_eq(runtime_of(derived(&hold, "battery.charge", 800)), NOT_GOOD);
	cr_assert_eq(runtime_of(derived(&hold, "output.L1.load", -1)), NOT_GOOD);
	cr_assert_eq(runtime_of(derived(&rated, "battery.charge", 800)), NOT_GOOD);
	cr_assert_eq(runtime_of(derived(NULL, "battery.charge output.L1.load", 800, 400)), MISSING);
}

Test(derive_battery, a_delivered_runtime_wins)
{
	const struct battery_settings hold = {.hold_ms = 10 * MINUTES};
	struct bb_reading *reading = derived(&hold, "battery.runtime output.L1.load", 77, 500);

	cr_assert_not(bb_reading_is_derived(reading, (size_t)bb_reading_find(reading, "battery.runtime")));
	cr_assert_eq(runtime_of(reading), 77);
	reading = derived(&hold, "output.L1.load", 500);
	cr_assert(bb_reading_is_derived(reading, (size_t)bb_reading_find(reading, "battery.runtime")));
	bb_reading_unref(reading);
}

Test(derive_battery, a_battery_is_too_old_from_its_day_on)
{
	struct battery_settings settings = {.installed = "2023-05-01", .expires_wall_ms = bb_clock_wall_ms() + 60000};
	struct bb_reading *reading = derived(&settings, "battery.charge", 800);
	const int date = bb_reading_find(reading, "battery.date");

	cr_assert_eq(value_of(reading, "alarm.battery-too-old"), 0);
	cr_assert_eq(value_of(reading, "alarm.count"), 0);
	cr_assert_str_eq(bb_reading_text(reading, (size_t)date), "2023-05-01");
	bb_reading_unref(reading);
	settings.expires_wall_ms -= 120000;
	reading = derived(&settings, "battery.charge", 800);
	cr_assert_eq(value_of(reading, "alarm.battery-too-old"), 1);
	cr_assert_eq(value_of(reading, "alarm.count"), 1);
	bb_reading_unref(reading);
}
