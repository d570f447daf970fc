/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c - see when.h.
 *
 * Times without an offset are local, as a clock on the wall of whoever types them. The C library turns the 30th of
 * February into a day of March, and a local time that summer time skips into another one; the first is a mistake and
 * refused, the second is what everybody would expect.
 */
#include "when.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <busbar/macros.h>

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define LONGEST   (36525 * DAY_MS) /* 100 years: far from any overflow */

/* Reads exactly @digits digits, or with @digits 0 as many as there are up to 18. False: there are none, or fewer. */
static bool take_digits(const char **at, size_t digits, int64_t *ret_number)
{
	int64_t number = 0;
	size_t i = 0;

	for (; (*at)[i] >= '0' && (*at)[i] <= '9' && i < (digits != 0 ? digits : 18); i++)
		number = 10 * number + ((*at)[i] - '0');
	if (i == 0 || (digits != 0 && i != digits))
		return false;
	*at += i;
	*ret_number = number;
	return true;
}

static bool take_char(const char **at, const char *any_of)
{
	if (**at == '\0' || strchr(any_of, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

int when_parse_duration(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{"ms", 1}, {"s", SECOND_MS}, {"m", MINUTE_MS}, {"h", HOUR_MS}, {"d", DAY_MS}, {"w", 7 * DAY_MS},
	};
	int64_t sum = 0;

	if (*text == '\0')
		return -EINVAL;
	while (*text != '\0') {
		int64_t number;
		size_t length, i = 0;

		if (!take_digits(&text, 0, &number))
			return -EINVAL;
		length = strspn(text, "mshdw");
		while (i < BB_LENGTH(units) &&
		       (strlen(units[i].name) != length || strncmp(units[i].name, text, length) != 0))
			i++;
		if (i == BB_LENGTH(units))
			return -EINVAL;
		if (number > LONGEST / units[i].ms || (sum += number * units[i].ms) > LONGEST)
			return -ERANGE;
		text += length;
	}
	*ret_ms = sum;
	return 0;
}

/* HH:MM[:SS[.fraction]] */
static bool take_clock(const char **at, struct tm *ret_parts, int64_t *ret_ms)
{
	int64_t hour, minute, second = 0;

	*ret_ms = 0;
	if (!take_digits(at, 2, &hour) || !take_char(at, ":") || !take_digits(at, 2, &minute))
		return false;
	if (take_char(at, ":")) {
		if (!take_digits(at, 2, &second))
			return false;
		if (take_char(at, ".")) {
			int64_t digit, weight = 100;

			if (**at < '0' || **at > '9')
				return false;
			while (take_digits(at, 1, &digit)) {
				*ret_ms += digit * weight;
				weight /= 10;
			}
		}
	}
	if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
		return false;
	ret_parts->tm_hour = (int)hour;
	ret_parts->tm_min = (int)minute;
	ret_parts->tm_sec = (int)second;
	return true;
}

static bool take_date(const char **at, struct tm *ret_parts)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t year, month, day;

	if (!take_digits(at, 4, &year) || !take_char(at, "-") || !take_digits(at, 2, &month) || !take_char(at, "-") ||
	    !take_digits(at, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	if (month == 2 && day == 29 && !(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		return false;
	ret_parts->tm_year = (int)(year - 1900);
	ret_parts->tm_mon = (int)(month - 1);
	ret_parts->tm_mday = (int)day;
	return true;
}

/* Z or +HH:MM, as seconds east. */
static bool take_offset(const char **at, int64_t *ret_seconds)
{
	int64_t hour, minute;
	bool west;

	if (take_char(at, "Zz")) {
		*ret_seconds = 0;
		return true;
	}
	west = **at == '-';
	if (!take_char(at, "+-") || !take_digits(at, 2, &hour) || !take_char(at, ":") || !take_digits(at, 2, &minute) ||
	    hour > 23 || minute > 59)
		return false;
	*ret_seconds = (west ? -1 : 1) * (3600 * hour + 60 * minute);
	return true;
}

static int parse_time(const char *text, int64_t now_ms, int64_t *ret_ms)
{
	const time_t now = (time_t)(now_ms / SECOND_MS);
	struct tm parts = {.tm_isdst = -1};
	int64_t ms = 0, offset = 0, seconds;
	bool local = true;

	if (text[0] != '\0' && text[1] != '\0' && text[2] == ':') { /* of today */
		struct tm today;

		if (localtime_r(&now, &today) == NULL || !take_clock(&text, &parts, &ms))
			return -EINVAL;
		parts.tm_year = today.tm_year;
		parts.tm_mon = today.tm_mon;
		parts.tm_mday = today.tm_mday;
	} else {
		if (!take_date(&text, &parts))
			return -EINVAL;
		if (*text != '\0' && (!take_char(&text, "Tt ") || !take_clock(&text, &parts, &ms)))
			return -EINVAL;
		local = *text == '\0';
		if (!local && !take_offset(&text, &offset))
			return -EINVAL;
	}
	if (*text != '\0')
		return -EINVAL;
	seconds = local ? (int64_t)mktime(&parts) : (int64_t)timegm(&parts) - offset;
	*ret_ms = seconds > 0 ? seconds * SECOND_MS + ms : 0; /* nothing was remembered before 1970 */
	return 0;
}

int when_parse(const char *text, int64_t now_ms, enum when_kind *ret_kind, int64_t *ret_value)
{
	const char *rest = text;
	int64_t value;

	if (take_digits(&rest, 0, &value) && *rest == '\0') {
		*ret_kind = WHEN_NUMBER;
		*ret_value = value;
		return 0;
	}
	if (when_parse_duration(text, &value) == 0)
		value = now_ms > value ? now_ms - value : 0;
	else if (parse_time(text, now_ms, &value) < 0)
		return -EINVAL;
	*ret_kind = WHEN_TIME;
	*ret_value = value;
	return 0;
}
