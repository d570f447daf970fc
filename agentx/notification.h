/* SPDX-License-Identifier: Apache-2.0
 *
 * notification.h - which notification an event becomes, and its variables. No sockets, no clock.
 *
 * RFC 1628 (section 4, upsTraps) tells of rows that come into the alarm table and leave it, except that on-battery has
 * a notification of its own when it comes, and that a test in progress is told of only when it ends. The BACS MIB has
 * the same pair for its own table. What neither has an identity for, and alarms of the agent itself, are told by
 * notifications of the BUSBAR-MIB.
 */
#ifndef AGENTX_NOTIFICATION_H
#define AGENTX_NOTIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/alarm.h>
#include <busbar/event.h>

#include "codec.h"
#include "oid.h"
#include "picture.h"

/** The parts of a notification that are the same every time. */
struct notification_kind {
	const char *name;           /* "upsTrapOnBattery" */
	const char *oid;            /* dotted; one that begins with a dot is below base-oid */
	const char *const *objects; /* instances that its MIB lists, dotted, ended by NULL; NULL: none */
	const char *alarm_entry;    /* of the table whose row it tells of: its id and its descr follow; NULL: none */
	const char *test_identity;  /* with alarm_entry: the alarm that a test tells of */
};

/** A notification. Texts are borrowed. */
struct notification {
	const struct notification_kind *kind;
	const char *device;   /* "" for the agent itself */
	const char *identity; /* of the alarm, dotted; "" for none */
	const char *alarm;    /* its name, "" for none */
	const char *text;     /* one line for people */
	uint64_t alarm_id;    /* number of the event that raised the alarm; 0: it is about none */
	uint64_t number;      /* of the event */
	int64_t wall_ms;      /* when it happened */
	enum bb_severity severity;
	bool test; /* nothing has happened: somebody wants to see it */
};

/** Names of all kinds, the usual one for a test first, ended by NULL. */
extern const char *const notification_names[];

/** The kind of that name, or NULL. */
const struct notification_kind *notification_kind_find(const char *name);

/**
 * What tells of @event; @identity as notification_identity() found it. False: nothing does. @ret_notification borrows
 * the texts of both.
 */
bool notification_of_event(const struct bb_event *event, const char *identity, struct notification *ret_notification);

/** What tells again that a device runs on battery, since @alarm was raised. */
struct notification notification_of_battery(const char *device, const struct bb_alarm *alarm);

/**
 * The identity of the alarm that @event is about, dotted, "" when no MIB has one. A rule's alarm is looked up in
 * @alarms, the set of its device as it is now (NULL: there is none); a rule that is there no more had one by severity.
 * Valid as long as @alarms.
 */
const char *notification_identity(const struct bb_event *event, const struct bb_alarm_set *alarms);

/**
 * Append the variables of @notification: snmpTrapOID.0, the objects its MIB lists, and what tells it from those of
 * other devices and from others of the same device, below @base. Objects are as @picture shows them; NULL: the device
 * is there no more.
 */
void notification_put(const struct notification *notification, const struct oid *base, struct picture *picture,
		      const struct moment *moment, struct codec_buffer *varbinds);

#endif
