/* SPDX-License-Identifier: Apache-2.0
 *
 * delivery.c - from the cursor to the connection, and back again when that breaks, see delivery.h.
 *
 * What is awkward: a batch may be on its way from the journal while the connection breaks. It is then dropped when it
 * comes, and the cursor goes back only after that.
 */
#include "delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <busbar/journal.h>

#include "flight.h"
#include "host.h"

/* Most events of a batch. */
#define BATCH 32

/* "2048 " in front of a message, or "\n" behind it. */
#define FRAME_EXTRA 8

struct delivery {
	struct delivery_setup setup;
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
	char buffer[BATCH * (MESSAGE_MAX + FRAME_EXTRA)];
};

/* Which bytes belong to which event: as soon as the last one of an event was taken, it is on its way. */
static void note_written(struct delivery *delivery, const struct stream *stream)
{
	bool any = false;

	while (delivery->event_sent < delivery->event_count &&
	       delivery->events[delivery->event_sent].end <= delivery->sent) {
		delivery->last_written = delivery->events[delivery->event_sent++].number;
		any = true;
	}
	if (any)
		flight_add(&delivery->flight, delivery->last_written, stream->ops->written(stream));
	if (delivery->sent == delivery->filled) {
		delivery->filled = delivery->sent = 0;
		delivery->event_count = delivery->event_sent = 0;
	}
}

static void append_event(struct delivery *delivery, const struct bb_event *event)
{
	char message[MESSAGE_MAX];
	char *const at = delivery->buffer + delivery->filled;
	const size_t left = sizeof(delivery->buffer) - delivery->filled;
	size_t length;

	delivery->sequence = delivery->sequence < MESSAGE_SEQUENCE_MAX ? delivery->sequence + 1 : 1;
	length = message_format(delivery->setup.origin, event, delivery->sequence, host_clock_is_synchronised(),
				message);
	if (delivery->setup.count_octets)
		length = (size_t)snprintf(at, left, "%zu %s", length, message);
	else
		length = (size_t)snprintf(at, left, "%s\n", message);
	delivery->filled += length;
	delivery->events[delivery->event_count].number = event->number;
	delivery->events[delivery->event_count++].end = delivery->filled;
}

static void delivery_take(void *context, const struct bb_event *events, size_t count)
{
	struct delivery *delivery = context;

	delivery->fetching = false;
	if (delivery->rewind_later) { /* they were for a connection that is no more */
		delivery->rewind_later = false;
		bb_cursor_rewind(delivery->cursor);
	} else if (count == 0) {
		return; /* the journal will wake us */
	} else {
		for (size_t i = 0; i < count; i++)
			append_event(delivery, &events[i]);
	}
	delivery->setup.wake(delivery->setup.context);
}

int delivery_open(const struct delivery_setup *setup, struct delivery **ret_delivery)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	int r;

	if (!delivery)
		return -ENOMEM;
	delivery->setup = *setup;
	r = bb_cursor_open(setup->target->cursor, setup->loop, setup->wake, setup->context, &delivery->cursor);
	if (r < 0) {
		free(delivery);
		return r;
	}
	*ret_delivery = delivery;
	return 0;
}

void delivery_close(struct delivery *delivery)
{
	if (!delivery)
		return;
	bb_cursor_close(delivery->cursor);
	free(delivery);
}

int delivery_pump(struct delivery *delivery, struct stream *stream)
{
	int r;

	while (delivery->sent < delivery->filled) {
		const ssize_t taken = stream->ops->write(stream, delivery->buffer + delivery->sent,
							 delivery->filled - delivery->sent);

		if (taken < 0)
			return taken == -EAGAIN ? 0 : (int)taken;
		delivery->sent += (size_t)taken;
		note_written(delivery, stream);
	}
	if (delivery->fetching)
		return 0;
	r = bb_cursor_fetch(delivery->cursor, BATCH, delivery_take, delivery);
	if (r < 0)
		(void)bb_log_error(
			delivery->setup.log, r, "%s: cannot fetch events",
			delivery->setup.target->name); /* the connection is fine; the next wake tries again */
	delivery->fetching = r >= 0;
	return 0;
}

bool delivery_is_under_way(const struct delivery *delivery)
{
	return delivery->flight.count > 0 || delivery->filled > 0;
}

bool delivery_is_between_batches(const struct delivery *delivery)
{
	return delivery->filled == 0;
}

bool delivery_settle(struct delivery *delivery, const struct stream *stream, int64_t now_ms)
{
	uint64_t number;

	flight_acknowledge(&delivery->flight, stream_acknowledged(stream), now_ms);
	number = flight_settle(&delivery->flight, now_ms, delivery->setup.settle_ms);
	if (number > 0)
		bb_cursor_delivered(delivery->cursor, number);
	return delivery_is_under_way(delivery);
}

void delivery_complete(struct delivery *delivery, const struct stream *stream)
{
	if (delivery->last_written > 0 && stream_acknowledged(stream) == stream->ops->written(stream))
		bb_cursor_delivered(delivery->cursor, delivery->last_written);
}

void delivery_restart(struct delivery *delivery)
{
	delivery->flight.count = 0;
	delivery->filled = delivery->sent = 0;
	delivery->event_count = delivery->event_sent = 0;
	delivery->last_written = 0;
	if (delivery->fetching)
		delivery->rewind_later = true;
	else
		bb_cursor_rewind(delivery->cursor);
}
