/* SPDX-License-Identifier: Apache-2.0
 *
 * poll.c - one poll: asks for what the plan holds, decodes what comes, publishes.
 *
 *   RUNS     GETBULK runs over the wanted instances. A run that passes the alarm table reads that on the way, so that a
 *            usual UPS is polled with one request.
 *   NAMED    GETs of instances by name: agents without GETBULK, and urgent points of UPSs without an alarm table
 *   ALARMS   the alarm table, with the urgent points and sysUpTime in the same request when there is GETBULK
 *
 * Each step asks for what is still missing, whatever came before, so an answer that was cut short or that holds new rows
 * needs no special case. Names must grow and the number of requests has an end, so no device can keep us busy.
 */
#include "ups-snmp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The most requests of one poll: 1200 instances one by one would be 50 GETs of 24. */
#define POLL_REQUESTS_MAX 400

/* Alarm rows asked for beyond those of the poll before. */
#define POLL_ALARMS_SPARE 3

/* Learn again because of other instances: the first time after this, then ever more seldom, as some never settle. */
#define POLL_RELEARN_MS        INT64_C(60000)
#define POLL_RELEARN_DOUBLINGS 6

/* TimeTicks wrap after 497 days; a clock this close to the end may have. */
#define POLL_TICKS_WRAP (INT64_C(1) << 32)
#define POLL_WRAP_SLACK (INT64_C(60) * 60 * 100)

/* The most urgent items that ride with the alarm table. */
#define POLL_URGENT_MAX 16

static const struct bb_snmp_oid poll_root = {{1, 3, 6, 1, 2, 1, 33}, 7};
static const struct bb_snmp_oid poll_before_uptime = {{1, 3, 6, 1, 2, 1, 1, 3}, 8};

struct poll {
	enum bb_group group;
	struct bb_reading *reading;
	int64_t started_us;
	unsigned requests;

	/* The request in flight. */
	unsigned asked;                  /* variables */
	bool with_uptime;                /* sysUpTime is the first of them */
	size_t places[PLAN_REQUEST_MAX]; /* of the items that are named in it */
	size_t place_count;

	size_t index;                /* no item before it is still to be asked for */
	struct bb_snmp_oid position; /* of the run: the last name that came */
	bool alarms_whole;           /* the run goes over the alarm table from its first row on */

	struct suffix alarm; /* the last row of ALARMS that came */
	bool alarms_begun;
	bool alarms_given_up;

	size_t nulls;   /* instances that a GET did not find */
	bool changed;   /* instances came or went */
	bool restarted; /* the device did */
};

static void poll_next(struct ups_snmp *ups);

static int64_t poll_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void poll_stop(struct ups_snmp *ups)
{
	if (!ups->poll)
		return;
	bb_device_abandon(ups->device, ups->poll->reading);
	free(ups->poll);
	ups->poll = NULL;
}

static void poll_fail(struct ups_snmp *ups, int error)
{
	poll_stop(ups);
	bb_device_failed(ups->device, error);
	ups_snmp_finished(ups, error);
}

/* ---- what came ---- */

/* A restart shows as a clock that went back, unless it just went round. */
static void poll_take_uptime(struct ups_snmp *ups, const struct bb_snmp_variable *variable)
{
	const struct decode_clock before = ups->clock;

	if (variable->type != BB_SNMP_TICKS && variable->type != BB_SNMP_UNSIGNED) {
		ups->clock.known = false;
		return;
	}
	ups->clock = (struct decode_clock){true, variable->number, bb_clock_wall_ms()};
	if (before.known && variable->number < before.ticks && before.ticks < POLL_TICKS_WRAP - POLL_WRAP_SLACK)
		ups->poll->restarted = true;
}

/* A text point: numbers and identifiers as text are fine as well. */
static void poll_set_text(struct bb_reading *reading, size_t point, const struct bb_snmp_variable *variable)
{
	char text[256];
	size_t length;

	switch (variable->type) {
	case BB_SNMP_STRING:
		(void)bb_reading_set_text(reading, point, (const char *)variable->bytes,
					  variable->length); /* without memory it is BAD, which is what can be done */
		return;
	case BB_SNMP_INTEGER:
	case BB_SNMP_UNSIGNED:
		length = bb_decimal_print(text, variable->number, 0);
		break;
	case BB_SNMP_OBJECT:
		length = (size_t)bb_snmp_oid_print(text, sizeof(text), &variable->object);
		if (length >= sizeof(text))
			length = sizeof(text) - 1;
		break;
	case BB_SNMP_NULL:
	case BB_SNMP_END:
		bb_reading_set_quality(reading, point, BB_QUALITY_UNSUPPORTED);
		return;
	case BB_SNMP_TICKS:
	default:
		bb_reading_set_quality(reading, point, BB_QUALITY_BAD);
		return;
	}
	(void)bb_reading_set_text(reading, point, text, length); /* as above */
}

