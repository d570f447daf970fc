/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_writer.c - the one thread that writes the journal, and reads it for others.
 *
 * It goes in rounds. A round takes over what the main loop has queued and commits events, facts and positions of
 * cursors in one transaction, up to JOURNAL_BATCH events: the more there is to do, the more share one fdatasync. Then
 * it wakes the cursors and answers them and one piece of another request, so that neither a storm of events nor a long
 * read keeps anybody waiting for long. Samples of the data log are written, and old rows forgotten, when no event
 * waits.
 *
 * What fails is dealt with in journal_trouble.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "journal_data.h"
#include "journal_step.h"
#include "thread.h"

/* ---- taking over ---- */

static bool is_older(int64_t due_ms, int64_t now_ms)
{
	return due_ms != 0 && due_ms <= now_ms;
}

/* When something is to be done because of the time. In trouble nothing is forgotten, so nothing is due for that. */
static int64_t writer_next_due(const struct journal *journal)
{
	const struct writer *writer = &journal->writer;
	const int64_t dues[] = {journal->cursors_due_ms, writer->retry_ms, writer->trouble ? 0 : writer->keep_ms};
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < BB_LENGTH(dues); i++)
		if (dues[i] != 0 && dues[i] < next)
			next = dues[i];
	return next;
}

static bool writer_has_work(const struct journal *journal, int64_t now_ms)
{
	const struct writer *writer = &journal->writer;

	if (journal->stop || journal->queue.first || journal->requests || journal->changes || journal->samples ||
	    journal->cursors_ask || is_older(writer_next_due(journal), now_ms))
		return true;
	/* What did not fit into the last round; in trouble it waits for the next attempt. */
	return writer->recovery || (!writer->trouble && (writer->pending.first || writer->samples || writer->changes));
}

/* With the lock held. */
static void writer_wait(struct journal *journal)
{
	int64_t now_ms = bb_clock_ms();

	while (!writer_has_work(journal, now_ms)) {
		const int64_t due_ms = writer_next_due(journal);
		const struct timespec deadline = thread_deadline(due_ms < now_ms + 60000 ? due_ms - now_ms : 60000);

		(void)pthread_cond_timedwait(&journal->wake, &journal->lock, &deadline); /* either way we look */
		now_ms = bb_clock_ms();
	}
}

/* A later change of the same fact or cursor takes the place of an earlier one. */
static void writer_add_change(struct writer *writer, struct change *change)
{
	struct change **place = &writer->changes;

	for (; *place; place = &(*place)->next)
		if ((*place)->is_cursor == change->is_cursor && strcmp((*place)->key, change->key) == 0) {
			struct change *old = *place;

			change->next = old->next;
			*place = change;
			free(old);
			return;
		}
	change->next = NULL;
	*place = change;
}

static void writer_add_changes(struct writer *writer, struct change *changes)
{
	while (changes) {
		struct change *next = changes->next;

		writer_add_change(writer, changes);
		changes = next;
	}
}

static void writer_add_samples(struct writer *writer, struct sample *samples)
{
	struct sample **last = &writer->samples;

	while (*last)
		last = &(*last)->next;
	*last = samples;
}

/*
 * The next request. It is taken in the same moment as the events: those that come later may be missing from its answer,
 * those that were there before it may not. With the lock held.
 */
static struct journal_request *take_request(struct journal *journal)
{
	struct journal_request *request = journal->requests;

	if (request) {
		journal->requests = request->next;
		if (!journal->requests)
			journal->requests_last = &journal->requests;
	}
	return request;
}

static void writer_take(struct writer *writer)
{
	struct journal *journal = writer->journal;
	struct change *changes, *positions = NULL;
	struct sample *samples;
	struct event_list queue;

	pthread_mutex_lock(&journal->lock);
	writer_wait(journal);
	queue = journal->queue;
	journal->queue = (struct event_list){0};
	changes = journal->changes;
	journal->changes = NULL;
	journal->changes_last = &journal->changes;
	samples = journal->samples;
	journal->samples = NULL;
	journal->samples_last = &journal->samples;
	positions = cursors_collect(journal);
	writer->request = take_request(journal);
	writer->limits = journal->limits;
	writer->stop = journal->stop;
	pthread_mutex_unlock(&journal->lock);

	writer_add_changes(writer, changes);
	writer_add_changes(writer, positions);
	writer_add_samples(writer, samples);
	if (queue.first) {
		writer->newest = queue.last->event.number;
		event_list_join(&writer->pending, &queue);
		journal_step("taken");
	}
}

/* ---- committing ---- */

static int writer_put_changes(struct writer *writer)
{
	int r = 0;

	for (const struct change *change = writer->changes; change && r == 0; change = change->next)
		r = change->is_cursor ? store_put_cursor(writer->store, change->key, change->number)
				      : store_put_fact(writer->store, change->key, change->text);
	return r;
}

/* The first @most that are pending. Returns how many, or a negative errno. */
static int writer_put_events(struct writer *writer, size_t most)
{
	int count = 0, r = 0;

	for (const struct event_copy *copy = writer->pending.first; copy && count < (int)most && r == 0;
	     copy = copy->next, count++)
		r = store_put_event(writer->store, &copy->event);
	return r < 0 ? r : count;
}

