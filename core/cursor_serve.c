/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor_serve.c - what the journal's writer does for cursors: finds their positions, reads for them, wakes them.
 * See cursor.c for the whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <busbar/clock.h>

#include "cursor.h"

struct change *cursors_collect(struct journal *journal)
{
	struct change *changes = NULL;

	for (struct bb_cursor *cursor = journal->cursors; cursor; cursor = cursor->next) {
		struct change *change;

		if (!cursor->found || cursor->delivered == cursor->stored)
			continue;
		change = change_create(cursor->name, NULL, true, cursor->delivered);
		if (!change)
			continue; /* another time */
		change->next = changes;
		changes = change;
		cursor->stored = cursor->delivered;
	}
	journal->cursors_due_ms = 0;
	return changes;
}

void cursors_tell(struct writer *writer)
{
	struct journal *journal = writer->journal;

	pthread_mutex_lock(&journal->lock);
	for (struct bb_cursor *cursor = journal->cursors; cursor; cursor = cursor->next)
		if (cursor->usable) {
			cursor->news = true;
			cursor_post_ready(cursor);
		}
	pthread_mutex_unlock(&journal->lock);
}

size_t cursors_count(const struct journal *journal)
{
	size_t count = 0;

	for (const struct bb_cursor *cursor = journal->cursors; cursor; cursor = cursor->next)
		count++;
	return count;
}

/* Look up where a cursor stands; one that is not known begins before everything. 0 or a negative errno. */
static int find_position(struct writer *writer, const char *name, uint64_t *ret_number)
{
	int r = -ENOENT;

	/* A change that was not committed yet is newer than what the database says. */
	for (const struct change *change = writer->changes; change; change = change->next)
		if (change->is_cursor && strcmp(change->key, name) == 0) {
			*ret_number = change->number;
			return 0;
		}
	if (writer->store)
		r = store_get_cursor(writer->store, name, ret_number);
	if (r == -ENOENT && writer->store) {
		*ret_number = 0;
		r = 0;
	}
	return r;
}

/* With the lock held. */
static void cursor_place(struct bb_cursor *cursor, uint64_t number)
{
	cursor->found = true;
	cursor->stored = number;
	if (number < cursor->resume)
		number = cursor->resume;
	if (cursor->fetched > number)
		cursor->turn++;
	cursor->fetched = cursor->delivered = number;
	cursor_post_ready(cursor);
}

/* What cannot be looked up now begins in memory, and goes back later. */
static void cursor_find(struct writer *writer, struct bb_cursor *cursor)
{
	struct journal *journal = writer->journal;
	uint64_t number = 0;
	int r = find_position(writer, cursor->name, &number);

	pthread_mutex_lock(&journal->lock);
	cursor->reading = false;
	if (!cursor_let_go(cursor)) {
		if (r == 0)
			cursor_place(cursor, number);
		else if (!cursor->usable)
			cursor_post_ready(cursor);
	}
	pthread_mutex_unlock(&journal->lock);
	if (r < 0 && r != -ENOENT)
		writer_failed(writer, r);
}

/* What is read for a cursor. */
struct collection {
	struct event_list list;
	bool cut; /* one found no memory: nothing is put behind it, the next fetch goes on there */
};

static void collect(void *context, const struct bb_event *event)
{
	struct collection *collection = context;
	struct event_copy *copy = collection->cut ? NULL : event_copy_create(event);

	if (copy)
		event_list_append(&collection->list, copy);
	else
		collection->cut = true;
}

/* What is kept no more, as an event that stands for the last of it. */
static void collect_gap(struct collection *collection, uint64_t after, uint64_t to)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "events %" PRIu64 " to %" PRIu64 " are not kept any more", after + 1, to);
	collect(collection, &(struct bb_event){
				    .number = to,
				    .kind = BB_EVENT_JOURNAL_GAP,
				    .severity = BB_SEVERITY_WARNING,
				    .text = text,
				    .wall_ms = bb_clock_wall_ms(),
			    });
}

/* Returns false when events that are in the database had to be left out. */
static bool read_for(struct writer *writer, uint64_t after, size_t most, struct collection *collection)
{
	const struct event_list *list = &collection->list;
	const struct store *store = writer->store;
	bool complete = true;
	int r = -ENXIO;

	if (store && after < store->committed.dropped_to) {
		collect_gap(collection, after, store->committed.dropped_to);
		after = store->committed.dropped_to;
	}
	if (store && list->count < most) {
		r = store_read_events(writer->store, after, UINT64_MAX, most - list->count, false, collect, collection);
		if (r < 0)
			writer_failed(writer, r);
	}
	if (list->last)
		after = list->last->event.number;
	if (r < 0)
		complete = after >= writer->committed;
	if (!writer->trouble)
		return true; /* what is pending is not durable */
	for (const struct event_copy *copy = writer->pending.first; copy && list->count < most; copy = copy->next)
		if (copy->event.number > after)
			collect(collection, &copy->event);
	return complete;
}

static void cursor_read(struct writer *writer, struct bb_cursor *cursor, uint64_t after, size_t most)
{
	struct journal *journal = writer->journal;
	struct collection collection = {0};
	const bool complete = read_for(writer, after, most, &collection);

	pthread_mutex_lock(&journal->lock);
	cursor->reading = false;
	if (!cursor_let_go(cursor)) {
		if (!complete && collection.list.first && cursor->found) {
			cursor->found = false;
			cursor->resume = cursor->delivered;
		}
		event_list_join(&cursor->result, &collection.list);
		cursor_post(cursor, &cursor->take_task);
	}
	pthread_mutex_unlock(&journal->lock);
	event_list_clear(&collection.list);
}

/* The next cursor that has something for the writer to do; it is marked as being in its hands. */
static struct bb_cursor *cursor_next(struct writer *writer, uint64_t *ret_after, size_t *ret_most, bool *ret_find)
{
	struct journal *journal = writer->journal;
	struct bb_cursor *cursor;

	pthread_mutex_lock(&journal->lock);
	for (cursor = journal->cursors; cursor; cursor = cursor->next) {
		*ret_find = !cursor->found && (writer->store || !cursor->usable);
		if (*ret_find || cursor->asked)
			break;
	}
	if (cursor) {
		if (!*ret_find)
			cursor->asked = cursor->news = false;
		cursor->reading = true;
		*ret_after = cursor->fetched;
		*ret_most = cursor->most;
	} else {
		journal->cursors_ask = false;
	}
	pthread_mutex_unlock(&journal->lock);
	return cursor;
}

void cursors_serve(struct writer *writer)
{
	struct bb_cursor *cursor;
	size_t most;
	uint64_t after;
	bool find;

	while ((cursor = cursor_next(writer, &after, &most, &find)) != NULL) {
		if (find)
			cursor_find(writer, cursor);
		else
			cursor_read(writer, cursor, after, most);
	}
}
