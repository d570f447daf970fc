/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp.c - requests to one Modbus TCP peer, one after the other.
 *
 * What arrives is collected in one buffer and cut into frames by their length field. A frame with another transaction
 * number is the late answer to a request that was given up: it is dropped and waiting goes on. Anything that can be no
 * frame, or does not fit its request, means the two sides have lost each other: the connection is given up, the next
 * request opens a new one.
 *
 * A request is either waited for (bb_modbus_read(), on a worker), or asked and looked after now and then
 * (bb_modbus_ask(), on the main loop, which may not wait, nor close a descriptor that it watches).
 */
#include <busbar/modbus_link.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

#define MODBUS_PORT  502 /* Messaging on TCP/IP Implementation Guide, 3.1.1 */
#define READ_LAST    4   /* functions 01 to 04 read */
#define TIMEOUTS_MAX 3   /* in a row; then the connection is made anew, in case it is what hangs */

static int link_init(struct bb_link *link, const struct bb_address *address, void *state)
{
	struct modbus_link *modbus = state;

	(void)link; /* its name says nothing that the address does not */
	modbus->host = strdup(address->host);
	modbus->port = address->port ? address->port : MODBUS_PORT;
	return modbus->host == NULL ? -ENOMEM : 0;
}

static void link_finish(void *state)
{
	struct modbus_link *modbus = state;

	connection_close(modbus);
	free(modbus->host);
}

const struct bb_link_type BB_LINK_MODBUS = {
	.name = "modbus",
	.state_size = sizeof(struct modbus_link),
	.init = link_init,
	.finish = link_finish,
};

int bb_modbus_address_unit(const struct bb_address *address)
{
	const char *digits = address->path;
	int unit = 0;

	if (*digits == '\0')
		return 1;
	for (; *digits >= '0' && *digits <= '9' && unit <= 255; digits++)
		unit = unit * 10 + (*digits - '0');
	return *digits == '\0' && unit <= 255 ? unit : -EINVAL;
}

/* ---- frames ---- */

