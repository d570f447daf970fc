/* SPDX-License-Identifier: Apache-2.0
 *
 * Generations: the points of a draft, packed together with their indexes into one piece of memory, so that a
 * generation costs one allocation and little room. A thousand devices of the same kind share the dictionary's rows.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "dictionary.h"
#include "draft.h"
#include "generation.h"

/* A generation and everything it points at. */
struct packed {
	struct generation generation; /* first, so that one is the other */
	atomic_uint references;
};

/* The room that a point of its own takes when packed; rows of the dictionary take none. */
static size_t own_size(const struct bb_point *point)
{
	const size_t align = _Alignof(struct own_point);
	const size_t size = sizeof(struct own_point) + strlen(point->name) + 1 + strlen(point->labels) + 1;

	return dictionary_owns(point) ? 0 : (size + align - 1) / align * align;
}

static const struct bb_point *own_pack(char **room, const struct bb_point *point)
{
	struct own_point *own = (struct own_point *)(void *)*room;
	const size_t size = own_size(point);

	if (size == 0)
		return point;
	*room += size;
	own->point.name = own->texts;
	own->point.labels = stpcpy(own->texts, point->name) + 1;
	strcpy(own->texts + strlen(point->name) + 1, point->labels);
	own_copy(own, point);
	return &own->point;
}

static int compare_names(const void *a, const void *b, void *points)
{
	const struct bb_point *const *all = points;

	return strcmp(all[*(const uint32_t *)a]->name, all[*(const uint32_t *)b]->name);
}

static uint64_t generation_number(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

static void generation_index(struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		generation->by_name[i] = (uint32_t)i;
		if (generation->points[i]->kind == BB_KIND_STRING)
			generation->text_places[i] = (uint32_t)generation->text_count++;
		if (generation->points[i]->kind == BB_KIND_ALARM)
			generation->alarms[generation->alarm_count++] = (uint32_t)i;
	}
	qsort_r(generation->by_name, generation->count, sizeof(generation->by_name[0]), compare_names,
		generation->points);
}

int generation_create(const struct draft *draft, struct derive_plan *take_plan, struct generation **ret_generation)
{
	const size_t count = draft->count;
	const size_t indexes = count * (sizeof(struct bb_point *) + 3 * sizeof(uint32_t)) + sizeof(uint32_t);
	size_t size = (sizeof(struct packed) + indexes + 15) / 16 * 16;
	const size_t own_start = size;
	struct packed *packed;
	char *room;

	for (size_t i = 0; i < count; i++)
		size += own_size(draft_point(draft, i));
	packed = calloc(1, size);
	if (!packed) {
		derive_plan_free(take_plan);
		return -ENOMEM;
	}

	struct generation *generation = &packed->generation;

	atomic_init(&packed->references, 1);
	generation->number = generation_number();
	generation->count = count;
	generation->plan = take_plan;
	generation->points = (const struct bb_point **)(packed + 1);
	generation->by_name = (uint32_t *)(generation->points + count);
	generation->text_places = generation->by_name + count;
	generation->alarms = generation->text_places + count;
	room = (char *)packed + own_start;
	for (size_t i = 0; i < count; i++) {
		generation->points[i] = own_pack(&room, draft_point(draft, i));
		if (!draft->points[i].derived)
			generation->delivered = i + 1;
	}
	generation_index(generation);
	*ret_generation = generation;
	return 0;
}

struct generation *generation_ref(struct generation *generation)
{
	struct packed *packed = (struct packed *)generation;

	atomic_fetch_add_explicit(&packed->references, 1, memory_order_relaxed);
	return generation;
}

void generation_unref(struct generation *generation)
{
	struct packed *packed = (struct packed *)generation;

	if (!packed || atomic_fetch_sub_explicit(&packed->references, 1, memory_order_acq_rel) != 1)
		return;
	derive_plan_free(generation->plan);
	free(packed);
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool point_equal(const struct bb_point *a, const struct bb_point *b)
{
	return a == b ||
	       (text_equal(a->name, b->name) && a->kind == b->kind && a->unit == b->unit &&
		a->decimals == b->decimals && a->writable == b->writable && a->urgent == b->urgent &&
		a->keep == b->keep && a->members == b->members && a->member_count == b->member_count &&
		text_equal(a->labels, b->labels) && text_equal(a->metric, b->metric) && text_equal(a->help, b->help));
}

bool generation_equal(const struct generation *a, const struct generation *b)
{
	if (a->count != b->count || a->delivered != b->delivered)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!point_equal(a->points[i], b->points[i]))
			return false;
	return true;
}

int generation_find(const struct generation *generation, const char *name)
{
	size_t low = 0, high = generation->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(name, generation->points[generation->by_name[middle]]->name);

		if (order == 0)
			return (int)generation->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}
