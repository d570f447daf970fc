/* SPDX-License-Identifier: Apache-2.0
 *
 * Readings: the values of one device at one moment.
 *
 * A reading is one piece of memory, sized by its generation: first the values, since everybody goes over them, then
 * pointers to texts, then the qualities. A device publishes up to a hundred of them a second while its texts hardly
 * ever change, so a text is counted by itself and shared from one reading to the next as long as it says the same.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "reading.h"
#include "text.h"

/* A text that readings share. */
struct text {
	atomic_uint references;
	char bytes[];
};

static struct text *text_create(const char *bytes, size_t length)
{
	struct text *text = malloc(sizeof(*text) + length + 1);

	if (!text)
		return NULL;
	atomic_init(&text->references, 1);
	memcpy(text->bytes, bytes, length);
	text->bytes[length] = '\0';
	return text;
}

static struct text *text_ref(struct text *text)
{
	if (text)
		atomic_fetch_add_explicit(&text->references, 1, memory_order_relaxed);
	return text;
}

static void text_unref(struct text *text)
{
	if (text && atomic_fetch_sub_explicit(&text->references, 1, memory_order_acq_rel) == 1)
		free(text);
}

const char *bb_quality_name(enum bb_quality quality)
{
	static const char *const names[] = {"unknown", "good", "stale", "unsupported", "bad"};

	return (size_t)quality < BB_LENGTH(names) ? names[quality] : "unknown";
}

static struct bb_reading *reading_allocate(struct generation *generation)
{
	const size_t count = generation->count;
	struct bb_reading *reading =
		calloc(1, sizeof(*reading) + count * sizeof(int64_t) + generation->text_count * sizeof(struct text *) +
				  count * sizeof(uint8_t));

	if (!reading)
		return NULL;
	atomic_init(&reading->references, 1);
	reading->generation = generation_ref(generation);
	reading->texts = (struct text **)(void *)(reading->values + count);
	reading->qualities = (uint8_t *)(reading->texts + generation->text_count);
	return reading;
}

/* Take over the points of @group from a reading of the same generation. */
static void reading_take_over(struct bb_reading *reading, const struct bb_reading *from, enum bb_group group)
{
	const struct generation *generation = reading->generation;

	for (size_t i = 0; i < generation->count; i++) {
		if (point_group(generation->points[i]) != group)
			continue;
		reading->values[i] = from->values[i];
		reading->qualities[i] = from->qualities[i];
		if (generation->points[i]->kind == BB_KIND_STRING) {
			const size_t place = generation->text_places[i];

			reading->texts[place] = text_ref(from->texts[place]);
		}
	}
	reading->times[group] = from->times[group];
}

struct bb_reading *reading_create(struct generation *generation, struct bb_reading *previous, enum bb_group group,
				  int64_t now_ms)
{
	struct bb_reading *reading = reading_allocate(generation);

	if (!reading)
		return NULL;
	if (previous && previous->generation == generation)
		reading->previous = bb_reading_ref(previous);
	reading->times[BB_GROUP_URGENT] = now_ms;
	if (group == BB_GROUP_REST)
		reading->times[BB_GROUP_REST] = now_ms;
	else if (reading->previous)
		reading_take_over(reading, reading->previous, BB_GROUP_REST);
	return reading;
}

void reading_finish(struct bb_reading *reading)
{
	bb_reading_unref(reading->previous);
	reading->previous = NULL;
}

struct bb_reading *reading_copy(struct bb_reading *reading)
{
	struct bb_reading *copy = reading_allocate(reading->generation);

	if (!copy)
		return NULL;
	reading_take_over(copy, reading, BB_GROUP_REST);
	reading_take_over(copy, reading, BB_GROUP_URGENT);
	return copy;
}

int64_t reading_newest(const struct bb_reading *reading)
{
	const int64_t rest = reading->times[BB_GROUP_REST];
	const int64_t urgent = reading->times[BB_GROUP_URGENT];

	return rest > urgent ? rest : urgent;
}

/*
 * An index that is none of the plugin's points, or text where the point has none: a mistake in the plugin, which must
 * not write into other memory of a release build.
 */