static void poll_take_item(struct ups_snmp *ups, struct plan_item *item, const struct bb_snmp_variable *variable)
{
	struct bb_reading *reading = ups->poll->reading;
	enum bb_quality quality;
	int64_t value;

	item->seen = true;
	if (item->point < 0)
		return;
	if (item->kind == BB_KIND_STRING) {
		poll_set_text(reading, (size_t)item->point, variable);
		return;
	}
	quality = decode_number(&item->decoder, variable, &ups->clock, &value);
	if (quality != BB_QUALITY_GOOD) {
		bb_reading_set_quality(reading, (size_t)item->point, quality);
		return;
	}
	(void)bb_reading_set(reading, (size_t)item->point, value); /* a value that is no member becomes BAD by itself */
	if (item->decoder.object->id.arcs[1] == 6 && item->decoder.object->id.arcs[0] == 1)
		ups->alarms.present = value; /* upsAlarmsPresent is all that the group has but its table */
}

static void poll_miss_item(struct ups_snmp *ups, struct plan_item *item)
{
	item->seen = true;
	ups->poll->changed = true;
	if (item->point >= 0)
		bb_reading_set_quality(ups->poll->reading, (size_t)item->point, BB_QUALITY_UNSUPPORTED);
}

static bool poll_is_alarm_row(const struct suffix *suffix)
{
	return suffix->length > ups_snmp_alarm_column.length &&
	       memcmp(suffix->arcs, ups_snmp_alarm_column.arcs,
		      ups_snmp_alarm_column.length * sizeof(suffix->arcs[0])) == 0;
}

/* Is @suffix behind all rows of the alarm column? */
static bool poll_is_behind_alarms(const struct suffix *suffix)
{
	return suffix_compare(suffix, &ups_snmp_alarm_column) > 0 && !poll_is_alarm_row(suffix);
}

/* A variable that answers to a name or lies on the way of a run. */
static int poll_take(struct ups_snmp *ups, const struct bb_snmp_variable *variable, const struct suffix *suffix,
		     size_t *cursor)
{
	struct plan_item *item;
	enum instance instance;
	uint32_t row;

	if (poll_is_alarm_row(suffix)) {
		if (!alarms_are_served(&ups->alarms))
			ups->poll->changed = true;
		else
			return alarms_row(&ups->alarms, variable);
	}
	item = plan_find(&ups->plan, suffix, cursor);
	if (item)
		poll_take_item(ups, item, variable);
	else if (variable->type != BB_SNMP_NULL && object_find(suffix, &row, &instance) && instance == INSTANCE_PLAIN &&
		 row <= 3)
		ups->poll->changed = true; /* was not there when the device was learned */
	return 0;
}

/* ---- the end ---- */

static void poll_say_unknown(struct ups_snmp *ups)
{
	if (ups->alarms.unknown == 0 || ups->said_unknown)
		return;
	ups->said_unknown = true;
	bb_log_info(ups->log, "%u alarms with identities that are not known, the first is '%s'", ups->alarms.unknown,
		    ups->alarms.unknown_name);
}

static bool poll_wants_to_learn(const struct ups_snmp *ups)
{
	const struct poll *poll = ups->poll;

	if (poll->restarted || bb_snmp_agent_boots(ups->agent) != ups->boots)
		return true;
	return poll->changed && bb_clock_ms() - ups->learned_ms >= POLL_RELEARN_MS << ups->relearned;
}

static void poll_finish(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	int r;

	if (poll->nulls > ups->plan.count / 2)
		poll->changed = true;
	if (poll_wants_to_learn(ups)) {
		if (poll->changed && ups->relearned < POLL_RELEARN_DOUBLINGS)
			ups->relearned++;
		poll_stop(ups);
		ups->learned = false;
		learn_start(ups);
		return;
	}
	poll_say_unknown(ups);
	if (ups->alarms.grown) {
		/* An alarm that has no point yet: a new generation, and everything again for it. */
		poll_stop(ups);
		r = bb_device_relearn(ups->device);
		if (r < 0) {
			bb_device_failed(ups->device, r);
			ups_snmp_finished(ups, r);
			return;
		}
		ups->group = BB_GROUP_REST;
		poll_start(ups, BB_GROUP_REST);
		return;
	}
	alarms_fill(&ups->alarms, poll->reading);
	bb_device_note_poll(ups->device, poll_now_us() - poll->started_us);
	bb_device_publish(ups->device, poll->reading);
	poll->reading = NULL;
	poll_stop(ups);
	ups_snmp_finished(ups, 0);
}

