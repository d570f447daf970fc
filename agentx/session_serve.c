/* SPDX-License-Identifier: Apache-2.0
 *
 * session_serve.c - what the master asks of us, see session.h.
 */
#include <errno.h>
#include <string.h>

#include "session_data.h"

/* Longer than any context of ours, so that a name that was cut is none of them. */
#define NAME_SIZE 64

static void answer(struct session *session, const struct codec_header *request, enum codec_error error, unsigned index)
{
	const struct codec_header header = {CODEC_RESPONSE,  0, request->session, request->transaction,
					    request->packet, 0};
	const struct moment moment = session_moment(session);
	const struct codec_response response = {moment_uptime(&moment, moment.now_ms), (uint16_t)error,
						(uint16_t)index};
	struct codec_buffer *const buffer = wire_buffer(session->wire);
	const size_t place = codec_begin(buffer, &header, NULL);

	codec_put_response(buffer, &response);
	if (codec_end(buffer, place) < 0)
		wire_fail(session->wire, -ENOMEM, "no answer");
	wire_flush(session->wire);
}

void session_answer(struct session *session, const struct codec_header *request, enum codec_error error, unsigned index)
{
	if (session->state == SESSION_UP && request->session == session->id)
		answer(session, request, error, index); /* else who has asked is not there any more */
}

/* False: no context of ours can have that name. */
static bool copy_name(const struct codec_octets *octets, char name[NAME_SIZE])
{
	if (octets->length >= NAME_SIZE || memchr(octets->bytes, '\0', octets->length))
		return false;
	memcpy(name, octets->bytes, octets->length);
	name[octets->length] = '\0';
	return true;
}

static void serve_get(struct session *session, const struct codec_header *header, const char *name,
		      struct codec_reader *reader)
{
	const struct moment moment = session_moment(session);

	if (contexts_answer(session->setup.contexts, &moment, header, name, reader, wire_buffer(session->wire)) < 0)
		wire_fail(session->wire, -ENOMEM, "no answer");
}

void session_serve(struct session *session, const struct codec_header *header, const uint8_t *payload)
{
	struct codec_octets context;
	struct codec_reader reader;
	char name[NAME_SIZE];
	enum codec_error error = CODEC_NO_ERROR;

	session->stats.requests++;
	if (header->session != session->id)
		error = CODEC_NOT_OPEN;
	else if (codec_reader_init(&reader, header, payload, &context) < 0)
		error = CODEC_PARSE_ERROR;
	else if (!copy_name(&context, name))
		error = CODEC_UNSUPPORTED_CONTEXT;
	if (error != CODEC_NO_ERROR) {
		if (header->type != CODEC_CLEANUP_SET)
			answer(session, header, error, 0);
		return;
	}
	switch (header->type) {
	case CODEC_GET:
	case CODEC_GET_NEXT:
	case CODEC_GET_BULK:
		serve_get(session, header, name, &reader);
		break;
	default: /* the SETs: who calls has looked */
		sets_take(session->setup.sets, session->setup.contexts, header, name, &reader);
		break;
	}
}
