/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/loop.h - the one kind of event loop: descriptors, timers, and work posted by other threads.
 *
 * Every thread that waits on descriptors runs one of these: the main thread, the SNMP client, exporters
 * that serve sockets. A loop and all that belongs to it is touched by its own thread only; the two calls
 * that any thread may make, bb_loop_post() and bb_loop_stop(), say so.
 */
#ifndef BUSBAR_LOOP_H
#define BUSBAR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct bb_loop;  /* opaque */
struct bb_timer; /* opaque */
struct bb_watch; /* opaque */

/**
 * Work that is given to a loop. Embed it in what the work is about (BB_CONTAINER() leads back from the task); the loop
 * owns it from bb_loop_post() until it calls @run, which may free it or post it again.
 */
struct bb_task {
	void (*run)(struct bb_task *task);
	struct bb_task *next; /* the loop's */
};

/** Make a loop; it belongs to the thread that will run it. Returns 0, -ENOMEM or -EMFILE. */
int bb_loop_create(struct bb_loop **ret_loop);

/**
 * Free a loop that does not run, with all its timers and watches; tasks still posted run first, and those that they
 * post. Accepts NULL. Thread: any, but none may post any more.
 */
void bb_loop_destroy(struct bb_loop *loop);

/** Run until bb_loop_stop(). Returns 0. Thread: the loop's own. */
int bb_loop_run(struct bb_loop *loop);

/** Make bb_loop_run() return after the work in hand. Any thread. */
void bb_loop_stop(struct bb_loop *loop);

/** Run @task on the loop's thread, first in, first out. Any thread; never fails, never blocks. */
void bb_loop_post(struct bb_loop *loop, struct bb_task *task);

/** Is this the thread that runs @loop, or made it while it does not run yet? Any thread. */
bool bb_loop_is_current(const struct bb_loop *loop);

/** A loop on a thread of its own, named @name (15 characters at most) for ps and gdb. Returns 0 or a negative errno. */
int bb_loop_thread_start(const char *name, struct bb_loop **ret_loop);

/** Stop that loop, wait for its thread, free both. Accepts NULL. Thread: any but the loop's own. */
void bb_loop_thread_stop(struct bb_loop *loop);

/** Make a timer that calls @fire with @context. NULL when memory lacks. Thread: the loop's. */
struct bb_timer *bb_timer_create(struct bb_loop *loop, void (*fire)(void *context), void *context);

/** (Re)start: first after @delay_ms, then every @repeat_ms (0: once). Thread: the loop's. */
void bb_timer_start(struct bb_timer *timer, int64_t delay_ms, int64_t repeat_ms);

/** Stop; harmless when it does not run. Thread: the loop's. */
void bb_timer_stop(struct bb_timer *timer);

/** Stop and free. Accepts NULL; may be called from the timer's own @fire. Thread: the loop's. */
void bb_timer_destroy(struct bb_timer *timer);

/** What a descriptor is watched for, and what was seen. A peer that hung up shows as readable. */
enum bb_watch_events {
	BB_WATCH_READ = 1,
	BB_WATCH_WRITE = 2,
};

/**
 * Call @ready when @fd can do what @events (bits of bb_watch_events) ask; an error on it shows as all of them. The
 * descriptor becomes non-blocking, stays the caller's, and must be closed after bb_watch_destroy(). Returns 0 or a
 * negative errno. Thread: the loop's.
 */
int bb_watch_create(struct bb_loop *loop, int fd, unsigned events, void (*ready)(void *context, unsigned events),
		    void *context, struct bb_watch **ret_watch);

/** Watch for something else from now on; 0 pauses. Thread: the loop's. */
void bb_watch_set(struct bb_watch *watch, unsigned events);

/** Stop watching and free. Accepts NULL; may be called from @ready. Thread: the loop's. */
void bb_watch_destroy(struct bb_watch *watch);

#endif
