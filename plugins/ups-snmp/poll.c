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
#include "poll.h"

#include <errno.h>
#include <stdlib.h>

/* Learn again because of other instances: the first time after this, then ever more seldom, as some never settle. */
#define POLL_RELEARN_MS        INT64_C(60000)
#define POLL_RELEARN_DOUBLINGS 6

/* And because of restarts: some clocks go back all the time. */
#define POLL_RESTART_MS 5000

void poll_stop(struct ups_snmp *ups)
{
	if (!ups->poll)
		return;
	bb_device_abandon(ups->device, ups->poll->reading);
	free(ups->poll);
	ups->poll = NULL;
}

void poll_fail(struct ups_snmp *ups, int error)
{
	poll_stop(ups);
	bb_device_failed(ups->device, error);
	ups_snmp_finished(ups, error);
}

/* Ask by name, for fewer and fewer, and leave out the one that fails by itself until the device is learned again. */
static bool poll_drop_stumbling(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;

	if (ups->plan.bulk) {
		ups->plan.bulk = false;
		return true;
	}
	if (poll->place_count == 0)
		return false;
	if (poll->place_count > 1) {
		poll->limit = poll->place_count / 2;
		return true;
	}
	poll->limit = 0;
	poll_miss_item(ups, &ups->plan.items[poll->places[0]]);
	ups->plan.items[poll->places[0]].dropped = true;
	return true;
}

/* What did not come about: true when the poll goes on in another way. */
bool poll_goes_on(struct ups_snmp *ups, int result)
{
	struct poll *poll = ups->poll;

	switch (result) {
	case -EMSGSIZE:
		return plan_refused(&ups->plan, poll->asked, true);
	case -ETIMEDOUT:
		return plan_refused(&ups->plan, poll->asked, false);
	case -EPROTO:
		/* One object that the agent stumbles over fails the whole request: find it by name. */
		return poll_drop_stumbling(ups);
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

static void poll_say_unknown(struct ups_snmp *ups)
{
	if (ups->alarms.unknown == 0 || ups->said_unknown)
		return;
	ups->said_unknown = true;
	bb_log_notice(ups->log, "%u alarms with identities that are not known, the first is '%s'", ups->alarms.unknown,
		      ups->alarms.unknown_name);
}

static bool poll_wants_to_learn(const struct ups_snmp *ups)
{
	const struct poll *poll = ups->poll;

	const int64_t age = bb_clock_ms() - ups->learned_ms;

	if (ups->restarted || bb_snmp_agent_boots(ups->agent) != ups->boots)
		return age >= POLL_RESTART_MS;
	return poll->changed && age >= POLL_RELEARN_MS << ups->relearned;
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
	bb_device_note_poll(ups->device, bb_clock_us() - poll->started_us);
	bb_device_publish(ups->device, poll->reading);
	poll->reading = NULL;
	poll_stop(ups);
	ups_snmp_finished(ups, 0);
}

void poll_next(struct ups_snmp *ups)
{
	struct poll *poll = ups->poll;
	const bool alarms_missing =
		alarms_are_served(&ups->alarms) && !ups->alarms.complete && !poll->alarms_given_up && ups->plan.next;

	if (ups->plan.bulk && poll->group == BB_GROUP_REST) {
		if (poll_ask_run(ups))
			return;
	} else if (!(alarms_missing && poll_urgent_rides_along(ups)) && poll_ask_named(ups)) {
		return;
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
	poll->started_us = bb_clock_us();
	plan_begin(&ups->plan);
	ups->alarms.rows_before = ups->alarms.rows < ALARMS_ROWS_MAX ? ups->alarms.rows : 0;
	ups->alarms.present = -1;
	alarms_begin(&ups->alarms);
	poll_next(ups);
}
