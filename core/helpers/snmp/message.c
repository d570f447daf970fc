/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - reads the head of a received message, up to its variables.
 *
 * net-snmp decodes a whole message before it asks whether anybody waits for it, keeps a record of every engine id it
 * ever sees, and answers some messages with reports of its own. So what a stranger sends is looked at here first, and
 * only what answers a request of ours goes on.
 */
#include <errno.h>
#include <string.h>

#include "message.h"

enum {
	FLAG_AUTH = 1, /* msgFlags, RFC 3412, 6.4 */
	FLAG_PRIV = 2,
};

/* The PDU: request id, error status, error index, variables. */
static int message_peek_pdu(struct ber *body, struct message *message, int32_t *ret_id)
{
	struct ber pdu;
	int64_t id, status, index;
	int r;

	r = ber_take(body, &message->pdu, &pdu);
	if (r == 0)
		r = ber_take_int(&pdu, &id);
	if (r == 0)
		r = ber_take_int(&pdu, &status);
	if (r == 0)
		r = ber_take_int(&pdu, &index);
	if (r == 0)
		r = ber_take_tagged(&pdu, BER_SEQUENCE, &message->variables);
	if (r < 0)
		return r;
	message->error_status = (int32_t)status;
	message->error_index = (int32_t)index;
	*ret_id = (int32_t)id;
	return 0;
}

/* Version 1 and 2c: community, then the PDU. */
static int message_peek_community(struct ber *body, struct message *message)
{
	struct ber community;
	int r = ber_take_tagged(body, BER_STRING, &community);

	return r < 0 ? r : message_peek_pdu(body, message, &message->id);
}

/* The security parameters of the user-based model: engine, boots, time; user and what follows is net-snmp's. */
static int message_peek_security(struct ber *body, struct message *message)
{
	struct ber outer, inner, engine;
	int64_t boots, time;
	size_t length;
	int r;

	r = ber_take_tagged(body, BER_STRING, &outer);
	if (r == 0)
		r = ber_take_tagged(&outer, BER_SEQUENCE, &inner);
	if (r == 0)
		r = ber_take_tagged(&inner, BER_STRING, &engine);
	if (r == 0)
		r = ber_take_int(&inner, &boots);
	if (r == 0)
		r = ber_take_int(&inner, &time);
	if (r < 0)
		return r;
	length = (size_t)(engine.end - engine.at);
	if (length > MESSAGE_ENGINE_MAX || boots < 0 || time < 0)
		return -EBADMSG;
	memcpy(message->engine, engine.at, length);
	message->engine_length = (uint8_t)length;
	message->boots = (uint32_t)boots;
	message->time = (uint32_t)time;
	return 0;
}

/* Version 3: global data, security parameters, then the scoped PDU, which may be encrypted (RFC 3412, 6). */
static int message_peek_v3(struct ber *body, struct message *message)
{
	struct ber global, flags, scoped, context;
	int64_t id, most, model;
	int32_t request_id; /* net-snmp compares it */
	int r;

	r = ber_take_tagged(body, BER_SEQUENCE, &global);
	if (r == 0)
		r = ber_take_int(&global, &id);
	if (r == 0)
		r = ber_take_int(&global, &most);
	if (r == 0)
		r = ber_take_tagged(&global, BER_STRING, &flags);
	if (r == 0)
		r = ber_take_int(&global, &model);
	if (r < 0)
		return r;
	if (id < 0 || id > INT32_MAX || flags.end - flags.at != 1 || model != 3) /* 3: user-based, RFC 3411, 5 */
		return -EBADMSG;
	message->id = (int32_t)id;
	message->authenticated = flags.at[0] & FLAG_AUTH;
	message->encrypted = flags.at[0] & FLAG_PRIV;

	r = message_peek_security(body, message);
	if (r < 0 || message->encrypted)
		return r;
	r = ber_take_tagged(body, BER_SEQUENCE, &scoped);
	if (r == 0)
		r = ber_take_tagged(&scoped, BER_STRING, &context); /* contextEngineID */
	if (r == 0)
		r = ber_take_tagged(&scoped, BER_STRING, &context); /* contextName */
	return r < 0 ? r : message_peek_pdu(&scoped, message, &request_id);
}

int message_peek(const uint8_t *bytes, size_t length, struct message *ret_message)
{
	struct ber datagram = {bytes, bytes + length}, body;
	struct message message = {0};
	int64_t version;
	int r;

	r = ber_take_tagged(&datagram, BER_SEQUENCE, &body);
	if (r == 0)
		r = ber_take_int(&body, &version);
	if (r < 0)
		return r;
	message.version = (int32_t)version;
	switch (version) {
	case 0:
	case 1:
		r = message_peek_community(&body, &message);
		break;
	case 3:
		r = message_peek_v3(&body, &message);
		break;
	default:
		r = -EBADMSG;
	}
	if (r == 0)
		*ret_message = message;
	return r;
}
