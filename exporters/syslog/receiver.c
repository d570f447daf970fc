/* SPDX-License-Identifier: Apache-2.0
 *
 * receiver.c - one receiver's life: connect, send from the cursor on, find out what arrived, begin again.
 *
 * Events come from the journal in batches, at least one and at most BATCH at a time, and the next batch is fetched when
 * the last one has been written: so a receiver that is slow, or down for a week, costs a buffer and no more, and its
 * events wait on disk. flight.c tells which events count as delivered; the cursor moves up to there and no further. When
 * the connection breaks, it goes back to there: the receiver gets some events twice, in order, and tells them by their
 * event number.
 *
 * A batch may be on its way from the journal while the connection breaks. It is then dropped when it comes, and the
 * cursor goes back only after that.
 */
#include "receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/journal.h>
#include <busbar/resolve.h>

#include "flight.h"
#include "host.h"

#define BATCH 32

/* "2048 " in front of a message, or "\n" behind it. */
#define FRAME_EXTRA 8

/* The wait after the first failure; it doubles with each further one. */
#define RETRY_FIRST_MS 200

enum state {
	WAITING,
	RESOLVING,
	CONNECTING,
	SHAKING,
	UP,
	FINISHING,
};

struct receiver {
	struct receiver_setup setup;
	enum state state;
	struct bb_timer *timer; /* WAITING: until the next attempt; UP: until it has proven itself; others: deadline */
	struct bb_timer *tick;  /* while something is on its way */
	bool ticking;
	struct bb_lookup *lookup;
	struct bb_watch *watch;
	int fd; /* while CONNECTING, then the stream owns it */
	struct stream *stream;
	char *address; /* the last that a look-up found; NULL: none yet */
	struct bb_complaint complaint;
	char reason[320]; /* what was complained about last, and the error with it */
	int error;
	unsigned failures;
	unsigned random; /* state of the jitter */

	struct bb_cursor *cursor;
	bool fetching, rewind_later;
	struct flight flight;
	uint64_t last_written; /* the newest event that was written whole on this connection; 0: none */
	uint32_t sequence;     /* of the message before */

	/* The batch that is being written. */
	size_t filled, sent;
	size_t event_count, event_sent;
	struct {
		uint64_t number;
		size_t end; /* in buffer */
	} events[BATCH];

	void (*done)(void *context);
	void *context;
	char buffer[BATCH * (MESSAGE_MAX + FRAME_EXTRA)];
};

static void receiver_pump(struct receiver *receiver);

static void receiver_set_ticking(struct receiver *receiver, bool ticking)
{
	const int64_t period_ms = receiver->setup.settle_ms / 20 + 1; /* events settle that much later at most */

	if (ticking && !receiver->ticking)
		bb_timer_start(receiver->tick, period_ms, period_ms);
	else if (!ticking)
		bb_timer_stop(receiver->tick);
	receiver->ticking = ticking;
}

/* ---- leaving a connection ---- */

static void receiver_disconnect(struct receiver *receiver)
{
	bb_lookup_cancel(receiver->lookup);
	receiver->lookup = NULL;
	bb_watch_destroy(receiver->watch);
	receiver->watch = NULL;
	stream_close(receiver->stream);
	receiver->stream = NULL;
	if (receiver->fd >= 0)
		close(receiver->fd);
	receiver->fd = -1;
	bb_timer_stop(receiver->timer);
	receiver_set_ticking(receiver, false);
	receiver->flight.count = 0;
	receiver->filled = receiver->sent = 0;
	receiver->event_count = receiver->event_sent = 0;
	receiver->last_written = 0;
	if (receiver->fetching)
		receiver->rewind_later = true;
	else
		bb_cursor_rewind(receiver->cursor);
}

static void receiver_free(struct receiver *receiver)
{
	bb_cursor_close(receiver->cursor);
	bb_timer_destroy(receiver->timer);
	bb_timer_destroy(receiver->tick);
	free(receiver->address);
	free(receiver);
}

/* The end of receiver_finish(). */
static void receiver_over(struct receiver *receiver)
{
	void (*const done)(void *context) = receiver->done;
	void *const context = receiver->context;

	receiver_disconnect(receiver);
	receiver_free(receiver);
	done(context);
}

