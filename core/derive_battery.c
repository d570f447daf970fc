/* SPDX-License-Identifier: Apache-2.0
 *
 * Age of the battery, and the time it would last.
 *
 * Many a small UPS does not say how long its battery lasts, but its data sheet says for how long it carries the rated
 * load. Time left is that, times the charge, over the load: twice as long at half the load. A real battery lasts longer
 * than that at low loads and shorter at overload, so the figure is on the careful side where it matters. A device that
 * reports no charge either is taken to begin with a full battery and to use it up while it is on battery.
 *
 * The load is the first of these that the device knows: the mean of its lines' load in percent, its apparent power or
 * the sum of its lines' over the rated power, and at last the load that the configuration assumes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/decimal.h>

#include "derive_battery.h"
#include "draft.h"
#include "reading.h"

#define DAY_MS        INT64_C(86400000)
#define DAYS_A_MONTH  30      /* whatever the calendar says: a span is no date */
#define PPM           1000000 /* the whole */
#define LOAD_LEAST    10000   /* 1 %: nothing lasts for ever */
#define CHARGE_FULL   1000    /* tenths of a percent */
#define SECONDS_TO_MS 1000

/* ---- options ---- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of @year. */
static int64_t days_before_year(int64_t year)
{
	const int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

int battery_date_parse(const char *text, int64_t *ret_wall_ms)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, end = 0;
	int64_t days;

	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != 10)
		return -EINVAL;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && is_leap(year)))
		return -EINVAL;
	days = days_before_year(year) + day - 1;
	for (int i = 0; i < month - 1; i++)
		days += lengths[i] + (i == 1 && is_leap(year));
	*ret_wall_ms = days * DAY_MS;
	return 0;
}

int battery_check(const struct bb_config *config)
{
	const char *installed = bb_config_string(config, "battery-installed");
	int64_t wall_ms;

	if (installed && battery_date_parse(installed, &wall_ms) < 0)
		return bb_config_error(config, "battery-installed", "must be a date such as 2023-05-01, not '%s'",
				       installed);
	if (bb_config_is_set(config, "battery-span") && !installed)
		return bb_config_error(config, "battery-span", "needs battery-installed: nobody knows since when");
	if ((bb_config_is_set(config, "rated-power") || bb_config_is_set(config, "assumed-load")) &&
	    !bb_config_is_set(config, "hold-time"))
		return bb_config_error(config, bb_config_is_set(config, "rated-power") ? "rated-power" : "assumed-load",
				       "needs hold-time: how long the battery carries the rated load");
	if (bb_config_is_set(config, "assumed-load") && bb_config_is_set(config, "rated-power") &&
	    bb_config_int(config, "assumed-load") > bb_config_int(config, "rated-power"))
		return bb_config_error(config, "assumed-load", "is more than rated-power");
	return 0;
}

void battery_settings(const struct bb_config *config, struct battery_settings *ret_settings)
{
	struct battery_settings settings = {
		.installed = bb_config_string(config, "battery-installed"),
		.hold_ms = bb_config_int(config, "hold-time"),
		.rated_va = bb_config_int(config, "rated-power"),
		.load_va = bb_config_int(config, "assumed-load"),
	};
	int64_t installed_ms;

	if (settings.installed && battery_date_parse(settings.installed, &installed_ms) == 0)
		settings.expires_wall_ms = installed_ms + bb_config_int(config, "battery-span") * DAYS_A_MONTH * DAY_MS;
	*ret_settings = settings;
}

/* ---- once for a generation ---- */

static int32_t find(const struct draft *draft, const char *name)
{
	const int place = draft_find(draft, name);

	return place < 0 ? -1 : place;
}

/* Place of a point that is to be derived; −1 when the device delivers it. */
static int add(struct draft *draft, const char *name, int32_t *ret_place)
{
	int place;

	*ret_place = -1;
	if (draft_find(draft, name) >= 0)
		return 0;
	place = draft_add_derived(draft, name);
	if (place < 0)
		return place;
	*ret_place = place;
	return 0;
}

int battery_extend(struct draft *draft, const struct battery_settings *settings, struct battery_plan *ret_plan)
{
	static const char *const power[] = {"output.L1.power", "output.L2.power", "output.L3.power"};
	static const char *const load[] = {"output.L1.load", "output.L2.load", "output.L3.load"};
	struct battery_plan plan = {.date = -1, .too_old = -1, .runtime = -1};
	int r = 0;

	if (settings)
		plan.settings = *settings;
	plan.charge = find(draft, "battery.charge");
	plan.discharge_time = find(draft, "battery.discharge.time");
	plan.nominal = find(draft, "ups.power.nominal");
	plan.total = find(draft, "output.power");
	for (size_t i = 0; i < BATTERY_LINES; i++) {
		plan.power[i] = find(draft, power[i]);
		plan.load[i] = find(draft, load[i]);
	}
	if (plan.settings.installed) {
		(void)snprintf(plan.installed, sizeof(plan.installed), "%s", plan.settings.installed); /* a date fits */
		r = add(draft, "battery.date", &plan.date);
		if (r == 0)
			r = add(draft, "alarm.battery-too-old", &plan.too_old);
	}
	plan.settings.installed = NULL;
	if (r == 0 && plan.settings.hold_ms > 0)
		r = add(draft, "battery.runtime", &plan.runtime);
	if (r == 0)
		*ret_plan = plan;
	return r;
}

