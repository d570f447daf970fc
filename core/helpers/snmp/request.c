/* SPDX-License-Identifier: Apache-2.0
 *
 * request.c - questions: built, moved between the lists of those that wait, are in flight, or are over.
 */
#include <errno.h>
#include <stdlib.h>

#include "request.h"

/* A device whose engine is another one each time it is asked is not asked forever. */
#define REQUEST_MOVES_MAX 2

static struct request_list *request_list_of(const struct request *request)
{
	switch (request->state) {
	case REQUEST_WAITING:
		return &request->agent->waiting;
	case REQUEST_IN_FLIGHT:
		return &request->agent->in_flight;
	case REQUEST_COMPLETED:
		return &request->agent->client->completed;
	case REQUEST_NEW:
		break;
	}
	return NULL;
}

static int request_create_pdu(struct bb_snmp_agent *agent, int command, struct request **ret_request)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->agent = agent;
	request->pdu = snmp_pdu_create(command);
	if (!request->pdu) {
		free(request);
		return -ENOMEM;
	}
	request->pdu->version = agent->version;
	*ret_request = request;
	return 0;
}

static int request_add_names(netsnmp_pdu *pdu, const struct bb_snmp_request *question)
{
	netsnmp_variable_list **next = &pdu->variables; /* net-snmp would look for the end each time */
	oid arcs[BB_SNMP_OID_MAX];

	for (size_t i = 0; i < question->count; i++) {
		const struct bb_snmp_oid *name = &question->names[i];

		if (name->length < 2 || name->length > BB_SNMP_OID_MAX) /* BER has no shorter ones */
			return -EINVAL;
		for (size_t k = 0; k < name->length; k++)
			arcs[k] = name->arcs[k];
		if (!snmp_varlist_add_variable(next, arcs, name->length, ASN_NULL, NULL, 0))
			return -ENOMEM;
		next = &(*next)->next_variable;
	}
	return 0;
}

int request_create(struct bb_snmp_agent *agent, const struct bb_snmp_request *question, struct request **ret_request)
{
	static const int commands[] = {
		[BB_SNMP_GET] = SNMP_MSG_GET,
		[BB_SNMP_GETNEXT] = SNMP_MSG_GETNEXT,
		[BB_SNMP_GETBULK] = SNMP_MSG_GETBULK,
	};
	const bool bulk = question->operation == BB_SNMP_GETBULK;
	struct request *request;
	int r;

	if (question->count == 0 ||
	    (bulk && (agent->version == BB_SNMP_V1 || question->non_repeaters > question->count ||
		      question->max_repetitions > UINT16_MAX)))
		return -EINVAL;
	r = request_create_pdu(agent, commands[question->operation], &request);
	if (r < 0)
		return r;
	request->most = question->count;
	if (bulk) {
		/* A GETBULK has its two numbers where an answer has error status and index. */
		request->pdu->errstat = question->non_repeaters;
		request->pdu->errindex = question->max_repetitions;
		request->most = question->non_repeaters +
				(question->count - question->non_repeaters) * question->max_repetitions;
	}
	r = request_add_names(request->pdu, question);
	if (r < 0) {
		request_destroy(request);
		return r;
	}
	*ret_request = request;
	return 0;
}

int request_create_empty(struct bb_snmp_agent *agent, enum request_kind kind, struct request **ret_request)
{
	int r = request_create_pdu(agent, SNMP_MSG_GET, ret_request);

	if (r == 0)
		(*ret_request)->kind = kind;
	return r;
}

void request_destroy(struct request *request)
{
	struct request_list *list = request_list_of(request);

	if (list)
		TAILQ_REMOVE(list, request, siblings);
	if (request->state == REQUEST_NEW || request->state == REQUEST_WAITING)
		snmp_free_pdu(request->pdu);
	snmp_free_varbind(request->variables);
	free(request);
}

void request_move(struct request *request, enum request_state state)
{
	struct request_list *list = request_list_of(request);

	if (list)
		TAILQ_REMOVE(list, request, siblings);
	request->state = state;
	list = request_list_of(request);
	if (list)
		TAILQ_INSERT_TAIL(list, request, siblings);
}

void request_complete(struct request *request, int result)
{
	if (request->state == REQUEST_NEW || request->state == REQUEST_WAITING)
		snmp_free_pdu(request->pdu);
	request->pdu = NULL;
	request->result = result;
	request_move(request, REQUEST_COMPLETED);
}

static size_t request_count(const netsnmp_variable_list *variables)
{
	size_t count = 0;

	for (; variables; variables = variables->next_variable)
		count++;
	return count;
}

/* What an answer without an error comes to. */
static int request_take_variables(struct request *request, netsnmp_pdu *pdu)
{
	struct bb_snmp_client *client = request->agent->client;
	int decoded = client->decoded; /* by session_parse() */

	if (!client->message.encrypted) {
		/* net-snmp would keep 32 bits of any number, without a word. */
		if (request->agent->version == BB_SNMP_V3)
			decoded = answer_read(client);
		request->count = decoded > 0 ? (size_t)decoded : 0;
		return decoded == -EBADMSG ? -EPROTO : decoded < 0 ? decoded : 0;
	}
	if (request_count(pdu->variables) > request->most)
		return -EPROTO;
	request->variables = pdu->variables;
	pdu->variables = NULL;
	return 0;
}

void request_answered(struct request *request, netsnmp_pdu *pdu)
{
	struct engine *engine = &request->agent->engine;
	int result;

	engine->doubtful = false;
	if (request->kind == REQUEST_CHECK) {
		if (pdu->securityLevel == SNMP_SEC_LEVEL_AUTHPRIV)
			engine->proven = true;
		else
			engine->check = CHECK_PASSED;
		request_complete(request, 0);
		return;
	}
	switch (pdu->errstat) {
	case SNMP_ERR_NOERROR:
		result = request_take_variables(request, pdu);
		break;
	case SNMP_ERR_TOOBIG:
		result = -EMSGSIZE;
		break;
	case SNMP_ERR_NOSUCHNAME:
		result = -ENXIO;
		break;
	case SNMP_ERR_NOACCESS:
	case SNMP_ERR_AUTHORIZATIONERROR:
		result = -EACCES;
		break;
	default:
		result = -EPROTO;
	}
	engine->proven = true;
	bb_complaint_over(request->agent->log, &engine->refusal, "the agent accepts our SNMPv3 user again");
	if (result < 0 && pdu->errindex > 0)
		request->error_index = (size_t)pdu->errindex;
	request_complete(request, result);
}

void request_again(struct request *request)
{
	netsnmp_pdu *pdu;

	if (request->kind != REQUEST_USER || request->moves++ == REQUEST_MOVES_MAX) {
		request_complete(request, -EPROTO);
		return;
	}
	pdu = snmp_clone_pdu(request->pdu);
	if (!pdu) {
		request_complete(request, -ENOMEM);
		return;
	}
	SNMP_FREE(pdu->securityEngineID);
	pdu->securityEngineIDLen = 0;
	SNMP_FREE(pdu->contextEngineID);
	pdu->contextEngineIDLen = 0;
	request->pdu = pdu;
	request_move(request, REQUEST_WAITING);
}

struct request *request_find(struct bb_snmp_agent *agent, const struct message *message)
{
	struct request *request;

	TAILQ_FOREACH(request, &agent->in_flight, siblings)
	{
		const long id = agent->version == BB_SNMP_V3 ? request->pdu->msgid : request->pdu->reqid;

		if (id == message->id)
			return request;
	}
	return NULL;
}
