/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.c - which line a row of a line table is about, see lines.h. Pure.
 */
#include "lines.h"

#include <string.h>

/* Arcs of an entry, to which a column and a row are added: 1.3.3.1 is upsInputEntry. */
#define ENTRY_LENGTH 4

static bool lines_is_entry(const struct suffix *entry)
{
	for (size_t i = 0; i < object_count; i++)
		if (object_is_line(&object_table[i]) &&
		    memcmp(object_table[i].id.arcs, entry->arcs, ENTRY_LENGTH * sizeof(entry->arcs[0])) == 0)
			return true;
	return false;
}

/* The place of the table with entry @entry; @lines->count when it was not met yet. */
static unsigned lines_find(const struct lines *lines, const struct suffix *entry)
{
	unsigned i = 0;

	while (i < lines->count &&
	       memcmp(lines->tables[i].entry.arcs, entry->arcs, ENTRY_LENGTH * sizeof(entry->arcs[0])) != 0)
		i++;
	return i;
}

void lines_note(struct lines *lines, const struct suffix *name)
{
	uint32_t row;
	unsigned place;

	if (name->length < ENTRY_LENGTH + 2)
		return;
	row = name->arcs[ENTRY_LENGTH + 1];
	if (row != 0 && row != LINES_MAX)
		return;
	place = lines_find(lines, name);
	if (place == lines->count) {
		if (place == LINES_TABLES || !lines_is_entry(name))
			return;
		lines->tables[place].entry = *name;
		lines->count++;
	}
	lines->tables[place].first |= row == 0;
	lines->tables[place].last |= row == LINES_MAX;
}

uint32_t lines_number(const struct lines *lines, const struct object *object, uint32_t row, bool may_begin_at_0)
{
	const unsigned place = lines_find(lines, &object->id);
	const bool begins_at_0 =
		may_begin_at_0 && place < lines->count && lines->tables[place].first && !lines->tables[place].last;

	row += begins_at_0;
	return row <= LINES_MAX ? row : 0;
}
