/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - one question to an agent, from bb_snmp_send() until its answer has been delivered.
 */
#ifndef SNMP_REQUEST_H
#define SNMP_REQUEST_H

#include "agent.h"

enum request_kind {
	REQUEST_USER,  /* somebody waits for the answer */
	REQUEST_PROBE, /* version 3: who are you? */
	REQUEST_CHECK, /* version 3: is the authentication right, when only the encrypted question stays unanswered? */
};

enum request_state {
	REQUEST_NEW,
	REQUEST_WAITING,   /* in agent->waiting */
	REQUEST_IN_FLIGHT, /* in agent->in_flight */
	REQUEST_COMPLETED, /* in client->completed */
};

struct request {
	TAILQ_ENTRY(request) siblings;
	struct bb_snmp_agent *agent;
	enum request_kind kind;
	enum request_state state;
	bool sending;     /* inside snmp_sess_async_send(): its callback says nothing that the return value does not */
	unsigned moves;   /* how often it was asked again because the engine changed */
	netsnmp_pdu *pdu; /* the question; net-snmp's while it is in flight */
	size_t most;      /* more variables than this cannot be an answer */
	int64_t expires_ms; /* when net-snmp gives this try up */
	bb_snmp_answer *answer;
	void *context;
	/* once completed: */
	int result;
	size_t error_index;
	netsnmp_variable_list *variables; /* ours; of an encrypted answer */
	size_t count;                     /* of client->variables that hold the answer already; of any other */
};

/** Build a question. Returns 0, -EINVAL or -ENOMEM. */
int request_create(struct bb_snmp_agent *agent, const struct bb_snmp_request *question, struct request **ret_request);

/** Build a question without variables, which any engine answers with a report or nothing. */
int request_create_empty(struct bb_snmp_agent *agent, enum request_kind kind, struct request **ret_request);

/** Take it out of whatever list it is in, and free it. */
void request_destroy(struct request *request);

/** Put it into another list. */
void request_move(struct request *request, enum request_state state);

/** It is over: @result is delivered soon. */
void request_complete(struct request *request, int result);

/** The response to it has come: takes the variables out of @pdu, or has them in client->variables (@count of them). */
void request_answered(struct request *request, netsnmp_pdu *pdu);

/**
 * Ask again once the engine is known anew: back to waiting, with a fresh copy of the question, since the old one
 * names the old engine and is net-snmp's to free. After a few times it is completed with -EPROTO instead.
 */
void request_again(struct request *request);

/** The request in flight with the id of @message, or NULL. */
struct request *request_find(struct bb_snmp_agent *agent, const struct message *message);

/**
 * Read the variables of client->message, which is not encrypted, into client->variables. Returns how many, -EBADMSG, -EPROTO
 * when there are more than can be an answer (client->most), or -ENOMEM.
 */
int answer_read(struct bb_snmp_client *client);

/** Make room for @count variables in client->variables; what was in it is lost. */
bool answer_reserve(struct bb_snmp_client *client, size_t count);

/** Hand all completed requests to who asked. The last thing in a turn: agents may be gone afterwards. */
void answer_deliver(struct bb_snmp_client *client);

#endif
