/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.h - a cursor as its two sides share it: the exporter's (cursor.c) and the writer's (cursor_serve.c).
 */
#ifndef CORE_CURSOR_H
#define CORE_CURSOR_H

#include "journal_data.h"

#define CURSOR_NAME_MAX 64

struct bb_cursor {
	struct bb_cursor *next;
	char name[CURSOR_NAME_MAX + 1];
	struct bb_loop *loop;
	void (*ready)(void *context);
	void *context;

	/* All below under the journal's lock. */
	bool closed;
	bool found;      /* its position has been looked up */
	bool usable;     /* ready() was called, or will be */
	bool reading;    /* in the writer's hands */
	unsigned posted; /* tasks on their way to the loop */
	bool ready_posted;
	uint64_t fetched, delivered, stored;
	uint64_t resume; /* where to go on when the database can be read again; below it nothing is owed */
	unsigned turn;   /* changes with every rewind: what was read before is not wanted then */

	/* The fetch under way. */
	bool wanted; /* somebody waits for take() */
	bool asked;  /* the writer has to read */
	bool news;   /* something was committed since the writer began to read: an empty result is out of date */
	size_t most;
	void (*take)(void *context, const struct bb_event *events, size_t count);
	void *take_context;
	unsigned asked_turn;
	struct event_list result;
	struct bb_task ready_task, take_task;
};

/* All with the journal's lock held. */

/** Free a closed cursor that nobody has in hand any more. True when it is closed: then it is not to be used any more. */
bool cursor_let_go(struct bb_cursor *cursor);

/** Post a task of the cursor, which counts as having it in hand. */
void cursor_post(struct bb_cursor *cursor, struct bb_task *task);

/** Call ready(), unless that is under way. */
void cursor_post_ready(struct bb_cursor *cursor);

#endif
