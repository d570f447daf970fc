/* SPDX-License-Identifier: Apache-2.0
 *
 * rule.h - when does a value mean an alarm? The engine behind the `alarms:` of the configuration.
 *
 * Pure: everything it knows is handed to it, the time included, so that a test runs a year of it in seconds. Who binds
 * rules to the points of a device is rule_plan.h, who asks is monitor_alarms.c.
 */
#ifndef CORE_RULE_H
#define CORE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/** What a rule calls wrong. */
enum rule_compare {
	RULE_BELOW,   /* value < low */
	RULE_ABOVE,   /* value > high */
	RULE_OUTSIDE, /* value < low or value > high */
	RULE_INSIDE,  /* low <= value <= high */
};

/** Another alarm of the same device that has a say. */
enum rule_gate {
	RULE_GATE_NONE,
	RULE_ONLY_WHILE, /* the rule counts only while that alarm is active */
	RULE_NOT_WHILE,  /* the rule does not count while it is, nor for hold_off_ms after it has cleared */
};

/** A rule for one value. All values have the decimals of the value. */
struct rule {
	enum rule_compare compare;
	int64_t low, high;
	int64_t hysteresis; /* how far the value must come back before an active alarm clears; not negative */
	int64_t delay_ms;   /* how long it must be wrong before the alarm is raised */
	int64_t clear_delay_ms;
	enum rule_gate gate;
	int64_t hold_off_ms;
};

/** How the value is known. */
enum rule_sight {
	RULE_SEEN,       /* the device is up, the value good */
	RULE_UNREADABLE, /* the device is up, but has no good value: nothing is decided, delays go on counting */
	RULE_AWAY,       /* too old, or the device is lost or unknown: nothing is decided, delays begin anew */
};

/** All that a rule looks at, as of one moment. */
struct rule_facts {
	enum rule_sight sight;
	int64_t value;         /* when seen */
	bool active;           /* is the rule's alarm active? */
	bool gate_active;      /* is the gate's alarm? */
	int64_t gate_since_ms; /* when that changed last, 0: never */
};

/** What a rule remembers between two looks; all zero at the beginning. */
struct rule_state {
	bool pending;     /* a delay is counting: to raise the alarm, or, where it is active, to clear it */
	bool clearing;    /* which of the two */
	int64_t since_ms; /* since when */
};

enum rule_verdict {
	RULE_STAYS, /* undecided, or counting a delay */
	RULE_RAISED,
	RULE_CLEARED,
};

/**
 * Look at @facts as of @now_ms (bb_clock_ms()). RULE_RAISED and RULE_CLEARED say what the alarm has to be, whether it
 * is already or not. Only @state changes, and in a way that the same look again gives the same answer. @ret_due_ms:
 * when time alone could change the answer, INT64_MAX: never.
 */
enum rule_verdict rule_step(const struct rule *rule, struct rule_state *state, const struct rule_facts *facts,
			    int64_t now_ms, int64_t *ret_due_ms);

/** Where a value stands: as long as this stays the same, so does what rule_step() says. */
enum rule_region {
	RULE_FINE,    /* an active alarm would clear */
	RULE_BETWEEN, /* within the hysteresis: an alarm stays what it is */
	RULE_WRONG,   /* an alarm would be raised */
};

enum rule_region rule_region(const struct rule *rule, int64_t value);

#endif
