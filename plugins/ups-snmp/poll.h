/* SPDX-License-Identifier: Apache-2.0
 *
 * poll.h - what the files of a poll share: poll.c leads it, poll_request.c asks, poll_value.c takes what comes.
 */
#ifndef UPS_SNMP_POLL_H
#define UPS_SNMP_POLL_H

#include "ups-snmp.h"

struct poll {
	enum bb_group group;
	struct bb_reading *reading;
	int64_t started_us;
	unsigned requests;
	bool answered; /* a request for instances by name was */

	/* The request in flight. */
	unsigned asked;                  /* variables */
	bool with_uptime;                /* sysUpTime is the first of them */
	size_t places[PLAN_REQUEST_MAX]; /* of the items that are named in it */
	size_t place_count;
	size_t limit; /* the most items to name in one, 0: as many as the plan says */

	size_t index;                /* no item before it is still to be asked for */
	struct bb_snmp_oid position; /* of the run: the last name that came */
	bool alarms_whole;           /* the run goes over the alarm table from its first row on */

	struct suffix alarm; /* the last row of ALARMS that came */
	bool alarms_begun;
	bool alarms_given_up;

	size_t nulls; /* instances that a GET did not find */
	bool changed; /* instances came or went */
};

/* ---- poll.c ---- */

/* Ask for the next thing that is missing, or publish. */
void poll_next(struct ups_snmp *ups);
void poll_fail(struct ups_snmp *ups, int error);

/* A request had no good answer: true when the poll goes on in another way. */
bool poll_goes_on(struct ups_snmp *ups, int result);

/* ---- poll_request.c ---- */

/* Send the next request of a kind; false when there is none left. */
bool poll_ask_run(struct ups_snmp *ups);
bool poll_ask_named(struct ups_snmp *ups);
void poll_ask_alarms(struct ups_snmp *ups);

/* Is there room for the urgent items in a request for alarms? */
bool poll_urgent_rides_along(const struct ups_snmp *ups);

/* ---- poll_value.c ---- */

void poll_take_uptime(struct ups_snmp *ups, const struct bb_snmp_variable *variable);

/* A variable called @suffix below upsMIB. 0 or -ENOMEM. */
int poll_take(struct ups_snmp *ups, const struct bb_snmp_variable *variable, const struct suffix *suffix,
	      size_t *cursor);

/* The device does not have the item any more. */
void poll_miss_item(struct ups_snmp *ups, struct plan_item *item);

/* Items up to @position (NULL: all) that were on the way of a run and did not come. */
void poll_pass(struct ups_snmp *ups, const struct suffix *position);

bool poll_is_alarm_row(const struct suffix *suffix);
bool poll_is_behind_alarms(const struct suffix *suffix);

#endif
