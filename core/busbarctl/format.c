/* SPDX-License-Identifier: Apache-2.0
 *
 * format.c - from what came over the socket to text. Numbers are printed by the same function as everywhere.
 */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#define SECOND_MS 1000
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

_Static_assert(FORMAT_TIME_SIZE >= BB_DECIMAL_SIZE, "a number fits where a time does");

static const char *format_flags(char buffer[FORMAT_VALUE_SIZE], const Busbar__Point *point)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < point->n_members; i++) {
		const int n =
			snprintf(buffer + used, FORMAT_VALUE_SIZE - used, "%s%s", i > 0 ? " " : "", point->members[i]);

		if (n < 0 || (size_t)n >= FORMAT_VALUE_SIZE - used)
			break; /* longer than any set of flags: whatever sent it is not busbard */
		used += (size_t)n;
	}
	return buffer;
}

const char *format_number(char buffer[FORMAT_TIME_SIZE], int64_t number, unsigned decimals)
{
	/* The number of decimals has come over the socket. */
	(void)bb_decimal_print(buffer, number, decimals <= BB_DECIMALS_MAX ? decimals : BB_DECIMALS_MAX);
	return buffer;
}

const char *format_value(char buffer[FORMAT_VALUE_SIZE], const Busbar__Point *point)
{
	switch (point->kind) {
	case BUSBAR__POINT__KIND__NUMBER:
	case BUSBAR__POINT__KIND__COUNTER:
		return format_number(buffer, point->number, point->decimals);
	case BUSBAR__POINT__KIND__FLAGS:
		return format_flags(buffer, point);
	case BUSBAR__POINT__KIND__BOOL:
	case BUSBAR__POINT__KIND__ALARM_STATE:
		return point->number != 0 ? "true" : "false";
	case BUSBAR__POINT__KIND__TIMESTAMP:
		return format_utc(buffer, point->number);
	default: /* texts, names of members; commands have none */
		return point->text;
	}
}

/* Splits @wall_ms so that the rest is never negative, not even before 1970. */
static time_t split_wall(int64_t wall_ms, int *ret_ms)
{
	int64_t seconds = wall_ms / 1000;
	int64_t rest = wall_ms % 1000;

	if (rest < 0) {
		rest += 1000;
		seconds--;
	}
	*ret_ms = (int)rest;
	return (time_t)seconds;
}

const char *format_utc(char buffer[FORMAT_TIME_SIZE], int64_t wall_ms)
{
	char stamp[FORMAT_TIME_SIZE - 8];
	struct tm parts;
	int ms;
	const time_t seconds = split_wall(wall_ms, &ms);

	if (gmtime_r(&seconds, &parts) == NULL || strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		return strcpy(buffer, "-"); /* hundreds of millions of years away */
	if (ms != 0)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%s.%03dZ", stamp, ms);
	else
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%sZ", stamp);
	return buffer;
}

const char *format_local(char buffer[FORMAT_TIME_SIZE], int64_t wall_ms)
{
	struct tm parts;
	int ms;
	const time_t seconds = split_wall(wall_ms, &ms);

	if (localtime_r(&seconds, &parts) == NULL ||
	    strftime(buffer, FORMAT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		return strcpy(buffer, "-");
	return buffer;
}

const char *format_span(char buffer[FORMAT_TIME_SIZE], int64_t ms)
{
	if (ms < 0)
		return strcpy(buffer, "-");
	if (ms < 10 * SECOND_MS)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%d.%ds", (int)(ms / SECOND_MS), (int)(ms % SECOND_MS / 100));
	else if (ms < MINUTE_MS)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%ds", (int)(ms / SECOND_MS));
	else if (ms < HOUR_MS)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%dm%02ds", (int)(ms / MINUTE_MS),
			       (int)(ms % MINUTE_MS / SECOND_MS));
	else if (ms < DAY_MS)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%dh%02dm", (int)(ms / HOUR_MS),
			       (int)(ms % HOUR_MS / MINUTE_MS));
	else
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%" PRId64 "d%02dh", ms / DAY_MS,
			       (int)(ms % DAY_MS / HOUR_MS));
	return buffer;
}

/* Units of options, the largest first. */
struct option_unit {
	int64_t size;
	const char *name;
};

static const struct option_unit duration_units[] = {
	{DAY_MS, "d"}, {HOUR_MS, "h"}, {MINUTE_MS, "m"}, {SECOND_MS, "s"}, {1, "ms"},
};
static const struct option_unit size_units[] = {
	{1024 * 1024 * 1024, "GiB"},
	{1024 * 1024, "MiB"},
	{1024, "KiB"},
	{1, ""},
};

/* The largest unit that says @value exactly. */
static const char *format_in_units(char *buffer, const struct option_unit *units, size_t count, int64_t value)
{
	size_t i = 0;

	while (i + 1 < count && (value == 0 ? units[i].size > SECOND_MS : value % units[i].size != 0))
		i++;
	(void)snprintf(buffer, FORMAT_TIME_SIZE, "%" PRId64 "%s", value / units[i].size, units[i].name);
	return buffer;
}

const char *format_option(char buffer[FORMAT_TIME_SIZE], const char *type, int64_t value)
{
	if (strcmp(type, "duration") == 0)
		return format_in_units(buffer, duration_units, BB_LENGTH(duration_units), value);
	if (strcmp(type, "size") == 0)
		return format_in_units(buffer, size_units, BB_LENGTH(size_units), value);
	if (strcmp(type, "decimal") == 0)
		(void)bb_decimal_print_short(buffer, value, 3);
	else
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%" PRId64, value);
	return buffer;
}

const char *format_bytes(char buffer[FORMAT_TIME_SIZE], int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	int64_t tenths = bytes * 10, unit = 1;
	size_t i = 0;

	while (tenths / unit >= 10240 && i + 1 < BB_LENGTH(units)) {
		unit *= 1024;
		i++;
	}
	if (i == 0)
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%" PRId64 " B", bytes);
	else
		(void)snprintf(buffer, FORMAT_TIME_SIZE, "%" PRId64 ".%d %s", tenths / unit / 10,
			       (int)(tenths / unit % 10), units[i]);
	return buffer;
}

/* Names by number; a number from a newer agent has none. */
#define NAME_OF(names, number) ((size_t)(number) < BB_LENGTH(names) ? (names)[(size_t)(number)] : "unknown")

const char *format_quality(Busbar__Point__Quality quality)
{
	static const char *const names[] = {"unknown", "good", "stale", "unsupported", "bad"};

	return NAME_OF(names, quality);
}

const char *format_light(Busbar__Device__Light light)
{
	static const char *const names[] = {"grey", "blue", "green", "yellow", "red"};

	return NAME_OF(names, light);
}

const char *format_severity(Busbar__Severity severity)
{
	static const char *const names[] = {"", "info", "warning", "alarm"};

	return NAME_OF(names, severity);
}

enum style format_severity_style(Busbar__Severity severity)
{
	static const enum style styles[] = {STYLE_PLAIN, STYLE_BLUE, STYLE_YELLOW, STYLE_RED};

	return (size_t)severity < BB_LENGTH(styles) ? styles[(size_t)severity] : STYLE_PLAIN;
}
