/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - reads the head of a received message, and nothing of its variables.
 *
 * net-snmp decodes a whole message before it asks whether anybody waits for it, keeps a record of every engine id it
 * ever sees, and answers some messages with reports of its own. So what a stranger sends is looked at here first, and
 * only what answers a request of ours goes on. The head is BER: tag, length, content; lengths are checked before
 * content, and nothing is read past the end of its container.
 */
#include <errno.h>
#include <string.h>

#include "message.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_STRING = 0x04,
	TAG_SEQUENCE = 0x30,
};

enum {
	FLAG_AUTH = 1, /* msgFlags, RFC 3412, 6.4 */
	FLAG_PRIV = 2,
};

/* A stretch of bytes that is still to be read. */
struct span {
	const uint8_t *at, *end;
};

/* Take one element of any type off @from. Indefinite lengths do not occur in SNMP (RFC 3417, 8). */
static int span_take(struct span *from, uint8_t *ret_tag, struct span *ret_content)
{
	const uint8_t *at = from->at;
	size_t length;

	if (from->end - at < 2)
		return -EBADMSG;
	*ret_tag = *at++;
	length = *at++;
	if (length & 0x80) {
		unsigned octets = length & 0x7f;

		if (octets == 0 || octets > 4 || (size_t)(from->end - at) < octets)
			return -EBADMSG;
		for (length = 0; octets; octets--)
			length = length << 8 | *at++;
	}
	if (length > (size_t)(from->end - at))
		return -EBADMSG;
	ret_content->at = at;
	ret_content->end = at + length;
	from->at = at + length;
	return 0;
}

/* Take one element that has to be of type @tag. */
static int span_take_tagged(struct span *from, uint8_t tag, struct span *ret_content)
{
	uint8_t found;
	int r = span_take(from, &found, ret_content);

	return r < 0 ? r : found == tag ? 0 : -EBADMSG;
}

/* Take an INTEGER of at most 32 bits; one that is unsigned in its MIB may need a fifth octet, which is 0 then. */
static int span_take_int(struct span *from, int64_t *ret_value)
{
	struct span content;
	int64_t value;
	int r = span_take_tagged(from, TAG_INTEGER, &content);

	if (r < 0)
		return r;
	if (content.at == content.end || content.end - content.at > 5)
		return -EBADMSG;
	value = *content.at & 0x80 ? -1 : 0;
	for (; content.at < content.end; content.at++)
		value = (int64_t)((uint64_t)value << 8 | *content.at);
	if (value < INT32_MIN || value > UINT32_MAX)
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

/* Version 1 and 2c: community, then the PDU, which begins with the request id. */
static int message_peek_community(struct span *body, struct message *message)
{
	struct span community, pdu;
	int64_t id;
	int r;

	r = span_take_tagged(body, TAG_STRING, &community);
	if (r == 0)
		r = span_take(body, &message->pdu, &pdu);
	if (r == 0)
		r = span_take_int(&pdu, &id);
	if (r < 0)
		return r;
	message->id = (int32_t)id;
	return 0;
}

/* The security parameters of the user-based model: engine, boots, time; user and what follows is net-snmp's. */
static int message_peek_security(struct span *body, struct message *message)
{
	struct span outer, inner, engine;
	int64_t boots, time;
	size_t length;
	int r;

	r = span_take_tagged(body, TAG_STRING, &outer);
	if (r == 0)
		r = span_take_tagged(&outer, TAG_SEQUENCE, &inner);
	if (r == 0)
		r = span_take_tagged(&inner, TAG_STRING, &engine);
	if (r == 0)
		r = span_take_int(&inner, &boots);
	if (r == 0)
		r = span_take_int(&inner, &time);
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
static int message_peek_v3(struct span *body, struct message *message)
{
	struct span global, flags, scoped, pdu;
	int64_t id, most, model;
	int r;

	r = span_take_tagged(body, TAG_SEQUENCE, &global);
	if (r == 0)
		r = span_take_int(&global, &id);
	if (r == 0)
		r = span_take_int(&global, &most);
	if (r == 0)
		r = span_take_tagged(&global, TAG_STRING, &flags);
	if (r == 0)
		r = span_take_int(&global, &model);
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
	r = span_take_tagged(body, TAG_SEQUENCE, &scoped);
	if (r == 0)
		r = span_take_tagged(&scoped, TAG_STRING, &pdu); /* contextEngineID */
	if (r == 0)
		r = span_take_tagged(&scoped, TAG_STRING, &pdu); /* contextName */
	if (r == 0)
		r = span_take(&scoped, &message->pdu, &pdu);
	return r;
}

int message_peek(const uint8_t *bytes, size_t length, struct message *ret_message)
{
	struct span datagram = {bytes, bytes + length}, body;
	struct message message = {0};
	int64_t version;
	int r;

	r = span_take_tagged(&datagram, TAG_SEQUENCE, &body);
	if (r == 0)
		r = span_take_int(&body, &version);
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
