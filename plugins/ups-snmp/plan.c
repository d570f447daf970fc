/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c - which instances to ask for, and in which requests. Pure.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below this, the device is silent for another reason than the size. */
#define PLAN_REQUEST_MIN 4

void plan_init(struct plan *plan, bool bulk)
{
	memset(plan, 0, sizeof(*plan));
	plan->bulk = bulk;
	plan->next = true;
	plan->request = PLAN_REQUEST_FIRST;
	plan->request_max = PLAN_REQUEST_MAX;
}

void plan_finish(struct plan *plan)
{
	free(plan->items);
	plan->items = NULL;
	plan->count = plan->size = 0;
}

static int plan_make_room(struct plan *plan)
{
	size_t size = plan->size ? plan->size * 2 : 32;
	struct plan_item *items;

	if (plan->count < plan->size)
		return 0;
	if (plan->count >= PLAN_ITEMS_MAX)
		return -E2BIG;
	items = realloc(plan->items, size * sizeof(*items));
	if (!items)
		return -ENOMEM;
	plan->items = items;
	plan->size = size;
	return 0;
}

bool plan_has(const struct plan *plan, const struct object *object, uint32_t row)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].decoder.object == object && plan->items[i].row == row)
			return true;
	return false;
}

static bool plan_accepts(enum instance instance, const struct quirks *quirks)
{
	switch (instance) {
	case INSTANCE_NONE:
		return quirks_find(quirks, QUIRK_NO_INSTANCE) != NULL;
	case INSTANCE_EXTRA_ZERO:
		return quirks_find(quirks, QUIRK_EXTRA_ZERO) != NULL;
	case INSTANCE_PLAIN:
	default:
		return true;
	}
}

static size_t plan_place(const struct plan *plan, const struct suffix *name)
{
	size_t place = plan->count;

	while (place > 0 && suffix_compare(&plan->items[place - 1].name, name) > 0)
		place--;
	return place;
}

/* Is @name one that feeds a point? Fills @ret_item with what is known about it then. */
static bool plan_is_wanted(const struct plan *plan, const struct suffix *name, const struct identity *identity,
			   struct plan_item *ret_item)
{
	char point_name[64];
	const struct bb_point *point;
	enum instance instance;
	const struct object *object = object_find(name, &ret_item->row, &instance);
	uint32_t line = ret_item->row;

	if (!object)
		return false;
	quirks_select(identity, object->name, object->syntax == OBJECT_UNSIGNED, &ret_item->decoder.quirks);
	if (!plan_accepts(instance, &ret_item->decoder.quirks))
		return false;
	if (object_is_line(object) && ret_item->row == 0 && quirks_find(&ret_item->decoder.quirks, QUIRK_LINE_ZERO))
		line = 1; /* or none: it is numbered in the end */
	if (object_point(object, line, point_name, sizeof(point_name)) == 0 || plan_has(plan, object, ret_item->row))
		return false;
	point = bb_dictionary_find(point_name);
	if (!point)
		return false;
	ret_item->name = *name;
	ret_item->decoder.object = object;
	ret_item->decoder.decimals = point->decimals;
	ret_item->kind = point->kind;
	ret_item->urgent = point->urgent;
	ret_item->point = -1;
	return true;
}

int plan_add(struct plan *plan, const struct suffix *name, const struct identity *identity, bool ordered)
{
	struct plan_item item = {0};
	size_t place;
	int r;

	lines_note(&plan->lines, name);
	if (!plan_is_wanted(plan, name, identity, &item)) {
		if (ordered && plan->skipped < UINT16_MAX)
			plan->skipped++;
		return 0;
	}
	r = plan_make_room(plan);
	if (r < 0)
		return r;
	place = ordered ? plan->count : plan_place(plan, name);
	if (ordered) {
		item.between = plan->skipped;
		plan->skipped = 0;
	}
	memmove(plan->items + place + 1, plan->items + place, (plan->count - place) * sizeof(item));
	plan->items[place] = item;
	plan->count++;
	return 1;
}