/* ---- requests ---- */

/* What did not come about: true when the poll goes on in another way. */
static bool poll_goes_on(struct ups_snmp *ups, int result)
{
	struct poll *poll = ups->poll;

	switch (result) {
	case -EMSGSIZE:
		return plan_refused(&ups->plan, poll->asked, true);
	case -ETIMEDOUT:
		return plan_refused(&ups->plan, poll->asked, false);
	case -ELOOP:
		ups_snmp_say_loop(ups);
		if (!ups->plan.bulk)
			return false;
		ups->plan.bulk = false;
		return true;
	default:
		return false;
	}
}

static void poll_send(struct ups_snmp *ups, const struct bb_snmp_request *request, bb_snmp_answer *answer)
{
	struct poll *poll = ups->poll;
	int r;

	poll->requests++;
	r = poll->requests > POLL_REQUESTS_MAX ? -EPROTO : bb_snmp_send(ups->agent, request, answer, ups);
	if (r < 0)
		poll_fail(ups, r);
}

/* Items up to @position (NULL: all) that were on the way of a run and did not come are not there any more. */
static void poll_pass(struct ups_snmp *ups, const struct suffix *position)
{
	for (size_t i = ups->poll->index; i < ups->plan.count; i++) {
		struct plan_item *item = &ups->plan.items[i];

		if (position && suffix_compare(&item->name, position) > 0)
			break;
		if (!item->seen && !item->dropped)
			poll_miss_item(ups, item);
	}
}

/* ---- RUNS ---- */

static int poll_take_run(struct ups_snmp *ups, const struct bb_snmp_variable *variables, size_t count)
{
	struct poll *poll = ups->poll;
	size_t cursor = poll->index;
	struct suffix suffix = {0};

	for (size_t i = 0; i < count; i++) {
		int r;

		if (variables[i].type == BB_SNMP_END || !bb_snmp_oid_below(&variables[i].name, &poll_root)) {
			/* Behind the last of what the device has. */
			ups->alarms.complete |= poll->alarms_whole;
			poll_pass(ups, NULL);
			return 0;
		}
		if (bb_snmp_oid_compare(&variables[i].name, &poll->position) <= 0)
			return -ELOOP;
		poll->position = variables[i].name;
		if (!suffix_from_oid(&variables[i].name, &suffix))
			continue;
		if (poll_is_behind_alarms(&suffix))
			ups->alarms.complete |= poll->alarms_whole;
		r = poll_take(ups, &variables[i], &suffix, &cursor);
		if (r < 0)
			return r;
	}
	poll_pass(ups, &suffix);
	return count == 0 ? -ELOOP : 0;
}

static void poll_run_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
			      size_t error_index)
{
	struct ups_snmp *ups = context;
	struct poll *poll = ups->poll;

	(void)error_index; /* GETBULK has none that helps */
	if (result == 0 && poll->with_uptime && count > 0) {
		poll_take_uptime(ups, variables++);
		count--;
	}
	if (result == 0)
		result = poll_take_run(ups, variables, count);
	if (result == 0)
		plan_answered(&ups->plan, (unsigned)count);
	else if (!poll_goes_on(ups, result)) {
		poll_fail(ups, result);
		return;
	}
	poll_next(ups);
}

/* Fetch the next run; false when there is none. */
static bool poll_ask_run(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	struct bb_snmp_oid names[2], column, start;
	struct bb_snmp_request request = {.operation = BB_SNMP_GETBULK, .names = names};
	struct suffix before;
	size_t last;

	if (!plan_next_run(&ups->plan, &poll->index, &before, &request.max_repetitions, &last))
		return false;
	suffix_to_oid(&before, &start);
	suffix_to_oid(&ups_snmp_alarm_column, &column);
	if (bb_snmp_oid_compare(&start, &poll->position) > 0) {
		poll->alarms_whole = bb_snmp_oid_compare(&start, &column) <= 0;
		poll->position = start;
	}
	/* When only the alarm table is left behind the last item, this run can just as well read it. */
	if (alarms_are_served(&ups->alarms) && last + 1 == ups->plan.count && poll->alarms_whole &&
	    suffix_compare(&ups->plan.items[last].name, &ups_snmp_alarm_column) < 0)
		request.max_repetitions += ups->alarms.rows_before + 1;
	poll->with_uptime = ups->clock.known && poll->requests == 0;
	if (poll->with_uptime)
		names[request.count++] = poll_before_uptime;
	names[request.count++] = poll->position;
	request.non_repeaters = poll->with_uptime;
	poll->asked = request.max_repetitions;
	poll_send(ups, &request, poll_run_answered);
	return true;
}

