/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule engine, see rule.h.
 *
 * One look goes: is there anything to see? Does the gate let the rule count? In which region is the value? Has that
 * been so for long enough? A closed gate is as good as a fine value, so that an alarm that is active when its gate
 * closes clears like any other.
 *
 * Whether the alarm is active is a fact, not part of the state: the alarm set of the device says so, and a change that
 * could not be put in place there did not happen. The state only holds the delay that is counting, and knows for which
 * of the two directions, so a delay that belongs to the other direction is never taken for this one's.
 */
#include <stddef.h>

#include "rule.h"

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

/* Is @value wrong, when the limits are moved by @margin towards what is fine? */
static bool is_wrong(const struct rule *rule, int64_t value, int64_t margin)
{
	const bool below = value < add(rule->low, margin);
	const bool above = value > add(rule->high, -margin);

	switch (rule->compare) {
	case RULE_BELOW:
		return below;
	case RULE_ABOVE:
		return above;
	case RULE_OUTSIDE:
		return below || above;
	case RULE_INSIDE:
		return value >= add(rule->low, -margin) && value <= add(rule->high, margin);
	}
	return false;
}

enum rule_region rule_region(const struct rule *rule, int64_t value)
{
	if (is_wrong(rule, value, 0))
		return RULE_WRONG;
	return is_wrong(rule, value, rule->hysteresis) ? RULE_BETWEEN : RULE_FINE;
}

/* May the rule count? @ret_due_ms: when a hold-off ends. */
static bool gate_is_open(const struct rule *rule, const struct rule_facts *facts, int64_t now_ms, int64_t *ret_due_ms)
{
	int64_t open_ms;

	if (rule->gate == RULE_GATE_NONE)
		return true;
	if (rule->gate == RULE_ONLY_WHILE)
		return facts->gate_active;
	if (facts->gate_active)
		return false;
	if (facts->gate_since_ms == 0)
		return true;
	open_ms = add(facts->gate_since_ms, rule->hold_off_ms);
	if (now_ms >= open_ms)
		return true;
	*ret_due_ms = open_ms;
	return false;
}

/* Has the alarm to change, as seen now? A raised one clears with a fine value, one that is not is raised by a wrong. */
static bool is_changing(const struct rule *rule, const struct rule_facts *facts, bool open)
{
	const enum rule_region region = open ? rule_region(rule, facts->value) : RULE_FINE;

	return region == (facts->active ? RULE_FINE : RULE_WRONG);
}

enum rule_verdict rule_step(const struct rule *rule, struct rule_state *state, const struct rule_facts *facts,
			    int64_t now_ms, int64_t *ret_due_ms)
{
	const int64_t delay_ms = facts->active ? rule->clear_delay_ms : rule->delay_ms;
	bool open;

	*ret_due_ms = INT64_MAX;
	if (facts->sight == RULE_AWAY)
		state->pending = false;
	if (facts->sight != RULE_SEEN)
		return RULE_STAYS;

	open = gate_is_open(rule, facts, now_ms, ret_due_ms);
	if (!is_changing(rule, facts, open)) {
		state->pending = false;
		return facts->active ? RULE_RAISED : RULE_CLEARED;
	}
	if (!state->pending || state->clearing != facts->active)
		*state = (struct rule_state){.pending = true, .clearing = facts->active, .since_ms = now_ms};
	if (now_ms - state->since_ms < delay_ms) {
		const int64_t due_ms = add(state->since_ms, delay_ms);

		*ret_due_ms = due_ms < *ret_due_ms ? due_ms : *ret_due_ms;
		return RULE_STAYS;
	}
	return facts->active ? RULE_CLEARED : RULE_RAISED;
}
