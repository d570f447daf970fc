/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - the table of links and the work that runs on them.
 *
 * A link has a queue of work (link_queue.h); while it is not empty one worker thread holds the link and runs the work,
 * writes before polls, each first in, first out. Workers come from a pool that grows with the number of busy or hung links, so a hung link never takes
 * a thread from a live one.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include <stdbool.h>

#include <busbar/link.h>
#include <busbar/loop.h>

struct link_table;

/** @main_loop is where finished work goes. */
int link_table_create(struct bb_loop *main_loop, struct link_table **ret_table);

/**
 * Stop all workers and free. Waits at most @patience_ms for work in flight; false when some is still running: the
 * process must then leave without tearing down what that work uses.
 */
bool link_table_destroy(struct link_table *table, int64_t patience_ms);

/**
 * The link of @type to the authority of @address (scheme, host, port), made when there is none; counted. An address
 * without a host, such as that of a serial line, is told apart by its path. @type NULL: a link that keeps no connection
 * and only puts the polls of its devices in a row. 0 or a negative errno.
 */
int link_acquire(struct link_table *table, const struct bb_link_type *type, const struct bb_address *address,
		 struct bb_link **ret_link);

/** A link that only the device @name uses, for plugins that ask for none. */
int link_acquire_private(struct link_table *table, const char *name, struct bb_link **ret_link);

/** Work for a link: @run on a worker with the deadline in force, then @done on the main loop. */
struct link_work {
	int (*run)(struct link_work *work);               /* worker */
	void (*done)(struct link_work *work, int result); /* main loop */
	bool is_write;                                    /* it runs before polls that wait */
	int64_t timeout_ms;                               /* deadline, counted from when it begins to run */
	int64_t started_ms;                               /* set when it begins to run */
	int result;
	struct bb_link *link;
	struct bb_task task;
	struct link_work *next;
};

/** Queue @work; the link owns it until @done is called. Thread: main loop. */
void link_submit(struct bb_link *link, struct link_work *work);

/**
 * Take @work, which was submitted, out of the queue: it never runs, and @done is not called. False when it runs already
 * or has run: @done comes. Thread: main loop, before @done.
 */
bool link_withdraw(struct link_work *work);

/**
 * Hold @link on the main loop instead of a worker, for work that never blocks; its deadline begins. False when it is
 * busy. Work submitted meanwhile waits for link_release(). Thread of these three: main loop.
 */
bool link_hold(struct bb_link *link, int64_t timeout_ms);

/**
 * While it is held: call @ready whenever @fd is readable, until link_release(). The descriptor is the link's connection
 * and must stay open while the link is held; only a worker may close it. 0 or a negative errno.
 */
int link_wait(struct bb_link *link, int fd, void (*ready)(void *context), void *context);

void link_release(struct bb_link *link);

/** One more user of a link that is in hand already. Thread: main loop. */
void link_ref(struct bb_link *link);

/** For bb_registry_links(). Any thread. */
void link_table_each(struct link_table *table,
		     void (*each)(void *context, const char *name, uint64_t polls, uint64_t errors), void *context);

/** Counters of event-driven devices' polls on @link. Any thread. */
void link_count(struct bb_link *link, int result);

#endif
