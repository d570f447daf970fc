/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_files.c - the files in the state folder: opening them, at the start or when they can be opened at last, and
 * with which number events go on.
 *
 *	journal.db       the database, with journal.db-wal beside it
 *	journal.next     which numbers may have been used (journal_numbers.c)
 *	journal.reserve  room for events when the disk is full (journal_reserve.c)
 *
 * Where journal.next knows, events go on with what it says. When it is lost but the database is not, a step is left
 * out. When neither can be read, or nothing can be noted, numbers begin at the milliseconds since 1970: larger than any
 * number that counting could have reached, and than any that was made this way before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "journal_data.h"
#include "log.h"

/* ---- opening ---- */

/* Two agents in one folder would give the same numbers twice; the lock ends with the process. */
static int open_folder(struct writer *writer)
{
	const int folder = open(writer->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (folder < 0)
		return -errno;
	if (flock(folder, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (r < 0)
		close(folder);
	else
		writer->folder = folder;
	return r;
}

/* Events of an earlier life come before what is pending. A reserve that cannot be used is no reason to stop here. */
static void open_reserve(struct writer *writer)
{
	struct event_list found = {0};
	const int r = reserve_open(&writer->reserve, writer->folder, writer->limits.reserve_size, &found);

	if (r < 0)
		(void)bb_log_warning(NULL, r, "%s: the reserve of the journal is smaller than it should be",
				     writer->state_dir);
	if (!found.first)
		return;
	writer->reserved = found.last;
	writer->reserved_count = found.count;
	event_list_join(&found, &writer->pending);
	writer->pending = found;
}

static int open_store(struct writer *writer)
{
	int r = recovery_resume(writer->state_dir);

	if (r == 0)
		r = store_open(writer->path, &writer->store);
	if (r == 0 && fsync(writer->folder) < 0) /* the name of a new database must last */
		r = -errno;
	if (r < 0) {
		store_close(writer->store);
		writer->store = NULL;
		return r;
	}
	/* An empty database where there were events: whoever begins to read shall know. */
	if (writer->store->counts.oldest == 0 && writer->store->counts.dropped_to + 1 < writer->first)
		writer->store->counts.dropped_to = writer->first - 1;
	writer->committed = writer->store->counts.newest;
	if (writer->durable < writer->committed)
		writer->durable = writer->committed;
	return 0;
}

int writer_open_files(struct writer *writer)
{
	int r = 0;

	if (writer->folder < 0)
		r = open_folder(writer);
	if (r == 0 && writer->numbers.fd < 0)
		r = numbers_open(&writer->numbers, writer->folder, &writer->found);
	if (r == 0 && writer->reserve.fd < 0)
		open_reserve(writer);
	if (r == 0 && !writer->store)
		r = open_store(writer);
	return r;
}

/* ---- numbers ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The largest number that is still there. */
static uint64_t writer_last_number(const struct writer *writer)
{
	const uint64_t stored = writer->store ? writer->store->counts.newest : 0;

	return writer->pending.last ? larger(stored, writer->pending.last->event.number) : stored;
}

static uint64_t writer_first_number(const struct writer *writer)
{
	const uint64_t last = writer_last_number(writer);

	if (writer->found.next != 0)
		return larger(writer->found.next, last + 1);
	if (!writer->store)
		return larger((uint64_t)bb_clock_wall_ms(), last + 1);
	return last == 0 ? 1 : last + 1 + NUMBERS_STEP;
}

/* What is missing between the last event that is there and the first that will be. */
static void tell_missing(struct writer *writer)
{
	const uint64_t last = writer_last_number(writer);

	if (!writer->store || writer->found.next == 0 || last + 1 == writer->first)
		return;
	if (writer->found.clean)
		journal_note(writer->journal, NOTE_GAP, BB_SEVERITY_ALARM,
			     "events %" PRIu64 " to %" PRIu64 " are lost: the journal does not have them any more",
			     last + 1, writer->first - 1);
	else
		journal_note(writer->journal, NOTE_GAP, BB_SEVERITY_INFO,
			     "the agent did not end in order: event numbers %" PRIu64 " to %" PRIu64
			     " were not used, or their events were not on disk yet",
			     last + 1, writer->first - 1);
}

void writer_open(struct writer *writer, uint64_t *ret_first_number)
{
	int r = writer_open_files(writer);

	if (r == -EUCLEAN)
		writer_begin_recovery(writer);
	else if (r < 0)
		writer_enter_trouble(writer, r, "cannot open the journal");
	writer->first = writer_first_number(writer);
	r = writer->numbers.fd >= 0 ? numbers_write(&writer->numbers, writer->first + NUMBERS_STEP, false) : 0;
	if (r < 0) {
		writer_enter_trouble(writer, r, "cannot reserve event numbers");
		writer->first = larger(writer->first, (uint64_t)bb_clock_wall_ms());
	}
	tell_missing(writer);
	if (writer->store && writer->store->counts.oldest == 0)
		writer->store->counts.dropped_to = writer->first - 1;
	writer->newest = writer->first - 1;
	if (writer->pending.last && writer->durable < writer->pending.last->event.number)
		writer->durable = writer->pending.last->event.number; /* the reserve has it */
	*ret_first_number = writer->first;
}

/* ---- closing ---- */

static void free_changes(struct change *changes)
{
	while (changes) {
		struct change *next = changes->next;

		free(changes);
		changes = next;
	}
}

static void free_samples(struct sample *samples)
{
	while (samples) {
		struct sample *next = samples->next;

		free(samples);
		samples = next;
	}
}

void writer_close(struct writer *writer, bool clean)
{
	recovery_cancel(writer->recovery);
	writer->recovery = NULL;
	store_close(writer->store);
	writer->store = NULL;
	if (clean && writer->numbers.fd >= 0)
		(void)numbers_write(&writer->numbers, writer->newest + 1, true); /* else a step is left out, no more */
	numbers_close(&writer->numbers);
	reserve_close(&writer->reserve);
	if (writer->folder >= 0)
		close(writer->folder);
	writer->folder = -1;
	event_list_clear(&writer->pending);
	free_changes(writer->changes);
	writer->changes = NULL;
	free_samples(writer->samples);
	writer->samples = NULL;
}