/* A row of a line table: the line's number, 0 when it is about none. Of anything else: what it is. */
static bool plan_number_line(const struct plan *plan, struct plan_item *item)
{
	const struct object *object = item->decoder.object;

	if (!object_is_line(object))
		return true;
	item->row = lines_number(&plan->lines, object, item->row,
				 quirks_find(&item->decoder.quirks, QUIRK_LINE_ZERO) != NULL);
	return item->row > 0;
}

void plan_number_lines(struct plan *plan)
{
	size_t kept = 0;
	unsigned between = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item item = plan->items[i];

		between += item.between;
		if (!plan_number_line(plan, &item)) {
			between++; /* the device has it, so that a run comes across it */
			continue;
		}
		item.between = between < UINT16_MAX ? (uint16_t)between : UINT16_MAX;
		plan->items[kept++] = item;
		between = 0;
	}
	plan->count = kept;
}

struct plan_item *plan_find(struct plan *plan, const struct suffix *name, size_t *cursor)
{
	size_t low = 0, high = plan->count;

	/* Answers come in order, so it is nearly always the next one. */
	if (*cursor < plan->count && suffix_compare(&plan->items[*cursor].name, name) == 0)
		return &plan->items[(*cursor)++];
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = suffix_compare(&plan->items[middle].name, name);

		if (order == 0) {
			*cursor = middle + 1;
			return &plan->items[middle];
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void plan_begin(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		plan->items[i].seen = false;
}

bool plan_next_run(const struct plan *plan, size_t *index, struct suffix *ret_start, unsigned *ret_repetitions,
		   size_t *ret_last)
{
	unsigned repetitions = 1;

	while (*index < plan->count && (plan->items[*index].seen || plan->items[*index].dropped))
		(*index)++;
	if (*index == plan->count)
		return false;
	*ret_start = suffix_before(&plan->items[*index].name);
	*ret_last = *index;
	for (size_t i = *index + 1; i < plan->count; i++) {
		const unsigned step = plan->items[i].between + 1U;

		if (plan->items[i].between > PLAN_GAP_MAX || repetitions + step > plan->request)
			break;
		repetitions += step;
		*ret_last = i;
	}
	*ret_repetitions = repetitions;
	return true;
}

size_t plan_next_get(const struct plan *plan, size_t *index, bool urgent_only, size_t *ret_places, size_t size)
{
	size_t count = 0;

	for (; *index < plan->count && count < size && count < plan->request; (*index)++) {
		const struct plan_item *item = &plan->items[*index];

		if (item->seen || item->dropped || (urgent_only && !item->urgent))
			continue;
		ret_places[count++] = *index;
	}
	return count;
}

void plan_answered(struct plan *plan, unsigned variables)
{
	if (variables > plan->answered)
		plan->answered = variables;
	/* Only an answer to a request that was as large as allowed says that a larger one may do. */
	if (variables >= plan->request && plan->request < plan->request_max)
		plan->request = plan->request * 2 < plan->request_max ? plan->request * 2 : plan->request_max;
}

bool plan_refused(struct plan *plan, unsigned variables, bool too_big)
{
	const bool was_new = variables > plan->answered;
	unsigned half = variables / 2;

	/* A device that is gone must not be asked for one at a time when it is back. */
	if (!too_big && half < PLAN_REQUEST_MIN)
		half = PLAN_REQUEST_MIN;

	if (too_big || (was_new && plan->answered > 0))
		plan->request_max = half > 1 ? half : 1;
	if (variables > 1 && plan->request > half)
		plan->request = half;
	if (plan->request > plan->request_max)
		plan->request = plan->request_max;
	if (too_big)
		return variables > 1;
	return was_new && variables > PLAN_REQUEST_MIN && plan->request < variables;
}
