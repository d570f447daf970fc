/* SPDX-License-Identifier: Apache-2.0
 *
 * events.h - the last 10,000 events, in memory, and who is told of new ones.
 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include <stddef.h>

#include <busbar/event.h>
#include <busbar/loop.h>

#define EVENTS_KEPT 10000

/**
 * Start taking events: bb_event_emit() posts to @main_loop from now on. The first event gets @first_number, which comes
 * from the journal, or a larger one when this process has used that already. One per process.
 */
int events_start(struct bb_loop *main_loop, uint64_t first_number);

/** Stop and free; events emitted later are dropped. */
void events_stop(void);

struct event_subscriber {
	void (*event)(void *context, const struct bb_event *event); /* on the main loop, in order of number */
	void *context;
	struct event_subscriber *next; /* events.c's */
};

/** Tell @subscriber (owned by the caller) of each event from now on, until unsubscribed. Thread: main loop. */
void events_subscribe(struct event_subscriber *subscriber);
void events_unsubscribe(struct event_subscriber *subscriber);

/**
 * The kept event with the smallest number above @after, or NULL. Lives until the next event. Thread: main loop.
 */
const struct bb_event *events_next(uint64_t after);

/**
 * As bb_event_emit(), on the main loop only: the event has its number when this returns, and subscribers are told
 * before, unless this is called by one of them. Returns the number; 0 when nothing was kept, for lack of memory or
 * because events are not taken.
 */
uint64_t events_emit(const struct bb_event *event);

/**
 * From here on until events_release() events are numbered and kept, but nobody is told, so that nobody can cause
 * others: the first of them has the number events_newest() + 1, and so on. Thread: main loop.
 */
void events_hold(void);
void events_release(void);

/** Of the kernel, to tell restarts of the machine apart; "" before events_start(). Thread: main loop. */
const char *events_boot_id(void);

/** Number of the newest event, 0: none yet. Thread: main loop. */
uint64_t events_newest(void);

#endif
