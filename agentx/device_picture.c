/* SPDX-License-Identifier: Apache-2.0
 *
 * device_picture.c - a device at one moment, see device_picture.h.
 *
 * Made at the first request after something has changed, in one go over the objects and the instances of each; then a
 * request is two binary searches: which object, which row. Values are turned into variables when they are asked for,
 * from the reading that the picture holds on to: most are not asked for before the next one comes.
 */
#include "device_picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static bool has_value(const struct device_picture *picture, const struct object *object, uint32_t point)
{
	switch (bb_snapshot_quality(&picture->snapshot, point)) {
	case BB_QUALITY_GOOD:
		break;
	case BB_QUALITY_STALE:
		if (!bb_reading_point(picture->snapshot.reading, point)->keep && object->source != OBJECT_LOCK)
			return false;
		break;
	case BB_QUALITY_UNKNOWN:
	case BB_QUALITY_UNSUPPORTED:
	case BB_QUALITY_BAD:
	default:
		return object->source == OBJECT_LOCK; /* it is ours, and there for as long as the device is */
	}
	return object_can_say(object, picture->snapshot.reading, point);
}

static uint32_t add_points(struct device_picture *picture, size_t object, uint32_t count)
{
	const struct layout *layout = picture->layout;

	for (uint32_t i = layout->first[object]; i < layout->first[object + 1]; i++)
		if (has_value(picture, &object_table[object], layout->items[i].point))
			picture->places[count++] = i;
	return count;
}

/* The rows of a table that have a value in any of the columns behind @object, each by one of them. */
static uint32_t add_rows(struct device_picture *picture, size_t object, uint32_t count)
{
	const struct layout *layout = picture->layout;
	const uint32_t begin = count;

	for (size_t column = object + 1;
	     column < object_count && object_is_beside(&object_table[object], &object_table[column]); column++) {
		uint32_t at = begin, end = count;

		/* Columns nearly always have the same rows; what a later one has in addition is put between. */
		for (uint32_t i = layout->first[column]; i < layout->first[column + 1]; i++) {
			const uint32_t row = layout->items[i].row;

			while (at < end && layout->items[picture->places[at]].row < row)
				at++;
			if ((at < end && layout->items[picture->places[at]].row == row) ||
			    !has_value(picture, &object_table[column], layout->items[i].point))
				continue;
			memmove(picture->places + at + 1, picture->places + at, (end - at) * sizeof(*picture->places));
			picture->places[at] = i;
			end++;
		}
		count = end;
	}
	return count;
}

/* Is there a table of alarms? Whether it has rows is another matter. */
static bool has_table(const struct device_picture *picture, enum alarm_table table)
{
	if (!picture->snapshot.alarms)
		return false;
	return table == ALARM_TABLE_UPS || (picture->layout && picture->layout->has_batteries) ||
	       picture->alarms.first[table + 1] > picture->alarms.first[table];
}

static uint32_t add_alarms(struct device_picture *picture, size_t object, uint32_t count)
{
	const enum alarm_table table = alarm_table_of(&object_table[object]);

	for (uint32_t i = picture->alarms.first[table]; i < picture->alarms.first[table + 1]; i++)
		picture->places[count++] = i;
	return count;
}

static uint32_t add_object(struct device_picture *picture, size_t object, uint32_t count)
{
	switch (object_table[object].source) {
	case OBJECT_POINT:
	case OBJECT_LOCK:
		return picture->layout ? add_points(picture, object, count) : count;
	case OBJECT_ROW:
		return picture->layout ? add_rows(picture, object, count) : count;
	case OBJECT_ROWS:
		if (has_table(picture, alarm_table_of(&object_table[object])))
			picture->places[count++] = 0;
		return count;
	case OBJECT_NUMBER:
	case OBJECT_IDENTITY:
	case OBJECT_SINCE:
		return add_alarms(picture, object, count);
	}
	return count;
}

/* The most places there can be: what the layout has, once more for numbers of rows, three columns of alarms, counts. */
static size_t most_places(const struct device_picture *picture)
{
	const size_t items = picture->layout ? picture->layout->first[object_count] : 0;

	return 2 * items + 3 * (size_t)picture->alarms.first[ALARM_TABLES] + ALARM_TABLES;
}

static void device_picture_destroy(struct picture *head)
{
	struct device_picture *picture = (struct device_picture *)head;

	alarm_rows_finish(&picture->alarms);
	bb_snapshot_release(&picture->snapshot);
	layout_unref(picture->layout);
	free(picture->places);
	free(picture);
}

/* ---- answering ---- */

static uint32_t row_at(const struct device_picture *picture, size_t object, uint32_t place)
{
	switch (object_table[object].source) {
	case OBJECT_ROWS:
		return 0;
	case OBJECT_NUMBER:
	case OBJECT_IDENTITY:
	case OBJECT_SINCE:
		return picture->alarms.rows[picture->places[place]].id;
	case OBJECT_POINT:
	case OBJECT_LOCK:
	case OBJECT_ROW:
	default:
		return picture->layout->items[picture->places[place]].row;
	}
}

