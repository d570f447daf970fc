/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.c - all instances that a generation of a device can have, see layout.h.
 *
 * Made once a generation: each point is looked up by its name, then goes to its object, behind those that came before. They
 * nearly always come in the order of their rows already; only where they do not are the rows of an object sorted.
 */
#include "layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_rows.h"

/* What was found: items in the order of the points. */
struct layout_search {
	struct layout_found {
		struct layout_item item;
		uint32_t object;
	} * found;
	size_t count, size;
	uint32_t point;
};

static int layout_note(void *context, size_t object, uint32_t row)
{
	struct layout_search *find = context;

	if (find->count == find->size) {
		const size_t size = find->size ? find->size * 2 : 256;
		struct layout_found *found = reallocarray(find->found, size, sizeof(*found));

		if (!found)
			return -ENOMEM;
		find->found = found;
		find->size = size;
	}
	find->found[find->count++] = (struct layout_found){{row, find->point}, (uint32_t)object};
	return 0;
}

static int layout_look(struct layout_search *find, const struct bb_reading *reading)
{
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		int r;

		find->point = (uint32_t)i;
		r = object_match(bb_reading_point(reading, i), layout_note, find);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Each to its object; first[] of an object is where its next item goes meanwhile. */
static void layout_distribute(struct layout *layout, const struct layout_search *find)
{
	for (size_t i = 0; i < find->count; i++)
		layout->first[find->found[i].object + 1]++;
	for (size_t object = 0; object < object_count; object++)
		layout->first[object + 1] += layout->first[object];
	for (size_t i = 0; i < find->count; i++)
		layout->items[layout->first[find->found[i].object]++] = find->found[i].item;
	memmove(layout->first + 1, layout->first, object_count * sizeof(layout->first[0]));
	layout->first[0] = 0;
}

static int layout_compare(const void *a, const void *b)
{
	const struct layout_item *left = a, *right = b;

	return (left->row > right->row) - (left->row < right->row);
}

static void layout_sort(struct layout *layout)
{
	for (size_t object = 0; object < object_count; object++) {
		struct layout_item *items = layout->items + layout->first[object];
		const size_t count = layout->first[object + 1] - layout->first[object];

		for (size_t i = 1; i < count; i++) {
			if (items[i - 1].row < items[i].row)
				continue;
			qsort(items, count, sizeof(*items), layout_compare);
			break;
		}
	}
}

/* The classes of points and the identities of alarms tell. */
static bool layout_sees_batteries(const struct bb_reading *reading)
{
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);
		enum alarm_table table;

		if (strcmp(point->class, "bacs") == 0 ||
		    (point->alarm && alarm_table_of_identity(point->alarm->oid, &table) && table == ALARM_TABLE_BACS))
			return true;
	}
	return false;
}

int layout_create(const struct bb_reading *reading, struct layout **ret_layout)
{
	struct layout *layout = calloc(1, sizeof(*layout) + (object_count + 1) * sizeof(layout->first[0]));
	struct layout_search find = {0};
	int r = layout ? layout_look(&find, reading) : -ENOMEM;

	if (r >= 0) {
		layout->references = 1;
		layout->generation = bb_reading_generation(reading);
		layout->has_batteries = layout_sees_batteries(reading);
		layout->items = malloc((find.count + 1) * sizeof(*layout->items)); /* never none */
		r = layout->items ? 0 : -ENOMEM;
	}
	if (r >= 0) {
		layout_distribute(layout, &find);
		layout_sort(layout);
		*ret_layout = layout;
	} else {
		free(layout);
	}
	free(find.found);
	return r;
}

struct layout *layout_ref(struct layout *layout)
{
	layout->references++;
	return layout;
}

void layout_unref(struct layout *layout)
{
	if (!layout)
		return;
	assert(layout->references > 0);
	if (--layout->references > 0)
		return;
	free(layout->items);
	free(layout);
}

const struct layout_item *layout_find(const struct layout *layout, size_t object, uint32_t row)
{
	const struct layout_item wanted = {.row = row};

	return bsearch(&wanted, layout->items + layout->first[object],
		       layout->first[object + 1] - layout->first[object], sizeof(wanted), layout_compare);
}
