/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm.h - the core's side of alarm sets: making one, and making a changed one of it.
 */
#ifndef CORE_ALARM_H
#define CORE_ALARM_H

#include <busbar/alarm.h>

struct generation;

/**
 * A set of @count alarms, all zero. It holds a reference to @owner, the generation that some of its types may live in
 * (NULL: all are static). NULL when memory lacks. Any thread.
 */
struct bb_alarm_set *alarm_set_create(size_t count, struct generation *owner);

/** A copy that may be changed. NULL when memory lacks. Any thread. */
struct bb_alarm_set *alarm_set_copy(const struct bb_alarm_set *set);

/** Count the active ones again, after alarms[] was filled. */
void alarm_set_seal(struct bb_alarm_set *set);

/** Place of @type in @set, or −1. */
int alarm_set_find(const struct bb_alarm_set *set, const struct bb_alarm_type *type);

#endif
