/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.c - a connection to the master, see wire.h.
 *
 * A wire that has failed is shut down, which makes its descriptor readable: that is how broken() comes from the loop.
 */
#include "wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for what comes at a time; a longer message makes it grow for as long as it is there. */
#define INPUT_SIZE 16384

/* More than this is not collected before it is sent, and no buffer that was larger is kept. */
#define OUTPUT_SIZE (256u << 10)

/* So often is read before others on the thread get their turn. */
#define READS 16

struct wire {
	struct wire_setup setup;
	struct bb_watch *watch;
	bool connected, in_message;
	bool failed;
	int error; /* with failed */
	const char *what;
	uint8_t *input;
	size_t filled, input_size;
	struct codec_buffer output;
	size_t sent; /* of it */
};

static void want(struct wire *wire)
{
	const bool waiting = wire->sent < wire->output.length || !wire->connected;

	bb_watch_set(wire->watch, BB_WATCH_READ | (waiting && !wire->failed ? BB_WATCH_WRITE : 0U));
}

void wire_fail(struct wire *wire, int error, const char *what)
{
	if (wire->failed)
		return;
	wire->failed = true;
	wire->error = error;
	wire->what = what;
	(void)shutdown(wire->setup.fd, SHUT_RDWR); /* one that is gone is readable anyway */
	want(wire);
}

/* ---- out ---- */

struct codec_buffer *wire_buffer(struct wire *wire)
{
	return &wire->output;
}

static size_t waiting(const struct wire *wire)
{
	return wire->output.length - wire->sent;
}

/* Send what can be sent. What cannot be, since the connection has gone, is found out by reading. */
static void push(struct wire *wire)
{
	struct codec_buffer *const output = &wire->output;
	ssize_t taken = 1;

	while (waiting(wire) > 0 && taken > 0) {
		taken = send(wire->setup.fd, output->bytes + wire->sent, waiting(wire), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (taken > 0)
			wire->sent += (size_t)taken;
	}
	if (waiting(wire) > WIRE_WAITING_MAX)
		wire_fail(wire, 0, "it takes nothing of what it has asked for");
	if (waiting(wire) == 0) {
		output->length = 0;
		if (output->size > OUTPUT_SIZE)
			codec_buffer_free(output);
	} else if (wire->sent > output->length / 2) {
		memmove(output->bytes, output->bytes + wire->sent, waiting(wire));
		output->length = waiting(wire);
	} else {
		return;
	}
	wire->sent = 0;
}

void wire_flush(struct wire *wire)
{
	if (wire->in_message || !wire->connected || wire->failed)
		return;
	push(wire);
	want(wire);
}

/* ---- in ---- */

/* Room for @size bytes, no less than what is there, and no more for longer than it is needed. */
static int make_room(struct wire *wire, size_t size)
{
	uint8_t *input;

	if (size < INPUT_SIZE)
		size = INPUT_SIZE;
	if (size == wire->input_size)
		return 0;
	input = realloc(wire->input, size);
	if (!input)
		return -ENOMEM;
	wire->input = input;
	wire->input_size = size;
	return 0;
}

/* Hand on all whole messages. 0 or a negative errno: the rest is of no use. */
static int take_messages(struct wire *wire)
{
	size_t at = 0, needed = 0;

	while (!wire->failed && wire->filled - at >= CODEC_HEADER_SIZE) {
		struct codec_header header;

		if (codec_header_parse(wire->input + at, &header) < 0)
			return -EPROTO;
		if (wire->filled - at < CODEC_HEADER_SIZE + header.length) {
			needed = CODEC_HEADER_SIZE + header.length;
			break;
		}
		wire->setup.message(wire->setup.context, &header, wire->input + at + CODEC_HEADER_SIZE);
		at += CODEC_HEADER_SIZE + header.length;
		if (waiting(wire) > OUTPUT_SIZE)
			push(wire);
	}
	if (at > 0)
		memmove(wire->input, wire->input + at, wire->filled - at);
	wire->filled -= at;
	return make_room(wire, needed);
}

void wire_read(struct wire *wire)
{
	for (int i = 0; i < READS && !wire->failed; i++) {
		const size_t room = wire->input_size - wire->filled;
		const ssize_t length = recv(wire->setup.fd, wire->input + wire->filled, room, MSG_DONTWAIT);
		int r;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno == EAGAIN)
			break;
		if (length <= 0) {
			wire_fail(wire, length < 0 ? -errno : 0,
				  length < 0 ? "connection lost" : "it has closed the connection");
			break;
		}
		wire->filled += (size_t)length;
		wire->in_message = true;
		r = take_messages(wire);
		wire->in_message = false;
		if (r < 0)
			wire_fail(wire, 0, r == -EPROTO ? "what it says is not AgentX" : "no memory for what it says");
		if ((size_t)length < room)
			break; /* that was all */
	}
	wire_flush(wire);
}

/* ---- life ---- */

static void wire_connected(struct wire *wire)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(wire->setup.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error) {
		wire_fail(wire, -error, "no connection");
		return;
	}
	wire->connected = true;
	wire->setup.connected(wire->setup.context);
}

static void wire_on_descriptor(void *context, unsigned events)
{
	struct wire *const wire = context;

	if (!wire->connected && !wire->failed)
		wire_connected(wire);
	else if (events & BB_WATCH_READ)
		wire_read(wire);
	if (!wire->failed)
		wire_flush(wire);
	else
		wire->setup.broken(wire->setup.context, wire->error, wire->what); /* and the wire may be gone */
}

int wire_open(const struct wire_setup *setup, struct wire **ret_wire)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int r = -ENOMEM;

	if (!wire) {
		close(setup->fd);
		return r;
	}
	wire->setup = *setup;
	r = make_room(wire, 0);
	if (r >= 0)
		r = bb_watch_create(setup->loop, setup->fd, BB_WATCH_WRITE, wire_on_descriptor, wire, &wire->watch);
	if (r < 0) {
		wire_close(wire);
		return r;
	}
	*ret_wire = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	bb_watch_destroy(wire->watch);
	close(wire->setup.fd);
	codec_buffer_free(&wire->output);
	free(wire->input);
	free(wire);
}
