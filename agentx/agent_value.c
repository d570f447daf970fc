/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_value.c - see agent_value.h.
 */
#include "agent_value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <busbar/decimal.h>

bool agent_value_is_shown(const struct bb_snapshot *snapshot, size_t index)
{
	const struct bb_point *point = bb_reading_point(snapshot->reading, index);
	const enum bb_quality quality = bb_snapshot_quality(snapshot, index);

	if (point->kind == BB_KIND_COMMAND)
		return false;
	return quality == BB_QUALITY_GOOD ||
	       (quality == BB_QUALITY_STALE && (point->keep || point->kind == BB_KIND_ALARM));
}

/* The names of the bits that are set, with blanks between them. */
static void print_flags(const struct bb_point *point, uint64_t word, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < point->member_count; i++) {
		const struct bb_member *member = &point->members[i];
		int n;

		if (member->value < 0 || member->value > 63 || !(word >> member->value & 1))
			continue;
		n = snprintf(buffer + used, size - used, "%s%s", used > 0 ? " " : "", member->name);
		if (n < 0 || (size_t)n >= size - used) {
			buffer[used] = '\0'; /* no half a name */
			return;
		}
		used += (size_t)n;
	}
}

/* RFC 3339 in UTC, with milliseconds where there are some. */
static void print_time(int64_t wall_ms, char *buffer, size_t size)
{
	const int rest_ms = (int)((wall_ms % 1000 + 1000) % 1000);
	const time_t seconds = (time_t)((wall_ms - rest_ms) / 1000);
	struct tm parts;
	size_t length;

	buffer[0] = '\0';
	if (!gmtime_r(&seconds, &parts)) /* hundreds of millions of years away */
		return;
	length = strftime(buffer, size, "%Y-%m-%dT%H:%M:%S", &parts);
	if (rest_ms != 0)
		(void)snprintf(buffer + length, size - length, ".%03dZ", rest_ms);
	else
		(void)snprintf(buffer + length, size - length, "Z");
}

const char *agent_value_text(const struct bb_reading *reading, size_t index, char *buffer, size_t size)
{
	const struct bb_point *point = bb_reading_point(reading, index);
	const int64_t value = bb_reading_values(reading)[index];
	const struct bb_member *member;
	char number[BB_DECIMAL_SIZE];

	switch (point->kind) {
	case BB_KIND_STRING:
		return bb_reading_text(reading, index);
	case BB_KIND_ENUM:
		member = bb_point_member(point, value);
		return member ? member->name : "";
	case BB_KIND_FLAGS:
		print_flags(point, (uint64_t)value, buffer, size);
		return buffer;
	case BB_KIND_BOOL:
	case BB_KIND_ALARM:
		return value != 0 ? "true" : "false";
	case BB_KIND_TIMESTAMP:
		print_time(value, buffer, size);
		return buffer;
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
		(void)bb_decimal_print(number, value, point->decimals);
		(void)snprintf(buffer, size, "%s", number);
		return buffer;
	case BB_KIND_UNSET:
	case BB_KIND_COMMAND:
		break;
	}
	return "";
}

bool agent_value_number(const struct bb_reading *reading, size_t index, int64_t *ret_number)
{
	const struct bb_point *point = bb_reading_point(reading, index);
	const int64_t value = bb_reading_values(reading)[index];

	if (point->kind == BB_KIND_STRING || point->kind == BB_KIND_COMMAND || point->kind == BB_KIND_UNSET)
		return false;
	*ret_number = point->kind == BB_KIND_TIMESTAMP ? bb_decimal_scale(value, 1, 1000) : value;
	return true;
}
