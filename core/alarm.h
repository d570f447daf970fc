/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm.h - the core's side of alarm sets: making one, and making a changed one of it.
 */
#ifndef CORE_ALARM_H
#define CORE_ALARM_H

#include <busbar/alarm.h>

struct generation;
struct rule_plan;

/**
 * A set of @count alarms, all zero. It holds a reference to @owner, the generation that some of its types may live in
 * (NULL: all are static). NULL when memory lacks. Any thread.
 */
struct bb_alarm_set *alarm_set_create(size_t count, struct generation *owner);

/** Let @set hold a reference to @plan (may be NULL), in which the types of its last alarms live. Before it is shared. */
void alarm_set_attach(struct bb_alarm_set *set, struct rule_plan *plan);

/** The plan that was attached, NULL: none. Borrowed from @set. */
struct rule_plan *alarm_set_plan(const struct bb_alarm_set *set);

/** Are both of the same generation and plan, so that they have the same alarms? */
bool alarm_set_alike(const struct bb_alarm_set *a, const struct bb_alarm_set *b);

/** A copy that may be changed. NULL when memory lacks. Any thread. */
struct bb_alarm_set *alarm_set_copy(const struct bb_alarm_set *set);

/** Count the active ones again, after alarms[] was filled. */
void alarm_set_seal(struct bb_alarm_set *set);

/** Does somebody have to be told what @alarm has become, and does nobody keep it quiet? */
static inline bool alarm_is_untold(const struct bb_alarm *alarm)
{
	return alarm->inhibited_until_wall_ms == 0 && alarm->active != (alarm->event != 0);
}

/** Place of @type in @set, or −1. */
int alarm_set_find(const struct bb_alarm_set *set, const struct bb_alarm_type *type);

#endif
