/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_stream.c - TCP: connecting without waiting, writing, and asking the kernel what it knows of the peer.
 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/loop.h>

/* A peer that has nothing to acknowledge is asked for a sign of life after this long, then this often. */
#define KEEPALIVE_AFTER_S 30
#define KEEPALIVE_EVERY_S 10
#define KEEPALIVE_TIMES   3

/* So many repeats that nobody answers, and not just one that was lost. */
#define LOST_AFTER_REPEATS 3

/* What waits in the kernel for a slow peer; more waits in the journal, where it costs no memory. */
#define SEND_BUFFER 65536

/* What a peer says at a time is forgotten in pieces, and others get their turn after so many. */
#define DRAIN_PIECES 8

struct plain {
	struct stream stream; /* first */
	uint64_t written;
};

static int plain_handshake(struct stream *stream)
{
	(void)stream; /* there is nothing to agree on */
	return 0;
}

static ssize_t plain_write(struct stream *stream, const void *bytes, size_t length)
{
	struct plain *plain = (struct plain *)stream;
	const ssize_t taken = send(stream->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (taken < 0) {
		stream->wants = BB_WATCH_READ | BB_WATCH_WRITE;
		return errno == EINTR ? -EAGAIN : -errno;
	}
	stream->wants = BB_WATCH_READ;
	plain->written += (uint64_t)taken;
	return taken;
}

static int plain_drain(struct stream *stream)
{
	char nobody_reads[1024];

	for (int i = 0; i < DRAIN_PIECES; i++) {
		const ssize_t length = recv(stream->fd, nobody_reads, sizeof(nobody_reads), MSG_DONTWAIT);

		if (length == 0)
			return -EPIPE;
		if (length < 0)
			return errno == EINTR ? -EAGAIN : -errno;
	}
	return -EAGAIN; /* whatever is left makes the descriptor readable again */
}

static void plain_finish(struct stream *stream)
{
	(void)shutdown(stream->fd, SHUT_WR); /* when the connection has gone, the next drain says so */
}

static void plain_close(struct stream *stream)
{
	free(stream);
}

static uint64_t plain_written(const struct stream *stream)
{
	return ((const struct plain *)stream)->written;
}

static const struct stream_ops plain_ops = {
	.handshake = plain_handshake,
	.write = plain_write,
	.drain = plain_drain,
	.finish = plain_finish,
	.close = plain_close,
	.written = plain_written,
};

int stream_open(int fd, struct stream **ret_stream)
{
	struct plain *plain = calloc(1, sizeof(*plain));

	if (!plain)
		return -ENOMEM;
	plain->stream = (struct stream){.ops = &plain_ops, .fd = fd, .wants = BB_WATCH_READ};
	*ret_stream = &plain->stream;
	return 0;
}

void stream_close(struct stream *stream)
{
	int fd;

	if (!stream)
		return;
	fd = stream->fd;
	stream->ops->close(stream);
	close(fd);
}

uint64_t stream_acknowledged(const struct stream *stream)
{
	const uint64_t written = stream->ops->written(stream);
	int waiting; /* not sent, or sent and not acknowledged */

	if (ioctl(stream->fd, SIOCOUTQ, &waiting) < 0 || waiting < 0 || (uint64_t)waiting > written)
		return 0; /* we know nothing, so nothing is acknowledged */
	return written - (uint64_t)waiting;
}

bool stream_is_dead(const struct stream *stream, int64_t silence_ms)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return false;
	/*
	 * With a full window nothing is in flight, and the peer's kernel answers our questions whether there is room:
	 * such a peer is slow, not gone.
	 */
	return info.tcpi_unacked > 0 && info.tcpi_retransmits >= LOST_AFTER_REPEATS &&
	       (int64_t)info.tcpi_last_ack_recv > silence_ms;
}

static void set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value)); /* each only makes a good thing better */
}

int stream_connect(const char *address, unsigned short port)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char service[8];
	int fd, r = 0;

	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(address, service, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		r = -errno;
		freeaddrinfo(found);
		return r;
	}
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* an event does not wait for the next one */
	set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_AFTER_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TIMES);
	if (connect(fd, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
	}
	freeaddrinfo(found);
	return r < 0 ? r : fd;
}

int stream_connected(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -errno;
	return -error;
}