static bool fits(const struct bb_reading *reading, size_t index, bool text)
{
	const struct generation *generation = reading->generation;
	const bool fit = index < generation->count && (!text || generation->points[index]->kind == BB_KIND_STRING);

	assert(fit);
	return fit;
}

int bb_reading_set(struct bb_reading *reading, size_t index, int64_t value)
{
	const struct bb_point *point;

	if (!fits(reading, index, false))
		return -ERANGE;
	point = reading->generation->points[index];
	if (((point->kind == BB_KIND_BOOL || point->kind == BB_KIND_ALARM) && value != 0 && value != 1) ||
	    (point->kind == BB_KIND_ENUM && point->member_count > 0 && bb_point_member(point, value) == NULL)) {
		bb_reading_set_quality(reading, index, BB_QUALITY_BAD);
		return -ERANGE;
	}
	reading_put(reading, index, value);
	return 0;
}

int bb_reading_set_text(struct bb_reading *reading, size_t index, const char *text, size_t length)
{
	const struct generation *generation = reading->generation;
	char clean[TEXT_MAX + 1];
	struct text *shared, **place;

	if (!fits(reading, index, true))
		return -ERANGE;
	length = bb_text_clean(clean, sizeof(clean), text, length);
	place = &reading->texts[generation->text_places[index]];

	shared = reading->previous ? reading->previous->texts[generation->text_places[index]] : NULL;
	if (shared && strcmp(shared->bytes, clean) == 0)
		shared = text_ref(shared);
	else
		shared = text_create(clean, length);
	if (!shared) {
		bb_reading_set_quality(reading, index, BB_QUALITY_BAD);
		return -ENOMEM;
	}
	text_unref(*place);
	*place = shared;
	reading->qualities[index] = BB_QUALITY_GOOD;
	return 0;
}

void bb_reading_set_quality(struct bb_reading *reading, size_t index, enum bb_quality quality)
{
	assert(quality != BB_QUALITY_GOOD && quality != BB_QUALITY_STALE);
	if (!fits(reading, index, false))
		return;
	if (quality == BB_QUALITY_BAD)
		reading->bad_values++;
	reading->qualities[index] = (uint8_t)quality;
}

struct bb_reading *bb_reading_ref(struct bb_reading *reading)
{
	atomic_fetch_add_explicit(&reading->references, 1, memory_order_relaxed);
	return reading;
}

void bb_reading_unref(struct bb_reading *reading)
{
	if (!reading || atomic_fetch_sub_explicit(&reading->references, 1, memory_order_acq_rel) != 1)
		return;
	reading_finish(reading);
	for (size_t i = 0; i < reading->generation->text_count; i++)
		text_unref(reading->texts[i]);
	generation_unref(reading->generation);
	free(reading);
}

size_t bb_reading_count(const struct bb_reading *reading)
{
	return reading->generation->count;
}

const struct bb_point *bb_reading_point(const struct bb_reading *reading, size_t index)
{
	return reading->generation->points[index];
}

bool bb_reading_is_derived(const struct bb_reading *reading, size_t index)
{
	return index >= reading->generation->delivered;
}

int bb_reading_find(const struct bb_reading *reading, const char *name)
{
	return generation_find(reading->generation, name);
}

const uint32_t *bb_reading_by_name(const struct bb_reading *reading)
{
	return reading->generation->by_name;
}

const int64_t *bb_reading_values(const struct bb_reading *reading)
{
	return reading->values;
}

const uint8_t *bb_reading_qualities(const struct bb_reading *reading)
{
	return reading->qualities;
}

const char *bb_reading_text(const struct bb_reading *reading, size_t index)
{
	const struct generation *generation = reading->generation;
	const struct text *text = NULL;

	if (generation->points[index]->kind == BB_KIND_STRING)
		text = reading->texts[generation->text_places[index]];
	return text ? text->bytes : "";
}

enum bb_group bb_reading_group(const struct bb_reading *reading, size_t index)
{
	return point_group(reading->generation->points[index]);
}

int64_t bb_reading_time(const struct bb_reading *reading, enum bb_group group)
{
	return reading->times[group];
}

uint64_t bb_reading_generation(const struct bb_reading *reading)
{
	return reading->generation->number;
}