/* ---- NAMED ---- */

/* v1: the agent has not what @error_index points at. */
static void poll_drop(struct ups_snmp *ups, size_t error_index)
{
	struct poll *poll = ups->poll;
	size_t place = error_index;

	if (poll->with_uptime && place-- <= 1) {
		ups->clock.known = false;
		return;
	}
	if (poll->place_count == 0)
		return;
	if (place < 1 || place > poll->place_count)
		place = 1; /* some say 0; one of them it was, and dropping one each time comes to an end */
	poll_miss_item(ups, &ups->plan.items[poll->places[place - 1]]);
	ups->plan.items[poll->places[place - 1]].dropped = true;
}

static void poll_named_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				size_t error_index)
{
	struct ups_snmp *ups = context;
	struct poll *poll = ups->poll;
	size_t cursor = 0;

	if (result == -ENXIO) {
		poll_drop(ups, error_index);
		poll_next(ups);
		return;
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct suffix suffix;

		if (variables[i].type == BB_SNMP_NULL)
			poll->nulls++;
		if (bb_snmp_oid_compare(&variables[i].name, &ups_snmp_uptime) == 0)
			poll_take_uptime(ups, &variables[i]);
		else if (suffix_from_oid(&variables[i].name, &suffix))
			result = poll_take(ups, &variables[i], &suffix, &cursor);
	}
	if (result < 0) {
		if (poll_goes_on(ups, result))
			poll_next(ups);
		else
			poll_fail(ups, result);
		return;
	}
	for (size_t i = 0; i < poll->place_count; i++)
		if (!ups->plan.items[poll->places[i]].seen)
			poll_miss_item(ups, &ups->plan.items[poll->places[i]]);
	plan_answered(&ups->plan, poll->asked);
	poll_next(ups);
}

/* GET the next instances by name; false when there are none. */
static bool poll_ask_named(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	struct bb_snmp_request request = {.operation = BB_SNMP_GET};
	struct bb_snmp_oid *names;
	size_t index = 0;

	poll->place_count =
		plan_next_get(&ups->plan, &index, poll->group == BB_GROUP_URGENT, poll->places, PLAN_REQUEST_MAX);
	if (poll->place_count == 0)
		return false;
	names = calloc(poll->place_count + 1, sizeof(*names));
	if (!names) {
		poll_fail(ups, -ENOMEM);
		return true;
	}
	poll->with_uptime = ups->clock.known && poll->requests == 0;
	if (poll->with_uptime)
		names[request.count++] = ups_snmp_uptime;
	for (size_t i = 0; i < poll->place_count; i++)
		suffix_to_oid(&ups->plan.items[poll->places[i]].name, &names[request.count++]);
	request.names = names;
	poll->asked = (unsigned)poll->place_count;
	poll_send(ups, &request, poll_named_answered);
	free(names);
	return true;
}

/* ---- ALARMS ---- */

/* Take rows; 0, or -ELOOP, or -ENOMEM. */
static int poll_take_alarms(struct ups_snmp *ups, const struct bb_snmp_variable *variables, size_t count)
{
	struct poll *poll = ups->poll;

	if (count == 0)
		return -ELOOP;
	for (size_t i = 0; i < count; i++) {
		struct suffix suffix;
		int r;

		if (variables[i].type == BB_SNMP_END || !suffix_from_oid(&variables[i].name, &suffix) ||
		    !poll_is_alarm_row(&suffix)) {
			ups->alarms.complete = true;
			return 0;
		}
		if (suffix_compare(&suffix, &poll->alarm) <= 0)
			return -ELOOP;
		poll->alarm = suffix;
		r = alarms_row(&ups->alarms, &variables[i]);
		if (r < 0)
			return r;
	}
	if (ups->alarms.rows > ALARMS_ROWS_MAX)
		poll->alarms_given_up = true;
	return 0;
}

