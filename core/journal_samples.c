/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_samples.c - see journal_samples.h.
 *
 * All values of a device at one moment are one row, which is a tenth of what a row for each value would take. Its bytes
 * are the values one behind the other, seven bits a byte, the lowest first, a set top bit meaning that more follow.
 * Signs are folded in (0, −1, 1, −2 …) and one is added, so that 0 is left for "no value"; JOURNAL_NO_VALUE becomes
 * just that when the addition overflows.
 */
#include "journal_samples.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"

/* Bytes of the longest number. */
#define NUMBER_MAX 10

struct sample *sample_create(const char *device, const char *points, size_t count, int64_t wall_ms)
{
	const size_t device_size = strlen(device) + 1, points_size = strlen(points) + 1;
	struct sample *sample = malloc(sizeof(*sample) + count * sizeof(int64_t) + device_size + points_size);
	char *room;

	if (!sample)
		return NULL;
	room = (char *)&sample->values[count];
	*sample = (struct sample){
		.wall_ms = wall_ms,
		.device = memcpy(room, device, device_size),
		.points = memcpy(room + device_size, points, points_size),
		.count = count,
	};
	for (size_t i = 0; i < count; i++)
		sample->values[i] = JOURNAL_NO_VALUE;
	return sample;
}

/* ---- coding ---- */

size_t sample_encode(const int64_t *values, size_t count, unsigned char *buffer)
{
	unsigned char *at = buffer;

	for (size_t i = 0; i < count; i++) {
		uint64_t folded = (((uint64_t)values[i] << 1) ^ (values[i] < 0 ? UINT64_MAX : 0)) + 1;

		for (; folded > 0x7f; folded >>= 7)
			*at++ = (unsigned char)(folded | 0x80);
		*at++ = (unsigned char)folded;
	}
	return (size_t)(at - buffer);
}

size_t sample_decode(const unsigned char *bytes, size_t size, int64_t *values, size_t most)
{
	const unsigned char *at = bytes, *end = bytes + size;
	size_t count = 0;

	while (at < end && count < most) {
		uint64_t folded = 0;
		unsigned shift = 0;

		for (; at < end && (*at & 0x80) && shift < 63; at++, shift += 7)
			folded |= (uint64_t)(*at & 0x7f) << shift;
		if (at == end)
			break; /* cut in the middle of a number */
		folded |= (uint64_t)*at++ << shift;
		folded--;
		values[count++] = (int64_t)((folded >> 1) ^ (0 - (folded & 1)));
	}
	return count;
}

/* ---- rows ---- */

static int find_layout(struct store *store, const struct sample *sample, int64_t *ret_id)
{
	struct sqlite3_stmt *statement = store->statements[STORE_FIND_LAYOUT];
	int r;

	sqlite3_bind_text(statement, 1, sample->device, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 2, sample->points, -1, SQLITE_TRANSIENT);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_id = sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (r == SQLITE_ROW || r != SQLITE_DONE)
		return store_error(store->database, r);

	statement = store->statements[STORE_PUT_LAYOUT];
	sqlite3_bind_text(statement, 1, sample->device, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 2, sample->points, -1, SQLITE_TRANSIENT);
	r = store_run(store, STORE_PUT_LAYOUT);
	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(store->database);
	return r;
}

int store_put_sample(struct store *store, const struct sample *sample)
{
	struct sqlite3_stmt *statement = store->statements[STORE_PUT_SAMPLE];
	unsigned char bytes[SAMPLE_VALUES_MAX * NUMBER_MAX];
	const size_t count = sample->count < SAMPLE_VALUES_MAX ? sample->count : SAMPLE_VALUES_MAX;
	int64_t layout = 0;
	int r = find_layout(store, sample, &layout);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, layout);
	sqlite3_bind_int64(statement, 2, sample->wall_ms);
	sqlite3_bind_blob(statement, 3, bytes, (int)sample_encode(sample->values, count, bytes), SQLITE_TRANSIENT);
	r = store_run(store, STORE_PUT_SAMPLE);
	if (r == 0)
		store->counts.samples += (uint64_t)sqlite3_changes(store->database);
	return r;
}

int store_next_layout(struct store *store, int64_t *id,
		      void (*each)(void *context, const char *device, const char *points), void *context)
{
	struct sqlite3_stmt *statement = store->statements[STORE_EACH_LAYOUT];
	int r;

	sqlite3_bind_int64(statement, 1, *id);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW) {
		const char *device = (const char *)sqlite3_column_text(statement, 1);
		const char *points = (const char *)sqlite3_column_text(statement, 2);

		*id = sqlite3_column_int64(statement, 0);
		if (each)
			each(context, device ? device : "", points ? points : "");
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return r == SQLITE_ROW ? 1 : store_error(store->database, r);
}

/* The samples of one row; returns how many values. */
static size_t row_decode(struct sqlite3_stmt *statement, int column, int64_t *values)
{
	const unsigned char *bytes = sqlite3_column_blob(statement, column);

	return bytes ? sample_decode(bytes, (size_t)sqlite3_column_bytes(statement, column), values, SAMPLE_VALUES_MAX)
		     : 0;
}

int store_read_samples(struct store *store, int64_t layout, int64_t since_wall_ms, int64_t until_wall_ms, size_t most,
		       void (*each)(void *context, int64_t wall_ms, const int64_t *values, size_t count), void *context)
{
	struct sqlite3_stmt *statement = store->statements[STORE_READ_SAMPLES];
	int64_t values[SAMPLE_VALUES_MAX];
	int r, count = 0;

	sqlite3_bind_int64(statement, 1, layout);
	sqlite3_bind_int64(statement, 2, since_wall_ms);
	sqlite3_bind_int64(statement, 3, until_wall_ms);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)most);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		each(context, sqlite3_column_int64(statement, 0), values, row_decode(statement, 1, values));
		count++;
	}
	r = store_error(store->database, r);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return r < 0 ? r : count;
}

int store_check_samples(struct store *store, int64_t *layout, int64_t *wall_ms, size_t most)
{
	struct sqlite3_stmt *statement = store->statements[STORE_CHECK_SAMPLES];
	int64_t values[SAMPLE_VALUES_MAX];
	int r, count = 0;

	sqlite3_bind_int64(statement, 1, *layout);
	sqlite3_bind_int64(statement, 2, *wall_ms);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)most);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		*layout = sqlite3_column_int64(statement, 0);
		*wall_ms = sqlite3_column_int64(statement, 1);
		(void)row_decode(statement, 2, values); /* that it can be read is all that matters */
		count++;
	}
	r = store_error(store->database, r);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return r < 0 ? r : count;
}

int store_drop_samples(struct store *store, int64_t layout, int64_t before_wall_ms, size_t most)
{
	struct sqlite3_stmt *statement = store->statements[STORE_DROP_SAMPLES];
	uint64_t dropped;
	int r;

	sqlite3_bind_int64(statement, 1, layout);
	sqlite3_bind_int64(statement, 2, before_wall_ms);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)most);
	r = store_run(store, STORE_DROP_SAMPLES);
	if (r < 0)
		return r;
	dropped = (uint64_t)sqlite3_changes(store->database);
	store->counts.samples -= dropped < store->counts.samples ? dropped : store->counts.samples;
	return (int)dropped;
}
