/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_udp.c - a message a datagram (RFC 5426), sent in the moment of the event.
 *
 * The socket is connected, so that the peer's machine can tell us that nobody listens. That word comes with the next
 * call, which then has sent nothing: so a message that is refused is sent once more.
 *
 * A name is looked up at the start and now and then, in case it moves; until the first answer a few messages are kept.
 */
#include "datagram.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/resolve.h>

#include "host.h"

/* How often a name is looked up: once it was found, and as long as it was not. */
#define LOOKUP_EVERY_MS (5 * 60 * 1000)
#define LOOKUP_AGAIN_MS (10 * 1000)

/* Messages kept until the first answer. */
#define KEPT 32

/* So many messages in a row without a refusal: somebody listens. */
#define QUIET_ENOUGH 3

struct udp {
	struct datagram_setup setup;
	struct bb_timer *timer;
	struct bb_lookup *lookup;
	int fd; /* −1: no address yet */
	char *address;
	uint32_t sequence;
	struct bb_complaint complaint;
	unsigned quiet;
	char *kept[KEPT];
	size_t kept_count;
};

static void udp_complain(struct udp *udp, int error, const char *what)
{
	udp->quiet = 0;
	(void)bb_complain(udp->setup.log, &udp->complaint, error, "%s: %s", udp->setup.target->name,
			  what); /* there is nobody to return the error to */
}

static void udp_transmit(struct udp *udp, const char *message, size_t length)
{
	ssize_t sent = send(udp->fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	char text[128];

	if (sent < 0 && errno == ECONNREFUSED) {
		udp_complain(udp, -errno, "nobody listens");
		sent = send(udp->fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0 || errno == ECONNREFUSED)
			return;
	}
	if (sent < 0) {
		udp_complain(udp, -errno, "a message was not sent");
	} else if (++udp->quiet >= QUIET_ENOUGH) {
		(void)snprintf(text, sizeof(text), "%s: takes messages again",
			       udp->setup.target->name); /* may be cut */
		bb_complaint_over(udp->setup.log, &udp->complaint, text);
	}
}

static void send_kept(struct udp *udp)
{
	for (size_t i = 0; i < udp->kept_count; i++) {
		udp_transmit(udp, udp->kept[i], strlen(udp->kept[i]));
		free(udp->kept[i]);
	}
	udp->kept_count = 0;
}

static int udp_connect(struct udp *udp, const char *address)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	char service[8];
	int fd, r = 0;

	(void)snprintf(service, sizeof(service), "%u", (unsigned)udp->setup.target->port);
	if (getaddrinfo(address, service, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	fd = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
		r = -errno;
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(found);
	if (r < 0)
		return r;
	if (udp->fd >= 0)
		close(udp->fd);
	udp->fd = fd;
	return 0;
}

static void udp_resolved(void *context, int result, const char *address)
{
	struct udp *udp = context;

	udp->lookup = NULL;
	if (result >= 0 && (!udp->address || strcmp(udp->address, address) != 0)) {
		result = udp_connect(udp, address);
		if (result >= 0) {
			free(udp->address);
			udp->address = strdup(address); /* without memory it is connected anew each time */
			send_kept(udp);
		}
	}
	if (result < 0) /* the last good address stays */
		udp_complain(udp, result, "no address");
	bb_timer_start(udp->timer, udp->fd >= 0 ? LOOKUP_EVERY_MS : LOOKUP_AGAIN_MS, 0);
}

static void udp_look_up(void *context)
{
	struct udp *udp = context;
	int r = bb_resolve(udp->setup.loop, udp->setup.target->host, udp_resolved, udp, &udp->lookup);

	if (r < 0) {
		udp_complain(udp, r, "no address");
		bb_timer_start(udp->timer, LOOKUP_AGAIN_MS, 0);
	}
}

int udp_start(const struct datagram_setup *setup, struct udp **ret_udp)
{
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp)
		return bb_log_error(setup->log, -ENOMEM, "%s", setup->target->name);
	udp->setup = *setup;
	udp->fd = -1;
	udp->timer = bb_timer_create(setup->loop, udp_look_up, udp);
	if (!udp->timer) {
		udp_stop(udp);
		return bb_log_error(setup->log, -ENOMEM, "%s", setup->target->name);
	}
	udp_look_up(udp);
	*ret_udp = udp;
	return 0;
}

void udp_send(struct udp *udp, const struct bb_event *event)
{
	char message[MESSAGE_MAX];
	size_t length;

	udp->sequence = udp->sequence < MESSAGE_SEQUENCE_MAX ? udp->sequence + 1 : 1;
	length = message_format(udp->setup.origin, event, udp->sequence, host_clock_is_synchronised(), message);
	if (udp->fd >= 0) {
		udp_transmit(udp, message, length);
		return;
	}
	if (udp->kept_count == KEPT) { /* the oldest goes, as it would have on a wire that does not work */
		free(udp->kept[0]);
		memmove(udp->kept, udp->kept + 1, sizeof(udp->kept) - sizeof(udp->kept[0]));
		udp->kept_count--;
	}
	udp->kept[udp->kept_count] = strdup(message);
	if (udp->kept[udp->kept_count])
		udp->kept_count++;
}

void udp_stop(struct udp *udp)
{
	if (!udp)
		return;
	bb_lookup_cancel(udp->lookup);
	bb_timer_destroy(udp->timer);
	while (udp->kept_count > 0)
		free(udp->kept[--udp->kept_count]);
	if (udp->fd >= 0)
		close(udp->fd);
	free(udp->address);
	free(udp);
}
