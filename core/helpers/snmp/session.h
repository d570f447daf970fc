/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - the net-snmp session of an agent, and the socket under it.
 */
#ifndef SNMP_SESSION_H
#define SNMP_SESSION_H

#include "request.h"

/** Open a session; with version 3 it speaks to the engine in agent->engine, or to any while that is unknown. */
int session_open(struct bb_snmp_agent *agent);

/** Close it and forget its requests. Accepts an agent without one. */
void session_close(struct bb_snmp_agent *agent);

/** Close it; its requests go back to waiting. */
void session_move(struct bb_snmp_agent *agent);

/** Send @request for the first time; it is in flight then. Otherwise a negative errno, and it is the caller's. */
int session_send(struct bb_snmp_agent *agent, struct request *request);

/** A datagram came: read it, and complete what it answers. */
void session_read(struct bb_snmp_agent *agent);

/** Let net-snmp look at the time: it sends again, or gives up. */
void session_timeout(struct bb_snmp_agent *agent);

/** Open the agent's socket. Returns 0 or a negative errno. */
int socket_open(struct bb_snmp_agent *agent, const char *host, uint16_t port);

/** A transport for net-snmp that uses the agent's socket and never closes it. NULL when memory lacks. */
netsnmp_transport *socket_transport(struct bb_snmp_agent *agent);

/** Receive into the client's buffer. Returns true when that is a message from the agent's address. */
bool socket_receive(struct bb_snmp_agent *agent);

#endif
