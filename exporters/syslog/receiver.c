/* SPDX-License-Identifier: Apache-2.0
 *
 * receiver.c - one receiver's life: look up, connect, agree, deliver (delivery.c), and again from the beginning.
 *
 * One timer serves whatever state there is, since each has one thing to wait for at most: the end of a pause, a
 * deadline, or that the connection has stood long enough to be trusted.
 */
#include "receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/backoff.h>
#include <busbar/clock.h>
#include <busbar/resolve.h>

#include "delivery.h"

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
	struct bb_backoff backoff;

	struct delivery *delivery;
	void (*done)(void *context);
	void *context;
};

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
	delivery_restart(receiver->delivery);
}

static void receiver_free(struct receiver *receiver)
{
	delivery_close(receiver->delivery);
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
	bb_timer_start(receiver->timer, bb_backoff_next(&receiver->backoff, RETRY_FIRST_MS, receiver->setup.retry_ms),
		       0);
}

/* ---- being connected ---- */

/* Go on as far as it goes. */
static void receiver_pump(void *context)
{
	struct receiver *receiver = context;
	int r;

	if (receiver->state != UP)
		return;
	r = delivery_pump(receiver->delivery, receiver->stream);
	if (r < 0) {
		receiver_fail(receiver, r, "connection lost");
		return;
	}
	bb_watch_set(receiver->watch, receiver->stream->wants);
	if (delivery_is_under_way(receiver->delivery))
		receiver_set_ticking(receiver, true);
}

/* Look what has arrived meanwhile, and whether the peer is still there. */
static void receiver_tick(void *context)
{
	struct receiver *receiver = context;

	if (receiver->state != UP)
		return;
	if (!delivery_settle(receiver->delivery, receiver->stream, bb_clock_ms()))
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
	if (r == -EPIPE && receiver->state == FINISHING)
		delivery_complete(receiver->delivery, receiver->stream); /* it closes because we have */
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

	receiver->backoff.failures = 0;
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
	const struct delivery_setup delivery = {
		.target = setup->target,
		.origin = setup->origin,
		.log = setup->log,
		.loop = setup->loop,
		.count_octets = setup->count_octets,
		.settle_ms = setup->settle_ms,
		.wake = receiver_pump,
		.context = receiver,
	};
	int r = -ENOMEM;

	if (!receiver)
		return bb_log_error(setup->log, -ENOMEM, "%s", setup->target->name);
	receiver->setup = *setup;
	receiver->fd = -1;
	receiver->backoff.random = (uint32_t)bb_clock_wall_ms() ^ (uint32_t)getpid();
	receiver->timer = bb_timer_create(setup->loop, receiver_on_timer, receiver);
	receiver->tick = bb_timer_create(setup->loop, receiver_tick, receiver);
	if (receiver->timer && receiver->tick)
		r = delivery_open(&delivery, &receiver->delivery);
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
	const bool on_its_way = receiver->state == UP && delivery_is_under_way(receiver->delivery) &&
				delivery_is_between_batches(receiver->delivery);

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
