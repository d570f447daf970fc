/* SPDX-License-Identifier: Apache-2.0
 *
 * families.c - see families.h. A hash table, because a plan for a thousand devices asks for a family a hundred
 * thousand times.
 */
#include "families.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/point.h>
#include <busbar/text.h>

static size_t slot_of(const char *name)
{
	const uint32_t hash = bb_text_hash(name, strlen(name));

	return (hash ^ hash >> 16) % FAMILIES_SLOTS;
}

int families_find(struct families *families, const char *name, const char *help)
{
	uint32_t *slot = &families->slots[slot_of(name)];

	for (uint32_t i = *slot; i; i = families->list[i - 1].next) {
		if (!strcmp(families->list[i - 1].name, name))
			return (int)(i - 1);
	}
	if (families->count == families->capacity) {
		const size_t capacity = families->capacity ? 2 * families->capacity : 256;
		struct family *list = reallocarray(families->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		families->list = list;
		families->capacity = capacity;
	}
	families->list[families->count] = (struct family){.name = name, .help = help, .next = *slot};
	*slot = (uint32_t)++families->count;
	return (int)(families->count - 1);
}

/* The word at @text, and its length. */
static const char *word(const char *text, size_t *ret_length)
{
	text += strspn(text, " ");
	*ret_length = strcspn(text, " ");
	return text;
}

static char *without_numbers(const char *help)
{
	char *plain = malloc(strlen(help) + 1), *end = plain;
	size_t length;

	if (!plain)
		return NULL;
	for (help = word(help, &length); length; help = word(help + length, &length)) {
		if (strcspn(help, "0123456789") < length)
			continue;
		if (end > plain)
			*end++ = ' ';
		memcpy(end, help, length);
		end += length;
	}
	*end = '\0';
	return plain;
}

int families_find_point(struct families *families, const char *name, const char *help)
{
	const size_t before = families->count;
	const int place = families_find(families, name, help);

	if (place < 0 || families->count == before)
		return place;

	char *plain = without_numbers(help);

	if (!plain)
		return -ENOMEM;
	families->list[place].own_help = plain;
	families->list[place].help = *plain ? plain : help;
	return place;
}

/*
 * The words of @a that stand at the same place in @b, too: "voltage of input line 1" and "voltage of input line 2" say
 * what both are, "voltage of input line". Allocated; NULL when memory lacks, "" when they have nothing in common.
 */
static char *common_words(const char *a, const char *b)
{
	char *common = malloc(strlen(a) + 1), *end = common;
	size_t a_length, b_length;

	if (!common)
		return NULL;
	for (;; a += a_length, b += b_length) {
		a = word(a, &a_length);
		b = word(b, &b_length);
		if (!a_length || !b_length)
			break;
		if (a_length != b_length || memcmp(a, b, a_length) != 0)
			continue;
		if (end > common)
			*end++ = ' ';
		memcpy(end, a, a_length);
		end += a_length;
	}
	*end = '\0';
	return common;
}

/* Another point of the family has @help. */
static int merge_help(struct family *family, const char *help)
{
	char *common;

	if (!*help || !strcmp(family->help, help))
		return 0;
	common = common_words(family->help, help);
	if (!common)
		return -ENOMEM;
	if (!*common) { /* then the first one speaks for all */
		free(common);
		return 0;
	}
	free(family->own_help);
	family->own_help = common;
	family->help = common;
	return 0;
}

int families_add_dictionary(struct families *families)
{
	const struct bb_point *row;

	for (size_t i = 0; (row = bb_dictionary_row(i)) != NULL; i++) {
		int r;

		if (!row->metric || row->kind == BB_KIND_STRING || row->kind == BB_KIND_ALARM)
			continue;

		const int place = families_find(families, row->metric, row->help);

		if (place < 0)
			return place;
		r = merge_help(&families->list[place], row->help);
		if (r < 0)
			return r;
	}
	return 0;
}

/* HELP text: a backslash and a newline are escaped in both formats, a quote in OpenMetrics. */
static void add_escaped(struct buffer *buffer, const char *text, enum page_format format)
{
	for (; *text; text++) {
		if (*text == '\n')
			buffer_add(buffer, "\\n", 2);
		else if (*text == '\\' || (*text == '"' && format == PAGE_OPENMETRICS))
			buffer_add(buffer, (const char[]){'\\', *text}, 2);
		else
			buffer_add(buffer, text, 1);
	}
}

void families_header(struct buffer *buffer, const char *name, const char *help, enum page_format format)
{
	static const char total[] = "_total";
	const size_t length = strlen(name), suffix = sizeof(total) - 1;
	const bool counter = length > suffix && !strcmp(name + length - suffix, total);
	/* In OpenMetrics a counter's family is named without the _total that its series carry. */
	const size_t shown = counter && format == PAGE_OPENMETRICS ? length - suffix : length;

	buffer_add_text(buffer, "# HELP ");
	buffer_add(buffer, name, shown);
	buffer_add_text(buffer, " ");
	add_escaped(buffer, help, format);
	buffer_add_text(buffer, "\n# TYPE ");
	buffer_add(buffer, name, shown);
	buffer_add_text(buffer, counter ? " counter\n" : " gauge\n");
}

void families_finish(struct families *families)
{
	for (size_t i = 0; i < families->count; i++)
		free(families->list[i].own_help);
	free(families->list);
	*families = (struct families){0};
}
