/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.h - the core's side of readings: making them.
 */
#ifndef CORE_READING_H
#define CORE_READING_H

#include <stdatomic.h>

#include <busbar/reading.h>

#include "generation.h"

struct text;

/**
 * One piece of memory: this, the values, the texts and the qualities. It may be written until it is published, and
 * only counted afterwards.
 */
struct bb_reading {
	atomic_uint references;
	uint32_t bad_values; /* how many values were marked BAD while it was filled */
	int64_t times[BB_GROUP_COUNT];
	struct generation *generation;
	struct bb_reading *previous; /* while filling: where equal texts are shared from; a reference */
	struct text **texts;
	uint8_t *qualities;
	int64_t values[];
};

/**
 * Begin a reading of @generation as of @now_ms. With BB_GROUP_URGENT the values of all other points come from
 * @previous, when that is of the same generation. Takes no reference to @previous beyond reading_finish().
 * NULL when memory lacks.
 */
struct bb_reading *reading_create(struct generation *generation, struct bb_reading *previous, enum bb_group group,
				  int64_t now_ms);

/** Filling is over. */
void reading_finish(struct bb_reading *reading);

/** A copy of a published reading that may be written again: same values, same times. NULL when memory lacks. */
struct bb_reading *reading_copy(struct bb_reading *reading);

/** Set a value that needs no check; for the core's own points. */
static inline void reading_put(struct bb_reading *reading, size_t index, int64_t value)
{
	reading->values[index] = value;
	reading->qualities[index] = BB_QUALITY_GOOD;
}

/** The newest of the groups' times, 0: none. */
int64_t reading_newest(const struct bb_reading *reading);

#endif
