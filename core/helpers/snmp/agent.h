/* SPDX-License-Identifier: Apache-2.0
 *
 * agent.h - one peer, as the files of this library see it.
 *
 * Who does what: agent.c is the public side, request.c what is asked and what came of it, answer.c hands results to
 * who asked, session.c the net-snmp session, socket.c the datagrams under it, binding.c the variables of
 * versions 1 and 2c, engine.c and credential.c what version 3 adds.
 *
 * Results are never delivered from inside net-snmp: its callbacks only move a request to the client's `completed`
 * list, and answer_deliver() is the last thing that happens in each turn. So an answer may send, or close its agent.
 */
#ifndef SNMP_AGENT_H
#define SNMP_AGENT_H

#include <sys/socket.h>

#include "client.h"
#include "engine.h"

struct bb_snmp_agent {
	struct bb_snmp_client *client;
	TAILQ_ENTRY(bb_snmp_agent) siblings;
	const struct bb_log *log;
	char name[64]; /* "10.0.0.6:161" */

	enum bb_snmp_version version;
	char *community, *user, *context;
	enum bb_snmp_level level;
	int64_t timeout_ms;
	int retries;

	struct sockaddr_storage address;
	socklen_t address_length;
	int fd;
	int send_error; /* errno of the last attempt to send, 0 when it worked */
	struct bb_watch *watch;
	struct bb_timer *timer; /* runs while something is in flight */
	bool timing;

	void *session; /* net-snmp's handle, NULL: none open */
	bool leaving;  /* the session is being closed: its requests are forgotten … */
	bool moving;   /* … or go back to waiting */
	bool reading;  /* net-snmp reads a message … */
	bool answered; /* … that was for a request of ours */

	struct request_list waiting; /* for the engine to be discovered */
	struct request_list in_flight;
	uint64_t dropped;
	struct engine engine;
};

/** Make sure the timer runs while something is in flight, and only then. */
void agent_arm(struct bb_snmp_agent *agent);

/** Milliseconds of CLOCK_MONOTONIC, which net-snmp's own timeouts count. */
int64_t agent_clock(void);

#endif
