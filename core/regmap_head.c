/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_head.c - the lines before the rows of a map file: "# key: value".
 *
 * A line "# Some sentence" is a remark, and so is everything that begins with "##"; only a single word in small letters
 * with a colon behind it is a key. So that nobody's misspelt key passes for a remark, unknown ones are faults.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/text.h>

#include "regmap_file.h"

/* Longer ids would not fit into a line of `busbarctl maps`. */
#define ID_MAX 48

static bool is_id(const char *text)
{
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length <= ID_MAX && text[length] == '\0' && text[0] != '-';
}

static int set_text(char **place, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int set_id(struct regmap_reader *reader, const char *value)
{
	if (!is_id(value))
		return regmap_fault(reader, "id '%s': an id has small letters, digits and '-', at most %d", value,
				    ID_MAX);
	return set_text(&reader->head.id, value);
}

static int set_vendor(struct regmap_reader *reader, const char *value)
{
	return set_text(&reader->head.vendor, value);
}

static int set_models(struct regmap_reader *reader, const char *value)
{
	return set_text(&reader->head.models, value);
}

static int set_oem(struct regmap_reader *reader, const char *value)
{
	char *end;
	const long number = strtol(value, &end, 10);

	if (end == value || *end != '\0' || number < 0 || number > 65535)
		return regmap_fault(reader, "oem '%s' is no number from 0 to 65535", value);
	reader->head.oem = (int)number;
	return 0;
}

static int set_word_order(struct regmap_reader *reader, const char *value)
{
	reader->head.low_word_first = strcmp(value, "low-first") == 0;
	if (!reader->head.low_word_first && strcmp(value, "high-first") != 0)
		return regmap_fault(reader, "word-order is high-first or low-first, not '%s'", value);
	return 0;
}

static int set_absent(struct regmap_reader *reader, const char *value)
{
	struct regmap_head *head = &reader->head;

	head->minus_1_is_absent = strcmp(value, "-1 -9999") == 0;
	head->minus_9999_is_absent = head->minus_1_is_absent || strcmp(value, "-9999") == 0;
	head->absent_said = true;
	if (!head->minus_9999_is_absent && strcmp(value, "none") != 0)
		return regmap_fault(reader, "absent is '-9999', '-1 -9999' or 'none', not '%s'", value);
	return 0;
}

static int set_variant(struct regmap_reader *reader, const char *value)
{
	struct regmap_head *head = &reader->head;
	const char *blank = strchr(value, ' ');
	char *id, *model;

	if (!blank || head->variant_count == REGMAP_VARIANTS_MAX)
		return regmap_fault(reader, "variant is an id and the model it is for, at most %d of them",
				    REGMAP_VARIANTS_MAX);
	id = strndup(value, (size_t)(blank - value));
	model = strdup(blank + strspn(blank, " "));
	if (!id || !model || !is_id(id)) {
		const int r = !id || !model ? -ENOMEM : regmap_fault(reader, "variant '%s' is no id", id);

		free(id);
		free(model);
		return r;
	}
	head->variants[head->variant_count].id = id;
	head->variants[head->variant_count++].model = model;
	return 0;
}

static int add_repeat(struct regmap_reader *reader, struct regmap_repeat repeat)
{
	struct regmap_head *head = &reader->head;
	const uint64_t end =
		(uint64_t)repeat.to + (repeat.last - repeat.first) + (uint64_t)(repeat.times - 1) * repeat.every;

	if (repeat.first > repeat.last || repeat.last > UINT16_MAX)
		return regmap_fault(reader, "addresses %u-%u are no range", repeat.first, repeat.last);
	if (repeat.times == 0 || repeat.times > UINT16_MAX || repeat.number > UINT16_MAX || end > UINT16_MAX)
		return regmap_fault(reader, "reaches beyond address 65535");
	if (repeat.every <= repeat.last - repeat.first)
		return regmap_fault(reader, "every %u addresses is less than the %u it repeats", repeat.every,
				    repeat.last - repeat.first + 1);
	if (head->repeat_count == REGMAP_REPEATS_MAX)
		return regmap_fault(reader, "more than %d repeats and copies", REGMAP_REPEATS_MAX);
	head->repeats[head->repeat_count++] = repeat;
	return 0;
}

/* "1060-1064 330 times every 5", and "from 11" behind it where the first is not number 1. */
static int set_repeat(struct regmap_reader *reader, const char *value)
{
	struct regmap_repeat repeat = {.number = 1};
	int end = 0;

	if (sscanf(value, "%5u-%5u %5u times every %5u%n", &repeat.first, &repeat.last, &repeat.times, &repeat.every,
		   &end) < 4)
		end = -1;
	else if (value[end] != '\0' &&
		 sscanf(value, "%*u-%*u %*u times every %*u from %5u%n", &repeat.number, &end) < 1)
		end = -1;
	if (end <= 0 || value[end] != '\0')
		return regmap_fault(reader, "repeat is like '1060-1064 330 times every 5 from 1', not '%s'", value);
	repeat.to = repeat.first;
	return add_repeat(reader, repeat);
}

/* "100-166 to 30100 30 times every 100 as module.<n>." */
static int set_copy(struct regmap_reader *reader, const char *value)
{
	struct regmap_repeat copy = {.number = 1};
	int end = 0, r;

	if (sscanf(value, "%5u-%5u to %5u %5u times every %5u as %n", &copy.first, &copy.last, &copy.to, &copy.times,
		   &copy.every, &end) < 5 ||
	    end == 0 || value[end] == '\0')
		return regmap_fault(
			reader, "copy is like '100-166 to 30100 30 times every 100 as module.<n>.', not '%s'", value);
	copy.prefix = strdup(value + end);
	if (!copy.prefix)
		return -ENOMEM;
	r = add_repeat(reader, copy);
	if (r < 0)
		free(copy.prefix);
	return r;
}

static const struct {
	const char *name;
	int (*set)(struct regmap_reader *reader, const char *value);
} keys[] = {
	{"id", set_id},           {"vendor", set_vendor},         {"models", set_models},
	{"oem", set_oem},         {"word-order", set_word_order}, {"absent", set_absent},
	{"variant", set_variant}, {"repeat", set_repeat},         {"copy", set_copy},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static int unknown_key(struct regmap_reader *reader, const char *key)
{
	const char *names[KEY_COUNT + 1] = {NULL};
	const char *suggestion;

	for (size_t i = 0; i < KEY_COUNT; i++)
		names[i] = keys[i].name;
	suggestion = bb_text_suggest(key, names);
	if (suggestion)
		return regmap_fault(reader, "unknown key '%s', did you mean '%s'?", key, suggestion);
	return regmap_fault(reader, "unknown key '%s'; remarks begin with '##'", key);
}

static int parse_line(struct regmap_reader *reader)
{
	char *key = reader->line + 1 + strspn(reader->line + 1, " \t");
	const size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz-");
	char *value = key + length + 1, *end;

	if (length == 0 || key[length] != ':')
		return 0; /* a remark */
	key[length] = '\0';
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, key) == 0)
			return keys[i].set(reader, value);
	return unknown_key(reader, key);
}

int regmap_head_parse(struct regmap_reader *reader)
{
	struct regmap_head *head = &reader->head;
	const unsigned faults = reader->faults;

	head->minus_9999_is_absent = true;
	if (set_text(&head->vendor, "") < 0 || set_text(&head->models, "") < 0)
		return -ENOMEM;
	while (!reader->columns_said && regmap_reader_next(reader)) {
		if (reader->line[0] == '\0')
			continue;
		if (reader->line[0] != '#')
			reader->columns_said = true;
		else if (parse_line(reader) == -ENOMEM)
			return -ENOMEM;
	}
	if (!head->id && reader->faults == faults)
		(void)regmap_fault_at(reader, 0, "does not say its '# id:'");
	return reader->faults > faults ? -EINVAL : 0;
}

void regmap_head_finish(struct regmap_head *head)
{
	free(head->id);
	free(head->vendor);
	free(head->models);
	for (size_t i = 0; i < head->variant_count; i++) {
		free(head->variants[i].id);
		free(head->variants[i].model);
	}
	for (size_t i = 0; i < head->repeat_count; i++)
		free(head->repeats[i].prefix);
	*head = (struct regmap_head){0};
}
