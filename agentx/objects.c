/* SPDX-License-Identifier: Apache-2.0
 *
 * objects.c - from names of instances to objects and rows, from names of points to objects, see objects.h. Pure.
 *
 * The dictionary of points is large and points are many, so both ways are binary searches. A point's name is looked for
 * as it is, and once for each number in it, with a * in that number's place: "module.12.voltage" is row 12 of what
 * "module.*.voltage" feeds.
 */
#include "objects.h"

#include <string.h>

#include <busbar/macros.h>

#define POINT_NAME_MAX 128
#define LINES_MAX      3

static const uint32_t object_root[OBJECT_ROOT_ARCS] = {1, 3, 6, 1, 2, 1, 33};

/* ---- names of instances ---- */

/* Below, at or above 0 as the name of @object comes before, is or comes after @arcs; 0 also where @arcs lie below it. */
static int object_compare(const struct object *object, const uint32_t *arcs, size_t count)
{
	for (size_t i = 0; i < object->length && i < count; i++)
		if (object->arcs[i] != arcs[i])
			return object->arcs[i] < arcs[i] ? -1 : 1;
	return object->length > count ? 1 : 0;
}

/* Place of the first object that is not before @arcs. */
static size_t object_first_from(const uint32_t *arcs, size_t count)
{
	size_t low = 0, high = object_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (object_compare(&object_table[middle], arcs, count) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* @rest are the arcs behind the name of object @object. */
static void object_locate_row(size_t object, const uint32_t *rest, size_t count, struct object_place *ret_place)
{
	*ret_place = (struct object_place){.object = object, .known = true};
	if (count == 0)
		return;
	ret_place->row = rest[0];
	ret_place->exact = count == 1;
	if (count == 1)
		return;
	if (rest[0] < UINT32_MAX)
		ret_place->row++;
	else
		*ret_place = (struct object_place){.object = object + 1, .known = true};
}

void object_locate(const struct oid *name, struct object_place *ret_place)
{
	const size_t shorter = name->length < OBJECT_ROOT_ARCS ? name->length : OBJECT_ROOT_ARCS;
	const uint32_t *arcs = name->arcs + OBJECT_ROOT_ARCS;
	size_t count, object;

	for (size_t i = 0; i < shorter; i++) {
		if (name->arcs[i] == object_root[i])
			continue;
		*ret_place = (struct object_place){.object = name->arcs[i] < object_root[i] ? 0 : object_count};
		return;
	}
	count = name->length - shorter;
	object = object_first_from(arcs, count);
	if (object < object_count && object_compare(&object_table[object], arcs, count) == 0)
		object_locate_row(object, arcs + object_table[object].length, count - object_table[object].length,
				  ret_place);
	else
		*ret_place = (struct object_place){.object = object};
}

void object_name(const struct object *object, uint32_t row, struct oid *ret_name)
{
	memcpy(ret_name->arcs, object_root, sizeof(object_root));
	memcpy(ret_name->arcs + OBJECT_ROOT_ARCS, object->arcs, object->length * sizeof(object->arcs[0]));
	ret_name->length = OBJECT_ROOT_ARCS + object->length;
	ret_name->arcs[ret_name->length++] = row;
}

bool object_is_beside(const struct object *object, const struct object *other)
{
	return object->length == other->length &&
	       memcmp(object->arcs, other->arcs, (object->length - 1U) * sizeof(object->arcs[0])) == 0;
}

/* ---- names of points ---- */

static bool object_takes(const struct object *object, const struct bb_point *point)
{
	switch (point->kind) {
	case BB_KIND_STRING:
		return object->coding == OBJECT_TEXT || object->coding == OBJECT_SCALED; /* a serial number */
	case BB_KIND_TIMESTAMP:
		return object->coding == OBJECT_MOMENT;
	case BB_KIND_ENUM:
		return object->coding != OBJECT_TEXT && object->coding != OBJECT_MOMENT;
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
	case BB_KIND_FLAGS:
	case BB_KIND_BOOL:
		return object->coding == OBJECT_SCALED || object->coding == OBJECT_COUNTER ||
		       object->coding == OBJECT_MEMBER;
	case BB_KIND_ALARM:
	case BB_KIND_COMMAND:
	case BB_KIND_UNSET:
	default:
		return false;
	}
}

static int object_match_pattern(const char *pattern, const struct bb_point *point, uint32_t row,
				int (*each)(void *context, size_t object, uint32_t row), void *context)
{
	size_t low = 0, high = object_by_point_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (strcmp(object_table[object_by_point[middle]].point, pattern) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < object_by_point_count && strcmp(object_table[object_by_point[low]].point, pattern) == 0; low++) {
		const size_t object = object_by_point[low];
		int r;

		if (!object_takes(&object_table[object], point))
			continue;
		r = each(context, object, row);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The number of @length digits at @text; 0 where it is none that a row may have. */
static uint32_t object_number(const char *text, size_t length, bool line)
{
	uint32_t number = 0;

	if (length > 9 || text[0] == '0')
		return 0;
	for (size_t i = 0; i < length; i++)
		number = number * 10 + (uint32_t)(text[i] - '0');
	return line && number > LINES_MAX ? 0 : number;
}

int object_match(const struct bb_point *point, int (*each)(void *context, size_t object, uint32_t row), void *context)
{
	const char *name = point->name;
	int r = object_match_pattern(name, point, 0, each, context);

	for (size_t at = strcspn(name, "0123456789"); r >= 0 && name[at] != '\0';) {
		const size_t length = strspn(name + at, "0123456789");
		const char before = at > 0 ? name[at - 1] : '\0', behind = name[at + length];
		const uint32_t row = object_number(name + at, length, before == 'L');
		char pattern[POINT_NAME_MAX];

		/* A part of the name by itself, or that of a line. */
		if (row > 0 && (before == '.' || before == 'L') && (behind == '.' || behind == '\0') &&
		    strlen(name) < sizeof(pattern)) {
			memcpy(pattern, name, at);
			pattern[at] = '*';
			strcpy(pattern + at + 1, name + at + length);
			r = object_match_pattern(pattern, point, row, each, context);
		}
		at += length;
		at += strcspn(name + at, "0123456789");
	}
	return r;
}