static void poll_alarms_answered(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
				 size_t error_index)
{
	struct ups_snmp *ups = context;
	struct poll *poll = ups->poll;
	const size_t others = poll->place_count + poll->with_uptime;
	size_t cursor = 0;

	(void)error_index; /* v1 is asked for one name at a time here */
	if (result == -ENXIO) {
		ups->alarms.complete = true; /* the end of what a v1 agent has */
		poll_next(ups);
		return;
	}
	for (size_t i = 0; result == 0 && i < others && i < count; i++) {
		struct suffix suffix;

		if (bb_snmp_oid_compare(&variables[i].name, &ups_snmp_uptime) == 0)
			poll_take_uptime(ups, &variables[i]);
		else if (suffix_from_oid(&variables[i].name, &suffix) && !poll_is_alarm_row(&suffix))
			result = poll_take(ups, &variables[i], &suffix, &cursor);
	}
	if (result == 0)
		result = poll_take_alarms(ups, count > others ? variables + others : NULL,
					  count > others ? count - others : 0);
	if (result == -ELOOP && !ups->plan.bulk)
		poll->alarms_given_up = true; /* the measurements are good all the same */
	else if (result < 0 && !poll_goes_on(ups, result)) {
		poll_fail(ups, result);
		return;
	}
	for (size_t i = 0; result == 0 && i < poll->place_count; i++)
		if (!ups->plan.items[poll->places[i]].seen)
			poll_miss_item(ups, &ups->plan.items[poll->places[i]]);
	poll_next(ups);
}

/* Ask for the alarm table's next rows, and with GETBULK for urgent items and sysUpTime in the same breath. */
static void poll_ask_alarms(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	struct bb_snmp_oid names[POLL_URGENT_MAX + 2];
	struct bb_snmp_request request = {.operation = BB_SNMP_GETNEXT, .names = names};
	size_t index = 0;

	poll->place_count = 0;
	poll->with_uptime = false;
	if (!poll->alarms_begun) {
		poll->alarms_begun = true;
		poll->alarm = ups_snmp_alarm_column;
		alarms_begin(&ups->alarms);
	}
	if (ups->plan.bulk) {
		request.operation = BB_SNMP_GETBULK;
		request.max_repetitions = ups->alarms.rows_before + POLL_ALARMS_SPARE;
		poll->with_uptime = ups->clock.known && poll->requests == 0;
		if (poll->with_uptime)
			names[request.count++] = poll_before_uptime;
		poll->place_count = plan_next_get(&ups->plan, &index, true, poll->places, POLL_URGENT_MAX);
		for (size_t i = 0; i < poll->place_count; i++) {
			const struct suffix before = suffix_before(&ups->plan.items[poll->places[i]].name);

			suffix_to_oid(&before, &names[request.count++]);
		}
		request.non_repeaters = (unsigned)request.count;
	}
	suffix_to_oid(&poll->alarm, &names[request.count++]);
	poll->asked = request.non_repeaters + request.max_repetitions;
	poll_send(ups, &request, poll_alarms_answered);
}

/* ---- */

static void poll_next(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	const bool alarms_missing = alarms_are_served(&ups->alarms) && !ups->alarms.complete && !poll->alarms_given_up;

	if (ups->plan.bulk && poll->group == BB_GROUP_REST) {
		if (poll_ask_run(ups))
			return;
	} else if (!(ups->plan.bulk && alarms_missing) && poll_ask_named(ups)) {
		return; /* with GETBULK, urgent items come with the alarms */
	}
	if (alarms_missing)
		poll_ask_alarms(ups);
	else
		poll_finish(ups);
}

/* Is there anything that a poll of urgent points would ask for? */
static bool poll_has_urgent(const struct ups_snmp *ups)
{
	for (size_t i = 0; i < ups->plan.count; i++)
		if (ups->plan.items[i].urgent && !ups->plan.items[i].dropped)
			return true;
	return alarms_are_served(&ups->alarms);
}

void poll_start(struct ups_snmp *ups, enum bb_group group)
{
	struct poll *poll;

	if (group == BB_GROUP_URGENT && !poll_has_urgent(ups)) {
		ups_snmp_finished(ups, 0); /* nothing asked, nothing published */
		return;
	}
	poll = calloc(1, sizeof(*poll));
	ups->poll = poll;
	if (poll)
		poll->reading = bb_device_begin(ups->device, group);
	if (!poll || !poll->reading) {
		poll_fail(ups, -ENOMEM);
		return;
	}
	poll->group = group;
	poll->started_us = poll_now_us();
	plan_begin(&ups->plan);
	ups->alarms.rows_before = ups->alarms.rows < ALARMS_ROWS_MAX ? ups->alarms.rows : 0;
	ups->alarms.present = -1;
	alarms_begin(&ups->alarms);
	poll_next(ups);
}
