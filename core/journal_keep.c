/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_keep.c - what the writer does when no event waits: it writes samples of the data log, and forgets what is
 * too old. Both go in small transactions, so that an event that comes meanwhile waits for milliseconds only.
 *
 * The data log never takes the room that events need: it is not written while the disk is nearly full.
 */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "journal_data.h"

/* Samples of one transaction. */
#define SAMPLES_AT_ONCE 250

/* Rows that are deleted at once. */
#define FORGET_AT_ONCE 500

/* The data log stops when fewer bytes than this are free. */
#define LEAVE_FREE (32U << 20)

static bool has_room(const struct writer *writer)
{
	struct statvfs status;

	/* When nobody knows, the write itself will tell. */
	return statvfs(writer->state_dir, &status) < 0 || (uint64_t)status.f_bavail * status.f_frsize >= LEAVE_FREE;
}

/* Free the first @count samples. */
static void drop_samples(struct writer *writer, size_t count, uint64_t *lost)
{
	for (; count > 0 && writer->samples; count--) {
		struct sample *sample = writer->samples;

		writer->samples = sample->next;
		*lost += 1;
		free(sample);
	}
}

int writer_put_samples(struct writer *writer)
{
	uint64_t written = 0;
	size_t count = 0;
	int r;

	if (!has_room(writer)) {
		drop_samples(writer, SIZE_MAX, &writer->samples_lost);
		return 0;
	}
	r = store_begin(writer->store);
	for (const struct sample *sample = writer->samples; sample && count < SAMPLES_AT_ONCE && r == 0;
	     sample = sample->next, count++)
		r = store_put_sample(writer->store, sample);
	if (r == 0)
		r = store_commit(writer->store);
	else
		store_rollback(writer->store);
	drop_samples(writer, count, r == 0 ? &written : &writer->samples_lost);
	return r;
}

/* Events: too old, or too many. */
static int forget_events(struct writer *writer, int64_t now_wall_ms)
{
	const struct store_counts *counts = &writer->store->counts;
	const uint64_t surplus =
		counts->events > writer->limits.max_events ? counts->events - writer->limits.max_events : 0;
	const size_t most = surplus > 0 && surplus < FORGET_AT_ONCE ? (size_t)surplus : FORGET_AT_ONCE;

	return store_drop_events(writer->store, now_wall_ms - writer->limits.keep_events_ms, surplus > 0, most);
}

/* Samples of the next layout; 1 until all layouts had their turn and nothing more was found in the last. */
static int forget_samples(struct writer *writer, int64_t now_wall_ms)
{
	int64_t layout = writer->keep_layout;
	int r = store_next_layout(writer->store, &layout, NULL, NULL);

	if (r <= 0) {
		writer->keep_layout = 0;
		return r;
	}
	r = store_drop_samples(writer->store, layout, now_wall_ms - writer->limits.keep_log_ms, FORGET_AT_ONCE);
	if (r >= 0 && r < FORGET_AT_ONCE)
		writer->keep_layout = layout;
	return r < 0 ? r : 1;
}

int writer_forget(struct writer *writer, int64_t now_wall_ms)
{
	int events, samples = 0, r = store_begin(writer->store);

	if (r < 0)
		return r;
	events = forget_events(writer, now_wall_ms);
	if (events >= 0)
		samples = forget_samples(writer, now_wall_ms);
	if (events < 0 || samples < 0) {
		store_rollback(writer->store);
		return events < 0 ? events : samples;
	}
	r = store_commit(writer->store);
	return r < 0 ? r : events > 0 || samples > 0;
}
