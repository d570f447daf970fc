/* SPDX-License-Identifier: Apache-2.0
 *
 * deadline.h - closes connections that take too long over one request.
 *
 * libmicrohttpd has an inactivity time-out only: a client that sends, or takes, one byte a second is served for ever.
 * So every connection has a record here of when its present request began: when it was opened, or when the first byte
 * after the last answer came in. A timer looks at all of them and shuts down the socket of those that are too old;
 * libmicrohttpd then sees a closed connection and cleans up. Between two requests a connection may be idle as long as
 * libmicrohttpd allows.
 *
 * The timer runs on another thread than libmicrohttpd, hence the lock; it also keeps a descriptor from being closed,
 * and used again, between the look and the shutdown.
 */
#ifndef PROMETHEUS_DEADLINE_H
#define PROMETHEUS_DEADLINE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct deadline_connection; /* opaque */

/** deadlines_init() it. */
struct deadlines {
	pthread_mutex_t lock;
	struct deadline_connection *first;
	int64_t limit_ms; /* for a whole request with its answer */
};

void deadlines_init(struct deadlines *deadlines, int64_t limit_ms);

/** All connections must be gone. */
void deadlines_finish(struct deadlines *deadlines);

/** A connection was opened at @now_ms (bb_clock_ms()). NULL when memory lacks; the others accept
 * that and do nothing. Any thread, as all here. */
struct deadline_connection *deadline_opened(struct deadlines *deadlines, int fd, int64_t now_ms);

/** A request of @length bytes has come in whole; its answer is still under the deadline. */
void deadline_asked(struct deadlines *deadlines, struct deadline_connection *connection, size_t length);

/** Its answer has been sent whole: the connection may be idle now, unless the next request has begun already. */
void deadline_answered(struct deadlines *deadlines, struct deadline_connection *connection, int64_t now_ms);

/** The connection is about to be closed: forget it. */
void deadline_closed(struct deadlines *deadlines, struct deadline_connection *connection);

/** Shut down what is too old at @now_ms. Returns how many that were. */
size_t deadlines_check(struct deadlines *deadlines, int64_t now_ms);

#endif
