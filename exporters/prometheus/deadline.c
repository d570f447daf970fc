/* SPDX-License-Identifier: Apache-2.0
 *
 * deadline.c - see deadline.h.
 *
 * libmicrohttpd tells of a request only when its first line is complete. That one has begun is seen before: the kernel
 * has then received more bytes on the socket than all requests so far had together.
 */
#include "deadline.h"

#include <linux/tcp.h> /* glibc's lacks tcpi_bytes_received */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The peer has closed its side; the kernel's header that counts bytes does not name its states (net/tcp_states.h). */
#define TCP_CLOSE_WAIT 8

struct deadline_connection {
	int fd;
	bool condemned;   /* has been shut down */
	int64_t since_ms; /* when the present request began, 0: idle */
	uint64_t asked;   /* bytes of all complete requests */
	struct deadline_connection *next, **link;
};

void deadlines_init(struct deadlines *deadlines, int64_t limit_ms)
{
	*deadlines = (struct deadlines){.limit_ms = limit_ms};
	(void)pthread_mutex_init(&deadlines->lock, NULL); /* cannot fail without attributes on Linux */
}

void deadlines_finish(struct deadlines *deadlines)
{
	(void)pthread_mutex_destroy(&deadlines->lock); /* nobody holds it any more */
}

/* What the kernel knows about @fd; all zero when it does not say. */
static struct tcp_info state_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return (struct tcp_info){0};
	return info;
}

/*
 * Has more come in than whole requests? A peer that will send no more counts, too: libmicrohttpd can overlook that when
 * it happens amid an answer, and would then keep the connection for as long as it may be idle.
 */
static bool has_begun(const struct deadline_connection *connection)
{
	const struct tcp_info info = state_of(connection->fd);

	return info.tcpi_bytes_received > connection->asked || info.tcpi_state == TCP_CLOSE_WAIT;
}

struct deadline_connection *deadline_opened(struct deadlines *deadlines, int fd, int64_t now_ms)
{
	struct deadline_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->since_ms = now_ms;

	pthread_mutex_lock(&deadlines->lock);
	connection->next = deadlines->first;
	connection->link = &deadlines->first;
	if (connection->next)
		connection->next->link = &connection->next;
	deadlines->first = connection;
	pthread_mutex_unlock(&deadlines->lock);
	return connection;
}

void deadline_asked(struct deadlines *deadlines, struct deadline_connection *connection, size_t length)
{
	if (!connection)
		return;
	pthread_mutex_lock(&deadlines->lock);
	connection->asked += length;
	pthread_mutex_unlock(&deadlines->lock);
}

void deadline_answered(struct deadlines *deadlines, struct deadline_connection *connection, int64_t now_ms)
{
	if (!connection)
		return;
	pthread_mutex_lock(&deadlines->lock);
	connection->since_ms = has_begun(connection) ? now_ms : 0;
	pthread_mutex_unlock(&deadlines->lock);
}

void deadline_closed(struct deadlines *deadlines, struct deadline_connection *connection)
{
	if (!connection)
		return;
	pthread_mutex_lock(&deadlines->lock);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	pthread_mutex_unlock(&deadlines->lock);
	free(connection);
}

size_t deadlines_check(struct deadlines *deadlines, int64_t now_ms)
{
	size_t condemned = 0;

	pthread_mutex_lock(&deadlines->lock);
	for (struct deadline_connection *connection = deadlines->first; connection; connection = connection->next) {
		if (!connection->since_ms && has_begun(connection))
			connection->since_ms = now_ms;
		if (!connection->since_ms || connection->condemned ||
		    now_ms - connection->since_ms < deadlines->limit_ms)
			continue;
		(void)shutdown(connection->fd, SHUT_RDWR); /* it fails when the peer was faster: gone either way */
		connection->condemned = true;
		condemned++;
	}
	pthread_mutex_unlock(&deadlines->lock);
	return condemned;
}
