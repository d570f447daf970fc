/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_point.c - what the point of a row is: its kind, unit, decimals and members, by the dictionary.
 *
 * A name that the dictionary does not know is a fault, since it is nearly always a typing error; what only one make of
 * device has is called vendor.something. Alarms are the exception: a device may have alarms of its own, so one is
 * refused only when it looks like a known one misspelt.
 */
#include <errno.h>
#include <string.h>

#include <busbar/text.h>

#include "dictionary.h"
#include "regmap_file.h"

#define ROWS_MAX 512

static int unknown_point(struct regmap_reader *reader, const char *point)
{
	const char *names[ROWS_MAX + 1];
	const struct bb_point *row;
	const char *suggestion;
	size_t count = 0;

	for (size_t i = 0; count < ROWS_MAX && (row = bb_dictionary_row(i)); i++)
		if (!strchr(row->name, '<'))
			names[count++] = row->name;
	names[count] = NULL;
	suggestion = bb_text_suggest(point, names);
	if (suggestion)
		return regmap_fault(reader, "unknown point '%s', did you mean '%s'?", point, suggestion);
	if (strncmp(point, "alarm.", strlen("alarm.")) == 0)
		return 0;
	return regmap_fault(reader, "unknown point '%s'; what no other make has is called 'vendor.…'", point);
}

static void take_row(struct bb_register *entry, const struct bb_point *row)
{
	entry->kind = row->kind;
	entry->unit = row->unit;
	entry->decimals = row->decimals;
	entry->members = row->members;
	entry->member_count = row->member_count;
}

/* A number as it stands in the register, or a text: points that the dictionary only has a place for. */
static void take_open(struct bb_register *entry, enum bb_kind kind)
{
	take_row(entry, &(const struct bb_point){.kind = entry->type == BB_REGISTER_STRING ? BB_KIND_STRING : kind});
}

/* No control characters, capitals only where the dictionary has them (L1): what draft.c accepts. */
static bool is_name(const char *text)
{
	char before = '.';

	for (; *text != '\0'; text++) {
		const bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
				    (*text >= '0' && *text <= '9') || *text == '-' || *text == '_';

		if (!letter && (*text != '.' || before == '.'))
			return false;
		before = *text;
	}
	return before != '.';
}

/* How long the battery lasts, of the device or of a module: nobody may think it over before it is. */
static bool is_time_left(const char *point)
{
	static const char name[] = "battery.runtime";
	const size_t length = strlen(point);

	return length >= sizeof(name) - 1 && strcmp(point + length - (sizeof(name) - 1), name) == 0;
}

int regmap_point_resolve(struct regmap_reader *reader, const char *point, struct bb_register *entry)
{
	struct dictionary_match match, inner;
	const bool known = dictionary_match(point, &match);

	if (!is_name(point))
		return regmap_fault(reader, "'%s' is no name of a point", point);
	if (!known) {
		take_open(entry, BB_KIND_ALARM);
		return unknown_point(reader, point);
	}
	if (!match.open) {
		take_row(entry, match.row);
	} else if (strncmp(point, "module.", strlen("module.")) == 0) {
		const char *name = match.parts[1].text;

		if (!dictionary_match(name, &inner))
			return unknown_point(reader, name);
		if (inner.open)
			take_open(entry, BB_KIND_NUMBER);
		else
			take_row(entry, inner.row);
		if (entry->kind == BB_KIND_ALARM) /* only a device has alarms */
			entry->kind = BB_KIND_BOOL;
	} else {
		take_open(entry, match.row->kind);
	}
	entry->time_left = is_time_left(point);
	if (entry->kind == BB_KIND_TIMESTAMP)
		return regmap_fault(reader, "point '%s' is a moment in time, which no register can hold", point);
	if ((entry->kind == BB_KIND_STRING) != (entry->type == BB_REGISTER_STRING))
		return regmap_fault(reader, "point '%s' is %s text", point, entry->kind == BB_KIND_STRING ? "a" : "no");
	return 0;
}
