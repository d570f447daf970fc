/* SPDX-License-Identifier: Apache-2.0
 *
 * learn.c - the first contact: who is the device, and which instances does it have?
 *
 *   SYSTEM   one GET: sysObjectID, sysUpTime, manufacturer and model, which decide about quirks
 *   WALK     GETBULK, or GETNEXT where that is not known, over upsObjects and the modules
 *   PROBE    GETs of what the MIB has, when the walk met (almost) nothing: some agents answer GET only
 *
 * A walk trusts nobody: names must grow, there is an end to how many, and to how long it may take. What was met until
 * something went wrong is kept, and what GETNEXT cannot reach is probed.
 */
#include "ups-snmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A UPS has 150 instances, one with all extensions of the vendor some 400. */
#define LEARN_VARIABLES_MAX 4000

/* A v1 agent behind a slow line takes a tenth of a second for each. */
#define LEARN_DEADLINE_MS 60000

/* A walk that found fewer is not believed to be all. */
#define LEARN_FEW 12

enum learn_phase {
	LEARN_SYSTEM,
	LEARN_WALK,
	LEARN_PROBE,
};

/* What the first GET asks for. */
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

/* upsObjects, upsModules. */
static const struct bb_snmp_oid learn_roots[] = {
	{{1, 3, 6, 1, 2, 1, 33, 1}, 8},
	{{1, 3, 6, 1, 2, 1, 33, 6}, 8},
};
#define LEARN_ROOTS (sizeof(learn_roots) / sizeof(learn_roots[0]))

/* upsAlarmsPresent, below upsMIB. */
static const uint32_t learn_alarms_present[] = {1, 6, 1};

struct learn {
	enum learn_phase phase;
	int64_t deadline_ms;
	struct plan plan;
	struct alarms alarms;
	struct identity identity;
	struct decode_clock clock;
	char manufacturer[64], model[64];

	/* SYSTEM: the names that are still asked for. */
	unsigned names[LEARN_NAMES];
	size_t name_count;
	bool singly; /* the agent does not stand several in one GET */

	/* WALK */
	struct bb_snmp_oid position;
	size_t root;
	unsigned variables;
	unsigned repetitions; /* 1: GETNEXT */
	bool faulty;          /* something went wrong: do not believe that this was all */

	/* PROBE: object and row of the next instance. */
	size_t object;
	uint32_t row;
};

static void learn_next(struct ups_snmp *ups);

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

static void learn_fail(struct ups_snmp *ups, int error)
{
	learn_stop(ups);
	bb_device_failed(ups->device, error);
	ups_snmp_finished(ups, error);
}

static void learn_send(struct ups_snmp *ups, const struct bb_snmp_request *request, bb_snmp_answer *answer)
{
	const int r = bb_snmp_send(ups->agent, request, answer, ups);

	if (r < 0)
		learn_fail(ups, r);
}

/* ---- SYSTEM ---- */

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

