/* SPDX-License-Identifier: Apache-2.0
 *
 * session_ask.c - what we have asked the master for, and until when it has to answer, see session_data.h.
 */
#include <errno.h>
#include <stdlib.h>

#include <busbar/clock.h>

#include "session_data.h"

struct codec_buffer *session_begin(struct session *session, enum codec_type type, const char *context,
				   size_t *ret_place)
{
	struct codec_header header = {.type = type, .session = session->id};

	session->packet = session->packet == UINT32_MAX ? 1 : session->packet + 1;
	header.packet = session->packet;
	*ret_place = codec_begin(wire_buffer(session->wire), &header, context);
	return wire_buffer(session->wire);
}

struct ask *session_ask(struct session *session, enum codec_type type, size_t place)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		wire_buffer(session->wire)->failed = true; /* so that codec_end() takes it back */
	if (codec_end(wire_buffer(session->wire), place) < 0) {
		free(ask);
		return NULL;
	}
	ask->packet = session->packet;
	ask->type = type;
	ask->asked_ms = bb_clock_ms();
	ask->deadline_ms = ask->asked_ms + session->setup.timeout_ms;
	*session->asks_end = ask;
	session->asks_end = &ask->next;
	session_arm(session, ask->deadline_ms);
	return ask;
}

struct ask *ask_take(struct session *session, uint32_t packet)
{
	for (struct ask **at = &session->asks; *at; at = &(*at)->next) {
		struct ask *const ask = *at;

		if (ask->packet != packet)
			continue;
		*at = ask->next;
		if (!ask->next)
			session->asks_end = at;
		return ask;
	}
	return NULL;
}

void asks_drop(struct session *session)
{
	struct ask *next, *ask = session->asks;

	session->asks = NULL;
	session->asks_end = &session->asks;
	for (; ask; ask = next) {
		next = ask->next;
		if (ask->done)
			ask->done(ask->context, -ECONNRESET);
		free(ask);
	}
}
