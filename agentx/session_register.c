/* SPDX-License-Identifier: Apache-2.0
 *
 * session_register.c - registering contexts with the master, see session_data.h.
 *
 * Each entry goes its own way: asked for, then registered or refused. What is refused is tried again, because the usual
 * reason goes by itself: a master that hung and then goes on finds our new connection before it finds that the old one
 * is closed, and calls what we register a duplicate of our own.
 */
#include <errno.h>
#include <stdio.h>

#include <busbar/clock.h>

#include "session_data.h"

/* So many registrations are on their way at a time: a master that is slow with each shall not seem hung. */
#define WINDOW 32

/* Seconds that the master gives us for an answer about the subtree; net-snmp has its own mind. */
#define ANSWER_WITHIN_S 2

/* What was refused is tried again after this, doubling up to the other. */
#define AGAIN_FIRST_MS 500
#define AGAIN_MAX_MS   30000

static bool ask_for(struct session *session, struct context_entry *entry)
{
	const enum codec_type type = entry->registered ? CODEC_UNREGISTER : CODEC_REGISTER;
	size_t place;
	struct codec_buffer *const buffer = session_begin(session, type, entry->context, &place);
	struct ask *ask;

	codec_put_u8(buffer, type == CODEC_REGISTER ? ANSWER_WITHIN_S : 0);
	codec_put_u8(buffer, session->setup.priority);
	codec_put_u8(buffer, 0); /* no range */
	codec_put_u8(buffer, 0);
	codec_put_oid(buffer, &entry->subtree->root, false);
	ask = session_ask(session, type, place);
	if (!ask)
		return false;
	ask->entry = entry;
	entry->asked = ask->packet;
	return true;
}

static unsigned count_asked(struct session *session)
{
	unsigned count = 0;

	for (size_t i = 0; i < contexts_count(session->setup.contexts); i++)
		count += contexts_at(session->setup.contexts, i)->asked != 0;
	return count;
}

bool registration_step(struct session *session)
{
	struct contexts *const contexts = session->setup.contexts;
	const bool up = session->state == SESSION_UP;
	unsigned asked = count_asked(session);
	bool failed = false;

	for (size_t i = contexts_count(contexts); i-- > 0;) { /* backwards, because entries go */
		struct context_entry *const entry = contexts_at(contexts, i);

		if (entry->asked)
			continue;
		if (entry->gone && !entry->registered) {
			contexts_remove(contexts, i);
		} else if (up && asked < WINDOW && !failed && entry->gone == entry->registered && !entry->refused) {
			failed = !ask_for(session, entry);
			asked += !failed;
		}
	}
	if (failed) {
		(void)bb_log_error(session->setup.log, -ENOMEM, "cannot register everything now"); /* but later */
		session->again_ms = bb_clock_ms() + AGAIN_FIRST_MS;
		session_arm(session, session->again_ms);
	}
	if (up)
		wire_flush(session->wire);
	return asked == 0;
}

/* ---- answers ---- */

static void say_refused(struct session *session, struct context_entry *entry, unsigned error)
{
	char root[OID_TEXT_SIZE];

	(void)bb_complain(session->setup.log, &entry->complaint, 0, "context \"%s\": %s is not served: %s",
			  entry->context, oid_print(&entry->subtree->root, root),
			  error == CODEC_DUPLICATE_REGISTRATION
				  ? "another subagent has registered it (duplicateRegistration)"
				  : codec_error_name(error)); /* the others are served */
}

static void refused(struct session *session, struct context_entry *entry, unsigned error)
{
	const unsigned doublings = entry->refusals < 8 ? entry->refusals : 8;
	int64_t delay_ms = (int64_t)AGAIN_FIRST_MS << doublings, at_ms;

	entry->refused = true;
	entry->refusals++;
	if (entry->refusals > 1 || error != CODEC_DUPLICATE_REGISTRATION)
		say_refused(session, entry, error);
	if (delay_ms > AGAIN_MAX_MS)
		delay_ms = AGAIN_MAX_MS;
	at_ms = bb_clock_ms() + delay_ms;
	if (session->again_ms == 0 || at_ms < session->again_ms)
		session->again_ms = at_ms;
	session_arm(session, session->again_ms);
}

void registration_answered(struct session *session, const struct ask *ask, const struct codec_response *response)
{
	struct context_entry *const entry = ask->entry;
	char text[80];

	entry->asked = 0;
	if (ask->type == CODEC_UNREGISTER) {
		entry->registered = false; /* whatever the master says: it knows nothing of it */
	} else if (response->error == CODEC_NO_ERROR) {
		entry->registered = true;
		entry->refusals = 0;
		(void)snprintf(text, sizeof(text), "context \"%s\": served", entry->context);
		bb_complaint_over(session->setup.log, &entry->complaint, text);
	} else {
		refused(session, entry, response->error);
	}
}

void registration_again(struct session *session)
{
	session->again_ms = 0;
	for (size_t i = 0; i < contexts_count(session->setup.contexts); i++)
		contexts_at(session->setup.contexts, i)->refused = false;
}

void registration_reset(struct session *session)
{
	registration_again(session);
	for (size_t i = 0; i < contexts_count(session->setup.contexts); i++) {
		struct context_entry *const entry = contexts_at(session->setup.contexts, i);

		entry->registered = false;
		entry->asked = 0;
		entry->refusals = 0;
	}
	contexts_forget_transactions(session->setup.contexts);
	(void)registration_step(session); /* removes what has gone */
}
