/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - serves pages over HTTP, on a thread of libmicrohttpd.
 */
#ifndef PROMETHEUS_SERVER_H
#define PROMETHEUS_SERVER_H

#include <sys/socket.h>

#include <busbar/exporter.h>
#include <busbar/listen.h>

#include "deadline.h"
#include "tally.h"

struct server; /* opaque */

struct server_options {
	const char *listen; /* as it was written, for messages */
	struct sockaddr_storage address;
	unsigned max_connections;
	unsigned max_connections_per_address;
	int64_t request_timeout_ms;
};

/**
 * Listen and serve until server_stop(), with the counts of @tally. @ret_where is where. Returns 0, or a negative errno that has been said.
 * Thread: main loop.
 */
int server_start(const struct server_options *options, struct bb_registry *registry, const struct tally *tally,
		 const struct bb_log *log, char ret_where[BB_LISTEN_TEXT_SIZE], struct server **ret_server);

/** Close everything; when it returns, the thread is gone. Accepts NULL. Thread: main loop. */
void server_stop(struct server *server);

/** Connections whose request takes too long are shut down by this; to be called about once a second. Any thread. */
void server_check_deadlines(struct server *server);

#endif
