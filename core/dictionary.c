/* SPDX-License-Identifier: Apache-2.0
 *
 * The dictionary of points: look-up by name, names of units, and label text.
 *
 * The tables are made from config/points.csv by make_tables.py and never change, so any thread may look. A name is
 * searched among the fixed rows first; only when none fits are the some forty pattern rows tried one by one, which
 * happens when a device is described, never when it is polled.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "dictionary.h"
#include "tables.h"

static const char *const unit_names[] = {
	[BB_UNIT_NONE] = "",    [BB_VOLT] = "V",   [BB_AMPERE] = "A",         [BB_WATT] = "W",
	[BB_VOLTAMPERE] = "VA", [BB_VAR] = "var",  [BB_HERTZ] = "Hz",         [BB_PERCENT] = "%",
	[BB_CELSIUS] = "degC",  [BB_SECOND] = "s", [BB_KILOWATTHOUR] = "kWh", [BB_MILLIOHM] = "mOhm",
};

const char *bb_unit_name(enum bb_unit unit)
{
	return (size_t)unit < BB_LENGTH(unit_names) ? unit_names[unit] : "";
}

void bb_unit_base(enum bb_unit unit, int64_t *ret_multiplier, unsigned *ret_decimals)
{
	*ret_multiplier = unit == BB_KILOWATTHOUR ? 3600000 : 1;
	*ret_decimals = unit == BB_PERCENT ? 2 : unit == BB_MILLIOHM ? 3 : 0;
}

static int compare_with_row(const void *name, const void *index)
{
	return strcmp(name, dictionary_points[*(const uint16_t *)index].name);
}

/* A placeholder <m>, <n> or <s> stands for a number, without leading zeros so that a name has one spelling only. */
static bool is_number(const char *text, size_t length)
{
	if (length == 0 || length > 9 || (text[0] == '0' && length > 1))
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* Compare part by part. Only the last part of an open pattern takes more than one part of the name. */
static bool match_pattern(const char *pattern, bool open, const char *name, struct dictionary_match *match)
{
	unsigned parts = 0;

	for (;;) {
		const size_t wanted = strcspn(pattern, ".");
		size_t length = strcspn(name, ".");
		const bool last = pattern[wanted] == '\0';

		if (pattern[0] == '<') {
			if (last && open)
				length = strlen(name);
			if (last && open ? length == 0 : !is_number(name, length))
				return false;
			match->parts[parts].text = name;
			match->parts[parts++].length = length;
		} else if (length != wanted || memcmp(pattern, name, length) != 0) {
			return false;
		}
		if (last || name[length] == '\0')
			return last && name[length] == '\0';
		pattern += wanted + 1;
		name += length + 1;
	}
}

bool dictionary_match(const char *name, struct dictionary_match *ret_match)
{
	const uint16_t *index = bsearch(name, dictionary_sorted, dictionary_sorted_count, sizeof(dictionary_sorted[0]),
					compare_with_row);

	if (index) {
		*ret_match = (struct dictionary_match){.row = &dictionary_points[*index],
						       .unit_of_device = dictionary_unit_of_device[*index]};
		return true;
	}

	for (size_t i = 0; i < dictionary_pattern_count; i++) {
		const struct dictionary_pattern *pattern = &dictionary_patterns[i];
		struct dictionary_match match = {.row = &dictionary_points[pattern->row],
						 .labels = pattern->labels,
						 .open = pattern->open,
						 .unit_of_device = dictionary_unit_of_device[pattern->row]};

		if (match_pattern(match.row->name, pattern->open, name, &match)) {
			*ret_match = match;
			return true;
		}
	}
	return false;
}

static bool is_in(const struct bb_point *point, const struct bb_point *table)
{
	return (uintptr_t)point >= (uintptr_t)table && (uintptr_t)point < (uintptr_t)(table + dictionary_point_count);
}

const struct bb_point *dictionary_read_only_row(const struct bb_point *row)
{
	return row->writable ? &dictionary_read_only[row - dictionary_points] : row;
}

bool dictionary_owns(const struct bb_point *point)
{
	return is_in(point, dictionary_points) || is_in(point, dictionary_read_only);
}

const struct bb_point *bb_dictionary_find(const char *name)
{
	struct dictionary_match match;

	return dictionary_match(name, &match) ? match.row : NULL;
}

const struct bb_point *bb_dictionary_row(size_t index)
{
	return index < dictionary_row_count ? &dictionary_points[index] : NULL;
}

/* Add @length bytes of @text where they still fit, and count them in any case, as snprintf() does. */
static size_t append(char *buffer, size_t size, size_t used, const char *text, size_t length)
{
	if (used < size) {
		const size_t room = size - used - 1;
		const size_t part = length < room ? length : room;

		memcpy(buffer + used, text, part);
		buffer[used + part] = '\0';
	}
	return used + length;
}

int bb_label_print(char *buffer, size_t size, const char *name, const char *value)
{
	size_t used = append(buffer, size, 0, name, strlen(name));

	used = append(buffer, size, used, "=\"", 2);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			used = append(buffer, size, used, "\\n", 2);
		else if (*value == '"' || *value == '\\')
			used = append(buffer, size, used, (const char[]){'\\', *value}, 2);
		else
			used = append(buffer, size, used, value, 1);
	}
	return (int)append(buffer, size, used, "\"", 1);
}

const struct bb_member *bb_point_member(const struct bb_point *point, int64_t value)
{
	for (size_t i = 0; i < point->member_count; i++)
		if (point->members[i].value == value)
			return &point->members[i];
	return NULL;
}
