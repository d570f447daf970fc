/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.c - all instances that a generation of a device can have, see layout.h.
 *
 * Made once a generation, in two passes over its points: how many instances each object gets, then where they go. What
 * comes by name is nearly always in order of the numbers already; only where it is not are the rows of an object sorted.
 */
#include "layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_rows.h"

/* What a pass knows. */
struct layout_pass {
	struct layout *layout;
	uint32_t point;
};

static int layout_count(void *context, size_t object, uint32_t row)
{
	struct layout_pass *pass = context;

	(void)row; /* counted, not kept yet */
	pass->layout->first[object + 1]++;
	return 0;
}

/* first[] of an object is where its next item goes meanwhile; afterwards that is where the next object begins. */
static int layout_put(void *context, size_t object, uint32_t row)
{
	struct layout_pass *pass = context;

	pass->layout->items[pass->layout->first[object]++] = (struct layout_item){row, pass->point};
	return 0;
}

static void layout_run(struct layout_pass *pass, const struct bb_reading *reading,
		       int (*each)(void *context, size_t object, uint32_t row))
{
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		pass->point = (uint32_t)i;
		(void)object_match(bb_reading_point(reading, i), each, pass); /* neither of the two can fail */
	}
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
	struct layout_pass pass = {.layout = layout};

	if (!layout)
		return -ENOMEM;
	layout_run(&pass, reading, layout_count);
	for (size_t object = 0; object < object_count; object++)
		layout->first[object + 1] += layout->first[object];
	layout->items = malloc((layout->first[object_count] + 1) * sizeof(*layout->items)); /* never none */
	if (!layout->items) {
		free(layout);
		return -ENOMEM;
	}
	layout_run(&pass, reading, layout_put);
	memmove(layout->first + 1, layout->first, object_count * sizeof(layout->first[0]));
	layout->first[0] = 0;
	layout_sort(layout);
	layout->references = 1;
	layout->generation = bb_reading_generation(reading);
	layout->has_batteries = layout_sees_batteries(reading);
	*ret_layout = layout;
	return 0;
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
