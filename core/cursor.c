/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.c - busbar/journal.h: durable events for exporters that owe them to somebody.
 *
 * A cursor is two numbers: up to where it has been fetched, and up to where it was delivered. The second is kept in the
 * database, with the next commit or within a second. Reading is done by the writer between commits; what it has read
 * goes to the cursor's loop as a task, and so does the call of ready().
 *
 * When the database cannot be read, a cursor is fed from memory. If that leaves out events which are in the database,
 * the cursor goes back to them when it can be read again: its receiver then gets some events twice, which it can tell
 * by their numbers, but none is missing.
 *
 * What is awkward: a cursor is closed by its loop while the writer may be reading for it, or while a task of it is on
 * its way to the loop, and the loop may be gone soon. Everything about that is under the journal's lock: once a cursor
 * is closed nothing is posted any more, and whoever is the last to have it in hand frees it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "cursor.h"

/* A position is written at the latest this long after it has changed. */
#define WRITE_WITHIN_MS 1000

/* Most events of one fetch: others wait meanwhile. */
#define FETCH_MOST 1000

/* ---- tasks on the cursor's loop ---- */

bool cursor_let_go(struct bb_cursor *cursor)
{
	const bool closed = cursor->closed;

	if (closed && !cursor->reading && cursor->posted == 0) {
		event_list_clear(&cursor->result);
		free(cursor);
	}
	return closed;
}

void cursor_post(struct bb_cursor *cursor, struct bb_task *task)
{
	cursor->posted++;
	bb_loop_post(cursor->loop, task);
}

void cursor_post_ready(struct bb_cursor *cursor)
{
	cursor->usable = true;
	if (!cursor->ready_posted) {
		cursor->ready_posted = true;
		cursor_post(cursor, &cursor->ready_task);
	}
}

static void ready_arrived(struct bb_task *task)
{
	struct bb_cursor *cursor = BB_CONTAINER(task, struct bb_cursor, ready_task);
	struct journal *journal = journal_get();
	bool closed;

	pthread_mutex_lock(&journal->lock);
	cursor->posted--;
	cursor->ready_posted = false;
	closed = cursor_let_go(cursor);
	pthread_mutex_unlock(&journal->lock);
	if (!closed)
		cursor->ready(cursor->context);
}

/* With the lock held. */
static void cursor_ask(struct journal *journal, struct bb_cursor *cursor)
{
	cursor->asked = true;
	cursor->asked_turn = cursor->turn;
	if (journal->open) {
		journal->cursors_ask = true;
		pthread_cond_signal(&journal->wake);
	}
}

static void take_arrived(struct bb_task *task)
{
	struct bb_cursor *cursor = BB_CONTAINER(task, struct bb_cursor, take_task);
	struct journal *journal = journal_get();
	struct event_list result = {0};
	struct bb_event *events = NULL;
	bool deliver = false, outdated;

	pthread_mutex_lock(&journal->lock);
	cursor->posted--;
	if (!cursor_let_go(cursor)) {
		event_list_join(&result, &cursor->result);
		/* ready() may have been called for the news before this, while who asked was still waiting for it. */
		outdated = cursor->asked_turn != cursor->turn || (result.count == 0 && cursor->news);
		/* Not from where it was rewound to, or no memory to hand it over: read again. */
		deliver = !outdated && event_list_array(&result, &events) == 0;
		if (deliver) {
			cursor->wanted = false;
			if (result.last)
				cursor->fetched = result.last->event.number;
		} else {
			cursor_ask(journal, cursor);
		}
	}
	pthread_mutex_unlock(&journal->lock);
	if (deliver)
		cursor->take(cursor->take_context, events, result.count);
	free(events);
	event_list_clear(&result);
}

/* ---- what exporters call ---- */

static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= CURSOR_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789:._-") == length;
}

int bb_cursor_open(const char *name, struct bb_loop *loop, void (*ready)(void *context), void *context,
		   struct bb_cursor **ret_cursor)
{
	struct journal *journal = journal_get();
	struct bb_cursor *cursor;
	int r = 0;