/* ---- for every reading ---- */

static bool is_known(const struct bb_reading *reading, int32_t place)
{
	return place >= 0 && reading->qualities[place] == BB_QUALITY_GOOD;
}

/* Value of a point with @decimals decimals. */
static int64_t value_of(const struct bb_reading *reading, int32_t place, unsigned decimals)
{
	return bb_decimal_rescale(reading->values[place], reading->generation->points[place]->decimals, decimals);
}

/* Mean of the lines' load. */
static bool load_of_lines(const struct battery_plan *plan, const struct bb_reading *reading, int64_t *ret_ppm)
{
	int64_t sum = 0, count = 0;

	for (size_t i = 0; i < BATTERY_LINES; i++)
		if (is_known(reading, plan->load[i])) {
			sum += value_of(reading, plan->load[i], 1);
			count++;
		}
	if (count == 0)
		return false;
	*ret_ppm = bb_decimal_scale(sum, PPM / CHARGE_FULL, count);
	return true;
}

static bool power_of(const struct battery_plan *plan, const struct bb_reading *reading, int64_t *ret_va)
{
	int64_t sum = 0;
	bool known = false;

	if (is_known(reading, plan->total)) {
		*ret_va = value_of(reading, plan->total, 0);
		return true;
	}
	for (size_t i = 0; i < BATTERY_LINES; i++)
		if (is_known(reading, plan->power[i])) {
			sum += value_of(reading, plan->power[i], 0);
			known = true;
		}
	if (!known && plan->settings.load_va == 0)
		return false;
	*ret_va = known ? sum : plan->settings.load_va;
	return true;
}

static bool load_of(const struct battery_plan *plan, const struct bb_reading *reading, int64_t *ret_ppm)
{
	int64_t rated_va = plan->settings.rated_va, va;

	if (load_of_lines(plan, reading, ret_ppm))
		return true;
	if (rated_va == 0 && is_known(reading, plan->nominal))
		rated_va = value_of(reading, plan->nominal, 0);
	if (rated_va <= 0 || !power_of(plan, reading, &va))
		return false;
	*ret_ppm = bb_decimal_scale(va, PPM, rated_va);
	return true;
}

int64_t battery_time_left(int64_t hold_ms, int64_t charge, int64_t load_ppm, int64_t spent_s)
{
	int64_t whole_ms, left_ms;

	if (load_ppm < LOAD_LEAST)
		load_ppm = LOAD_LEAST;
	if (charge < 0)
		charge = 0;
	whole_ms = bb_decimal_scale(hold_ms, PPM, load_ppm);
	left_ms = bb_decimal_scale_time_left(whole_ms, charge, CHARGE_FULL) - spent_s * SECONDS_TO_MS;
	return left_ms > 0 ? bb_decimal_scale_time_left(left_ms, 1, SECONDS_TO_MS) : 0;
}

static void fill_runtime(const struct battery_plan *plan, struct bb_reading *reading)
{
	int64_t load_ppm, charge = CHARGE_FULL, spent_s = 0;

	if (!load_of(plan, reading, &load_ppm)) {
		reading->qualities[plan->runtime] = BB_QUALITY_UNKNOWN;
		return;
	}
	if (is_known(reading, plan->charge))
		charge = value_of(reading, plan->charge, 1);
	else if (is_known(reading, plan->discharge_time))
		spent_s = value_of(reading, plan->discharge_time, 0);
	reading_put(reading, (size_t)plan->runtime,
		    battery_time_left(plan->settings.hold_ms, charge, load_ppm, spent_s));
}

void battery_fill(const struct battery_plan *plan, struct bb_reading *reading)
{
	if (plan->too_old >= 0)
		reading_put(reading, (size_t)plan->too_old, bb_clock_wall_ms() >= plan->settings.expires_wall_ms);
	if (plan->date >= 0) /* without memory its quality is BAD */
		(void)bb_reading_set_text(reading, (size_t)plan->date, plan->installed, strlen(plan->installed));
	if (plan->runtime >= 0)
		fill_runtime(plan, reading);
}
