/* SPDX-License-Identifier: Apache-2.0
 *
 * socket.c - the UDP socket of an agent, and the transport that presents it to net-snmp.
 *
 * The transport is our own rather than net-snmp's for three reasons. Its addresses are numbers, so nothing here can
 * ever look a name up. A datagram is read and judged before net-snmp sees it. And sending again never fails: net-snmp
 * loses memory when it does, so a datagram that the kernel refuses counts as lost on the way, which the next try or
 * the timeout deals with.
 *
 * The socket is not connected: a connected one would hide datagrams from strangers, and they are to be counted.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

struct transport {
	netsnmp_transport base; /* first: net-snmp frees it by its address */
	struct bb_snmp_agent *agent;
};

int socket_open(struct bb_snmp_agent *agent, const char *host, uint16_t port)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	char service[8];

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -EINVAL;
	memcpy(&agent->address, found->ai_addr, found->ai_addrlen);
	agent->address_length = found->ai_addrlen;
	freeaddrinfo(found);
	agent->fd = socket(agent->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return agent->fd < 0 ? -errno : 0;
}

/* Did it come from where we send to? */
static bool socket_is_peer(const struct bb_snmp_agent *agent, const struct sockaddr_storage *from)
{
	if (from->ss_family != agent->address.ss_family)
		return false;
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)from;
		const struct sockaddr_in *b = (const struct sockaddr_in *)&agent->address;

		return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)from;
		const struct sockaddr_in6 *b = (const struct sockaddr_in6 *)&agent->address;

		return a->sin6_port == b->sin6_port && memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0;
	}
}

bool socket_receive(struct bb_snmp_agent *agent)
{
	struct bb_snmp_client *client = agent->client;
	struct sockaddr_storage from;
	socklen_t from_length = sizeof(from);
	ssize_t length;

	length = recvfrom(agent->fd, client->datagram, sizeof(client->datagram), 0, (struct sockaddr *)&from,
			  &from_length);
	if (length < 0)
		return false; /* nothing there after all, or an error that an earlier datagram met: nothing to read */
	if (!socket_is_peer(agent, &from) || message_peek(client->datagram, (size_t)length, &client->message) < 0 ||
	    client->message.version != (int32_t)agent->version) {
		agent->dropped++;
		return false;
	}
	client->received = (size_t)length;
	return true;
}

/* net-snmp asks for the datagram that socket_receive() has read. */
static int transport_receive(netsnmp_transport *base, void *buffer, int size, void **opaque, int *opaque_length)
{
	const struct bb_snmp_client *client = ((struct transport *)base)->agent->client;

	*opaque = NULL;
	*opaque_length = 0;
	if (client->received > (size_t)size)
		return -1;
	memcpy(buffer, client->datagram, client->received);
	return (int)client->received;
}

static int transport_send(netsnmp_transport *base, const void *bytes, int length, void **opaque, int *opaque_length)
{
	struct bb_snmp_agent *agent = ((struct transport *)base)->agent;
	ssize_t sent;

	(void)opaque;
	(void)opaque_length;
	sent = sendto(agent->fd, bytes, (size_t)length, MSG_NOSIGNAL, (const struct sockaddr *)&agent->address,
		      agent->address_length);
	agent->send_error = sent < 0 ? errno : 0;
	return length;
}

/* The socket outlives net-snmp's sessions. */
static int transport_close(netsnmp_transport *base)
{
	base->sock = -1;
	return 0;
}

netsnmp_transport *socket_transport(struct bb_snmp_agent *agent)
{
	struct transport *transport = calloc(1, sizeof(*transport));

	if (!transport)
		return NULL;
	transport->agent = agent;
	transport->base.domain = netsnmpUDPDomain;
	transport->base.domain_length = (int)netsnmpUDPDomain_len;
	transport->base.sock = agent->fd;
	transport->base.msgMaxSize = 65507; /* a UDP datagram's content over IPv4 */
	transport->base.f_recv = transport_receive;
	transport->base.f_send = transport_send;
	transport->base.f_close = transport_close;
	return &transport->base;
}