/* 200 ms, 400 ms … up to the configured most, a quarter of it by chance: receivers of many agents come back together. */
static int64_t retry_delay(struct receiver *receiver)
{
	const unsigned doublings = receiver->failures < 16 ? receiver->failures : 16;
	int64_t delay_ms = (int64_t)RETRY_FIRST_MS << doublings;

	if (delay_ms > receiver->setup.retry_ms)
		delay_ms = receiver->setup.retry_ms;
	receiver->failures++;
	receiver->random = receiver->random * 1103515245U + 12345U;
	return delay_ms - delay_ms * (int64_t)(receiver->random >> 16 & 0xff) / 1024;
}

/* Whatever was under way has failed: say so, and try again after a while. */
static void receiver_fail(struct receiver *receiver, int error, const char *what)
{
	const char *said = receiver->stream ? receiver->stream->trouble : "";
	char reason[sizeof(receiver->reason)];

	if (receiver->state == FINISHING) {
		receiver_over(receiver);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%s%s%s", what, said[0] ? ": " : "", said); /* a cut line will do */
	if (strcmp(reason, receiver->reason) != 0 || error != receiver->error) {
		receiver->complaint.next_ms = 0; /* another trouble than before is worth a line of its own */
		memcpy(receiver->reason, reason, sizeof(reason));
		receiver->error = error;
	}
	(void)bb_complain(receiver->setup.log, &receiver->complaint, said[0] ? 0 : error, "%s: %s",
			  receiver->setup.target->name, reason); /* there is nobody to return the error to */
	receiver_disconnect(receiver);
	receiver->state = WAITING;
	bb_timer_start(receiver->timer, retry_delay(receiver), 0);
}

/* ---- sending ---- */

/* Which bytes belong to which event: as soon as the last one of an event was taken, it is on its way. */
static void note_written(struct receiver *receiver)
{
	bool any = false;

	while (receiver->event_sent < receiver->event_count &&
	       receiver->events[receiver->event_sent].end <= receiver->sent) {
		receiver->last_written = receiver->events[receiver->event_sent++].number;
		any = true;
	}
	if (any)
		flight_add(&receiver->flight, receiver->last_written, receiver->stream->ops->written(receiver->stream));
	if (receiver->sent == receiver->filled) {
		receiver->filled = receiver->sent = 0;
		receiver->event_count = receiver->event_sent = 0;
	}
}

/* Returns 0, -EAGAIN when the peer takes no more now, or another negative errno. */
static int write_batch(struct receiver *receiver)
{
	struct stream *stream = receiver->stream;

	while (receiver->sent < receiver->filled) {
		const ssize_t taken = stream->ops->write(stream, receiver->buffer + receiver->sent,
							 receiver->filled - receiver->sent);

		if (taken < 0)
			return (int)taken;
		receiver->sent += (size_t)taken;
		note_written(receiver);
	}
	return 0;
}

static void append_event(struct receiver *receiver, const struct bb_event *event)
{
	char message[MESSAGE_MAX];
	char *const at = receiver->buffer + receiver->filled;
	const size_t left = sizeof(receiver->buffer) - receiver->filled;
	size_t length;

	receiver->sequence = receiver->sequence < MESSAGE_SEQUENCE_MAX ? receiver->sequence + 1 : 1;
	length = message_format(receiver->setup.origin, event, receiver->sequence, host_clock_is_synchronised(),
				message);
	if (receiver->setup.count_octets)
		length = (size_t)snprintf(at, left, "%zu %s", length, message);
	else
		length = (size_t)snprintf(at, left, "%s\n", message);
	receiver->filled += length;
	receiver->events[receiver->event_count].number = event->number;
	receiver->events[receiver->event_count++].end = receiver->filled;
}

static void receiver_take(void *context, const struct bb_event *events, size_t count)
{
	struct receiver *receiver = context;

	receiver->fetching = false;
	if (receiver->rewind_later) { /* they were for a connection that is no more */
		receiver->rewind_later = false;
		bb_cursor_rewind(receiver->cursor);
	} else if (count == 0) {
		return; /* receiver_ready() will be called */
	} else {
		for (size_t i = 0; i < count; i++)
			append_event(receiver, &events[i]);
	}
	receiver_pump(receiver);
}

static void receiver_ready(void *context)
{
	receiver_pump(context);
}

/* Go on as far as it goes: write what there is, fetch more. */
static void receiver_pump(struct receiver *receiver)
{
	int r;

	if (receiver->state != UP)
		return;
	r = write_batch(receiver);
	if (r < 0 && r != -EAGAIN) {
		receiver_fail(receiver, r, "connection lost");
		return;
	}
	bb_watch_set(receiver->watch, receiver->stream->wants);
	if (receiver->flight.count > 0 || receiver->filled > 0)
		receiver_set_ticking(receiver, true);
	if (receiver->filled > 0 || receiver->fetching)
		return;
	r = bb_cursor_fetch(receiver->cursor, BATCH, receiver_take, receiver);
	if (r < 0)
		(void)bb_log_error(receiver->setup.log, r, "%s: cannot fetch events",
				   receiver->setup.target->name); /* the next readiness tries again */
	receiver->fetching = r >= 0;
}

/* Look what has arrived meanwhile, and whether the peer is still there. */
static void receiver_tick(void *context)
{
	struct receiver *receiver = context;
	const int64_t now_ms = bb_clock_ms();
	uint64_t settled;

	if (receiver->state != UP)
		return;
	flight_acknowledge(&receiver->flight, stream_acknowledged(receiver->stream), now_ms);
	settled = flight_settle(&receiver->flight, now_ms, receiver->setup.settle_ms);
	if (settled > 0)
		bb_cursor_delivered(receiver->cursor, settled);
	if (receiver->flight.count == 0 && receiver->filled == 0)
		receiver_set_ticking(receiver, false);
	else if (stream_is_dead(receiver->stream, receiver->setup.timeout_ms))
		receiver_fail(receiver, -ETIMEDOUT, "connection lost");
}

/* ---- getting a connection ---- */

static void receiver_up(struct receiver *receiver)
{
	receiver->state = UP;
	if (receiver->complaint.count == 0)
		bb_log_notice(receiver->setup.log, "%s: connected", receiver->setup.target->name);
	/* A peer that takes connections and drops them is no better than one that refuses them. */
	bb_timer_start(receiver->timer, receiver->setup.settle_ms, 0);
	receiver_pump(receiver);
}

static void receiver_shake(struct receiver *receiver)
{
	const int r = receiver->stream->ops->handshake(receiver->stream);

	if (r == -EAGAIN)
		bb_watch_set(receiver->watch, receiver->stream->wants);
	else if (r < 0)
		receiver_fail(receiver, r, "no agreement");
	else
		receiver_up(receiver);
}

static void receiver_connected(struct receiver *receiver)
{
	const struct receiver_setup *setup = &receiver->setup;
	int r = stream_connected(receiver->fd);

	if (r < 0) {
		receiver_fail(receiver, r, "no connection");
		return;
	}
	if (setup->target->kind == TARGET_TLS)
		r = tls_open(setup->tls, receiver->fd, setup->verify_name ? setup->verify_name : setup->target->host,
			     &receiver->stream);
	else
		r = stream_open(receiver->fd, &receiver->stream);
	if (r < 0) {
		receiver_fail(receiver, r, "no connection");
		return;
	}
	receiver->fd = -1; /* the stream's now */
	receiver->state = SHAKING;
	bb_timer_start(receiver->timer, setup->timeout_ms, 0);
	receiver_shake(receiver);
}

static void receiver_on_descriptor(void *context, unsigned events)
{
	struct receiver *receiver = context;
	int r = -EAGAIN;

	if (receiver->state == CONNECTING) {
		receiver_connected(receiver);
		return;
	}
	if (receiver->state == SHAKING) {
		receiver_shake(receiver);
		return;
	}
	if (events & BB_WATCH_READ)
		r = receiver->stream->ops->drain(receiver->stream);
	if (r == -EPIPE && receiver->state == FINISHING && receiver->last_written > 0 &&
	    stream_acknowledged(receiver->stream) == receiver->stream->ops->written(receiver->stream))
		bb_cursor_delivered(receiver->cursor, receiver->last_written); /* it has read up to our end */
	if (r != -EAGAIN)
		receiver_fail(receiver, r == -EPIPE ? 0 : r,
			      r == -EPIPE ? "it has closed the connection" : "connection lost");
	else
		receiver_pump(receiver);
}

static void receiver_connect(struct receiver *receiver)
{
	const int fd = stream_connect(receiver->address, receiver->setup.target->port);
	int r = fd;

	if (fd >= 0) {
		receiver->fd = fd;
		r = bb_watch_create(receiver->setup.loop, fd, BB_WATCH_WRITE, receiver_on_descriptor, receiver,
				    &receiver->watch);
	}
	if (r < 0) {
		receiver_fail(receiver, r, "no connection");
		return;
	}
	receiver->state = CONNECTING;
	bb_timer_start(receiver->timer, receiver->setup.timeout_ms, 0);
}

static void receiver_resolved(void *context, int result, const char *address)
{
	struct receiver *receiver = context;

	receiver->lookup = NULL;
	if (result >= 0) {
		char *const copy = strdup(address);

		if (copy) { /* without memory the last address will do, too */
			free(receiver->address);
			receiver->address = copy;
		}
	}
	if (receiver->address)
		receiver_connect(receiver);
	else
		receiver_fail(receiver, result, "its name has no address");
}

static void receiver_attempt(struct receiver *receiver)
{
	const struct receiver_setup *setup = &receiver->setup;
	int r;

	receiver->state = RESOLVING;
	bb_timer_start(receiver->timer, setup->timeout_ms, 0);
	r = bb_resolve(setup->loop, setup->target->host, receiver_resolved, receiver, &receiver->lookup);
	if (r < 0)
		receiver_fail(receiver, r, "its name cannot be looked up");
}

/* It has stood for a while: what was wrong is over. */
static void receiver_proven(struct receiver *receiver)
{
	char text[128];

	receiver->failures = 0;
	receiver->reason[0] = '\0';
	(void)snprintf(text, sizeof(text), "%s: takes messages again", receiver->setup.target->name); /* may be cut */
	bb_complaint_over(receiver->setup.log, &receiver->complaint, text);
}

static void receiver_on_timer(void *context)
{
	struct receiver *receiver = context;

	switch (receiver->state) {
	case WAITING:
		receiver_attempt(receiver);
		break;
	case RESOLVING:
		bb_lookup_cancel(receiver->lookup);
		receiver->lookup = NULL;
		receiver_resolved(receiver, -ETIMEDOUT, NULL); /* the last address will do */
		break;
	case CONNECTING:
		receiver_fail(receiver, -ETIMEDOUT, "no connection");
		break;
	case SHAKING:
		receiver_fail(receiver, -ETIMEDOUT, "no agreement");
		break;
	case UP:
		receiver_proven(receiver);
		break;
	case FINISHING:
		receiver_over(receiver);
		break;
	}
}

/* ---- life ---- */

int receiver_start(const struct receiver_setup *setup, struct receiver **ret_receiver)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	int r = -ENOMEM;

	if (!receiver)
		return bb_log_error(setup->log, -ENOMEM, "%s", setup->target->name);
	receiver->setup = *setup;
	receiver->fd = -1;
	receiver->random = (unsigned)bb_clock_wall_ms();
	receiver->timer = bb_timer_create(setup->loop, receiver_on_timer, receiver);
	receiver->tick = bb_timer_create(setup->loop, receiver_tick, receiver);
	if (receiver->timer && receiver->tick)
		r = bb_cursor_open(setup->target->cursor, setup->loop, receiver_ready, receiver, &receiver->cursor);
	if (r < 0) {
		receiver_free(receiver);
		return bb_log_error(setup->log, r, "%s: no cursor in the journal", setup->target->name);
	}
	receiver_attempt(receiver);
	*ret_receiver = receiver;
	return 0;
}

void receiver_finish(struct receiver *receiver, int64_t patience_ms, void (*done)(void *context), void *context)
{
	const bool on_its_way = receiver->state == UP && receiver->flight.count > 0 && receiver->filled == 0;

	receiver->done = done;
	receiver->context = context;
	receiver->state = FINISHING;
	if (!on_its_way) {
		receiver_over(receiver);
		return;
	}
	receiver->stream->ops->finish(receiver->stream);
	bb_watch_set(receiver->watch, BB_WATCH_READ);
	bb_timer_start(receiver->timer, patience_ms, 0);
}
