/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp.c - a connection to one Modbus TCP peer, and requests on it, one after the other.
 *
 * The descriptor is non-blocking; every wait is a poll(2) until the link's deadline. What arrives is collected in one
 * buffer and cut into frames by their length field. A frame with another transaction number is the late answer to
 * a request that was given up: it is dropped and waiting goes on. Anything that can be no frame, or does not fit its
 * request, means the two sides have lost each other: the connection is closed, the next request opens a new one.
 */
#include <busbar/modbus_link.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/modbus.h>

#define MODBUS_PORT 502 /* Messaging on TCP/IP Implementation Guide, 3.1.1 */
#define READ_LAST   4   /* functions 01 to 04 read */

struct modbus_link {
	int fd; /* plus one, so that zeroed memory means closed */
	uint16_t transaction;
	char *host;
	char service[8];
	struct sockaddr_storage address; /* the last one that a connection was made to */
	socklen_t address_length;        /* 0: none yet */
	size_t filled;
	uint8_t buffer[2 * BB_MODBUS_TCP_MAX];
};

static int link_init(struct bb_link *link, const struct bb_address *address, void *state)
{
	struct modbus_link *modbus = state;

	(void)link; /* its name says nothing that the address does not */
	modbus->host = strdup(address->host);
	if (modbus->host == NULL)
		return -ENOMEM;
	(void)snprintf(modbus->service, sizeof(modbus->service), "%u", address->port ? address->port : MODBUS_PORT);
	return 0;
}

static bool is_open(const struct modbus_link *modbus)
{
	return modbus->fd > 0;
}

static void disconnect(struct modbus_link *modbus)
{
	if (is_open(modbus))
		close(modbus->fd - 1);
	modbus->fd = 0;
	modbus->filled = 0;
}

static void link_finish(void *state)
{
	struct modbus_link *modbus = state;

	disconnect(modbus);
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
	char *end;
	long unit;

	if (*address->path == '\0')
		return 1;
	unit = strtol(address->path, &end, 10);
	return *end == '\0' && unit >= 0 && unit <= 255 ? (int)unit : -EINVAL;
}

/* Wait until @fd can do what @events ask. 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd poller = {.fd = fd, .events = events};
		const int64_t left_ms = deadline_ms - bb_clock_ms();
		const int ready = left_ms > 0 ? poll(&poller, 1, (int)left_ms) : 0;

		if (ready > 0)
			return 0; /* errors show when it is used */
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* ---- connecting ---- */

static int connect_to(const struct sockaddr *address, socklen_t length, int64_t deadline_ms)
{
	const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;
	socklen_t size = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address, length) < 0) {
		error = errno == EINPROGRESS ? -wait_for(fd, POLLOUT, deadline_ms) : errno;
		if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
	}
	if (error) {
		close(fd);
		return -error;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without, not wrong */
	return fd;
}

/* Tries every address of the name. The one that answered is tried first the next time, without a look-up. */
static int connect_by_name(struct modbus_link *modbus, int64_t deadline_ms)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	int fd = -EHOSTUNREACH;

	if (getaddrinfo(modbus->host, modbus->service, &hints, &found) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next) {
		fd = connect_to(one->ai_addr, one->ai_addrlen, deadline_ms);
		if (fd >= 0) {
			memcpy(&modbus->address, one->ai_addr, one->ai_addrlen);
			modbus->address_length = one->ai_addrlen;
		}
	}
	freeaddrinfo(found);
	return fd;
}

static int ensure_connected(struct modbus_link *modbus, int64_t deadline_ms)
{
	int fd = -ENOTCONN;

	if (is_open(modbus))
		return 0;
	if (modbus->address_length > 0)
		fd = connect_to((const struct sockaddr *)&modbus->address, modbus->address_length, deadline_ms);
	if (fd < 0)
		fd = connect_by_name(modbus, deadline_ms);
	if (fd < 0)
		return fd;
	modbus->fd = fd + 1;
	return 0;
}

/* ---- one request ---- */

