/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_request.c - the three kinds of requests of a poll, and what their answers say about the next.
 */
#include "poll.h"

#include <errno.h>
#include <stdlib.h>

/* The most requests of one poll: 1200 instances one by one would be 50 GETs of 24. */
#define POLL_REQUESTS_MAX 400

/* Alarm rows asked for beyond those of the poll before. */
#define POLL_ALARMS_SPARE 3

/* The most urgent items that ride with the alarm table. */
#define POLL_URGENT_MAX 16

static const struct bb_snmp_oid poll_root = {{1, 3, 6, 1, 2, 1, 33}, 7};
static const struct bb_snmp_oid poll_before_uptime = {{1, 3, 6, 1, 2, 1, 1, 3}, 8};

/* sysUpTime rides along with the first request of a poll, but not to a device that stands one variable in each. */
static bool poll_uptime_rides_along(const struct ups_snmp *ups)
{
	return ups->clock.known && ups->poll->requests == 0 && ups->plan.request > 1;
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
		plan_answered(&ups->plan, (unsigned)count + poll->with_uptime);
	else if (!poll_goes_on(ups, result)) {
		poll_fail(ups, result);
		return;
	}
	poll_next(ups);
}

/* How many variables of the alarm table a run to item @last should have room for: the rows of two columns where it leads
 * over them, and those of one and what comes then where only the table is left behind the item. */
static unsigned poll_alarms_on_the_way(const struct ups_snmp *ups, size_t last)
{
	if (!alarms_are_served(&ups->alarms) || !ups->poll->alarms_whole || ups->alarms.complete)
		return 0;
	if (suffix_compare(&ups->plan.items[last].name, &ups_snmp_alarm_column) > 0)
		return 2 * ups->alarms.rows_before;
	return last + 1 == ups->plan.count ? ups->alarms.rows_before + 1 : 0;
}

/* Fetch the next run; false when there is none. */
bool poll_ask_run(struct ups_snmp *ups)
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
	request.max_repetitions += poll_alarms_on_the_way(ups, last);
	poll->with_uptime = poll_uptime_rides_along(ups);
	if (poll->with_uptime)
		names[request.count++] = poll_before_uptime;
	names[request.count++] = poll->position;
	request.non_repeaters = poll->with_uptime;
	poll->asked = request.non_repeaters + request.max_repetitions;
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
	poll->answered = true;
	plan_answered(&ups->plan, poll->asked);
	poll_next(ups);
}

/* GET the next instances by name; false when there are none. */
bool poll_ask_named(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	struct bb_snmp_request request = {.operation = BB_SNMP_GET};
	struct bb_snmp_oid *names;
	size_t index = 0;

	poll->place_count = plan_next_get(&ups->plan, &index, poll->group == BB_GROUP_URGENT, poll->places,
					  poll->limit ? poll->limit : PLAN_REQUEST_MAX);
	if (poll->place_count == 0)
		return false;
	names = calloc(poll->place_count + 1, sizeof(*names));
	if (!names) {
		poll_fail(ups, -ENOMEM);
		return true;
	}
	poll->with_uptime = poll_uptime_rides_along(ups);
	if (poll->with_uptime)
		names[request.count++] = ups_snmp_uptime;
	for (size_t i = 0; i < poll->place_count; i++)
		suffix_to_oid(&ups->plan.items[poll->places[i]].name, &names[request.count++]);
	request.names = names;
	poll->asked = (unsigned)request.count;
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

/* Is it only the table that cannot be read, one row at a time? The measurements are good all the same. */
static bool poll_can_do_without_alarms(const struct ups_snmp *ups, int result)
{
	if (ups->plan.bulk)
		return false;
	return result == -ELOOP || ((result == -ETIMEDOUT || result == -EPROTO) && ups->poll->answered);
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
	if (poll_can_do_without_alarms(ups, result))
		poll->alarms_given_up = true;
	else if (result < 0 && !poll_goes_on(ups, result)) {
		poll_fail(ups, result);
		return;
	}
	for (size_t i = 0; result == 0 && i < poll->place_count; i++)
		if (!ups->plan.items[poll->places[i]].seen)
			poll_miss_item(ups, &ups->plan.items[poll->places[i]]);
	poll_next(ups);
}

bool poll_urgent_rides_along(const struct ups_snmp *ups)
{
	return ups->plan.bulk && ups->plan.request > POLL_URGENT_MAX;
}

static unsigned poll_alarm_repetitions(const struct ups_snmp *ups)
{
	const unsigned wanted = ups->alarms.rows_before + POLL_ALARMS_SPARE;

	return wanted < ups->plan.request ? wanted : ups->plan.request;
}

/* Ask for the alarm table's next rows, and with GETBULK for urgent items and sysUpTime in the same breath. */
void poll_ask_alarms(struct ups_snmp *ups)
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
		request.max_repetitions = poll_alarm_repetitions(ups);
	}
	if (poll_urgent_rides_along(ups)) {
		poll->with_uptime = poll_uptime_rides_along(ups);
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
	poll->asked = request.non_repeaters + (request.max_repetitions ? request.max_repetitions : 1);
	poll_send(ups, &request, poll_alarms_answered);
}
