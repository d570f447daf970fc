/* SPDX-License-Identifier: Apache-2.0
 *
 * link_queue.h - the work that waits for a link: writes first, polls behind them, each in the order they came.
 *
 * Who writes waits for the answer, and a poll that comes a little later harms nobody. But clients that write all the
 * time must not keep a device from being polled: after LINK_OVERTAKES writes in a row a poll that waits has its
 * turn.
 *
 * Under the lock of whoever owns it.
 */
#ifndef CORE_LINK_QUEUE_H
#define CORE_LINK_QUEUE_H

#include <stdbool.h>

/** So many writes run before a poll that waits; then it is the poll's turn. */
#define LINK_OVERTAKES 8

struct link_work;

/** All zero is an empty one. */
struct link_queue {
	struct link_line {
		struct link_work *first, *last;
	} writes, polls;
	unsigned overtaken; /* writes that were taken since a poll began to wait */
};

/** Put @work at the end of its line. */
void link_queue_append(struct link_queue *queue, struct link_work *work);

/** Take out what is to run next, NULL when nothing waits. */
struct link_work *link_queue_take(struct link_queue *queue);

/** Take out @work; false when it does not wait there. */
bool link_queue_remove(struct link_queue *queue, struct link_work *work);

static inline bool link_queue_is_empty(const struct link_queue *queue)
{
	return !queue->writes.first && !queue->polls.first;
}

#endif
