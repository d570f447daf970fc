/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - what version 3 adds: finding a peer's engine, its clock, and the user's keys for it.
 *
 * A message of version 3 names the engine it is for and what that engine's clock says, and is signed with a key that
 * is bound to the engine. So before the first request the peer is asked who it is, with an empty question that
 * carries no engine and no user; it answers with a report that holds its id and clock. net-snmp can do that by itself
 * but blocks until the answer comes, so the discovery here is a request like any other, and what is asked meanwhile
 * waits. After a restart of the peer (its boots grow) net-snmp corrects the clock and asks again by itself; a peer
 * that is another engine now, or whose clock went back, is discovered anew.
 *
 * net-snmp keeps one table of users and one of clocks, both by engine id. Devices exist that were cloned with their
 * engine id; in one table they would spoil each other's clock for ever. So the tables are empty but while net-snmp
 * works for an agent: engine_enter() puts in what belongs to it, engine_leave() takes it out. Each agent has its own
 * clock and keys, and a stranger who invents engine ids cannot fill the table.
 *
 * An agent that cannot decrypt a request says nothing, as if it were dead. So when an encrypted request has to be
 * sent again and none was ever answered, two empty ones are sent beside it, one encrypted and one only signed: if the
 * latter alone is answered, the privacy passphrase or protocol is the wrong one.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/plugin.h>

#include "session.h"

static const char *const engine_hex = "0123456789abcdef";

void engine_finish(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;

	if (engine->queued)
		TAILQ_REMOVE(&agent->client->keyless, agent, engine.keyless);
	credential_finish(agent);
	engine->state = ENGINE_UNKNOWN;
}

void engine_enter(struct bb_snmp_agent *agent)
{
	const struct engine *engine = &agent->engine;
	int64_t time;

	if (engine->state != ENGINE_KNOWN)
		return;
	(void)usm_add_user(engine->user); /* the new head of the list, which is no error code */
	time = engine->time + (bb_clock_ms() - engine->heard_ms) / 1000;
	(void)set_enginetime(engine->id, engine->id_length, engine->boots, time < INT32_MAX ? (u_int)time : INT32_MAX,
			     engine->authenticated); /* or memory lacks */
}

void engine_leave(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;
	const struct message *message = &agent->client->message;
	u_int boots = 0, time = 0;

	if (agent->version != BB_SNMP_V3)
		return;
	if (engine->state == ENGINE_KNOWN) {
		(void)usm_remove_user(engine->user); /* it is there: engine_enter() has put it there */
		engine->user->next = engine->user->prev = NULL;
		/* Asked for what came authenticated, the table says 0 while there is only hearsay. */
		if (get_enginetime(engine->id, engine->id_length, &boots, &time, TRUE) == SNMPERR_SUCCESS &&
		    (boots || time)) {
			engine->authenticated = true;
			engine->boots = boots;
			engine->time = time;
			engine->heard_ms = bb_clock_ms();
		}
		free_enginetime(engine->id, engine->id_length);
	}
	if (message->engine_length) /* its id is in the table since it was read, whoever it is */
		free_enginetime((u_char *)message->engine, message->engine_length);
}

/* Its id, clock and keys are worth nothing any more. */
static void engine_forget(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;

	credential_unbind(agent);
	engine->state = ENGINE_UNKNOWN;
	engine->found = engine->changed = engine->doubtful = engine->proven = false;
	engine->check = CHECK_NONE;
}

/* Ask the peer who it is. */
static int engine_probe(struct bb_snmp_agent *agent)
{
	struct request *probe;
	int r;

	r = session_open(agent);
	if (r < 0)
		return r;
	r = request_create_empty(agent, REQUEST_PROBE, &probe);
	if (r < 0)
		goto fail;
	probe->pdu->securityName = strdup("");
	probe->pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	probe->pdu->securityModel = SNMP_SEC_MODEL_USM;
	r = probe->pdu->securityName ? session_send(agent, probe) : -ENOMEM;
	if (r < 0) {
		request_destroy(probe);
		goto fail;
	}
	agent->engine.state = ENGINE_PROBING;
	return 0;
fail:
	session_close(agent);
	return r;
}

static void engine_fail_waiting(struct bb_snmp_agent *agent, int result)
{
	struct request *request;

	while ((request = TAILQ_FIRST(&agent->waiting)) != NULL)
		request_complete(request, result);
}

