/* SPDX-License-Identifier: Apache-2.0
 *
 * alarms.h - upsAlarmTable: which alarms a device can raise and which rows it shows now.
 *
 * The table has one row per active alarm, named by an identity from a list that everybody knows. A device that serves
 * the table at all can raise the 24 of RFC 1628; any other identity the agent knows becomes a point once it was seen.
 */
#ifndef UPS_SNMP_ALARMS_H
#define UPS_SNMP_ALARMS_H

#include <busbar/alarm.h>
#include <busbar/device.h>

#include "quirks.h"

/* The most rows that are read: more than a vendor has identities, so behind it lies nonsense. */
#define ALARMS_ROWS_MAX 256

struct alarms_entry {
	const struct bb_alarm_type *type;
	int point; /* place in the reading, negative: not in this generation */
	bool active;
};

struct alarms {
	struct alarms_entry *entries;
	size_t count, size;
	struct quirks quirks;
	bool grown;             /* an entry has no point yet */
	bool complete;          /* the table's end was seen in this poll */
	unsigned rows;          /* in this poll */
	unsigned rows_before;   /* in the one before: how many to ask for */
	unsigned unknown;       /* of them, with an identity that nobody here knows */
	int64_t present;        /* upsAlarmsPresent in this poll, −1: not said */
	char unknown_name[160]; /* the first of them, for the log */
};

void alarms_init(struct alarms *alarms);
void alarms_finish(struct alarms *alarms);

/* The device serves the table: it can raise the 24 alarms of RFC 1628. 0 or -ENOMEM. */
int alarms_serve(struct alarms *alarms, const struct identity *identity);

/* Does the device serve it? */
bool alarms_are_served(const struct alarms *alarms);

/* The table is read from its first row on: none was seen yet. */
void alarms_begin(struct alarms *alarms);

/* A row of column upsAlarmDescr. 0 or -ENOMEM. */
int alarms_row(struct alarms *alarms, const struct bb_snmp_variable *variable);

/* Add the points of all entries. 0 or a negative errno. */
int alarms_describe(struct alarms *alarms, struct bb_builder *builder);

/* Set the points, or say that they are unknown when the table and its count contradict each other. */
void alarms_fill(const struct alarms *alarms, struct bb_reading *reading);

#endif
