/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - the states of the connection to the master, see session.h.
 *
 * One timer serves all: it fires at the next thing that is due and looks what that is. A master that hangs is found by
 * the deadline of whatever it owes us, a ping at the latest. It is then left alone and connected to anew, because nobody
 * can tell a master that hangs from one that will never come back.
 *
 * The master's clock: each of its Responses says its sysUpTime. When that began is kept over sessions, and moves only
 * when a Response proves it wrong, since times that are derived from it must stay what they are from one request to the
 * next.
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/exporter.h>

#include "session_data.h"

/* The wait after the first failure; it doubles with each further one. */
#define RETRY_FIRST_MS 200

/* A session that has lasted so long was a good one: the next attempt comes soon. */
#define PROVEN_MS 10000

#define REASON_SHUTDOWN 5 /* of a Close (RFC 2741, section 6.2.2) */

void session_arm(struct session *session, int64_t at_ms)
{
	const int64_t now_ms = bb_clock_ms();

	if (session->armed_ms != 0 && session->armed_ms <= at_ms)
		return;
	session->armed_ms = at_ms;
	bb_timer_start(session->timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* ---- losing it ---- */

static void complain(struct session *session, int error, const char *what)
{
	char place[MASTER_TEXT_SIZE], advice[256], reason[sizeof(session->reason)];

	master_print(session->setup.master, place);
	master_advise(session->setup.master, error, advice, sizeof(advice));
	(void)snprintf(reason, sizeof(reason), "%s: %s%s%s%s", place, what, error ? ": " : "",
		       error ? strerror(-error) : "", advice); /* a cut line will do */
	if (strcmp(reason, session->reason) != 0) {
		session->complaint.next_ms = 0; /* another trouble than before is worth a line of its own */
		memcpy(session->reason, reason, sizeof(reason));
	}
	(void)bb_complain(session->setup.log, &session->complaint, 0, "%s", reason); /* it is tried again */
}

/* Whatever was under way has failed: say so, and try again after a while. */
static void session_fail(struct session *session, int error, const char *what)
{
	const int64_t now_ms = bb_clock_ms();
	const bool announced = session->announced;

	if (session->opened_ms != 0 && now_ms - session->opened_ms >= PROVEN_MS)
		session->backoff.failures = 0;
	session->opened_ms = 0;
	session->state = SESSION_WAITING;
	session->announced = false;
	wire_close(session->wire);
	session->wire = NULL;
	bb_timer_stop(session->timer);
	session->armed_ms = 0;
	session_arm(session, now_ms + bb_backoff_next(&session->backoff, RETRY_FIRST_MS, session->setup.retry_ms));
	complain(session, error, what);

	registration_reset(session);
	sets_drop(session->setup.sets);
	asks_drop(session);
	if (announced)
		session->setup.changed(session->setup.context, false);
}

static void session_broken(void *context, int error, const char *what)
{
	session_fail(context, error, what);
}

/* ---- registering, and being up ---- */

static void session_announce(struct session *session)
{
	char place[MASTER_TEXT_SIZE], text[MASTER_TEXT_SIZE + 32];
	size_t served = 0;

	if (session->announced)
		return;
	session->announced = true;
	for (size_t i = 0; i < contexts_count(session->setup.contexts); i++)
		served += contexts_at(session->setup.contexts, i)->registered;
	master_print(session->setup.master, place);
	(void)snprintf(text, sizeof(text), "%s: %zu subtrees served", place, served);
	if (session->complaint.count == 0)
		bb_log_notice(session->setup.log, "%s", text);
	bb_complaint_over(session->setup.log, &session->complaint, text);
	session->reason[0] = '\0';
	session->setup.changed(session->setup.context, true);
}

static void session_continue(struct session *session)
{
	if (registration_step(session) && session->state == SESSION_UP)
		session_announce(session);
}

void session_contexts_changed(struct session *session)
{
	session_continue(session);
}

/* ---- what the master says ---- */

static void session_opened(struct session *session, const struct codec_header *header,
			   const struct codec_response *response)
{
	if (response->error != CODEC_NO_ERROR) {
		/* There is one for the session, and it is open no more; the names of errors are static. */
		wire_fail(session->wire, 0, codec_error_name(response->error));
		return;
	}
	session->id = header->session;
	session->state = SESSION_UP;
	session->opened_ms = bb_clock_ms();
	session->stats.connections++;
	session->ping_ms = session->opened_ms + session->setup.ping_ms;
	session_arm(session, session->ping_ms);
	session_continue(session);
}

static void ask_answered(struct session *session, const struct ask *ask, const struct codec_header *header,
			 const struct codec_response *response)
{
	switch (ask->type) {
	case CODEC_OPEN:
		session_opened(session, header, response);
		break;
	case CODEC_REGISTER:
	case CODEC_UNREGISTER:
		registration_answered(session, ask, response);
		session_continue(session);
		break;
	case CODEC_NOTIFY:
		session->stats.notifications += response->error == CODEC_NO_ERROR;
		ask->done(ask->context, response->error == CODEC_NO_ERROR ? 0 : -EREMOTEIO);
		break;
	default: /* a ping has said what there is to know by coming */
		break;
	}
}

static void session_heard(struct session *session, const struct codec_header *header, const uint8_t *payload)
{
	struct codec_response response;
	struct codec_octets context;
	struct codec_reader reader;
	struct ask *ask;

	if (codec_reader_init(&reader, header, payload, &context) < 0 || codec_read_response(&reader, &response) < 0) {
		wire_fail(session->wire, 0, "what it says is not AgentX");
		return;
	}
	if (response.error == CODEC_NOT_OPEN && session->state == SESSION_UP) {
		wire_fail(session->wire, 0, "it has forgotten the session");
		return;
	}
	ask = ask_take(session, header->packet);
	if (!ask)
		return; /* nobody has asked */
	session->master_ms = moment_master(session->master_ms, ask->asked_ms, bb_clock_ms(), response.uptime);
	ask_answered(session, ask, header, &response);
	free(ask);
}

static void session_message(void *context, const struct codec_header *header, const uint8_t *payload)
{
	struct session *const session = context;

	if (header->type == CODEC_RESPONSE)
		session_heard(session, header, payload);
	else if (header->type == CODEC_CLOSE)
		wire_fail(session->wire, 0, "it has closed the session");
	else if (session->state == SESSION_UP && header->type >= CODEC_GET && header->type <= CODEC_CLEANUP_SET)
		session_serve(session, header, payload);
	else
		bb_log_debug(session->setup.log, "a message of type %u from the master is ignored", header->type);
}

/* ---- getting it ---- */

static void session_connected(void *context)
{
	struct session *const session = context;
	char description[64];
	size_t place;
	struct codec_buffer *buffer;

	session->state = SESSION_OPENING;
	session->id = 0;
	buffer = session_begin(session, CODEC_OPEN, NULL, &place);
	codec_put_u8(buffer, 0); /* the master's own time-out is as good as any */
	codec_put_u8(buffer, 0);
	codec_put_u16(buffer, 0);
	codec_put_oid(buffer, session->setup.id, false);
	codec_put_octets(buffer, description,
			 (size_t)snprintf(description, sizeof(description), "busbar %s", bb_version()));
	if (!session_ask(session, CODEC_OPEN, place))
		wire_fail(session->wire, -ENOMEM, "no session");
	wire_flush(session->wire);
}

static void session_attempt(struct session *session)
{
	const struct wire_setup wire = {
		.loop = session->setup.loop,
		.fd = master_connect(session->setup.master),
		.connected = session_connected,
		.message = session_message,
		.broken = session_broken,
		.context = session,
	};
	const int r = wire.fd < 0 ? wire.fd : wire_open(&wire, &session->wire);

	if (r < 0) {
		session_fail(session, r, "no connection");
		return;
	}
	session->state = SESSION_CONNECTING;
	session_arm(session, bb_clock_ms() + session->setup.timeout_ms);
}

/* ---- what is due ---- */

static void session_ping(struct session *session, int64_t now_ms)
{
	size_t place;

	(void)session_begin(session, CODEC_PING, NULL, &place);
	(void)session_ask(session, CODEC_PING, place); /* without memory the next one will do */
	session->ping_ms = now_ms + session->setup.ping_ms;
	wire_flush(session->wire);
}

static bool is_overdue(const struct session *session, int64_t now_ms)
{
	return session->asks && session->asks->deadline_ms <= now_ms;
}

static void session_look(struct session *session)
{
	const int64_t now_ms = bb_clock_ms();

	if (is_overdue(session, now_ms))
		wire_read(session->wire); /* if it was us who hung, the answers are there */
	if (is_overdue(session, now_ms)) {
		session_fail(session, 0, "it does not answer: it hangs, or is no AgentX master");
		return;
	}
	if (session->asks)
		session_arm(session, session->asks->deadline_ms);
	if (session->state != SESSION_UP)
		return;
	if (session->again_ms != 0 && session->again_ms <= now_ms) {
		registration_again(session);
		session_continue(session);
	}
	if (session->ping_ms <= now_ms) {
		session_ping(session, now_ms);
		contexts_tidy(session->setup.contexts, now_ms);
	}
	if (session->again_ms != 0)
		session_arm(session, session->again_ms);
	session_arm(session, session->ping_ms);
}

static void session_on_timer(void *context)
{
	struct session *const session = context;

	session->armed_ms = 0;
	if (session->state == SESSION_WAITING)
		session_attempt(session);
	else if (session->state == SESSION_CONNECTING)
		session_fail(session, -ETIMEDOUT, "no connection");
	else
		session_look(session);
}

/* ---- for others ---- */

bool session_is_up(const struct session *session)
{
	return session->announced;
}

struct moment session_moment(struct session *session)
{
	const int64_t now_ms = bb_clock_ms();

	session->lead_ms = moment_lead(session->lead_ms, now_ms, bb_clock_wall_ms());
	return (struct moment){now_ms, session->lead_ms, session->master_ms};
}

int session_notify(struct session *session, const char *context, const struct codec_buffer *varbinds,
		   void (*done)(void *context, int result), void *done_context)
{
	struct codec_buffer *buffer;
	struct ask *ask;
	size_t place;

	if (!session->announced)
		return -ENOTCONN;
	buffer = session_begin(session, CODEC_NOTIFY, context, &place);
	codec_put_encoded(buffer, varbinds->bytes, varbinds->length);
	ask = session_ask(session, CODEC_NOTIFY, place);
	if (!ask)
		return -ENOMEM;
	ask->done = done;
	ask->context = done_context;
	wire_flush(session->wire);
	return 0;
}

void session_stats(const struct session *session, struct session_stats *ret_stats)
{
	*ret_stats = session->stats;
}

/* ---- life ---- */

int session_start(const struct session_setup *setup, struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->setup = *setup;
	session->asks_end = &session->asks;
	session->backoff.random = (uint32_t)bb_clock_wall_ms() ^ (uint32_t)getpid();
	session->timer = bb_timer_create(setup->loop, session_on_timer, session);
	if (!session->timer) {
		free(session);
		return -ENOMEM;
	}
	session_arm(session, bb_clock_ms());
	*ret_session = session;
	return 0;
}

static void say_close(struct session *session)
{
	size_t place;
	struct codec_buffer *const buffer = session_begin(session, CODEC_CLOSE, NULL, &place);

	codec_put_u8(buffer, REASON_SHUTDOWN);
	codec_put_u8(buffer, 0);
	codec_put_u16(buffer, 0);
	(void)codec_end(buffer, place); /* that the connection ends says the same */
	wire_flush(session->wire);
}

void session_stop(struct session *session)
{
	if (!session)
		return;
	if (session->state == SESSION_UP)
		say_close(session);
	session->state = SESSION_WAITING;
	session->announced = false;
	wire_close(session->wire);
	session->wire = NULL;
	bb_timer_destroy(session->timer);
	registration_reset(session);
	asks_drop(session);
	free(session);
}
