/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_rows.c - see agent_rows.h.
 *
 * A text in an INDEX is its octets, one number each; before them stands its length, unless it is IMPLIED (RFC 2578,
 * section 7.7). So devices come by name where they are alone, and by length first where a point follows, and the place
 * of an index among them is found by comparing numbers with octets: a manager may ask for what follows any numbers.
 */
#include "agent_rows.h"

#include <assert.h>
#include <string.h>

/* Below, at or above 0 as the numbers come before, are, or come after the octets of @text. */
static int compare_with_text(const struct agent_index *index, const char *text)
{
	const size_t length = strlen(text);
	const size_t shorter = index->count < length ? index->count : length;

	for (size_t i = 0; i < shorter; i++)
		if (index->arcs[i] != (unsigned char)text[i])
			return index->arcs[i] < (unsigned char)text[i] ? -1 : 1;
	return (index->count > length) - (index->count < length);
}

static int compare_with_number(const struct agent_index *index, uint32_t number)
{
	if (index->count == 0 || index->arcs[0] < number)
		return -1;
	return index->arcs[0] > number || index->count > 1;
}

/*
 * The first of @count rows that does not come before @index, and with @include false is not it either. @compare says how
 * @index stands to the row at a place.
 */
static uint32_t place_of(size_t count, const struct agent_index *index, bool include,
			 int (*compare)(const struct agent_index *index, const void *rows, uint32_t place),
			 const void *rows)
{
	uint32_t low = 0, high = (uint32_t)count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const int order = compare(index, rows, middle);

		if (order > 0 || (order == 0 && !include))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- devices by name ---- */

static int compare_device(const struct agent_index *index, const void *rows, uint32_t place)
{
	const struct bb_device_list *list = rows;

	return compare_with_text(index, bb_device_name(list->devices[place]));
}

static bool seek_device(struct agent_view *view, const struct agent_index *index, bool include,
			struct agent_row *ret_row)
{
	const struct bb_device_list *list = view->devices->list;
	const uint32_t place = place_of(list->count, index, include, compare_device, list);

	*ret_row = (struct agent_row){.table = AGENT_DEVICES, .device = place};
	return place < list->count;
}

/* ---- points by device and name ---- */

/* 0 as soon as the device's length and name are the beginning of @index. */
static int compare_device_of_point(const struct agent_index *index, const void *rows, uint32_t place)
{
	const struct agent_devices *devices = rows;
	const char *name = bb_device_name(devices->list->devices[devices->by_length[place]]);
	const uint32_t length = (uint32_t)strlen(name);
	struct agent_index rest;

	if (index->count == 0)
		return -1;
	if (index->arcs[0] != length)
		return index->arcs[0] < length ? -1 : 1;
	rest.arcs = index->arcs + 1;
	rest.count = index->count - 1 < length ? index->count - 1 : length;
	return compare_with_text(&rest, name);
}

static int compare_point(const struct agent_index *index, const void *rows, uint32_t place)
{
	const struct bb_reading *reading = rows;

	return compare_with_text(index, bb_reading_point(reading, bb_reading_by_name(reading)[place])->name);
}

/* Move @row on, if need be, to one that there is: into the next devices, past names that are too long. */
static bool settle_point(struct agent_view *view, struct agent_row *row)
{
	for (; row->order < view->devices->list->count; row->order++, row->point = 0) {
		const struct bb_reading *reading;

		row->device = view->devices->by_length[row->order];
		reading = agent_view_snapshot(view, row->device)->reading;
		for (; reading && row->point < bb_reading_count(reading); row->point++)
			if (!agent_view_is_too_long(view, row->device,
						    bb_reading_point(reading, bb_reading_by_name(reading)[row->point])))
				return true;
	}
	return false;
}

static bool seek_point(struct agent_view *view, const struct agent_index *index, bool include,
		       struct agent_row *ret_row)
{
	const struct agent_devices *devices = view->devices;
	struct agent_row row = {.table = AGENT_POINTS};

	row.order = place_of(devices->list->count, index, true, compare_device_of_point, devices);
	if (row.order < devices->list->count && compare_device_of_point(index, devices, row.order) == 0) {
		const uint32_t device = devices->by_length[row.order];
		const struct bb_reading *reading = agent_view_snapshot(view, device)->reading;
		const size_t skip = strlen(bb_device_name(agent_view_device(view, device))) + 1;
		const struct agent_index rest = {.arcs = index->arcs + skip, .count = index->count - skip};

		if (reading)
			row.point = place_of(bb_reading_count(reading), &rest, include, compare_point, reading);
	}
	if (!settle_point(view, &row))
		return false;
	*ret_row = row;
	return true;
}

size_t agent_rows_point(struct agent_view *view, const struct agent_row *row)
{
	return bb_reading_by_name(agent_view_snapshot(view, row->device)->reading)[row->point];
}

/* ---- alarms by number ---- */

static int compare_alarm(const struct agent_index *index, const void *rows, uint32_t place)
{
	return compare_with_number(index, ((const struct agent_alarm *)rows)[place].id);
}

static bool seek_alarm(struct agent_view *view, const struct agent_index *index, bool include,
		       struct agent_row *ret_row)
{
	const struct agent_alarms *alarms = agent_view_alarms(view);

	if (!alarms)
		return false;
	*ret_row = (struct agent_row){
		.table = AGENT_ALARMS,
		.order = place_of(alarms->count, index, include, compare_alarm, alarms->rows),
	};
	return ret_row->order < alarms->count;
}

/* ---- all ---- */

bool agent_rows_seek(struct agent_view *view, enum agent_table table, const struct agent_index *index, bool include,
		     struct agent_row *ret_row)
{
	switch (table) {
	case AGENT_DEVICES:
		return seek_device(view, index, include, ret_row);
	case AGENT_POINTS:
		return seek_point(view, index, include, ret_row);
	case AGENT_ALARMS:
		return seek_alarm(view, index, include, ret_row);
	case AGENT_SCALARS:
		break;
	}
	*ret_row = (struct agent_row){.table = AGENT_SCALARS};
	return compare_with_number(index, 0) < (include ? 1 : 0);
}

bool agent_rows_next(struct agent_view *view, struct agent_row *row)
{
	struct agent_row next = *row;
	bool found = false;

	switch (row->table) {
	case AGENT_SCALARS:
		break;
	case AGENT_DEVICES:
		found = ++next.device < view->devices->list->count;
		break;
	case AGENT_POINTS:
		next.point++;
		found = settle_point(view, &next);
		break;
	case AGENT_ALARMS:
		found = ++next.order < view->alarms->count;
		break;
	}
	if (found)
		*row = next;
	return found;
}

static void append(struct oid *name, uint32_t arc)
{
	const int r = oid_append(name, &arc, 1);

	assert(r == 0);
	(void)r; /* only asserted */
}

static void append_text(struct oid *name, const char *text)
{
	for (; *text; text++)
		append(name, (unsigned char)*text);
}

void agent_rows_append_index(struct agent_view *view, const struct agent_row *row, struct oid *name)
{
	switch (row->table) {
	case AGENT_SCALARS:
		append(name, 0);
		break;
	case AGENT_DEVICES:
		append_text(name, bb_device_name(agent_view_device(view, row->device)));
		break;
	case AGENT_POINTS: {
		const char *device = bb_device_name(agent_view_device(view, row->device));
		const struct bb_reading *reading = agent_view_snapshot(view, row->device)->reading;

		append(name, (uint32_t)strlen(device));
		append_text(name, device);
		append_text(name, bb_reading_point(reading, agent_rows_point(view, row))->name);
		break;
	}
	case AGENT_ALARMS:
		append(name, view->alarms->rows[row->order].id);
		break;
	}
}
