/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_samples.h - the data log: samples of a device's points, in memory and in the database.
 */
#ifndef CORE_JOURNAL_SAMPLES_H
#define CORE_JOURNAL_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "journal_store.h"

/**
 * The values of one device at one moment, in one piece of memory with its texts. @points says what the values are, as
 * "NAME:UNIT:DECIMALS" with blanks in between.
 */
struct sample {
	struct sample *next;
	int64_t wall_ms;
	const char *device;
	const char *points;
	size_t count;
	int64_t values[]; /* JOURNAL_NO_VALUE: none */
};

/** Room for @count values, which are all JOURNAL_NO_VALUE; texts are copied. NULL when memory lacks; for free(). */
struct sample *sample_create(const char *device, const char *points, size_t count, int64_t wall_ms);

/** Keep a sample. */
int store_put_sample(struct store *store, const struct sample *sample);

/**
 * Call @each (may be NULL) for the layout with the smallest id above @id, which then is its. Returns 1, 0 when there is
 * none, or a negative errno.
 */
int store_next_layout(struct store *store, int64_t *id,
		      void (*each)(void *context, const char *device, const char *points), void *context);

/** At most @most samples of a layout from @since_wall_ms to before @until_wall_ms. Returns how many. */
int store_read_samples(struct store *store, int64_t layout, int64_t since_wall_ms, int64_t until_wall_ms, size_t most,
		       void (*each)(void *context, int64_t wall_ms, const int64_t *values, size_t count),
		       void *context);

/** Read @most samples behind @layout and @wall_ms, which then are the last one's. Returns how many. */
int store_check_samples(struct store *store, int64_t *layout, int64_t *wall_ms, size_t most);

/** Forget at most @most samples of a layout from before @before_wall_ms. Returns how many. */
int store_drop_samples(struct store *store, int64_t layout, int64_t before_wall_ms, size_t most);

/** Most values in a sample. */
#define SAMPLE_VALUES_MAX 256

/** Values to bytes: returns how many bytes of @buffer (10 each) were used. Bytes to values: how many of @most. */
size_t sample_encode(const int64_t *values, size_t count, unsigned char *buffer);
size_t sample_decode(const unsigned char *bytes, size_t size, int64_t *values, size_t most);

#endif
