/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.c - hands answers to who asked; encrypted ones are turned from net-snmp's variables into ours first.
 *
 * One array serves all answers, since each turn reads at most one message and delivers all there is. Only as many arcs
 * are written as a name has, and nothing is allocated for a variable.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "request.h"

/* The most the array keeps between answers; a larger answer gets it for itself. */
#define ANSWER_ROOM_KEPT 256

static void answer_copy_oid(struct bb_snmp_oid *to, const oid *arcs, size_t length)
{
	to->length = (uint8_t)(length < BB_SNMP_OID_MAX ? length : BB_SNMP_OID_MAX); /* net-snmp's limit is the same */
	for (size_t i = 0; i < to->length; i++)
		to->arcs[i] = (uint32_t)arcs[i];
}

static int64_t answer_counter64(const struct counter64 *counter)
{
	const uint64_t value = (uint64_t)counter->high << 32 | (counter->low & UINT32_MAX);

	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static void answer_convert(struct bb_snmp_variable *to, const netsnmp_variable_list *from)
{
	answer_copy_oid(&to->name, from->name, from->name_length);
	to->number = 0;
	to->bytes = NULL;
	to->length = 0;
	to->object.length = 0;
	switch (from->type) {
	case ASN_INTEGER:
		to->type = BB_SNMP_INTEGER;
		to->number = *from->val.integer;
		break;
	case ASN_COUNTER:
	case ASN_GAUGE:
	case ASN_UINTEGER:
		to->type = BB_SNMP_UNSIGNED;
		to->number = *from->val.integer;
		break;
	case ASN_COUNTER64:
		to->type = BB_SNMP_UNSIGNED;
		to->number = answer_counter64(from->val.counter64);
		break;
	case ASN_TIMETICKS:
		to->type = BB_SNMP_TICKS;
		to->number = *from->val.integer;
		break;
	case ASN_OCTET_STR:
	case ASN_IPADDRESS:
	case ASN_OPAQUE:
	case ASN_NSAP:
	case ASN_BIT_STR:
		to->type = BB_SNMP_STRING;
		to->bytes = from->val.string;
		to->length = from->val_len;
		break;
	case ASN_OBJECT_ID:
		to->type = BB_SNMP_OBJECT;
		answer_copy_oid(&to->object, from->val.objid, from->val_len / sizeof(oid));
		break;
	case SNMP_ENDOFMIBVIEW:
		to->type = BB_SNMP_END;
		break;
	default: /* also net-snmp's own types inside Opaque, which no UPS has been seen to use */
		to->type = BB_SNMP_NULL;
	}
}

bool answer_reserve(struct bb_snmp_client *client, size_t count)
{
	struct bb_snmp_variable *variables;

	if (count <= client->room)
		return true;
	free(client->variables); /* nothing in it is needed any more */
	client->room = 0;
	variables = calloc(count, sizeof(*variables));
	client->variables = variables;
	if (!variables)
		return false;
	client->room = count;
	return true;
}

int answer_read(struct bb_snmp_client *client)
{
	const int count = binding_count(client->message.variables, client->most);
	int r;

	if (count < 0)
		return count;
	if ((size_t)count > client->most)
		return -EPROTO;
	if (!answer_reserve(client, (size_t)count))
		return -ENOMEM;
	r = binding_read(client->message.variables, client->variables, (size_t)count);
	return r < 0 ? r : count;
}

void answer_deliver(struct bb_snmp_client *client)
{
	struct request *request;

	while ((request = TAILQ_FIRST(&client->completed)) != NULL) {
		const netsnmp_variable_list *variable;
		size_t count = 0;

		TAILQ_REMOVE(&client->completed, request, siblings);
		for (variable = request->variables; variable; variable = variable->next_variable)
			count++;
		if (!answer_reserve(client, count)) {
			request->result = -ENOMEM;
			count = 0;
		}
		variable = request->variables;
		for (size_t i = 0; i < count; i++, variable = variable->next_variable)
			answer_convert(&client->variables[i], variable);
		if (!request->variables)
			count = request->count;
		if (request->kind == REQUEST_USER) /* it may close the agent; the request is in no list of it now */
			request->answer(request->context, request->result, client->variables, count,
					request->error_index);
		snmp_free_varbind(request->variables);
		free(request);
	}
	if (client->room > ANSWER_ROOM_KEPT) {
		free(client->variables);
		client->variables = NULL;
		client->room = 0;
	}
}
