/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_plan.h - which rules apply to the points of one generation of one device, and which alarms they raise.
 *
 * A plan is made with the alarm set of a generation and lives as long as sets of it do, since the types of the alarms
 * are its own. Immutable and counted; any thread may look at it.
 */
#ifndef CORE_RULE_PLAN_H
#define CORE_RULE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include <busbar/alarm.h>
#include <busbar/log.h>
#include <busbar/reading.h>

#include "generation.h"
#include "rule.h"

struct rule_set;

/** A rule for one point of the device. */
struct rule_bound {
	struct rule rule;
	struct bb_alarm_type type; /* of its alarm */
	const struct bb_point *point;
	uint32_t place; /* of the point */
	int32_t other;  /* place of the point whose distance counts, −1: none */
	int32_t bit;    /* of a flag word: the bit that is looked at, else −1 */
	int32_t gate;   /* place of the gate's alarm in the alarm set, −1: the device has none such */
};

struct rule_plan {
	size_t count;
	struct rule_bound bounds[];
};

/**
 * Bind @rules (may be NULL) to the points of @generation of the device called @device. In the alarm set the alarms of
 * rules stand behind those of the generation, in the order of the plan. @ret_plan is NULL when no rule applies. What
 * cannot be bound is said through @log. Returns 0 or -ENOMEM.
 */
int rule_plan_create(struct rule_set *rules, const char *device, struct generation *generation,
		     const struct bb_log *log, struct rule_plan **ret_plan);

/** Take or give back a reference; both accept NULL. */
struct rule_plan *rule_plan_ref(struct rule_plan *plan);
void rule_plan_unref(struct rule_plan *plan);

/** What @bound looks at in a reading of its generation; false: there is no good value. */
bool rule_bound_value(const struct rule_bound *bound, const struct bb_reading *reading, int64_t *ret_value);

/** Is a value in another region of its rule, or known where it was not, in one of two readings of one generation? */
bool rule_plan_crossed(const struct rule_plan *plan, const struct bb_reading *before, const struct bb_reading *after);

#endif
