/* SPDX-License-Identifier: Apache-2.0
 *
 * delivery.h - a receiver's place in the journal, and what is between there and its connection.
 *
 * Events come from the journal in batches and the next batch is fetched when the last one has been written: so a
 * receiver that is slow, or down for a week, costs a buffer and no more, and its events wait on disk. flight.c tells
 * which events count as delivered; the cursor moves up to there and no further. When the connection breaks, it goes back
 * to there: the receiver gets some events twice, in order, and tells them by their event number.
 */
#ifndef SYSLOG_DELIVERY_H
#define SYSLOG_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/log.h>
#include <busbar/loop.h>

#include "message.h"
#include "stream.h"
#include "target.h"

struct delivery_setup {
	const struct target *target;
	const struct message_origin *origin;
	const struct bb_log *log;
	struct bb_loop *loop;
	bool count_octets; /* a frame begins with its length (RFC 6587, 3.4.1); false: ends with a line feed */
	int64_t settle_ms; /* what was acknowledged counts as delivered after this long */
	void (*wake)(void *context); /* it is worth calling delivery_pump() */
	void *context;
};

struct delivery;

/** Open the cursor. @setup is copied, what it points to must outlive the delivery. Thread of all: the loop's. */
int delivery_open(const struct delivery_setup *setup, struct delivery **ret_delivery);

/** Accepts NULL. */
void delivery_close(struct delivery *delivery);

/** Write what there is to @stream, and fetch more. 0, or a negative errno: the connection is gone. */
int delivery_pump(struct delivery *delivery, struct stream *stream);

/** Look what has arrived and settled by @now_ms. Returns whether there is more to look for. */
bool delivery_settle(struct delivery *delivery, const struct stream *stream, int64_t now_ms);

/** Is something written, or being written, that does not count as delivered yet? */
bool delivery_is_under_way(const struct delivery *delivery);

/** Was everything of the current batch written? */
bool delivery_is_between_batches(const struct delivery *delivery);

/** The peer has read @stream up to its end: what was acknowledged is delivered. */
void delivery_complete(struct delivery *delivery, const struct stream *stream);

/** The connection is no more: what was not delivered comes again. */
void delivery_restart(struct delivery *delivery);

#endif