static void learn_take_system(struct learn *learn, const struct bb_snmp_variable *variable)
{
	unsigned name = 0;

	while (name < LEARN_NAMES && bb_snmp_oid_compare(&variable->name, &learn_names[name]) != 0)
		name++;
	switch (name) {
	case LEARN_OBJECT_ID:
		if (variable->type == BB_SNMP_OBJECT)
			(void)bb_snmp_oid_print(learn->identity.sysobjectid, sizeof(learn->identity.sysobjectid),
						&variable->object); /* no quirk is about one that does not fit */
		break;
	case LEARN_UPTIME:
		if (variable->type == BB_SNMP_TICKS || variable->type == BB_SNMP_UNSIGNED)
			learn->clock = (struct decode_clock){true, variable->number, bb_clock_wall_ms()};
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

static void learn_forget_name(struct learn *learn, size_t index)
{
	learn->name_count--;
	memmove(learn->names + index, learn->names + index + 1, (learn->name_count - index) * sizeof(learn->names[0]));
}

static void learn_system_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				  size_t error_index)
{
	struct ups_snmp *ups = context;
	struct learn *learn = ups->learn;
	const size_t asked = learn->singly ? 1 : learn->name_count;

	if (result == -ENXIO) {
		learn_forget_name(learn, error_index >= 1 && error_index <= asked ? error_index - 1 : 0);
	} else if (result == -EPROTO || result == -EMSGSIZE) {
		if (learn->singly)
			learn_forget_name(learn, 0);
		learn->singly = true;
	} else if (result < 0) {
		learn_fail(ups, result);
		return;
	} else {
		for (size_t i = 0; i < count; i++)
			learn_take_system(learn, &variables[i]);
		plan_answered(&learn->plan, (unsigned)asked);
		for (size_t i = 0; i < asked; i++)
			learn_forget_name(learn, 0);
	}
	learn_next(ups);
}

static void learn_ask_system(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;
	struct bb_snmp_oid names[LEARN_NAMES];

	for (size_t i = 0; i < learn->name_count; i++)
		names[i] = learn_names[learn->names[i]];
	learn_send(ups,
		   &(struct bb_snmp_request){
			   .operation = BB_SNMP_GET, .names = names, .count = learn->singly ? 1 : learn->name_count},
		   learn_system_answered);
}

static void learn_system_done(struct learn *learn)
{
	/* Bounded by the sizes of the two; what does not fit is in no quirk. */
	(void)snprintf(learn->identity.name, sizeof(learn->identity.name), "%s%s%s", learn->manufacturer,
		       learn->manufacturer[0] && learn->model[0] ? " " : "", learn->model);
	learn->phase = LEARN_WALK;
	learn->position = learn_roots[0];
}

/* ---- WALK ---- */

static int learn_take(struct learn *learn, const struct bb_snmp_variable *variable, bool ordered)
{
	struct suffix suffix;
	int r;

	if (!suffix_from_oid(&variable->name, &suffix))
		return 0;
	if (suffix.length > ups_snmp_alarm_column.length &&
	    memcmp(suffix.arcs, ups_snmp_alarm_column.arcs, 3 * sizeof(uint32_t)) == 0) {
		/* Rows of the alarm table come and go, so they are none of the useless instances a run has to skip. */
		if (!alarms_are_served(&learn->alarms) && (r = alarms_serve(&learn->alarms, &learn->identity)) < 0)
			return r;
		return memcmp(suffix.arcs, ups_snmp_alarm_column.arcs, 5 * sizeof(uint32_t)) == 0
			       ? alarms_row(&learn->alarms, variable)
			       : 0;
	}
	r = plan_add(&learn->plan, &suffix, &learn->identity, ordered);
	if (r > 0 && suffix.length >= 3 && memcmp(suffix.arcs, learn_alarms_present, sizeof(learn_alarms_present)) == 0)
		r = alarms_serve(&learn->alarms, &learn->identity);
	return r < 0 && r != -E2BIG ? r : 0;
}

static void learn_next_root(struct learn *learn)
{
	learn->root++;
	if (learn->root < LEARN_ROOTS) {
		learn->position = learn_roots[learn->root];
		learn->plan.skipped = UINT16_MAX; /* what lies between was not counted */
	} else {
		learn->phase = LEARN_PROBE;
	}
}

/* Less at a time, then one by one, then nothing. */
static void learn_walk_refused(struct learn *learn)
{
	(void)plan_refused(&learn->plan, learn->repetitions, false); /* what is asked next is decided here */
	if (learn->repetitions > 8) {
		learn->repetitions = 8;
	} else if (learn->repetitions > 1) {
		learn->repetitions = 1;
		learn->plan.bulk = false;
	} else {
		learn->faulty = true;
		learn->phase = LEARN_PROBE;
	}
}

static int learn_take_walk(struct ups_snmp *ups, const struct bb_snmp_variable *variable)
{
	struct learn *learn = ups->learn;

	if (variable->type == BB_SNMP_END || !bb_snmp_oid_below(&variable->name, &learn_roots[learn->root])) {
		learn_next_root(learn);
		return 1;
	}
	if (bb_snmp_oid_compare(&variable->name, &learn->position) <= 0 || ++learn->variables > LEARN_VARIABLES_MAX) {
		ups_snmp_say_loop(ups);
		learn->faulty = true;
		learn->plan.bulk = false;
		learn->phase = LEARN_PROBE;
		return 1;
	}
	learn->position = variable->name;
	return learn_take(learn, variable, true);
}

static void learn_walk_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				size_t error_index)
{
	struct ups_snmp *ups = context;
	struct learn *learn = ups->learn;

	(void)error_index; /* one name was asked for */
	if (result == -ENXIO) {
		learn_next_root(learn); /* v1 says so at the end of what it has */
	} else if (result < 0) {
		learn_walk_refused(learn);
	} else {
		int r = count == 0 ? -EPROTO : 0;

		for (size_t i = 0; i < count && r == 0; i++)
			r = learn_take_walk(ups, &variables[i]);
		if (r == -EPROTO)
			learn_walk_refused(learn);
		else if (r < 0) {
			learn_fail(ups, r);
			return;
		}
		if (r >= 0)
			plan_answered(&learn->plan, (unsigned)count);
	}
	learn_next(ups);
}