	if (!is_name(name))
		return -EINVAL;
	cursor = calloc(1, sizeof(*cursor));
	if (!cursor)
		return -ENOMEM;
	memcpy(cursor->name, name, strlen(name) + 1);
	cursor->loop = loop;
	cursor->ready = ready;
	cursor->context = context;
	cursor->ready_task.run = ready_arrived;
	cursor->take_task.run = take_arrived;
	pthread_mutex_lock(&journal->lock);
	for (const struct bb_cursor *other = journal->cursors; other; other = other->next)
		if (strcmp(other->name, name) == 0)
			r = -EBUSY;
	if (!journal->open)
		r = -ENXIO;
	if (r == 0) {
		cursor->next = journal->cursors;
		journal->cursors = cursor;
		journal->cursors_ask = true;
		pthread_cond_signal(&journal->wake);
	}
	pthread_mutex_unlock(&journal->lock);
	if (r < 0) {
		free(cursor);
		return r;
	}
	*ret_cursor = cursor;
	return 0;
}

void bb_cursor_close(struct bb_cursor *cursor)
{
	struct journal *journal = journal_get();
	struct change *position;

	if (!cursor)
		return;
	position = change_create(cursor->name, NULL, true, 0);
	pthread_mutex_lock(&journal->lock);
	for (struct bb_cursor **place = &journal->cursors; *place; place = &(*place)->next)
		if (*place == cursor) {
			*place = cursor->next;
			break;
		}
	if (position && journal->open && cursor->found && cursor->delivered != cursor->stored) {
		position->number = cursor->delivered;
		journal_queue_change(journal, position);
		position = NULL;
	}
	cursor->closed = true;
	(void)cursor_let_go(cursor); /* it is closed, by us */
	pthread_mutex_unlock(&journal->lock);
	free(position);
}

int bb_cursor_fetch(struct bb_cursor *cursor, size_t most,
		    void (*take)(void *context, const struct bb_event *events, size_t count), void *context)
{
	struct journal *journal = journal_get();
	int r = 0;

	pthread_mutex_lock(&journal->lock);
	if (!journal->open) {
		r = -ENXIO;
	} else if (cursor->wanted) {
		r = -EBUSY;
	} else {
		cursor->wanted = true;
		cursor->most = most == 0 || most > FETCH_MOST ? FETCH_MOST : most;
		cursor->take = take;
		cursor->take_context = context;
		cursor_ask(journal, cursor);
	}
	pthread_mutex_unlock(&journal->lock);
	return r;
}

void bb_cursor_delivered(struct bb_cursor *cursor, uint64_t number)
{
	struct journal *journal = journal_get();

	pthread_mutex_lock(&journal->lock);
	if (number > cursor->delivered && number <= cursor->fetched) {
		cursor->delivered = number;
		if (journal->cursors_due_ms == 0) {
			journal->cursors_due_ms = bb_clock_ms() + WRITE_WITHIN_MS;
			pthread_cond_signal(&journal->wake);
		}
	}
	pthread_mutex_unlock(&journal->lock);
}

void bb_cursor_rewind(struct bb_cursor *cursor)
{
	struct journal *journal = journal_get();

	pthread_mutex_lock(&journal->lock);
	cursor->fetched = cursor->delivered;
	cursor->turn++;
	pthread_mutex_unlock(&journal->lock);
}

/* With the lock held. */
static uint64_t cursor_backlog(const struct journal *journal, const struct bb_cursor *cursor)
{
	const struct journal_status *status = &journal->status;
	const uint64_t newest = journal->queue.last ? journal->queue.last->event.number : status->newest;
	const uint64_t kept = status->events + status->pending + journal->queue.count;
	const uint64_t behind = newest > cursor->delivered ? newest - cursor->delivered : 0;

	/* Numbers are left out after a crash, so there may be fewer events than numbers. */
	return behind < kept ? behind : kept;
}

uint64_t bb_cursor_backlog(const struct bb_cursor *cursor)
{
	struct journal *journal = journal_get();
	uint64_t backlog;

	pthread_mutex_lock(&journal->lock);
	backlog = cursor_backlog(journal, cursor);
	pthread_mutex_unlock(&journal->lock);
	return backlog;
}

void journal_each_cursor(void (*each)(void *context, const char *name, uint64_t delivered, uint64_t backlog),
			 void *context)
{
	struct journal *journal = journal_get();

	pthread_mutex_lock(&journal->lock);
	for (const struct bb_cursor *cursor = journal->cursors; cursor; cursor = cursor->next)
		if (!cursor->closed)
			each(context, cursor->name, cursor->delivered, cursor_backlog(journal, cursor));
	pthread_mutex_unlock(&journal->lock);
}
