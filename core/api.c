/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c - the local API's door: accepts clients, bounds how many there are, and shows out those that idle.
 *
 * The way through the other files is drawn in api_internal.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "api_internal.h"

#define API_TICK_MS 1000

/* More than enough: say so in one frame, as far as the socket takes it at once. */
static void api_turn_away(int fd)
{
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Error error = BUSBAR__ERROR__INIT;
	uint8_t frame[256];
	size_t length;

	error.code = BUSBAR__ERROR__CODE__BUSY;
	error.text = api_text("busbard has as many clients as it takes");
	response.last = true;
	response.protocol = API_PROTOCOL;
	response.error = &error;
	length = busbar__response__get_packed_size(&response);
	assert(length < sizeof(frame) - 4);
	frame[0] = frame[1] = frame[2] = 0;
	frame[3] = (uint8_t)length;
	busbar__response__pack(&response, frame + 4);
	(void)send(fd, frame, length + 4, MSG_NOSIGNAL | MSG_DONTWAIT); /* it may have gone already */
	close(fd);
}

static void api_accept(void *context, unsigned events)
{
	struct api *api = context;
	const int fd = accept4(api->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct api_client *client;
	int r;

	(void)events; /* only reading is watched */
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* The client stays in the queue and the socket readable: look again later, not all the time. */
			(void)bb_log_warning(NULL, -errno, "cannot accept a local client, trying again");
			api->deaf = true;
			bb_watch_set(api->watch, 0);
		}
		return; /* any other reason is the client's: it has gone */
	}
	if (api->client_count >= API_CLIENTS_MAX) {
		api_turn_away(fd);
		return;
	}
	r = api_client_create(api, fd, &client);
	if (r < 0) {
		close(fd);
		(void)bb_log_warning(NULL, r, "cannot serve a local client");
		return;
	}
	client->next = api->clients;
	api->clients = client;
	api->client_count++;
}

void api_bury(struct api *api, struct api_client *client)
{
	struct api_client **place = &api->clients;

	while (*place != client)
		place = &(*place)->next;
	*place = client->next;
	api->client_count--;
	api_client_destroy(client);
}

static void api_tick(void *context)
{
	struct api *api = context;
	const int64_t now_ms = bb_clock_ms();
	struct api_client *client, *next;

	for (client = api->clients; client != NULL; client = next) {
		next = client->next;
		if (api_client_is_idle(client, now_ms))
			api_bury(api, client);
	}
	if (api->deaf) {
		api->deaf = false;
		bb_watch_set(api->watch, BB_WATCH_READ);
	}
}

int api_create(struct bb_loop *loop, struct agent *agent, const char *path, const char *group, struct api **ret_api)
{
	struct api *api = calloc(1, sizeof(*api));
	int r;

	if (api == NULL)
		return -ENOMEM;
	api->loop = loop;
	api->agent = agent;
	api->started_ms = bb_clock_ms();
	r = api_socket_open(path, group, &api->socket);
	if (r < 0) {
		free(api);
		return r;
	}
	r = bb_watch_create(loop, api->socket.fd, BB_WATCH_READ, api_accept, api, &api->watch);
	if (r < 0)
		goto fail;
	api->tick = bb_timer_create(loop, api_tick, api);
	if (api->tick == NULL) {
		r = -ENOMEM;
		goto fail;
	}
	bb_timer_start(api->tick, API_TICK_MS, API_TICK_MS);
	*ret_api = api;
	return 0;
fail:
	api_destroy(api);
	return r;
}

void api_destroy(struct api *api)
{
	if (api == NULL)
		return;
	while (api->clients != NULL)
		api_bury(api, api->clients);
	api_probe_abandon(api->probe);
	bb_timer_destroy(api->tick);
	bb_watch_destroy(api->watch);
	api_socket_close(&api->socket);
	free(api);
}
