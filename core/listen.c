/* SPDX-License-Identifier: Apache-2.0
 *
 * listen.c - the socket that clients of an exporter come to, see busbar/listen.h.
 */
#include <busbar/listen.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 256

int bb_listen_address(const struct bb_address *address, struct sockaddr_storage *ret_address)
{
	const char *host = strcmp(address->host, "localhost") ? address->host : "127.0.0.1";
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;

	if (!*host || inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		/* All zero, as no host leaves it, is every address of both families. */
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(address->port);
	} else if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(address->port);
	} else {
		return -EINVAL;
	}
	*ret_address = storage;
	return 0;
}

bool bb_listen_is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

/* Everything between socket() and the text; the caller closes @fd when this fails. */
static int set_up(int fd, const struct sockaddr_storage *address, char ret_text[BB_LISTEN_TEXT_SIZE])
{
	static const int on = 1, off = 0;
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	char host[INET6_ADDRSTRLEN];

	/* A restarted agent must not wait for connections of the one before to fade away. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	/* Accepted sockets inherit this: the end of an answer must not wait for an acknowledgement. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -errno;
	if (address->ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	length = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	if (bind(fd, (const struct sockaddr *)address, length) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	length = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
		return -errno;

	if (bound.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&bound;

		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)); /* the buffer is large enough */
		(void)snprintf(ret_text, BB_LISTEN_TEXT_SIZE, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&bound;

		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		(void)snprintf(ret_text, BB_LISTEN_TEXT_SIZE, "%s:%u", host, ntohs(v4->sin_port));
	}
	return 0;
}

int bb_listen_open(const struct sockaddr_storage *address, char ret_text[BB_LISTEN_TEXT_SIZE])
{
	const int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;

	const int r = set_up(fd, address, ret_text);

	if (r < 0) {
		(void)close(fd); /* the error that matters is @r */
		return r;
	}
	return fd;
}