static void learn_ask_walk(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;
	struct bb_snmp_request request = {.operation = BB_SNMP_GETNEXT, .names = &learn->position, .count = 1};

	if (learn->repetitions > 1) {
		request.operation = BB_SNMP_GETBULK;
		request.max_repetitions = learn->repetitions;
	}
	learn_send(ups, &request, learn_walk_answered);
}

/* ---- PROBE ---- */

static void learn_probe_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				 size_t error_index)
{
	struct ups_snmp *ups = context;
	struct learn *learn = ups->learn;

	(void)error_index; /* v1 is asked for one name at a time */
	if (result == -ETIMEDOUT || result == -EACCES) {
		learn_fail(ups, result);
		return;
	}
	/* Any other failure says that this one is not there. */
	for (size_t i = 0; result == 0 && i < count; i++) {
		int r;

		if (variables[i].type == BB_SNMP_NULL || variables[i].type == BB_SNMP_END)
			continue;
		r = learn_take(learn, &variables[i], false);
		if (r < 0) {
			learn_fail(ups, r);
			return;
		}
	}
	learn_next(ups);
}

/* Scalars with .0, lines 1 to 3 of tables: the next of them. */
static bool learn_next_probe(struct learn *learn, struct bb_snmp_oid *ret_name)
{
	while (learn->object < object_count) {
		const struct object *object = &object_table[learn->object];
		const bool column = object_is_column(object);
		struct suffix suffix = object->id;

		if (learn->row > (column ? 3 : 0)) {
			learn->object++;
			learn->row = learn->object < object_count && object_is_column(&object_table[learn->object]);
			continue;
		}
		suffix.arcs[suffix.length++] = learn->row++;
		suffix_to_oid(&suffix, ret_name);
		return true;
	}
	return false;
}

static void learn_ask_probe(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;
	const bool singly = learn->singly || !learn->plan.bulk;
	struct bb_snmp_oid names[PLAN_REQUEST_FIRST];
	size_t count = 0;

	while (count < (singly ? 1 : PLAN_REQUEST_FIRST) && learn_next_probe(learn, &names[count]))
		count++;
	if (count == 0) {
		learn->object = object_count + 1; /* done */
		learn_next(ups);
		return;
	}
	learn_send(ups, &(struct bb_snmp_request){.operation = BB_SNMP_GET, .names = names, .count = count},
		   learn_probe_answered);
}

/* ---- */

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
	ups->learned_ms = bb_clock_ms();
	bb_log_info(ups->log, "%zu objects of '%s' (sysObjectID %s)", ups->plan.count, ups->identity.name,
		    ups->identity.sysobjectid);
	ups->group = BB_GROUP_REST;
	poll_start(ups, BB_GROUP_REST);
}

static void learn_next(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;

	if (bb_clock_ms() > learn->deadline_ms) {
		learn_fail(ups, -ETIMEDOUT);
		return;
	}
	if (learn->phase == LEARN_SYSTEM && learn->name_count == 0)
		learn_system_done(learn);
	switch (learn->phase) {
	case LEARN_SYSTEM:
		learn_ask_system(ups);
		break;
	case LEARN_WALK:
		learn_ask_walk(ups);
		break;
	case LEARN_PROBE:
		if (learn->object > object_count || (!learn->faulty && learn->plan.count >= LEARN_FEW))
			learn_succeed(ups);
		else
			learn_ask_probe(ups);
		break;
	}
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
	for (unsigned i = 0; i < LEARN_NAMES; i++)
		learn->names[learn->name_count++] = i;
	learn_next(ups);
}
