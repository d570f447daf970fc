/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - the Modbus TCP server: a thread with a loop, a listening socket, clients within limits.
 */
#ifndef MODBUS_SERVER_H
#define MODBUS_SERVER_H

#include <stdint.h>
#include <sys/socket.h>

#include <busbar/listen.h>
#include <busbar/log.h>

#include "client.h"

/** A network that may connect: an address and how many of its bits count. */
struct server_network {
	struct sockaddr_storage address;
	unsigned bits;
};

struct server_options {
	struct sockaddr_storage address;
	size_t most_clients, most_per_address;
	int64_t idle_ms;  /* a client that asks nothing for so long is closed */
	int64_t stall_ms; /* and one that sends half a request, or does not take its answer, for so long */
	const struct server_network *networks; /* borrowed; NULL: everybody */
	size_t network_count;
	client_answer *answer; /* on the server's thread */
	void *context;
};

struct server;

/** Listen and serve; @ret_text is where. Returns 0, or a negative errno that has been said. */
int server_start(const struct server_options *options, const struct bb_log *log, char ret_text[BB_LISTEN_TEXT_SIZE],
		 struct server **ret_server);

/** Close all clients and wait for the thread. Accepts NULL. */
void server_stop(struct server *server);

/** Does @address lie in @network? An IPv4 address that comes mapped into IPv6 counts as IPv4. */
bool server_is_in_network(const struct sockaddr_storage *address, const struct server_network *network);

#endif
