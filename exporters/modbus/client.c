/* SPDX-License-Identifier: Apache-2.0
 *
 * client.c - one connection of a Modbus client, see client.h.
 */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "writes.h"

void client_close(struct client *client)
{
	writes_forget(client);
	bb_watch_destroy(client->watch);
	(void)close(client->fd); /* nothing that a failure could tell us matters any more */
	client->closed(client->context, client);
}

/* Send what waits. False when the connection is gone. */
static bool flush(struct client *client)
{
	while (client->waiting > 0) {
		const ssize_t sent = send(client->fd, client->output, client->waiting, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		client->waiting -= (size_t)sent;
		memmove(client->output, client->output + sent, client->waiting);
	}
	return true;
}

static bool has_room(const struct client *client)
{
	return client->pending == NULL && client->waiting + BB_MODBUS_TCP_MAX <= CLIENT_OUTPUT;
}

/* Answer the whole frames in the input while there is room for answers. False: this is not Modbus. */
static bool answer_frames(struct client *client)
{
	size_t done = 0;

	while (has_room(client)) {
		const uint8_t *frame = client->input + done;
		const int length = bb_modbus_tcp_length(frame, client->filled - done);

		if (length < 0)
			return false;
		if (length == 0 || (size_t)length > client->filled - done)
			break;
		client->waiting += client->answer(client->context, client, frame, (size_t)length,
						  client->output + client->waiting);
		done += (size_t)length;
	}
	if (done > 0) {
		client->filled -= done;
		memmove(client->input, client->input + done, client->filled);
		client->active_ms = bb_clock_ms();
		client->begun_ms = 0;
	}
	if (client->begun_ms == 0 && (client->filled > 0 || client->waiting > 0))
		client->begun_ms = bb_clock_ms();
	return true;
}

/* Answers go out before more is read. False when the connection is to be closed. */
static bool serve(struct client *client)
{
	if (!answer_frames(client) || !flush(client))
		return false;
	if ((client->filled == 0 && client->waiting == 0) || client->pending != NULL)
		client->begun_ms = 0; /* nothing is the client's turn */
	bb_watch_set(client->watch, (has_room(client) ? BB_WATCH_READ : 0u) | (client->waiting ? BB_WATCH_WRITE : 0u));
	return true;
}

static bool receive(struct client *client)
{
	const ssize_t received = recv(client->fd, client->input + client->filled, CLIENT_INPUT - client->filled, 0);

	if (received < 0)
		return errno == EAGAIN || errno == EINTR;
	client->filled += (size_t)received;
	return received > 0;
}

static void client_ready(void *context, unsigned events)
{
	struct client *client = context;

	if ((events & BB_WATCH_WRITE) && !flush(client)) {
		client_close(client);
		return;
	}
	if ((events & BB_WATCH_READ) && client->filled < CLIENT_INPUT && !receive(client)) {
		client_close(client);
		return;
	}
	if (!serve(client))
		client_close(client);
}

void client_reply(struct client *client, const uint8_t *reply, size_t length)
{
	memcpy(client->output + client->waiting, reply, length); /* room for it was made before it was asked for */
	client->waiting += length;
	if (!serve(client))
		client_close(client);
}

int client_start(struct client *client, struct bb_loop *loop, int fd)
{
	int r;

	client->fd = fd;
	client->loop = loop;
	client->active_ms = bb_clock_ms();
	r = bb_watch_create(loop, fd, BB_WATCH_READ, client_ready, client, &client->watch);
	if (r < 0)
		(void)close(fd); /* the error that matters is @r */
	return r;
}
