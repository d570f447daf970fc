/* SPDX-License-Identifier: Apache-2.0
 *
 * server.c - the Modbus TCP server, see server.h.
 *
 * One thread serves all clients. One timer looks once a second for clients whose time is over, rather than a timer for
 * each of a thousand.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#define SWEEP_MS    1000
#define ACCEPT_MOST 64 /* connections taken at a time; the rest wait for the next round */

struct server {
	struct server_options options;
	const struct bb_log *log;
	struct bb_complaint complaint; /* about connections that could not be taken */
	struct bb_loop *loop;
	int fd;
	struct bb_watch *watch;
	struct bb_timer *sweep;
	struct client *clients;
	size_t client_count;
	struct bb_task set_up, tear_down; /* for the thread */
};

/* ---- addresses ---- */

/* The bytes of an address that count, IPv4 without its mapping. Returns how many. */
static size_t address_bytes(const struct sockaddr_storage *address, const uint8_t **ret_bytes)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET) {
		*ret_bytes = (const uint8_t *)&v4->sin_addr;
		return 4;
	}
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		*ret_bytes = v6->sin6_addr.s6_addr + 12;
		return 4;
	}
	*ret_bytes = v6->sin6_addr.s6_addr;
	return 16;
}

bool server_is_in_network(const struct sockaddr_storage *address, const struct server_network *network)
{
	const uint8_t *bytes, *wanted;
	const size_t count = address_bytes(address, &bytes);
	const unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (count != address_bytes(&network->address, &wanted) || network->bits > 8 * count)
		return false;
	if (memcmp(bytes, wanted, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ wanted[whole]) >> (8 - rest) == 0;
}

static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const uint8_t *one, *other;
	const size_t count = address_bytes(a, &one);

	return count == address_bytes(b, &other) && memcmp(one, other, count) == 0;
}

static bool is_allowed(const struct server *server, const struct sockaddr_storage *peer)
{
	for (size_t i = 0; i < server->options.network_count; i++)
		if (server_is_in_network(peer, &server->options.networks[i]))
			return true;
	return server->options.networks == NULL;
}

/* ---- clients ---- */

static void client_closed(void *context, struct client *client)
{
	struct server *server = context;

	for (struct client **place = &server->clients; *place != NULL; place = &(*place)->next)
		if (*place == client) {
			*place = client->next;
			break;
		}
	server->client_count--;
	free(client);
}

static size_t answer(void *context, struct client *client, const uint8_t *frame, size_t length,
		     uint8_t reply[BB_MODBUS_TCP_MAX])
{
	const struct server *server = context;

	return server->options.answer(server->options.context, client, frame, length, reply);
}

static bool has_room_for(const struct server *server, const struct sockaddr_storage *peer)
{
	size_t same = 0;

	if (server->client_count >= server->options.most_clients)
		return false;
	for (const struct client *client = server->clients; client != NULL; client = client->next)
		same += is_same_host(&client->peer, peer);
	return same < server->options.most_per_address;
}

static void take_client(struct server *server, int fd, const struct sockaddr_storage *peer)
{
	struct client *client = NULL;

	if (is_allowed(server, peer) && has_room_for(server, peer))
		client = calloc(1, sizeof(*client));
	if (client == NULL) {
		(void)close(fd); /* refused: that is all the answer there is */
		return;
	}
	client->peer = *peer;
	client->answer = answer;
	client->closed = client_closed;
	client->context = server;
	if (client_start(client, server->loop, fd) < 0) {
		free(client);
		return;
	}
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
}

static void server_ready(void *context, unsigned events)
{
	struct server *server = context;

	(void)events; /* it is only ever readable */
	for (int i = 0; i < ACCEPT_MOST; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t length = sizeof(peer);
		const int fd = accept4(server->fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_client(server, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			(void)bb_complain(server->log, &server->complaint, -errno, "cannot take a connection");
			bb_watch_set(server->watch, 0); /* the sweep tries again: no busy loop */
		}
		return;
	}
}

static void server_sweep(void *context)
{
	struct server *server = context;
	const int64_t now_ms = bb_clock_ms();
	struct client *next;

	bb_watch_set(server->watch, BB_WATCH_READ);
	for (struct client *client = server->clients; client != NULL; client = next) {
		next = client->next;
		if (now_ms - client->active_ms > server->options.idle_ms ||
		    (client->begun_ms != 0 && now_ms - client->begun_ms > server->options.stall_ms))
			client_close(client);
	}
}

/* ---- life ---- */

static void server_set_up(struct bb_task *task)
{
	struct server *server = (struct server *)((char *)task - offsetof(struct server, set_up));
	int r = bb_watch_create(server->loop, server->fd, BB_WATCH_READ, server_ready, server, &server->watch);

	server->sweep = bb_timer_create(server->loop, server_sweep, server);
	if (r < 0 || server->sweep == NULL)
		(void)bb_log_error(server->log, r < 0 ? r : -ENOMEM, "cannot serve");
	else
		bb_timer_start(server->sweep, SWEEP_MS, SWEEP_MS);
}

static void server_tear_down(struct bb_task *task)
{
	struct server *server = (struct server *)((char *)task - offsetof(struct server, tear_down));

	while (server->clients != NULL)
		client_close(server->clients);
	bb_timer_destroy(server->sweep);
	bb_watch_destroy(server->watch);
}

int server_start(const struct server_options *options, const struct bb_log *log, char ret_text[BB_LISTEN_TEXT_SIZE],
		 struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (server == NULL)
		return bb_log_error(log, -ENOMEM, "cannot serve");
	server->options = *options;
	server->log = log;
	server->set_up.run = server_set_up;
	server->tear_down.run = server_tear_down;
	server->fd = bb_listen_open(&options->address, ret_text);
	if (server->fd < 0) {
		r = bb_log_error(log, server->fd, "cannot listen");
		free(server);
		return r;
	}
	r = bb_loop_thread_start("modbus", &server->loop);
	if (r < 0) {
		(void)close(server->fd); /* the error that matters is @r */
		free(server);
		return bb_log_error(log, r, "cannot start a thread");
	}
	bb_loop_post(server->loop, &server->set_up);
	*ret_server = server;
	return 0;
}

void server_stop(struct server *server)
{
	if (server == NULL)
		return;
	bb_loop_post(server->loop, &server->tear_down);
	bb_loop_thread_stop(server->loop);
	(void)close(server->fd); /* nobody is left to tell */
	free(server);
}
