/* SPDX-License-Identifier: Apache-2.0
 *
 * learn.c - the first contact: who is the device, and which instances does it have?
 *
 *   WHO     sysObjectID, sysUpTime, manufacturer and model, which decide about quirks: one GET each, so that one that
 *           cannot be had does not hide the others. No answer to the first: nobody is there.
 *   WALK    GETBULK, or GETNEXT where that is not known, over upsObjects and the modules
 *   PROBE   GETs of what the MIB has, when the walk met (almost) nothing or was broken off: some agents answer GET only
 */
#include "learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A v1 agent behind a slow line takes half a second for each of four hundred instances. */
#define LEARN_DEADLINE_MS 240000

enum learn_name {
	LEARN_OBJECT_ID,
	LEARN_UPTIME,
	LEARN_MANUFACTURER,
	LEARN_MODEL,
	LEARN_NAMES,
};

static const struct bb_snmp_oid learn_names[LEARN_NAMES] = {
	[LEARN_OBJECT_ID] = {{1, 3, 6, 1, 2, 1, 1, 2, 0}, 9},
	[LEARN_UPTIME] = {{1, 3, 6, 1, 2, 1, 1, 3, 0}, 9},
	[LEARN_MANUFACTURER] = {{1, 3, 6, 1, 2, 1, 33, 1, 1, 1, 0}, 11},
	[LEARN_MODEL] = {{1, 3, 6, 1, 2, 1, 33, 1, 1, 2, 0}, 11},
};

void learn_stop(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;

	if (!learn)
		return;
	plan_finish(&learn->plan);
	alarms_finish(&learn->alarms);
	free(learn);
	ups->learn = NULL;
}

void learn_fail(struct ups_snmp *ups, int error)
{
	learn_stop(ups);
	bb_device_failed(ups->device, error);
	ups_snmp_finished(ups, error);
}

void learn_send(struct ups_snmp *ups, const struct bb_snmp_request *request, bb_snmp_answer *answer)
{
	const int r = bb_snmp_send(ups->agent, request, answer, ups);

	if (r < 0)
		learn_fail(ups, r);
}

/* The beginning of a text, without what stands behind it. */
static void learn_copy_text(const struct bb_snmp_variable *variable, char *buffer, size_t size)
{
	size_t length = variable->length < size - 1 ? variable->length : size - 1;

	if (variable->type != BB_SNMP_STRING)
		return;
	while (length > 0 && (variable->bytes[length - 1] == '\0' || variable->bytes[length - 1] == ' '))
		length--;
	memcpy(buffer, variable->bytes, length);
	buffer[length] = '\0';
}

static void learn_take_name(struct learn *learn, const struct bb_snmp_variable *variable)
{
	switch (learn->name) {
	case LEARN_OBJECT_ID:
		if (variable->type == BB_SNMP_OBJECT)
			(void)bb_snmp_oid_print(learn->identity.sysobjectid, sizeof(learn->identity.sysobjectid),
						&variable->object); /* no quirk is about one that does not fit */
		break;
	case LEARN_UPTIME:
		if (variable->type == BB_SNMP_TICKS || variable->type == BB_SNMP_UNSIGNED)
			decode_clock_set(&learn->clock, variable->number, bb_clock_wall_ms());
		break;
	case LEARN_MANUFACTURER:
		learn_copy_text(variable, learn->manufacturer, sizeof(learn->manufacturer));
		break;
	case LEARN_MODEL:
		learn_copy_text(variable, learn->model, sizeof(learn->model));
		break;
	default:
		break;
	}
}

static void learn_who_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
			       size_t error_index)
{
	struct ups_snmp *ups = context;
	struct learn *learn = ups->learn;

	(void)error_index; /* one name was asked for */
	/* An agent without sysObjectID says so. */
	if (result < 0 && learn->name == LEARN_OBJECT_ID && result != -ENXIO && result != -EPROTO) {
		learn_fail(ups, result);
		return;
	}
	if (result == 0 && count == 1)
		learn_take_name(learn, variables);
	if (++learn->name == LEARN_NAMES) {
		/* Bounded by the sizes of the two; what does not fit is in no quirk. */
		(void)snprintf(learn->identity.name, sizeof(learn->identity.name), "%s%s%s", learn->manufacturer,
			       learn->manufacturer[0] && learn->model[0] ? " " : "", learn->model);
		learn_walk_begin(learn);
	}
	learn_next(ups);
}

static void learn_ask_who(struct ups_snmp *ups)
{
	learn_send(ups,
		   &(struct bb_snmp_request){
			   .operation = BB_SNMP_GET, .names = &learn_names[ups->learn->name], .count = 1},
		   learn_who_answered);
}

static void learn_succeed(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;
	int r;

	if (learn->plan.count == 0 && !alarms_are_served(&learn->alarms)) {
		(void)bb_log(ups->log, ups->learned_ms ? BB_LOG_DEBUG : BB_LOG_WARNING, 0,
			     "the agent (sysObjectID %s) answers, but has nothing of UPS-MIB",
			     learn->identity.sysobjectid[0] ? learn->identity.sysobjectid : "not said");
		ups->learned_ms = bb_clock_ms();
		learn_fail(ups, -ENODATA);
		return;
	}
	plan_number_lines(&learn->plan);
	plan_finish(&ups->plan);
	alarms_finish(&ups->alarms);
	ups->plan = learn->plan;
	ups->alarms = learn->alarms;
	ups->identity = learn->identity;
	ups->clock = learn->clock;
	ups->boots = bb_snmp_agent_boots(ups->agent);
	memset(&learn->plan, 0, sizeof(learn->plan));
	memset(&learn->alarms, 0, sizeof(learn->alarms));
	learn_stop(ups);

	r = bb_device_relearn(ups->device);
	if (r < 0) {
		bb_device_failed(ups->device, r);
		ups_snmp_finished(ups, r);
		return;
	}
	ups->learned = true;
	ups->restarted = false;
	ups->learned_ms = bb_clock_ms();
	bb_log_info(ups->log, "%zu objects of '%s' (sysObjectID %s)", ups->plan.count, ups->identity.name,
		    ups->identity.sysobjectid);
	ups->group = BB_GROUP_REST;
	poll_start(ups, BB_GROUP_REST);
}

void learn_next(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;

	if (bb_clock_ms() > learn->deadline_ms)
		learn_fail(ups, -ETIMEDOUT);
	else if (learn->phase == LEARN_WHO)
		learn_ask_who(ups);
	else if (learn->phase == LEARN_WALK)
		learn_ask_walk(ups);
	else if (learn->phase == LEARN_DONE || !learn_ask_probe(ups))
		learn_succeed(ups);
}

void learn_start(struct ups_snmp *ups)
{
	const bool bulk = bb_config_int(ups->config, "version") > 0;
	struct learn *learn = calloc(1, sizeof(*learn));

	if (!learn) {
		bb_device_failed(ups->device, -ENOMEM);
		ups_snmp_finished(ups, -ENOMEM);
		return;
	}
	ups->learn = learn;
	plan_init(&learn->plan, bulk);
	if (ups->plan.answered > 0) { /* what the device stands is known from before */
		learn->plan.request = ups->plan.request;
		learn->plan.request_max = ups->plan.request_max;
	}
	alarms_init(&learn->alarms);
	learn->repetitions = bulk ? learn->plan.request : 1;
	learn->deadline_ms = bb_clock_ms() + LEARN_DEADLINE_MS;
	learn_next(ups);
}
