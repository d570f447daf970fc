/* SPDX-License-Identifier: Apache-2.0
 *
 * points.c - from the registers of a device to its points, and back when one is written.
 *
 * Most points are one register. Flags may be spread over several, each with some of the bits: they are one point, made
 * where its first register stands. What the device lacks of its map is shown as unsupported, but for alarms and states:
 * those are left out, so that the core can derive them from what the device does say.
 *
 * Registers are exact: a value goes from words to a point's scaled integer by integers, see bb_register_decode().
 */
#include "ups-modbus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 256
#define NONE      (-1)

static bool is_state(enum bb_kind kind)
{
	return kind == BB_KIND_ALARM || kind == BB_KIND_BOOL || kind == BB_KIND_ENUM || kind == BB_KIND_FLAGS;
}

/* Does the register feed a point of its own, or add to one? Commands feed nothing, but can be written. */
static bool has_point(const struct ups_modbus *device, size_t index)
{
	const struct bb_register *entry = &device->map->registers[index];

	switch (device->survey.states[index]) {
	case SURVEY_UNWANTED:
		return entry->kind == BB_KIND_COMMAND && entry->point != NULL && entry->writable;
	case SURVEY_LACKING:
		return !is_state(entry->kind);
	case SURVEY_UNKNOWN:
	case SURVEY_PRESENT:
	case SURVEY_POSTPONED:
		break;
	}
	return true;
}

int points_init(struct ups_modbus *device)
{
	const size_t count = device->map->count;

	device->points = calloc(count, sizeof(*device->points));
	device->parts = calloc(count, sizeof(*device->parts));
	if (device->points == NULL || device->parts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		device->points[i] = device->parts[i] = NONE;
	return 0;
}

void points_finish(struct ups_modbus *device)
{
	free(device->points);
	free(device->parts);
	device->points = device->parts = NULL;
}

/* Join register @index to those of the same point before it. False when there are none. */
static bool join_part(struct ups_modbus *device, size_t index)
{
	const struct bb_register *registers = device->map->registers;

	if (registers[index].kind != BB_KIND_FLAGS)
		return false;
	for (size_t i = index; i-- > 0;)
		if (registers[i].kind == BB_KIND_FLAGS && has_point(device, i) &&
		    strcmp(registers[i].point, registers[index].point) == 0) {
			device->parts[i] = (int)index;
			return true;
		}
	return false;
}

int points_describe(struct ups_modbus *device, struct bb_builder *builder)
{
	for (size_t i = 0; i < device->map->count; i++) {
		const struct bb_register *entry = &device->map->registers[i];
		const struct bb_point_spec spec = {
			.name = entry->point,
			.unit = entry->unit,
			.decimals = entry->decimals,
			.kind = entry->kind,
			.writable = entry->writable,
			.members = entry->members,
			.member_count = entry->member_count,
			.help = entry->note,
		};

		device->points[i] = device->parts[i] = NONE;
		if (!has_point(device, i) || join_part(device, i))
			continue;

		const int place = bb_builder_add_points(builder, &spec, 1);

		if (place < 0)
			return place;
		device->points[i] = place;
	}
	return 0;
}

static void decode_text(const struct ups_modbus *device, size_t index, struct bb_reading *reading)
{
	char text[TEXT_SIZE];
	const size_t length = bb_register_decode_text(&device->map->registers[index],
						      survey_words(&device->survey, index), text, sizeof(text));

	/* What it lacks memory for, it marks. */
	(void)bb_reading_set_text(reading, (size_t)device->points[index], text, length);
}

/* The value of register @index, with those of its further parts. */
static enum bb_quality decode_number(const struct ups_modbus *device, size_t index, int64_t *ret_value)
{
	enum bb_quality quality = BB_QUALITY_UNSUPPORTED;
	int64_t sum = 0;

	for (int i = (int)index; i != NONE; i = device->parts[i]) {
		const struct bb_register *entry = &device->map->registers[i];
		const enum survey_state state = device->survey.states[i];
		int64_t value = 0;
		enum bb_quality part = state == SURVEY_LACKING ? BB_QUALITY_UNSUPPORTED : BB_QUALITY_UNKNOWN;

		if (state == SURVEY_PRESENT)
			part = bb_register_decode(entry, survey_words(&device->survey, (size_t)i), &value);
		if (part == BB_QUALITY_GOOD)
			sum |= value;
		else if (part != BB_QUALITY_UNSUPPORTED)
			return part; /* half a flag word would say that the other flags are not set */
		if (part == BB_QUALITY_GOOD)
			quality = BB_QUALITY_GOOD;
	}
	*ret_value = sum;
	return quality;
}

void points_decode(const struct ups_modbus *device, struct bb_reading *reading, bool urgent)
{
	for (size_t i = 0; i < device->map->count; i++) {
		const struct bb_register *entry = &device->map->registers[i];
		const size_t point = (size_t)device->points[i];
		enum bb_quality quality;
		int64_t value;

		if (device->points[i] == NONE || entry->kind == BB_KIND_COMMAND ||
		    (urgent && !device->survey.urgent_points[i]))
			continue;
		if (entry->type == BB_REGISTER_STRING && device->survey.states[i] == SURVEY_PRESENT) {
			decode_text(device, i, reading);
			continue;
		}
		quality = decode_number(device, i, &value);
		if (quality == BB_QUALITY_GOOD)
			(void)bb_reading_set(reading, point, value); /* what cannot be, it marks */
		else
			bb_reading_set_quality(reading, point, quality);
	}
}

const struct bb_register *points_register(const struct ups_modbus *device, size_t point)
{
	for (size_t i = 0; i < device->map->count; i++)
		if (device->points[i] == (int)point)
			return &device->map->registers[i];
	return NULL;
}