static int send_all(struct modbus_link *modbus, const uint8_t *bytes, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		const ssize_t sent = send(modbus->fd - 1, bytes, length, MSG_NOSIGNAL);
		int r = 0;

		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		} else if (sent < 0 && errno == EAGAIN) {
			r = connection_wait(modbus, POLLOUT, deadline_ms);
		} else if (sent < 0 && errno != EINTR) {
			r = errno == ETIMEDOUT ? -ECONNRESET : -errno;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void drop_frame(struct modbus_link *modbus, size_t length)
{
	modbus->filled -= length;
	memmove(modbus->buffer, modbus->buffer + length, modbus->filled);
}

static bool is_answer_to(const uint8_t *frame, const struct bb_modbus_request *request)
{
	return (frame[0] << 8 | frame[1]) == request->transaction;
}

/*
 * Look for the answer to @request in what has arrived. Returns the length of its frame, which then stands at the start
 * of the buffer; 0: it has not arrived whole; -EPROTO. The buffer holds two frames, so there is always room for the rest
 * of the one at its start.
 */
static int find_answer(struct modbus_link *modbus, const struct bb_modbus_request *request)
{
	for (;;) {
		const int length = bb_modbus_tcp_length(modbus->buffer, modbus->filled);

		if (length <= 0)
			return length;
		if ((size_t)length > modbus->filled)
			return 0;
		if (is_answer_to(modbus->buffer, request))
			return length;
		drop_frame(modbus, (size_t)length);
	}
}

static int receive_answer(struct modbus_link *modbus, const struct bb_modbus_request *request, int64_t deadline_ms)
{
	for (;;) {
		int r = find_answer(modbus, request);

		if (r != 0)
			return r;
		r = connection_wait(modbus, POLLIN, deadline_ms);
		if (r == 0)
			r = connection_receive(modbus);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
}

/* ---- one request, waited for ---- */

/* Send @frame and wait for its answer. Returns the answer's length or a negative errno. */
static int exchange(struct modbus_link *modbus, const struct bb_modbus_request *request, const uint8_t *frame,
		    size_t length, int64_t deadline_ms)
{
	int r = send_all(modbus, frame, length, deadline_ms);

	if (r < 0) { /* half a request may be on its way */
		connection_close(modbus);
		return r;
	}
	r = receive_answer(modbus, request, deadline_ms);
	if (r > 0)
		modbus->timeouts = 0;
	else if (r != -ETIMEDOUT || ++modbus->timeouts >= TIMEOUTS_MAX || modbus->filled > 0)
		connection_close(modbus); /* half a frame may be the beginning of anything */
	return r;                         /* an answer that is late is dropped when it comes */
}

/*
 * Send @frame and take the reply apart; it stays in the buffer until the next call. A connection that the peer closed
 * while nobody used it is noticed only now: a read is then sent once more on a new one. A write is not, since it may
 * have been carried out.
 */
static int transact(struct bb_link *link, const struct bb_modbus_request *request, const uint8_t *frame, size_t length,
		    struct bb_modbus_reply *ret_reply)
{
	struct modbus_link *modbus = bb_link_state(link);
	const int64_t deadline_ms = bb_link_deadline(link);
	const bool was_open = connection_is_open(modbus);
	int answer, r = connection_open(modbus, deadline_ms);

	if (r < 0)
		return r;
	answer = exchange(modbus, request, frame, length, deadline_ms);
	if (was_open && request->function <= READ_LAST && (answer == -ECONNRESET || answer == -EPIPE)) {
		r = connection_open(modbus, deadline_ms);
		answer = r < 0 ? r : exchange(modbus, request, frame, length, deadline_ms);
	}
	if (answer < 0)
		return answer;
	r = bb_modbus_reply_parse(modbus->buffer, (size_t)answer, request, ret_reply);
	if (r < 0)
		connection_close(modbus);
	return r < 0 ? r : answer;
}

/* The parts of a request that its reply is checked against; each has a transaction number of its own. */
static struct bb_modbus_request make_request(struct modbus_link *modbus, uint8_t unit, uint8_t function,
					     uint16_t address, uint16_t count)
{
	return (struct bb_modbus_request){
		.transaction = ++modbus->transaction,
		.unit = unit,
		.function = function,
		.address = address,
		.quantity = count,
	};
}

static void take_values(const struct bb_modbus_reply *reply, const struct bb_modbus_request *request,
			uint16_t *ret_words)
{
	if (request->function <= 2) /* 01 and 02 read bits */
		for (unsigned i = 0; i < request->quantity; i++)
			ret_words[i] = bb_modbus_reply_bit(reply, i);
	else
		bb_modbus_reply_get_words(reply, ret_words, request->quantity);
}

int bb_modbus_read(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, uint16_t count,
		   uint16_t *ret_words)
{
	const struct bb_modbus_request request = make_request(bb_link_state(link), unit, function, address, count);
	uint8_t frame[BB_MODBUS_TCP_MAX];
	const size_t length = bb_modbus_request_read(frame, request.transaction, unit, function, address, count);
	struct bb_modbus_reply reply;
	const int r = transact(link, &request, frame, length, &reply);

	if (r < 0)
		return r;
	if (reply.exception == 0)
		take_values(&reply, &request, ret_words);
	drop_frame(bb_link_state(link), (size_t)r);
	return reply.exception;
}

int bb_modbus_write(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, const uint16_t *words,
		    uint16_t count)
{
	const struct bb_modbus_request request = make_request(bb_link_state(link), unit, function, address, count);
	uint8_t frame[BB_MODBUS_TCP_MAX];
	const size_t length =
		bb_modbus_request_write(frame, request.transaction, unit, function, address, words, count);
	struct bb_modbus_reply reply;
	const int r = transact(link, &request, frame, length, &reply);

	if (r < 0)
		return r;
	drop_frame(bb_link_state(link), (size_t)r);
	return reply.exception;
}

/* ---- one request, looked after now and then ---- */

int bb_modbus_ask(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, uint16_t count, int *ret_fd)
{
	struct modbus_link *modbus = bb_link_state(link);
	uint8_t frame[BB_MODBUS_TCP_MAX];
	size_t length;

	if (modbus->timeouts >= TIMEOUTS_MAX || modbus->filled > 0)
		modbus->broken = true; /* see exchange() */
	if (!connection_is_open(modbus))
		return -ENOTCONN;
	modbus->pending = make_request(modbus, unit, function, address, count);
	length = bb_modbus_request_read(frame, modbus->pending.transaction, unit, function, address, count);
	if (send(modbus->fd - 1, frame, length, MSG_NOSIGNAL) != (ssize_t)length) {
		modbus->broken = true; /* half a request may be on its way */
		return -EPIPE;
	}
	modbus->timeouts++; /* until it is answered */
	*ret_fd = modbus->fd - 1;
	return 0;
}

int bb_modbus_answer(struct bb_link *link, uint16_t *ret_words)
{
	struct modbus_link *modbus = bb_link_state(link);
	struct bb_modbus_reply reply;
	int r = connection_receive(modbus);
	int length;

	if (r == -EAGAIN)
		return r;
	length = r < 0 ? r : find_answer(modbus, &modbus->pending);
	if (length == 0)
		return -EAGAIN;
	r = length < 0 ? length : bb_modbus_reply_parse(modbus->buffer, (size_t)length, &modbus->pending, &reply);
	if (r < 0) {
		modbus->broken = true;
		return r;
	}
	modbus->timeouts = 0;
	if (reply.exception == 0)
		take_values(&reply, &modbus->pending, ret_words);
	drop_frame(modbus, (size_t)length);
	return reply.exception;
}
