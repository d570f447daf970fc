/* SPDX-License-Identifier: Apache-2.0
 *
 * What the dictionary knows of a rule's points, see rule_point.h.
 *
 * A glob is compared with the rows of the dictionary; a row with placeholders stands for its first instance there
 * (module.<m>.voltage for module.1.voltage). What a plugin describes itself is in no dictionary, so a name that is not
 * there is only refused when it looks like one that is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dictionary.h"
#include "rule_point.h"
#include "text.h"

#define NAME_SIZE 128

bool rule_point_is_number(enum bb_kind kind)
{
	return kind == BB_KIND_NUMBER || kind == BB_KIND_COUNTER;
}

static bool has_members(enum bb_kind kind)
{
	return kind == BB_KIND_ENUM || kind == BB_KIND_FLAGS || kind == BB_KIND_BOOL || kind == BB_KIND_ALARM;
}

/* The name of a row with 1 for each placeholder. */
static void first_instance(const char *row, char name[NAME_SIZE])
{
	size_t length = 0;

	while (*row && length + 2 < NAME_SIZE) {
		if (*row == '<') {
			name[length++] = '1';
			row += strcspn(row, ">");
			row += *row == '>';
		} else {
			name[length++] = *row++;
		}
	}
	name[length] = '\0';
}

/* Note what @name is in @point, which describes those before it. False: there is no such thing. */
static bool note(const struct rule_section *section, const char *name, struct rule_point *point, int *result)
{
	struct dictionary_match match;

	if (!dictionary_match(name, &match))
		return false;
	if (match.open || match.unit_of_device) {
		point->known = false;
	} else if (!point->row) {
		*point = (struct rule_point){.known = true,
					     .unit = match.row->unit,
					     .kind = match.row->kind,
					     .decimals = match.row->decimals};
	} else if (point->known && (point->unit != match.row->unit ||
				    rule_point_is_number(point->kind) != rule_point_is_number(match.row->kind))) {
		*result = bb_config_error(section->config, "point", "'%s' fits points of different kinds: %s and %s",
					  section->point, point->row->name, match.row->name);
	}
	if (point->known && match.row->decimals > point->decimals)
		point->decimals = match.row->decimals;
	point->row = match.row;
	return true;
}

/* A name that nobody knows: perhaps it was meant to be one of the dictionary's. */
static int suspect(const struct rule_section *section, const char *option, const char *name)
{
	const struct bb_point *row;
	const char *suggestion, **names;
	size_t count = 0;

	while (bb_dictionary_row(count))
		count++;
	names = calloc(count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; (row = bb_dictionary_row(i)); i++)
		names[i] = row->name;
	suggestion = bb_text_suggest(name, names);
	free(names);
	if (!suggestion)
		return 0;
	return bb_config_error(section->config, option, "there is no point '%s', did you mean '%s'?", name, suggestion);
}

static int check_glob(const struct rule_section *section, struct rule_point *point)
{
	const struct bb_point *row;
	int result = 0;

	for (size_t i = 0; (row = bb_dictionary_row(i)) && result == 0; i++) {
		char name[NAME_SIZE];

		first_instance(row->name, name);
		if (rule_fits(section->point, name))
			(void)note(section, name, point, &result); /* a row is known */
	}
	return result;
}

int rule_point_check(const struct rule_section *section, struct rule_point *ret_point)
{
	struct rule_point point = {0}, other = {0};
	int result = 0;

	if (rule_is_glob(section->point))
		result = check_glob(section, &point);
	else if (!note(section, section->point, &point, &result))
		result = suspect(section, "point", section->point);
	if (result < 0)
		return result;
	if (section->other) {
		if (rule_is_glob(section->other) || rule_is_glob(section->point))
			return bb_config_error(section->config, "difference-to",
					       "needs two points, each with its full name");
		if (!note(section, section->other, &other, &result))
			result = suspect(section, "difference-to", section->other);
		if (result == 0 && point.known && other.known && (point.unit != other.unit))
			result = bb_config_error(section->config, "difference-to", "%s is counted in %s, %s in %s",
						 section->point, bb_unit_name(point.unit), section->other,
						 bb_unit_name(other.unit));
		if (result < 0)
			return result;
	}
	*ret_point = point;
	return 0;
}

int rule_point_check_number(const struct rule_section *section, const struct rule_point *point)
{
	if (!point->known || rule_point_is_number(point->kind))
		return 0;
	if (has_members(point->kind))
		return bb_config_error(section->config, NULL, "%s is no number: use is or is-not", section->point);
	return bb_config_error(section->config, NULL, "%s cannot be compared", section->point);
}

int rule_point_check_member(const struct rule_section *section, const struct rule_point *point)
{
	const char *option = bb_config_is_set(section->config, "is") ? "is" : "is-not";
	const char *suggestion = NULL, **names;
	int64_t value;

	if (section->other)
		return bb_config_error(section->config, option, "a difference is a number");
	if (!point->known)
		return 0;
	if (!has_members(point->kind))
		return bb_config_error(section->config, option, "%s is neither a yes or no nor a choice",
				       section->point);
	if (rule_point_member(point->row, section->member, &value))
		return 0;
	if (point->row->member_count == 0)
		return bb_config_error(section->config, option, "must be true or false, not '%s'", section->member);
	names = calloc(point->row->member_count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < point->row->member_count; i++)
		names[i] = point->row->members[i].name;
	suggestion = bb_text_suggest(section->member, names);
	free(names);
	if (suggestion)
		return bb_config_error(section->config, option, "%s is never '%s', did you mean '%s'?", section->point,
				       section->member, suggestion);
	return bb_config_error(section->config, option, "%s is never '%s'", section->point, section->member);
}

bool rule_point_member(const struct bb_point *point, const char *name, int64_t *ret_value)
{
	if (point->kind == BB_KIND_BOOL || point->kind == BB_KIND_ALARM) {
		*ret_value = strcmp(name, "true") == 0;
		return *ret_value != 0 || strcmp(name, "false") == 0;
	}
	for (size_t i = 0; i < point->member_count; i++)
		if (strcmp(point->members[i].name, name) == 0) {
			*ret_value = point->members[i].value;
			return true;
		}
	return false;
}
