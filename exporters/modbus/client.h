/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - one connection of a Modbus client: bytes in, frames out, within limits.
 *
 * Requests are answered in the order they came. What a client does not take waits in a buffer of CLIENT_OUTPUT bytes;
 * while that has no room for another answer, nothing more is read from it, so a stalled client costs one buffer and
 * nobody else's time. A write is answered when the device has been written to. Thread: the server's.
 */
#ifndef MODBUS_CLIENT_H
#define MODBUS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <busbar/loop.h>
#include <busbar/modbus.h>

#define CLIENT_INPUT  (4 * BB_MODBUS_TCP_MAX) /* a few requests that came glued together */
#define CLIENT_OUTPUT (8 * BB_MODBUS_TCP_MAX)

struct client;
struct writes;

/** Makes the answer to a whole frame. 0: there is none yet, client_reply() will bring it. */
typedef size_t client_answer(void *context, struct client *client, const uint8_t *frame, size_t length,
			     uint8_t reply[BB_MODBUS_TCP_MAX]);

struct client {
	int fd;
	struct bb_loop *loop;
	struct bb_watch *watch;
	struct writes *pending; /* what the client waits for, writes.c's; its other requests wait behind it */
	struct sockaddr_storage peer;
	client_answer *answer;
	void (*closed)(void *context, struct client *client); /* it is gone: unlink and free it */
	void *context;
	int64_t active_ms; /* of the last whole request, or of its start */
	int64_t begun_ms;  /* since when a request is incomplete, or an answer is not taken; 0: neither */
	size_t filled;     /* of input */
	size_t waiting;    /* of output */
	struct client *next;
	uint8_t input[CLIENT_INPUT];
	uint8_t output[CLIENT_OUTPUT];
};

/** Serve the connection @fd, which the client owns from here. Returns 0 or a negative errno: then @fd is closed. */
int client_start(struct client *client, struct bb_loop *loop, int fd);

/** Here is the answer that was to come later. */
void client_reply(struct client *client, const uint8_t *reply, size_t length);

/** Close it now; calls @closed. */
void client_close(struct client *client);

#endif
