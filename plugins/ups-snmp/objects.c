/* SPDX-License-Identifier: Apache-2.0
 *
 * objects.c - which object and which row the name of an instance belongs to. Pure; the table is made from
 * config/objects.csv.
 */
#include "objects.h"

#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

static const uint32_t objects_root[] = {1, 3, 6, 1, 2, 1, 33};
#define ROOT_LENGTH BB_LENGTH(objects_root)

bool suffix_from_oid(const struct bb_snmp_oid *name, struct suffix *ret_suffix)
{
	if (name->length < ROOT_LENGTH || name->length > ROOT_LENGTH + SUFFIX_MAX ||
	    memcmp(name->arcs, objects_root, sizeof(objects_root)) != 0)
		return false;
	ret_suffix->length = (uint8_t)(name->length - ROOT_LENGTH);
	memcpy(ret_suffix->arcs, name->arcs + ROOT_LENGTH, ret_suffix->length * sizeof(uint32_t));
	return true;
}

void suffix_to_oid(const struct suffix *suffix, struct bb_snmp_oid *ret_name)
{
	memcpy(ret_name->arcs, objects_root, sizeof(objects_root));
	memcpy(ret_name->arcs + ROOT_LENGTH, suffix->arcs, suffix->length * sizeof(uint32_t));
	ret_name->length = (uint8_t)(ROOT_LENGTH + suffix->length);
}

int suffix_compare(const struct suffix *a, const struct suffix *b)
{
	for (unsigned i = 0; i < a->length && i < b->length; i++)
		if (a->arcs[i] != b->arcs[i])
			return a->arcs[i] < b->arcs[i] ? -1 : 1;
	return a->length - b->length;
}

struct suffix suffix_before(const struct suffix *suffix)
{
	struct suffix before = *suffix;

	if (before.length == 0)
		return before;
	if (before.arcs[before.length - 1] == 0)
		before.length--;
	else
		before.arcs[before.length - 1]--;
	return before;
}

bool object_is_column(const struct object *object)
{
	return strchr(object->point, '*') != NULL;
}

bool object_is_line(const struct object *object)
{
	const char *star = strchr(object->point, '*');

	return star && star > object->point && star[-1] == 'L';
}

static bool objects_lies_below(const struct suffix *name, const struct suffix *id)
{
	return name->length >= id->length && memcmp(name->arcs, id->arcs, id->length * sizeof(uint32_t)) == 0;
}

/* The last object that is not behind @name: no object's name is the beginning of another's, so it is the only one
 * that @name can lie below. */
static const struct object *objects_last_before(const struct suffix *name)
{
	size_t low = 0, high = object_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (suffix_compare(&object_table[middle].id, name) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &object_table[low - 1] : NULL;
}

const struct object *object_find(const struct suffix *name, uint32_t *ret_row, enum instance *ret_instance)
{
	const struct object *object = objects_last_before(name);
	const uint32_t *rest;
	unsigned length;

	if (!object || !objects_lies_below(name, &object->id))
		return NULL;
	rest = name->arcs + object->id.length;
	length = name->length - object->id.length;
	if (!object_is_column(object)) {
		if (length > 1 || (length == 1 && rest[0] != 0))
			return NULL;
		*ret_row = 0;
		*ret_instance = length == 1 ? INSTANCE_PLAIN : INSTANCE_NONE;
		return object;
	}
	if (length < 1 || length > 2 || (length == 2 && rest[1] != 0))
		return NULL;
	*ret_row = rest[0];
	*ret_instance = length == 1 ? INSTANCE_PLAIN : INSTANCE_EXTRA_ZERO;
	return object;
}

size_t object_point(const struct object *object, uint32_t row, char *buffer, size_t size)
{
	const char *star = strchr(object->point, '*');
	int length;

	if (!star)
		length = snprintf(buffer, size, "%s", object->point);
	else if (object_is_line(object) && (row < 1 || row > 3))
		return 0;
	else
		length = snprintf(buffer, size, "%.*s%u%s", (int)(star - object->point), object->point, row, star + 1);
	return length > 0 && (size_t)length < size ? (size_t)length : 0;
}