/* Those are in the database now. */
static void writer_drop_pending(struct writer *writer, int count)
{
	for (; count > 0; count--) {
		struct event_copy *copy = event_list_take(&writer->pending);

		writer->committed = copy->event.number;
		if (copy == writer->reserved)
			writer->reserved = NULL;
		if (writer->reserved_count > 0)
			writer->reserved_count--;
		free(copy);
	}
	if (writer->durable < writer->committed)
		writer->durable = writer->committed;
}

static void writer_drop_changes(struct writer *writer)
{
	while (writer->changes) {
		struct change *change = writer->changes;

		writer->changes = change->next;
		free(change);
	}
}

int writer_commit(struct writer *writer)
{
	const int64_t started_us = bb_clock_us();
	int r = store_begin(writer->store), count = 0;

	if (r < 0)
		return r;
	journal_step("begun");
	r = writer_put_changes(writer);
	if (r == 0)
		r = count = writer_put_events(writer, JOURNAL_BATCH);
	if (r < 0) {
		store_rollback(writer->store);
		return r;
	}
	journal_step("written");
	r = store_commit(writer->store);
	if (r < 0)
		return r;
	journal_step("committed");
	writer->commits++;
	writer->commit_us = bb_clock_us() - started_us;
	writer_drop_changes(writer);
	if (count == 0)
		return 0;
	writer_drop_pending(writer, count);
	cursors_tell(writer);
	journal_step("told");
	return writer->reserved_count == 0 ? reserve_clear(&writer->reserve) : 0;
}

/* Everything that has to become durable in this round. */
static void writer_keep(struct writer *writer)
{
	int r = 0;

	if (writer->trouble || writer->recovery) {
		writer_endure(writer);
		return;
	}
	r = numbers_extend(&writer->numbers, writer->newest);
	if (r == 0 && (writer->pending.first || writer->changes))
		r = writer_commit(writer);
	if (r < 0)
		writer_failed(writer, r);
}

/* ---- requests, and what can wait ---- */

static void request_answer(struct journal *journal, struct journal_request *request)
{
	bool posted;

	pthread_mutex_lock(&journal->lock);
	posted = journal->setup.loop != NULL;
	if (posted)
		bb_loop_post(journal->setup.loop, &request->task);
	pthread_mutex_unlock(&journal->lock);
	if (!posted)
		request->destroy(request);
}

/* One piece of the request that was taken, which then goes to the end of the line. */
static void writer_serve(struct writer *writer)
{
	struct journal *journal = writer->journal;
	struct journal_request *request = writer->request;

	writer->request = NULL;
	if (!request)
		return;
	if (atomic_load(&request->cancelled) || !request->serve(request, writer)) {
		request_answer(journal, request);
		return;
	}
	pthread_mutex_lock(&journal->lock);
	request->next = NULL;
	*journal->requests_last = request;
	journal->requests_last = &request->next;
	pthread_mutex_unlock(&journal->lock);
}

static bool writer_is_at_leisure(const struct writer *writer)
{
	return !writer->trouble && !writer->recovery && !writer->pending.first;
}

/* How often is looked for what is too old; when there was something, more follows soon, but not at once. */
#define KEEP_EVERY_MS 60000
#define KEEP_AGAIN_MS 200

static void writer_do_the_rest(struct writer *writer, int64_t now_ms)
{
	int r = 0;

	if (!writer_is_at_leisure(writer))
		return;
	if (writer->samples)
		r = writer_put_samples(writer);
	if (r == 0 && is_older(writer->keep_ms, now_ms)) {
		r = writer_forget(writer, bb_clock_wall_ms());
		writer->keep_ms = now_ms + (r > 0 ? KEEP_AGAIN_MS : KEEP_EVERY_MS);
	}
	if (r < 0)
		writer_failed(writer, r);
}

static int64_t file_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

static void writer_report(struct writer *writer)
{
	struct journal *journal = writer->journal;
	struct journal_status *status = &journal->status;
	char log_path[sizeof(writer->path) + 8];
	int64_t bytes = file_bytes(writer->path);

	(void)snprintf(log_path, sizeof(log_path), "%s-wal", writer->path);
	bytes += file_bytes(log_path);
	pthread_mutex_lock(&journal->lock);
	if (writer->store) {
		status->oldest = writer->store->committed.oldest;
		status->events = writer->store->committed.events;
		status->samples = writer->store->committed.samples;
	}
	status->durable = writer->durable;
	status->pending = writer->pending.count;
	status->lost = writer->lost;
	status->samples_lost = writer->samples_lost;
	status->commits = writer->commits;
	status->commit_us = writer->commit_us;
	status->reserve_bytes = (int64_t)writer->reserve.used;
	status->database_bytes = bytes;
	pthread_mutex_unlock(&journal->lock);
}

/* One attempt at the end is enough: what the disk does not take then is in the reserve, or lost with us. */
static bool writer_is_done(const struct writer *writer)
{
	return writer->stop && (writer->trouble || writer->recovery || (!writer->pending.first && !writer->changes));
}

void *writer_run(void *argument)
{
	struct journal *journal = argument;
	struct writer *writer = &journal->writer;

	thread_set_name("bb-journal");
	do {
		writer_take(writer);
		writer_keep(writer);
		cursors_serve(writer);
		writer_serve(writer);
		writer_do_the_rest(writer, bb_clock_ms());
		writer_report(writer);
	} while (!writer_is_done(writer));
	writer_close(writer, !writer->trouble && !writer->recovery);

	pthread_mutex_lock(&journal->lock);
	journal->stopped = true;
	pthread_cond_signal(&journal->ended);
	pthread_mutex_unlock(&journal->lock);
	return NULL;
}
