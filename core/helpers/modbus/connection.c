/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.c - one TCP connection to a Modbus peer: made when it is needed, and given up when it has died.
 *
 * The descriptor is non-blocking; every wait is a poll(2) until a deadline. A peer that has vanished without a word is
 * noticed by the kernel, which wants what was sent acknowledged within UNACKNOWLEDGED_MS.
 */
#include "connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/resolve.h>

#define UNACKNOWLEDGED_MS 10000

bool connection_is_open(const struct modbus_link *modbus)
{
	return modbus->fd > 0 && !modbus->broken;
}

void connection_close(struct modbus_link *modbus)
{
	if (modbus->fd > 0)
		close(modbus->fd - 1);
	modbus->fd = 0;
	modbus->broken = false;
	modbus->timeouts = 0;
	modbus->filled = 0;
}

/* Wait until @fd can do what @events ask. 0 or a negative errno. */
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

int connection_wait(const struct modbus_link *modbus, short events, int64_t deadline_ms)
{
	return wait_for(modbus->fd - 1, events, deadline_ms);
}

int connection_receive(struct modbus_link *modbus)
{
	ssize_t received;

	do {
		received = recv(modbus->fd - 1, modbus->buffer + modbus->filled,
				sizeof(modbus->buffer) - modbus->filled, 0);
	} while (received < 0 && errno == EINTR);
	if (received > 0) {
		modbus->filled += (size_t)received;
		return 0;
	}
	if (received == 0 || errno == ETIMEDOUT) /* UNACKNOWLEDGED_MS are over: not what a late answer is called */
		return -ECONNRESET;
	return -errno;
}

/* ---- connecting ---- */

static int connect_to(const struct sockaddr *address, socklen_t length, int64_t deadline_ms)
{
	const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1, unacknowledged_ms = UNACKNOWLEDGED_MS;
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
	/* Without these it is slower, or notices later that the peer has gone; it is not wrong. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
	return fd;
}

/* Tries every address of the name, each in its part of the time that is left. The one that answers is kept. */
static int connect_by_name(struct modbus_link *modbus, int64_t deadline_ms)
{
	struct addrinfo *found;
	int left = 0, fd = bb_resolve_until(modbus->host, modbus->port, deadline_ms, &found);

	if (fd < 0)
		return fd;
	fd = -EHOSTUNREACH;
	for (const struct addrinfo *one = found; one != NULL; one = one->ai_next)
		left++;
	for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next, left--) {
		const int64_t now_ms = bb_clock_ms();

		fd = connect_to(one->ai_addr, one->ai_addrlen, now_ms + (deadline_ms - now_ms) / left);
		if (fd >= 0) {
			memcpy(&modbus->address, one->ai_addr, one->ai_addrlen);
			modbus->address_length = one->ai_addrlen;
		}
	}
	freeaddrinfo(found);
	return fd;
}

static int connect_to_kept(const struct modbus_link *modbus, int64_t deadline_ms)
{
	return connect_to((const struct sockaddr *)&modbus->address, modbus->address_length, deadline_ms);
}

/*
 * The address that answered the last time needs no look-up. When it does not answer, the name is looked up, at once if
 * there is time, or else the next time; the address stays for when there is no look-up to be had.
 */
int connection_open(struct modbus_link *modbus, int64_t deadline_ms)
{
	const bool has_kept = modbus->address_length > 0;
	int fd = -ETIMEDOUT; /* when there is no time for any attempt */

	if (connection_is_open(modbus))
		return 0;
	connection_close(modbus);
	if (!modbus->look_up_first && has_kept)
		fd = connect_to_kept(modbus, deadline_ms);
	if (fd < 0 && bb_clock_ms() < deadline_ms) {
		const int64_t half_ms = (deadline_ms - bb_clock_ms()) / 2;

		fd = connect_by_name(modbus, has_kept ? deadline_ms - half_ms : deadline_ms);
		if (fd < 0 && modbus->look_up_first && has_kept)
			fd = connect_to_kept(modbus, deadline_ms);
	}
	modbus->look_up_first = fd < 0;
	if (fd < 0)
		return fd;
	modbus->fd = fd + 1;
	return 0;
}
