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

static size_t hash(const char *name)
{
	uint32_t sum = 2166136261U; /* FNV-1a */

	for (; *name; name++)
		sum = (sum ^ (uint8_t)*name) * 16777619U;
	return (sum ^ sum >> 16) % FAMILIES_SLOTS;
}

int families_find(struct families *families, const char *name, const char *help)
{
	uint32_t *slot = &families->slots[hash(name)];

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

int families_add_dictionary(struct families *families)
{
	const struct bb_point *row;

	for (size_t i = 0; (row = bb_dictionary_row(i)) != NULL; i++) {
		/* The first row of a family that has help speaks for all of them. */
		int place;

		if (!row->metric || row->kind == BB_KIND_STRING)
			continue;
		place = families_find(families, row->metric, row->help);
		if (place < 0)
			return place;
		if (!*families->list[place].help)
			families->list[place].help = *row->help ? row->help : row->name;
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
	free(families->list);
	*families = (struct families){0};
}
