/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_trouble.c - what the writer does when the disk does not.
 *
 * In trouble, events stay in memory, and as many as have room are written to the reserve file, which counts as durable:
 * the next start reads it. Cursors are fed from memory, the alarm journal-trouble is active, and from time to time
 * everything is tried again, which begins with opening what is not open. When the reserve is full and too many events
 * wait in memory, the oldest of those that are only there are dropped; an event of kind journal-gap says which.
 *
 * A damaged database is another matter: it will not mend by itself. It is copied as far as it can be read, a few rows a
 * round, and replaced by the copy (journal_recover.c). Until then the writer is in trouble in the sense above.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>

#include "journal_data.h"
#include "log.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS  30000

/* ---- saying so ---- */

static void tell_lost(struct writer *writer)
{
	if (writer->lost_to == 0)
		return;
	journal_note(writer->journal, NOTE_GAP, BB_SEVERITY_ALARM,
		     "events %" PRIu64 " to %" PRIu64 " are lost: there was no room for them on disk or in memory",
		     writer->lost_from, writer->lost_to);
	writer->lost_from = writer->lost_to = 0;
}

static void tell_recovered(struct writer *writer, const struct recovered *recovered)
{
	char missing[96] = "";

	if (recovered->to == UINT64_MAX)
		(void)snprintf(missing, sizeof(missing), "; those after number %" PRIu64 " are lost", recovered->from);
	else if (recovered->to != 0)
		(void)snprintf(missing, sizeof(missing), "; those between numbers %" PRIu64 " and %" PRIu64 " are lost",
			       recovered->from, recovered->to);
	journal_note(writer->journal, NOTE_GAP, BB_SEVERITY_ALARM,
		     "the journal was damaged: %" PRIu64 " events and %" PRIu64
		     " samples could be read and were kept%s; the damaged one is %s",
		     recovered->events, recovered->samples, missing, recovered->aside);
}

/* Some errors mean more here than what the system calls them. */
static const char *trouble_text(int error)
{
	switch (error) {
	case -EPROTO:
		return "a newer version of busbar has made it";
	case -EUCLEAN:
		return "it is damaged, and copied as far as it can be read";
	case -EBUSY:
		return "another agent uses it";
	default:
		return strerror(-error);
	}
}

void writer_enter_trouble(struct writer *writer, int error, const char *what)
{
	if (!writer->trouble)
		writer->backoff.failures = 0;
	writer->retry_ms = bb_clock_ms() + bb_backoff_next(&writer->backoff, RETRY_FIRST_MS, RETRY_MOST_MS);
	if (writer->trouble && writer->error == error)
		return;
	writer->trouble = true;
	writer->error = error;
	journal_note(writer->journal, NOTE_TROUBLE, BB_SEVERITY_ALARM, "%s: %s: %s; events are kept in memory%s",
		     writer->state_dir, what, trouble_text(error),
		     writer->reserve.fd >= 0 ? " and in the reserve file" : "");
}

/* ---- damage ---- */

void writer_begin_recovery(struct writer *writer)
{
	int r;

	store_close(writer->store);
	writer->store = NULL;
	(void)bb_log_error(NULL, 0, "%s: the journal is damaged, reading what can be read", writer->state_dir);
	r = recovery_begin(writer->state_dir, &writer->recovery);
	writer_enter_trouble(writer, r < 0 ? r : -EUCLEAN,
			     r < 0 ? "cannot recover the journal" : "cannot go on with the journal");
}

/* One piece; at the end the writer tries everything again at once. */
static void writer_recover(struct writer *writer)
{
	struct recovered recovered;
	int r = recovery_step(writer->recovery);

	if (r > 0)
		return;
	if (r == 0) {
		r = recovery_finish(writer->recovery, &recovered);
		if (r == 0)
			tell_recovered(writer, &recovered);
	} else {
		recovery_cancel(writer->recovery);
	}
	writer->recovery = NULL;
	if (r < 0)
		writer_enter_trouble(writer, r, "cannot recover the journal");
	else
		writer->retry_ms = 0; /* now */
}

void writer_failed(struct writer *writer, int error)
{
	if (error == -EUCLEAN) {
		writer_begin_recovery(writer);
	} else {
		/* After a failed write nobody knows what SQLite and the kernel have in their caches: read it anew. */
		if (error != -ENOSPC) {
			store_close(writer->store);
			writer->store = NULL;
		}
		writer_enter_trouble(writer, error, "cannot keep events on disk");
	}
	writer_endure(writer);
}

/* ---- enduring ---- */

static void writer_fill_reserve(struct writer *writer)
{
	struct event_copy *copy = writer->reserved ? writer->reserved->next : writer->pending.first;
	struct event_copy *last = NULL;
	size_t count = 0;
	int r = 0;

	if (writer->reserve.full)
		return;
	for (; copy && r == 0; copy = copy->next) {
		r = reserve_put(&writer->reserve, &copy->event);
		if (r == 0) {
			last = copy;
			count++;
		}
	}
	/* Behind one that found no room none is put, or the reserve would have a hole. */
	writer->reserve.full = r < 0;
	if (!last)
		return;
	if (reserve_sync(&writer->reserve) < 0) {
		writer->reserve.full = true;
		return;
	}
	writer->reserved = last;
	writer->reserved_count += count;
	if (writer->durable < last->event.number)
		writer->durable = last->event.number;
}

/* Behind those in the reserve, so that what is lost is one range. */
static void writer_limit_memory(struct writer *writer)
{
	while (writer->pending.count > writer->reserved_count + JOURNAL_PENDING_MAX) {
		struct event_copy **place = writer->reserved ? &writer->reserved->next : &writer->pending.first;
		struct event_copy *copy = *place;

		*place = copy->next;
		writer->pending.count--;
		if (writer->lost_from == 0)
			writer->lost_from = copy->event.number;
		writer->lost_to = copy->event.number;
		writer->lost++;
		free(copy);
	}
}

static void drop_samples(struct writer *writer)
{
	while (writer->samples) {
		struct sample *sample = writer->samples;

		writer->samples = sample->next;
		writer->samples_lost++;
		free(sample);
	}
}

static void writer_relieved(struct writer *writer)
{
	writer->trouble = false;
	writer->error = 0;
	writer->retry_ms = 0;
	journal_note(writer->journal, NOTE_WELL, BB_SEVERITY_INFO, "events are kept on disk again");
	tell_lost(writer);
}

void writer_endure(struct writer *writer)
{
	const int64_t now_ms = bb_clock_ms();
	int r;

	writer_fill_reserve(writer);
	writer_limit_memory(writer);
	drop_samples(writer);
	if (writer->pending.last && writer->pending.last->event.number != writer->told) {
		writer->told = writer->pending.last->event.number;
		cursors_tell(writer);
	}
	if (writer->recovery)
		writer_recover(writer);
	if (writer->recovery)
		return;
	if (writer->retry_ms > now_ms && !writer->stop)
		return;
	r = writer_open_files(writer);
	if (r == 0)
		r = numbers_write(&writer->numbers, writer->newest + 1 + NUMBERS_STEP, false);
	if (r == 0)
		r = writer_commit(writer);
	if (r == -EUCLEAN)
		writer_begin_recovery(writer);
	else if (r < 0)
		writer_enter_trouble(writer, r, "cannot keep events on disk");
	else
		writer_relieved(writer);
}
