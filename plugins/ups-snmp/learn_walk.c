/* SPDX-License-Identifier: Apache-2.0
 *
 * learn_walk.c - the walk over what a device has, and the probe for what the walk may have missed.
 *
 * A walk trusts nobody: names must grow, there is an end to how many, and to how long it may take. What was met until
 * something went wrong is kept, and what GETNEXT cannot reach is probed. One object that breaks an agent, or whose value
 * no datagram can carry, costs that object and nothing else.
 */
#include "learn.h"

#include <errno.h>
#include <string.h>

#include <busbar/macros.h>

/* A UPS has 150 instances, one with all extensions of the vendor some 400. */
#define LEARN_VARIABLES_MAX 4000

/* A walk that found fewer is not believed to be all. */
#define LEARN_FEW 12

/* So many objects may bring the agent to silence before it is left alone. */
#define LEARN_SILENCES_MAX 4

/* upsObjects, upsModules. */
static const struct bb_snmp_oid learn_roots[] = {
	{{1, 3, 6, 1, 2, 1, 33, 1}, 8},
	{{1, 3, 6, 1, 2, 1, 33, 6}, 8},
};
#define LEARN_ROOTS BB_LENGTH(learn_roots)

/* upsAlarmsPresent, below upsMIB. */
static const uint32_t learn_alarms_present[] = {1, 6, 1};

void learn_walk_begin(struct learn *learn)
{
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
		learn->plan.next = learn->variables > 0;
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

void learn_ask_walk(struct ups_snmp *ups)
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

/* The probe has a request less to ask: go back and ask for the same one by one. */
static void learn_probe_refused(struct learn *learn, int result)
{
	if (learn->asked > 1) {
		learn->object = learn->first_object;
		learn->row = learn->first_row;
		learn->singly = learn->asked;
	} else if (result == -ETIMEDOUT && ++learn->silences >= LEARN_SILENCES_MAX) {
		learn->phase = LEARN_DONE;
	}
}

static void learn_probe_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				 size_t error_index)
{
	struct ups_snmp *ups = context;
	struct learn *learn = ups->learn;

	(void)error_index; /* what fails among several is asked for again, one by one */
	if (result < 0)
		learn_probe_refused(learn, result);
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

/* Scalars with .0, rows 0 to 3 of tables, as far as the walk did not meet them: the next of them. */
static bool learn_next_probe(struct learn *learn, struct bb_snmp_oid *ret_name)
{
	while (learn->object < object_count) {
		const struct object *object = &object_table[learn->object];
		const bool column = object_is_column(object);
		struct suffix suffix = object->id;

		if (!object->probed || learn->row > (column ? LINES_MAX : 0)) {
			learn->object++;
			learn->row = 0;
			continue;
		}
		suffix.arcs[suffix.length++] = learn->row;
		if (plan_has(&learn->plan, object, learn->row++))
			continue;
		suffix_to_oid(&suffix, ret_name);
		return true;
	}
	return false;
}

bool learn_ask_probe(struct ups_snmp *ups)
{
	struct learn *learn = ups->learn;
	const bool v1 = bb_config_int(ups->config, "version") == 0;
	const size_t most = v1 || learn->singly > 0 ? 1 : PLAN_REQUEST_FIRST;
	struct bb_snmp_oid names[PLAN_REQUEST_FIRST];
	size_t count = 0;

	if (!learn->faulty && learn->plan.count >= LEARN_FEW)
		return false;
	if (learn->singly > 0)
		learn->singly--;
	learn->first_object = learn->object;
	learn->first_row = learn->row;
	while (count < most && learn_next_probe(learn, &names[count]))
		count++;
	if (count == 0)
		return false;
	learn->asked = count;
	learn_send(ups, &(struct bb_snmp_request){.operation = BB_SNMP_GET, .names = names, .count = count},
		   learn_probe_answered);
	return true;
}
