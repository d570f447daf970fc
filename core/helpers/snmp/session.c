/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - the net-snmp session of an agent: one socket, any number of requests in flight.
 *
 * net-snmp builds and decodes messages, matches answers to requests, and sends again what was not answered in time.
 * Everything it has to say comes through session_event(), in the middle of its own work, so that function only moves
 * requests between lists.
 *
 * What is awkward: net-snmp calls back for a request that it failed to send and also returns an error for it; for a
 * refused one (a report) it calls twice, in an order that Debian's net-snmp turned round; and closing a session times
 * all its requests out. The request's state tells which of these is the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

static int session_event(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *context)
{
	struct request *request = context;
	struct bb_snmp_agent *agent = request->agent;

	(void)session;
	(void)id;
	if (request->sending || request->state != REQUEST_IN_FLIGHT)
		return 1; /* the failure is told by session_send(), or it is over already */
	switch (operation) {
	case NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE:
	case NETSNMP_CALLBACK_OP_SEC_ERROR:
		agent->answered = true;
		if (pdu->command == SNMP_MSG_REPORT)
			engine_report(request, pdu, operation == NETSNMP_CALLBACK_OP_SEC_ERROR);
		else
			request_answered(request, pdu);
		break;
	case NETSNMP_CALLBACK_OP_RESEND:
		agent->answered = true; /* by a report that says what time it is there, or this is a timeout */
		request->expires_ms = agent_clock() + agent->timeout_ms;
		if (!agent->reading && request->kind == REQUEST_USER && agent->engine.check == CHECK_NONE)
			agent->engine.check = CHECK_WANTED;
		break;
	case NETSNMP_CALLBACK_OP_TIMED_OUT:
		if (agent->leaving)
			request_destroy(request);
		else if (agent->moving)
			request_again(request);
		else
			request_complete(request, engine_timed_out(request));
		break;
	default: /* to send again failed, which our transport never does */
		request_complete(request, -EIO);
	}
	return 1; /* net-snmp may forget it */
}

/*
 * In versions 1 and 2c net-snmp gets the head of the message, for it to find the request, and the variables are read
 * by binding.c. Returns 0, or -1 when that is no message.
 */
static int session_parse(netsnmp_session *session, netsnmp_pdu *pdu, u_char *bytes, size_t length)
{
	const struct bb_snmp_agent *agent = session->myvoid;
	struct bb_snmp_client *client = agent->client;
	const struct message *message = &client->message;

	(void)bytes; /* a copy of the datagram that the message is the head of */
	(void)length;
	pdu->version = message->version;
	pdu->command = message->pdu;
	pdu->reqid = message->id;
	pdu->errstat = message->error_status;
	pdu->errindex = message->error_index;
	pdu->flags |= UCD_MSG_FLAG_RESPONSE_PDU;
	client->decoded = 0;
	if (message->error_status == SNMP_ERR_NOERROR)
		client->decoded = answer_read(client);
	return client->decoded == -EBADMSG ? -1 : 0;
}

int session_open(struct bb_snmp_agent *agent)
{
	const struct engine *engine = &agent->engine;
	netsnmp_transport *transport = socket_transport(agent);
	netsnmp_session session;

	if (!transport)
		return -ENOMEM;
	snmp_sess_init(&session);
	session.version = agent->version;
	session.retries = agent->retries;
	session.timeout = (long)agent->timeout_ms * 1000;
	if (agent->version == BB_SNMP_V3) {
		/* DONT_PROBE: or net-snmp would ask for the engine's id itself, and block until it is answered. */
		session.flags |= SNMP_FLAGS_DONT_PROBE | SNMP_FLAGS_USER_CREATED;
		session.securityModel = SNMP_SEC_MODEL_USM;
		session.securityLevel = SNMP_SEC_LEVEL_NOAUTH + (int)agent->level;
		session.securityName = agent->user;
		session.securityNameLen = strlen(agent->user);
		session.contextName = agent->context;
		session.contextNameLen = strlen(agent->context);
		if (engine->state != ENGINE_UNKNOWN) {
			session.securityEngineID = (u_char *)engine->id; /* copied */
			session.securityEngineIDLen = engine->id_length;
		}
	} else {
		session.community = (u_char *)agent->community;
		session.community_len = strlen(agent->community);
	}
	session.myvoid = agent;
	agent->session =
		snmp_sess_add_ex(&session, transport, NULL, agent->version == BB_SNMP_V3 ? NULL : session_parse, NULL,
				 NULL, NULL, NULL, NULL);
	if (!agent->session)
		return -ENOMEM; /* it has freed the transport; nothing else can fail with one that is open */
	snmp_sess_session(agent->session)->flags |= SNMP_FLAGS_DONT_PROBE; /* snmp_sess_add_ex() takes it away */
	return 0;
}

void session_close(struct bb_snmp_agent *agent)
{
	if (!agent->session)
		return;
	agent->leaving = true;
	(void)snmp_sess_close(agent->session); /* fails only for NULL */
	agent->leaving = false;
	agent->session = NULL;
}

void session_move(struct bb_snmp_agent *agent)
{
	agent->moving = true;
	if (agent->session)
		(void)snmp_sess_close(agent->session); /* fails only for NULL */
	agent->moving = false;
	agent->session = NULL;
}

/* Why net-snmp could not build or send a message. */
static int session_error(struct bb_snmp_agent *agent)
{
	switch (snmp_sess_session(agent->session)->s_snmp_errno) {
	case SNMPERR_TOO_LONG:
		return -EMSGSIZE;
	case SNMPERR_MALLOC:
		return -ENOMEM;
	case SNMPERR_USM_UNKNOWNSECURITYNAME:
	case SNMPERR_USM_UNSUPPORTEDSECURITYLEVEL:
	case SNMPERR_USM_ENCRYPTIONERROR:
		return -EACCES;
	default:
		return -EPROTO;
	}
}

int session_send(struct bb_snmp_agent *agent, struct request *request)
{
	bool sent;

	engine_enter(agent);
	request->sending = true;
	sent = snmp_sess_async_send(agent->session, request->pdu, session_event, request) != 0;
	request->sending = false;
	engine_leave(agent);
	if (!sent)
		return session_error(agent);
	request_move(request, REQUEST_IN_FLIGHT);
	request->expires_ms = agent_clock() + agent->timeout_ms;
	agent_arm(agent);
	return 0;
}

void session_read(struct bb_snmp_agent *agent)
{
	struct bb_snmp_client *client = agent->client;
	const struct request *request;

	if (!socket_receive(agent))
		return;
	request = request_find(agent, &client->message);
	if (!request) {
		agent->dropped++;
		return;
	}
	if (!engine_accepts(agent, &client->message, request)) {
		if (!agent->engine.changed)
			agent->dropped++;
		return;
	}
	client->most = request->most;
	agent->answered = false;
	agent->reading = true;
	netsnmp_large_fd_setfd(agent->fd, &client->ready); /* grows as needed */
	engine_enter(agent);
	(void)snmp_sess_read2(agent->session, &client->ready); /* `answered` says more than its result */
	engine_leave(agent);
	netsnmp_large_fd_clr(agent->fd, &client->ready);
	agent->reading = false;
	client->message.engine_length = 0; /* forgotten, see engine_leave() */
	if (!agent->answered)
		agent->dropped++;
}

void session_timeout(struct bb_snmp_agent *agent)
{
	if (!agent->session)
		return;
	engine_enter(agent);
	snmp_sess_timeout(agent->session);
	engine_leave(agent);
}
