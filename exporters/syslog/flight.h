/* SPDX-License-Identifier: Apache-2.0
 *
 * flight.h - which events are on their way to a receiver that never says that it got one. Pure: no clock, no socket.
 *
 * syslog over TCP and TLS has no answers. What can be known is how much of the stream the receiver's kernel has
 * acknowledged; what its program then does with it cannot. A program that dies with something unread makes its kernel
 * break the connection, though, so an event counts as delivered when it was acknowledged and the connection has stood
 * for a while since. Whatever does not count yet when the connection breaks is sent again.
 */
#ifndef SYSLOG_FLIGHT_H
#define SYSLOG_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLIGHT_MARKS 64

/** Everything up to event @number ends at byte @position of the stream. */
struct flight_mark {
	uint64_t number, position;
	int64_t acknowledged_ms; /* 0: not yet */
};

/** All zero: nothing is on its way. */
struct flight {
	struct flight_mark marks[FLIGHT_MARKS]; /* in order */
	size_t count;
};

/** Events up to @number have been written; @position bytes of the stream were taken by our kernel so far. */
void flight_add(struct flight *flight, uint64_t number, uint64_t position);

/** The receiver's kernel has acknowledged @position bytes by @now_ms (from 1). */
void flight_acknowledge(struct flight *flight, uint64_t position, int64_t now_ms);

/**
 * Take out what was acknowledged at least @settle_ms before @now_ms. Returns the number of the last event of it, 0 when
 * there is none.
 */
uint64_t flight_settle(struct flight *flight, int64_t now_ms, int64_t settle_ms);

#endif