static int send_all(int fd, const uint8_t *bytes, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		int r;

		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
			continue;
		}
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline_ms);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Read once into the buffer. 0 or a negative errno. */
static int receive_some(struct modbus_link *modbus, int64_t deadline_ms)
{
	const int fd = modbus->fd - 1;
	ssize_t received;
	int r;

	do {
		r = wait_for(fd, POLLIN, deadline_ms);
		if (r < 0)
			return r;
		received = recv(fd, modbus->buffer + modbus->filled, sizeof(modbus->buffer) - modbus->filled, 0);
	} while (received < 0 && (errno == EAGAIN || errno == EINTR));
	if (received < 0)
		return -errno;
	if (received == 0)
		return -ECONNRESET;
	modbus->filled += (size_t)received;
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
 * Wait for the answer to @request, which then stands at the start of the buffer. Returns its length or a negative
 * errno. The buffer holds two frames, so there is always room for the rest of the one at its start.
 */
static int receive_answer(struct modbus_link *modbus, const struct bb_modbus_request *request, int64_t deadline_ms)
{
	for (;;) {
		const int length = bb_modbus_tcp_length(modbus->buffer, modbus->filled);
		int r;

		if (length < 0)
			return length;
		if (length == 0 || (size_t)length > modbus->filled) {
			r = receive_some(modbus, deadline_ms);
			if (r < 0)
				return r;
		} else if (is_answer_to(modbus->buffer, request)) {
			return length;
		} else {
			drop_frame(modbus, (size_t)length);
		}
	}
}

/*
 * Send @frame and take the reply apart; it stays in the buffer until the next call. A connection that the peer closed
 * while nobody used it is noticed only now: a read is then sent once more on a new one. A write is not, since it may
 * have been carried out.
 */
static int transact(struct bb_link *link, struct bb_modbus_request *request, const uint8_t *frame, size_t length,
		    struct bb_modbus_reply *ret_reply)
{
	struct modbus_link *modbus = bb_link_state(link);
	const int64_t deadline_ms = bb_link_deadline(link);
	const bool was_open = is_open(modbus);
	int r = ensure_connected(modbus, deadline_ms);

	if (r < 0)
		return r;
	r = send_all(modbus->fd - 1, frame, length, deadline_ms);
	if (r >= 0)
		r = receive_answer(modbus, request, deadline_ms);
	if (r > 0) {
		const int answer = r;

		r = bb_modbus_reply_parse(modbus->buffer, (size_t)answer, request, ret_reply);
		if (r == 0)
			return answer;
	}
	if (r == -ETIMEDOUT)
		return r; /* the answer may still come, and is dropped then */
	disconnect(modbus);
	if (was_open && request->function <= READ_LAST && (r == -ECONNRESET || r == -EPIPE))
		return transact(link, request, frame, length, ret_reply);
	return r;
}

/* The parts of a request that its reply is checked against; each has a transaction number of its own. */
static struct bb_modbus_request make_request(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address,
					     uint16_t count)
{
	struct modbus_link *modbus = bb_link_state(link);

	return (struct bb_modbus_request){
		.transaction = ++modbus->transaction,
		.unit = unit,
		.function = function,
		.address = address,
		.quantity = count,
	};
}

int bb_modbus_read(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, uint16_t count,
		   uint16_t *ret_words)
{
	struct bb_modbus_request request = make_request(link, unit, function, address, count);
	uint8_t frame[BB_MODBUS_TCP_MAX];
	const size_t length = bb_modbus_request_read(frame, request.transaction, unit, function, address, count);
	struct bb_modbus_reply reply;
	const int r = transact(link, &request, frame, length, &reply);

	if (r < 0)
		return r;
	if (reply.exception == 0 && function <= 2) /* 01 and 02 read bits */
		for (unsigned i = 0; i < count; i++)
			ret_words[i] = bb_modbus_reply_bit(&reply, i);
	else if (reply.exception == 0)
		bb_modbus_reply_get_words(&reply, ret_words, count);
	drop_frame(bb_link_state(link), (size_t)r);
	return reply.exception;
}

int bb_modbus_write(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, const uint16_t *words,
		    uint16_t count)
{
	struct bb_modbus_request request = make_request(link, unit, function, address, count);
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