/* Two agents that claim to be one engine: both are asked, each with its own clock, but somebody should know. */
static void engine_look_for_twin(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;
	const struct bb_snmp_agent *other;
	char id[2 * MESSAGE_ENGINE_MAX + 1];
	size_t length = 0;

	TAILQ_FOREACH(other, &agent->client->agents, siblings)
	{
		if (other != agent && other->engine.state == ENGINE_KNOWN &&
		    other->engine.id_length == engine->id_length &&
		    memcmp(other->engine.id, engine->id, engine->id_length) == 0 &&
		    strcmp(other->name, agent->name) != 0)
			break;
	}
	if (!other || engine->shared) {
		engine->shared = other != NULL;
		return;
	}
	engine->shared = true;
	for (size_t i = 0; i < engine->id_length; i++) {
		id[length++] = engine_hex[engine->id[i] >> 4];
		id[length++] = engine_hex[engine->id[i] & 0xf];
	}
	id[length] = '\0';
	(void)bb_log_warning(agent->log, 0,
			     "engine id %s is already used by %s: %s is polled with a clock of its own, "
			     "but one of the two must be given another engine id",
			     id, other->name, agent->name);
}

/* The keys are there: talk. */
static void engine_ready(struct bb_snmp_agent *agent)
{
	struct request *request;
	int r;

	r = credential_bind(agent);
	if (r == 0)
		r = session_open(agent);
	if (r < 0) {
		engine_forget(agent);
		(void)bb_log_error(agent->log, r, "cannot prepare SNMPv3 keys for %s", agent->name);
		engine_fail_waiting(agent, r);
		return;
	}
	agent->engine.state = ENGINE_KNOWN;
	engine_look_for_twin(agent);
	while ((request = TAILQ_FIRST(&agent->waiting)) != NULL) {
		r = session_send(agent, request);
		if (r < 0)
			request_complete(request, r);
	}
}

/* One derivation each round of the loop, so that many agents at once delay the others by milliseconds only. */
static void engine_on_derive(struct bb_task *task)
{
	struct bb_snmp_client *client = BB_CONTAINER(task, struct bb_snmp_client, derive);
	struct bb_snmp_agent *agent = TAILQ_FIRST(&client->keyless);
	int r;

	client->deriving = false;
	if (!agent)
		return;
	TAILQ_REMOVE(&client->keyless, agent, engine.keyless);
	agent->engine.queued = false;
	r = credential_derive(agent);
	if (r == 0) {
		engine_ready(agent);
	} else {
		engine_forget(agent);
		engine_fail_waiting(agent, r);
	}
	if (!TAILQ_EMPTY(&client->keyless)) {
		client->deriving = true;
		bb_loop_post(client->loop, task);
	}
	answer_deliver(client);
}

static void engine_want_keys(struct bb_snmp_agent *agent)
{
	struct bb_snmp_client *client = agent->client;

	agent->engine.queued = true;
	TAILQ_INSERT_TAIL(&client->keyless, agent, engine.keyless);
	if (client->deriving)
		return;
	client->deriving = true;
	client->derive.run = engine_on_derive;
	bb_loop_post(client->loop, &client->derive);
}

int engine_send(struct bb_snmp_agent *agent, struct request *request)
{
	struct engine *engine = &agent->engine;
	int r;

	if (engine->state == ENGINE_KNOWN && engine->doubtful && TAILQ_EMPTY(&agent->in_flight)) {
		const enum engine_check check = engine->check;

		session_close(agent);
		engine_forget(agent);
		engine->check = check; /* a peer that does not answer has not changed its mind */
	}
	if (engine->state == ENGINE_KNOWN)
		return session_send(agent, request);
	if (engine->state == ENGINE_UNKNOWN) {
		r = engine_probe(agent);
		if (r < 0)
			return r;
	}
	request_move(request, REQUEST_WAITING);
	return 0;
}

bool engine_accepts(struct bb_snmp_agent *agent, const struct message *message, const struct request *request)
{
	struct engine *engine = &agent->engine;

	if (agent->version != BB_SNMP_V3)
		return message->pdu == MESSAGE_RESPONSE;
	if (request->kind == REQUEST_PROBE)
		return message->pdu == MESSAGE_REPORT && message->engine_length > 0;
	if (!message->encrypted && message->pdu != MESSAGE_RESPONSE && message->pdu != MESSAGE_REPORT)
		return false;
	if (message->engine_length == engine->id_length && memcmp(message->engine, engine->id, engine->id_length) == 0)
		return true;
	/* Another engine at this address reports that it does not know ours. net-snmp would not find a user for it. */
	if (message->pdu == MESSAGE_REPORT && !message->authenticated && message->engine_length > 0)
		engine->changed = true;
	return false;
}

