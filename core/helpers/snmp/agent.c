/* SPDX-License-Identifier: Apache-2.0
 *
 * agent.c - one peer: opened, asked, closed.
 *
 * Each agent has one socket, watched by the loop, and one timer, which runs while something is in flight and then
 * lets net-snmp look at its clock. So a poll touches nothing but its own agent, and an idle agent costs nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "session.h"

/* net-snmp counts microseconds and wants them exceeded; timers count milliseconds and may be one early. */
#define AGENT_TIMER_SLACK_MS 2

int64_t agent_clock(void)
{
	return bb_clock_us() / 1000;
}

/*
 * The timer is not moved with each request: it fires, finds that the first try still has time, and waits for the rest.
 * It is stopped when nothing is in flight, since waking up for nothing costs far more than stopping it.
 */
void agent_arm(struct bb_snmp_agent *agent)
{
	const struct request *request;
	int64_t first = INT64_MAX, delay;

	if (agent->timing && TAILQ_EMPTY(&agent->in_flight)) {
		bb_timer_stop(agent->timer);
		agent->timing = false;
	}
	if (agent->timing)
		return;
	TAILQ_FOREACH(request, &agent->in_flight, siblings)
	if (request->expires_ms < first)
		first = request->expires_ms;
	if (first == INT64_MAX)
		return;
	delay = first - agent_clock();
	bb_timer_start(agent->timer, (delay > 0 ? delay : 0) + AGENT_TIMER_SLACK_MS, 0);
	agent->timing = true;
}

/* What happens after net-snmp has worked for @agent. The agent may be gone when it returns. */
static void agent_settle(struct bb_snmp_agent *agent)
{
	struct bb_snmp_client *client = agent->client;

	if (agent->version == BB_SNMP_V3)
		engine_settle(agent);
	agent_arm(agent);
	answer_deliver(client);
}

static void agent_on_ready(void *context, unsigned events)
{
	struct bb_snmp_agent *agent = context;

	(void)events;
	session_read(agent);
	agent_settle(agent);
}

static void agent_on_timer(void *context)
{
	struct bb_snmp_agent *agent = context;

	agent->timing = false;
	session_timeout(agent);
	agent_settle(agent);
}

static int agent_copy(struct bb_snmp_agent *agent, const struct bb_snmp_options *options)
{
	agent->version = options->version;
	agent->level = options->level;
	agent->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 1000;
	agent->retries = options->retries > 0 ? options->retries : 0;
	agent->community = strdup(options->community ? options->community : "");
	agent->user = strdup(options->user ? options->user : "");
	agent->context = strdup(options->context ? options->context : "");
	if (!agent->community || !agent->user || !agent->context)
		return bb_log_error(agent->log, -ENOMEM, "cannot prepare SNMP to %s", agent->name);
	return 0;
}

int bb_snmp_agent_open(struct bb_snmp_client *client, const struct bb_snmp_options *options, const struct bb_log *log,
		       struct bb_snmp_agent **ret_agent)
{
	struct bb_snmp_agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent)
		return bb_log_error(log, -ENOMEM, "cannot prepare SNMP to %s", options->host);
	agent->client = client;
	agent->log = log;
	agent->fd = -1;
	TAILQ_INIT(&agent->waiting);
	TAILQ_INIT(&agent->in_flight);
	TAILQ_INSERT_TAIL(&client->agents, agent, siblings);
	if (strchr(options->host, ':'))
		(void)snprintf(agent->name, sizeof(agent->name), "[%s]:%u", options->host, options->port);
	else
		(void)snprintf(agent->name, sizeof(agent->name), "%s:%u", options->host, options->port);

	r = agent_copy(agent, options);
	if (r == 0 && agent->version == BB_SNMP_V3)
		r = credential_init(agent, options);
	if (r < 0)
		goto fail; /* has been said */
	r = socket_open(agent, options->host, options->port);
	if (r == 0)
		r = bb_watch_create(client->loop, agent->fd, BB_WATCH_READ, agent_on_ready, agent, &agent->watch);
	if (r == 0) {
		agent->timer = bb_timer_create(client->loop, agent_on_timer, agent);
		r = agent->timer ? 0 : -ENOMEM;
	}
	if (r == 0 && agent->version != BB_SNMP_V3)
		r = session_open(agent); /* with version 3 a session is opened for each engine that is found */
	if (r == 0) {
		*ret_agent = agent;
		return 0;
	}
	(void)bb_log_error(log, r, "cannot prepare SNMP to %s", agent->name);
fail:
	bb_snmp_agent_close(agent);
	return r;
}

static void agent_forget(struct bb_snmp_agent *agent, struct request_list *list)
{
	struct request *request, *next;

	for (request = TAILQ_FIRST(list); request; request = next) {
		next = TAILQ_NEXT(request, siblings);
		if (request->agent == agent)
			request_destroy(request);
	}
}

void bb_snmp_agent_close(struct bb_snmp_agent *agent)
{
	if (!agent)
		return;
	session_close(agent);
	agent_forget(agent, &agent->waiting);
	agent_forget(agent, &agent->client->completed);
	engine_finish(agent);
	bb_timer_destroy(agent->timer);
	bb_watch_destroy(agent->watch);
	if (agent->fd >= 0)
		(void)close(agent->fd); /* a UDP socket has nothing left to write */
	TAILQ_REMOVE(&agent->client->agents, agent, siblings);
	free(agent->community);
	free(agent->user);
	free(agent->context);
	free(agent);
}

int bb_snmp_send(struct bb_snmp_agent *agent, const struct bb_snmp_request *request, bb_snmp_answer *answer,
		 void *context)
{
	struct request *question;
	int r;

	r = request_create(agent, request, &question);
	if (r < 0)
		return r;
	question->answer = answer;
	question->context = context;
	if (agent->version == BB_SNMP_V3)
		r = engine_send(agent, question);
	else
		r = session_send(agent, question);
	if (r < 0)
		request_destroy(question);
	return r;
}

uint32_t bb_snmp_agent_boots(const struct bb_snmp_agent *agent)
{
	return agent->engine.state == ENGINE_KNOWN ? agent->engine.boots : 0;
}

uint64_t bb_snmp_agent_dropped(const struct bb_snmp_agent *agent)
{
	return agent->dropped;
}