/* The first place of @object whose row is not before @row. */
static uint32_t first_from(const struct device_picture *picture, size_t object, uint32_t row)
{
	uint32_t low = picture->first[object], high = picture->first[object + 1];

	/* Rows are mostly counted without gaps, so one look is enough, however long the table. */
	if (low < high && row >= row_at(picture, object, low)) {
		const uint32_t ahead = row - row_at(picture, object, low);

		if (ahead < high - low && row_at(picture, object, low + ahead) == row)
			return low + ahead;
	}
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (row_at(picture, object, middle) < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The object that has @place; there is one. */
static size_t object_at(const struct device_picture *picture, uint32_t place)
{
	size_t low = 0, high = object_count;

	while (high - low > 1) {
		const size_t middle = (low + high) / 2;

		if (picture->first[middle] <= place)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int64_t device_picture_find(const struct device_picture *picture, size_t object, uint32_t row)
{
	const uint32_t place = first_from(picture, object, row);

	return place < picture->first[object + 1] && row_at(picture, object, place) == row ? (int64_t)place : -1;
}

void device_picture_put(const struct device_picture *picture, const struct moment *moment, size_t object,
			uint32_t place, const struct oid *name, struct codec_buffer *answer)
{
	const struct object *its = &object_table[object];
	const enum alarm_table table = alarm_table_of(its);

	codec_put_syntax(answer, its->syntax);
	codec_put_oid(answer, name, false);
	switch (its->source) {
	case OBJECT_POINT:
		object_put_point(its, picture->snapshot.reading, picture->layout->items[picture->places[place]].point,
				 moment, answer);
		return;
	case OBJECT_ROW:
		object_put_number(its, row_at(picture, object, place), answer);
		return;
	case OBJECT_LOCK:
		object_put_number(its, picture->lock, answer);
		return;
	case OBJECT_ROWS:
		object_put_number(its, picture->alarms.first[table + 1] - picture->alarms.first[table], answer);
		return;
	case OBJECT_NUMBER:
	case OBJECT_IDENTITY:
	case OBJECT_SINCE:
		alarm_row_put(its, &picture->alarms.rows[picture->places[place]], moment, answer);
		return;
	}
}

static void device_picture_get(const struct picture *head, const struct moment *moment, const struct oid *name,
			       struct codec_buffer *answer)
{
	const struct device_picture *picture = (const struct device_picture *)head;
	struct object_place at;
	int64_t place;

	object_locate(name, &at);
	place = at.exact ? device_picture_find(picture, at.object, at.row) : -1;
	if (place >= 0) {
		device_picture_put(picture, moment, at.object, (uint32_t)place, name, answer);
		return;
	}
	codec_put_syntax(answer, at.known ? CODEC_NO_SUCH_INSTANCE : CODEC_NO_SUCH_OBJECT);
	codec_put_oid(answer, name, false);
}

static bool device_picture_next(const struct picture *head, const struct moment *moment,
				const struct codec_range *range, struct codec_buffer *answer, struct oid *ret_name)
{
	const struct device_picture *picture = (const struct device_picture *)head;
	const uint32_t end = picture->first[object_count];
	struct object_place at;
	struct oid name;
	uint32_t place;
	size_t object;

	object_locate(&range->start, &at);
	place = at.object < object_count ? first_from(picture, at.object, at.row) : end;
	if (at.exact && !range->include && place < picture->first[at.object + 1] &&
	    row_at(picture, at.object, place) == at.row)
		place++;
	if (place >= end)
		return false;
	object = object_at(picture, place);
	object_name(&object_table[object], row_at(picture, object, place), &name);
	if (range->end.length > 0 && oid_compare(&name, &range->end) >= 0)
		return false;
	device_picture_put(picture, moment, object, place, &name, answer);
	ret_name->length = name.length;
	memcpy(ret_name->arcs, name.arcs, name.length * sizeof(name.arcs[0]));
	return true;
}

static const struct picture_ops device_picture_ops = {
	.get = device_picture_get,
	.next = device_picture_next,
	.destroy = device_picture_destroy,
};

struct device_picture *device_picture_create(struct bb_snapshot *take_snapshot, struct layout *layout, uint32_t lock)
{
	struct device_picture *picture = calloc(1, sizeof(*picture) + (object_count + 1) * sizeof(picture->first[0]));
	uint32_t count = 0;

	if (!picture) {
		bb_snapshot_release(take_snapshot);
		return NULL;
	}
	picture->head = (struct picture){&device_picture_ops, 1};
	picture->snapshot = *take_snapshot;
	picture->layout = layout ? layout_ref(layout) : NULL;
	picture->lock = lock;
	if (alarm_rows_init(&picture->alarms, picture->snapshot.alarms) == 0)
		picture->places = malloc(most_places(picture) * sizeof(*picture->places));
	if (!picture->places) {
		picture_unref(&picture->head);
		return NULL;
	}
	for (size_t object = 0; object < object_count; object++) {
		picture->first[object] = count;
		count = add_object(picture, object, count);
	}
	picture->first[object_count] = count;
	return picture;
}
