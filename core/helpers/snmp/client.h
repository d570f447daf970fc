/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - the one client of the process: its loop, and what all agents share. Belongs to the client's loop.
 */
#ifndef SNMP_CLIENT_H
#define SNMP_CLIENT_H

#include <sys/queue.h>

#include <busbar/snmp.h>

#include "key.h"
#include "message.h"
#include "netsnmp.h"

/** A UDP datagram and so a received message cannot be longer. */
#define CLIENT_DATAGRAM_MAX 65535

struct request;
TAILQ_HEAD(agent_list, bb_snmp_agent);
TAILQ_HEAD(request_list, request);

struct bb_snmp_client {
	struct bb_loop *loop;
	struct agent_list agents;
	struct request_list completed; /* answers that wait for delivery, see answer.c */

	struct agent_list keyless; /* agents whose keys are to be derived, one each round of the loop */
	struct bb_task derive;
	bool deriving; /* derive is posted */
	struct key_cache keys;

	struct bb_snmp_variable *variables; /* of the answer being read or delivered; grows, is used again */
	size_t room;
	size_t most; /* more than this are no answer to the question that the message being read answers */
	int decoded; /* how many of them are of the message being read, or a negative errno */

	netsnmp_large_fd_set ready; /* for snmp_sess_read2(): holds the one descriptor being read */
	size_t received;            /* length of the datagram being read */
	struct message message;     /* its head */
	uint8_t datagram[CLIENT_DATAGRAM_MAX];
};

#endif
