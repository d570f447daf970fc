/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/alarm.h - the alarm table, and which alarms of a device are active.
 *
 * An alarm is a condition that holds or does not. Every type is a row of config/alarms.csv, compiled in.
 * Types come to life through alarm points of devices and through the agent itself. The rules of the configuration
 * make types of their own, which live as long as the sets that show them.
 */
#ifndef BUSBAR_ALARM_H
#define BUSBAR_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bb_point;

/** How bad an alarm is while it is active. */
enum bb_severity {
	BB_SEVERITY_INFO,    /* good to know */
	BB_SEVERITY_WARNING, /* look at it in working hours */
	BB_SEVERITY_ALARM,   /* act now */
};

/** "info", "warning", "alarm". Any thread. */
const char *bb_severity_name(enum bb_severity severity);

/** One kind of alarm. Static, but for a rule's: that one lives as long as the alarm set it was found in. */
struct bb_alarm_type {
	const char *name;  /* "on-battery"; its point is "alarm.on-battery" */
	const char *title; /* a few words for people */
	const char *oid;   /* identity, dotted without leading dot, "" where no MIB has one */
	const char *nut;   /* NUT status token it sets, such as "OB"; NULL for none */
	enum bb_severity severity;
	int16_t bit; /* number in RFC 1628's well-known list minus 1 (SNMPALARMS bit), −1 for none */
};

/** The type with that name (with or without "alarm." before it), or NULL. Any thread. */
const struct bb_alarm_type *bb_alarm_type_find(const char *name);

/** The type with that identity, dotted without leading dot, or NULL. Any thread. */
const struct bb_alarm_type *bb_alarm_type_find_oid(const char *oid);

/** Row @index of the table, NULL past the end. Any thread. */
const struct bb_alarm_type *bb_alarm_type_row(size_t index);

/**
 * One alarm that a device can raise, and whether it does. A restart of the agent changes nothing of an alarm that
 * people were told of: it goes on to be active, with its event and since when, until the device has answered and
 * decides.
 */
struct bb_alarm {
	const struct bb_alarm_type *type;
	bool active;
	int64_t since_wall_ms;           /* wall clock of the last change, 0: never changed */
	int64_t since_ms;                /* bb_clock_ms() of that, below 0: before the machine started; 0: never */
	uint64_t event;                  /* number of the event that raised it; 0: nobody was told that it is active */
	bool acknowledged;               /* somebody has seen it; only while it is active */
	int64_t inhibited_until_wall_ms; /* kept quiet until then: no events, no jobs; 0: not */
	const struct bb_point *point;    /* of a rule: what it looks at; NULL for others */
	int64_t value;                   /* of that point when the alarm last changed, scaled by its decimals */
};

/**
 * All alarms a device can raise: its alarm points and communications-lost, in a fixed order for one
 * generation, then those of rules. Immutable and counted: a change makes a new set.
 */
struct bb_alarm_set {
	size_t count;
	size_t active; /* how many of them */
	struct bb_alarm alarms[];
};

/** Take or give back a reference. Any thread; unref accepts NULL. */
struct bb_alarm_set *bb_alarm_set_ref(struct bb_alarm_set *set);
void bb_alarm_set_unref(struct bb_alarm_set *set);

/** The worst severity among the active alarms; false when none is active. Any thread. */
bool bb_alarm_set_worst(const struct bb_alarm_set *set, enum bb_severity *ret_severity);

#endif