static void engine_refused(struct request *request, const char *why)
{
	struct bb_snmp_agent *agent = request->agent;

	(void)bb_complain(agent->log, &agent->engine.refusal, -EACCES, "%s refuses SNMPv3 user '%s': %s", agent->name,
			  agent->user, why); /* returns what it was given */
	request_complete(request, -EACCES);
}

/* The answer to the probe: whose clock and id these are. */
static void engine_learn(struct request *probe)
{
	struct engine *engine = &probe->agent->engine;
	const struct message *message = &probe->agent->client->message;

	memcpy(engine->id, message->engine, message->engine_length);
	engine->id_length = message->engine_length;
	engine->boots = message->boots;
	engine->time = message->time;
	engine->heard_ms = bb_clock_ms();
	engine->authenticated = false;
	engine->found = true;
	request_complete(probe, 0);
}

void engine_report(struct request *request, netsnmp_pdu *report, bool final)
{
	if (request->kind == REQUEST_PROBE) {
		engine_learn(request);
		return;
	}
	request->agent->engine.doubtful = false;
	switch (snmpv3_get_report_type(report)) {
	case SNMPERR_NOT_IN_TIME_WINDOW:
		if (final) { /* after each correction: only a discovery helps */
			request->agent->engine.changed = true;
			request_again(request);
		}
		return;
	case SNMPERR_UNKNOWN_USER_NAME:
		engine_refused(request, "it does not know that user");
		return;
	case SNMPERR_AUTHENTICATION_FAILURE:
		engine_refused(request, "the authentication passphrase or protocol is wrong");
		return;
	case SNMPERR_UNSUPPORTED_SEC_LEVEL:
		engine_refused(request, "that user has other authentication or privacy there");
		return;
	case SNMPERR_DECRYPTION_ERR:
		engine_refused(request, "the privacy passphrase or protocol is wrong");
		return;
	default:
		break;
	}
	if (request->kind == REQUEST_CHECK) { /* whatever it complains of, it could verify who asks */
		if (request->pdu->securityLevel == SNMP_SEC_LEVEL_AUTHNOPRIV)
			request->agent->engine.check = CHECK_PASSED;
		request_complete(request, 0);
		return;
	}
	request_complete(request, -EPROTO);
}

int engine_timed_out(struct request *request)
{
	struct bb_snmp_agent *agent = request->agent;
	struct engine *engine = &agent->engine;

	if (request->kind != REQUEST_USER)
		return -ETIMEDOUT;
	engine->doubtful = true;
	if (engine->check == CHECK_NONE) /* there was no second try that could have asked for it */
		engine->check = CHECK_WANTED;
	if (engine->proven || engine->check != CHECK_PASSED)
		return -ETIMEDOUT;
	return bb_complain(agent->log, &engine->refusal, -EACCES,
			   "%s answers SNMPv3 user '%s' unencrypted, but not encrypted: "
			   "the privacy passphrase or protocol is wrong",
			   agent->name, agent->user);
}

/* See the head of this file. Nobody waits for these, so it does not matter when one cannot be sent. */
static void engine_check(struct bb_snmp_agent *agent)
{
	static const int levels[] = {SNMP_SEC_LEVEL_AUTHNOPRIV, SNMP_SEC_LEVEL_AUTHPRIV};
	struct request *check;

	agent->engine.check = CHECK_SENT;
	for (size_t i = 0; i < BB_LENGTH(levels); i++) {
		if (request_create_empty(agent, REQUEST_CHECK, &check) < 0)
			return;
		check->pdu->securityLevel = levels[i];
		if (session_send(agent, check) < 0)
			request_destroy(check);
	}
}

void engine_settle(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;
	int r;

	if (engine->state == ENGINE_PROBING && engine->found) {
		session_close(agent);
		engine->found = false;
		engine->state = ENGINE_KEYING;
		if (engine->auth_passphrase)
			engine_want_keys(agent);
		else
			engine_ready(agent);
	} else if (engine->state == ENGINE_PROBING && TAILQ_EMPTY(&agent->in_flight)) {
		session_close(agent);
		engine_forget(agent);
		engine_fail_waiting(agent, -ETIMEDOUT);
	} else if (engine->state == ENGINE_KNOWN && engine->changed) {
		session_move(agent);
		engine_forget(agent);
		r = TAILQ_EMPTY(&agent->waiting) ? 0 : engine_probe(agent);
		if (r < 0)
			engine_fail_waiting(agent, r);
	} else if (engine->state == ENGINE_KNOWN && engine->check == CHECK_WANTED) {
		if (agent->level == BB_SNMP_AUTH_PRIV && !engine->proven)
			engine_check(agent);
		else
			engine->check = CHECK_NONE;
	}
}
