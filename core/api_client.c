/* SPDX-License-Identifier: Apache-2.0
 *
 * api_client.c - one local connection: cuts what comes in into frames, has one request answered at a time, and writes
 * what the answers make as fast as the client reads it.
 *
 * Nothing is called back from inside: answers queue bytes and wake-ups, and all work is done in client_ready(), when
 * the descriptor is ready. One call reads a little and writes a little, so a busy client does not hold up the loop.
 * While an answer is in progress the descriptor stays watched for reading, because that is how a hang-up shows.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "api_internal.h"

#define FRAME_HEAD    4 /* the length, big endian */
#define INPUT_INITIAL 512

/* A whole frame of the largest kind, so a request can always be completed. */
#define INPUT_MAX (FRAME_HEAD + API_REQUEST_MAX)

static size_t frame_length(const uint8_t *head)
{
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

int api_send(struct api_client *client, const Busbar__Response *response)
{
	const size_t length = busbar__response__get_packed_size(response);
	const size_t needed = FRAME_HEAD + length;
	uint8_t *at;

	if (client->output_start == client->output_end)
		client->output_start = client->output_end = 0;
	if (client->output_size - client->output_end < needed) {
		const size_t size = client->output_end + needed;
		uint8_t *larger = realloc(client->output, size);

		if (larger == NULL)
			return -ENOMEM;
		client->output = larger;
		client->output_size = size;
	}
	at = client->output + client->output_end;
	at[0] = (uint8_t)(length >> 24);
	at[1] = (uint8_t)(length >> 16);
	at[2] = (uint8_t)(length >> 8);
	at[3] = (uint8_t)length;
	(void)busbar__response__pack(response, at + FRAME_HEAD); /* returns the length we know */
	client->output_end += needed;
	return 0;
}

static bool client_has_output(const struct api_client *client)
{
	return client->output_start != client->output_end;
}

static bool client_has_request(const struct api_client *client)
{
	return client->input_used >= FRAME_HEAD && client->input_used >= FRAME_HEAD + frame_length(client->input);
}

/* Takes in what is there, at most one buffer. False: the client has gone, or sends what it may not. */
static bool client_read(struct api_client *client)
{
	ssize_t n;

	if (client->input_used == client->input_size) {
		const size_t size = client->input_size == 0 ? INPUT_INITIAL : 2 * client->input_size;
		uint8_t *larger;

		/* Full with a frame complete: it sends requests faster than it reads answers. */
		if (client->input_used == INPUT_MAX)
			return false;
		larger = realloc(client->input, size < INPUT_MAX ? size : INPUT_MAX);
		if (larger == NULL)
			return false;
		client->input = larger;
		client->input_size = size < INPUT_MAX ? size : INPUT_MAX;
	}
	n = recv(client->fd, client->input + client->input_used, client->input_size - client->input_used, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->input_used += (size_t)n;
	return n > 0;
}

/* Begins to answer the next request if a whole one is there. False: the client is of no more use. */
static bool client_next_request(struct api_client *client)
{
	size_t length;
	int step;

	if (client->input_used < FRAME_HEAD)
		return true;
	length = frame_length(client->input);
	if (length > API_REQUEST_MAX) {
		client->closing = true; /* what follows cannot be told from content any more */
		return api_refuse(client, BUSBAR__ERROR__CODE__REQUEST, NULL, "a request may have %d bytes, not %zu",
				  API_REQUEST_MAX, length) >= 0;
	}
	if (!client_has_request(client))
		return true;

	client->moved_ms = bb_clock_ms();
	step = api_answer_begin(client, client->input + FRAME_HEAD, length, &client->answer);
	client->input_used -= FRAME_HEAD + length;
	memmove(client->input, client->input + FRAME_HEAD + length, client->input_used);
	if (step == API_LAST || step < 0) {
		api_answer_destroy(client->answer);
		client->answer = NULL;
	}
	client->answer_waits = step == API_WAIT;
	return step >= 0;
}

/* Makes frames until the output is full. False: it cannot go on. */
static bool client_produce(struct api_client *client)
{
	while (!client->closing && client->output_end - client->output_start < API_OUTPUT_FULL) {
		int step;

		if (client->answer == NULL) {
			const size_t before = client->input_used;

			if (!client_next_request(client))
				return false;
			if (client->input_used == before)
				break; /* no whole request there */
			continue;
		}
		if (client->answer_waits)
			break;
		step = client->answer->type->more(client->answer);
		if (step < 0)
			return false;
		client->answer_waits = step == API_WAIT;
		if (step == API_LAST) {
			api_answer_destroy(client->answer);
			client->answer = NULL;
		}
	}
	return true;
}

static bool client_write(struct api_client *client)
{
	ssize_t n;

	if (client->output_start == client->output_end)
		return true;
	n = send(client->fd, client->output + client->output_start, client->output_end - client->output_start,
		 MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->output_start += (size_t)n;
	client->moved_ms = bb_clock_ms();
	if (client->output_start == client->output_end && client->answer == NULL) {
		free(client->output);
		client->output = NULL;
		client->output_start = client->output_end = client->output_size = 0;
	}
	return true;
}

/* What to wait for: anything to say, or to make, is done when the descriptor takes bytes. */
static unsigned client_interest(const struct api_client *client)
{
	const bool busy = client->answer != NULL ? !client->answer_waits : client_has_request(client);

	if (client->closing)
		return BB_WATCH_WRITE;
	return BB_WATCH_READ | (client_has_output(client) || busy ? BB_WATCH_WRITE : 0);
}

static void client_ready(void *context, unsigned events)
{
	struct api_client *client = context;
	bool good = true;

	if ((events & BB_WATCH_READ) != 0 && !client->closing)
		good = client_read(client);
	good = good && client_produce(client) && client_write(client);
	if (!good || (client->closing && !client_has_output(client))) {
		api_bury(client->api, client);
		return;
	}
	bb_watch_set(client->watch, client_interest(client));
}

void api_client_wake(struct api_client *client)
{
	if (!client->answer_waits)
		return;
	client->answer_waits = false;
	client->moved_ms = bb_clock_ms();
	bb_watch_set(client->watch, BB_WATCH_READ | BB_WATCH_WRITE);
}

bool api_client_is_idle(const struct api_client *client, int64_t now_ms)
{
	/* Somebody who follows events may hear nothing for days, and that is no fault of his. */
	if (client->answer_waits && !client_has_output(client))
		return false;
	return now_ms - client->moved_ms > API_IDLE_MS;
}

int api_client_create(struct api *api, int fd, struct api_client **ret_client)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t length = sizeof(peer);
	struct api_client *client = calloc(1, sizeof(*client));
	int r;

	if (client == NULL)
		return -ENOMEM;
	/* For the log and for events; on failure they show an impossible user. */
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
	client->api = api;
	client->fd = fd;
	client->uid = peer.uid;
	client->moved_ms = bb_clock_ms();
	r = bb_watch_create(api->loop, fd, BB_WATCH_READ, client_ready, client, &client->watch);
	if (r < 0) {
		free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

void api_client_destroy(struct api_client *client)
{
	api_answer_destroy(client->answer);
	bb_watch_destroy(client->watch);
	close(client->fd);
	free(client->input);
	free(client->output);
	free(client);
}
