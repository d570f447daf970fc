/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_config.h - the `alarms:` of the configuration: a list of rules, checked and ready to be bound to devices
 * (rule_plan.h).
 */
#ifndef CORE_RULE_CONFIG_H
#define CORE_RULE_CONFIG_H

#include <stddef.h>

#include <busbar/alarm.h>
#include <busbar/config.h>

#include "rule.h"
#include "rule_quantity.h"
#include "sources.h"

/** The top-level key. */
#define RULE_CONFIG_KEY "alarms"

/** An alarm that a rule can raise. */
struct rule_level {
	char *name; /* of the alarm; where the point is a glob, what matched follows */
	char *text; /* what is wrong, "below 40%" */
	enum bb_severity severity;
	enum rule_compare compare;
	struct rule_quantity low, high;
};

#define RULE_LEVELS_MAX 2

/** An entry of the list. Texts are the config's or static, but for those of levels. */
struct rule_section {
	struct bb_config *config;
	const char *device;  /* glob */
	const char *point;   /* name or glob */
	const char *other;   /* point whose distance from @point counts, NULL: none */
	const char *title;   /* for people, NULL: say what the rule says */
	const char *subject; /* then: of what, NULL: of the point by its name */
	const char *member;  /* of `is` and `is-not`: a member's name, "true" or "false"; NULL: a number is compared */
	bool levelled;       /* warning and alarm, rather than one limit with a severity */
	size_t level_count;
	struct rule_level levels[RULE_LEVELS_MAX];
	struct rule_quantity hysteresis;
	bool has_hysteresis;
	int64_t delay_ms, clear_delay_ms;
	enum rule_gate gate;
	const char *gate_alarm; /* without "alarm." */
	int64_t hold_off_ms;
};

/** All rules, in the order of the files. Immutable and counted. */
struct rule_set {
	size_t count;
	struct rule_section sections[];
};

/**
 * Check the lists under RULE_CONFIG_KEY of all @sources against each other and against @device_names (@device_count of
 * them; NULL: they are faulty themselves, do not look). What is wrong has been logged with its place. Returns 0, -EINVAL
 * or -ENOMEM.
 */
int rule_config_check(const struct sources *sources, const char *const *device_names, size_t device_count,
		      struct rule_set **ret_rules);

/** Take or give back a reference; both accept NULL. Any thread. */
struct rule_set *rule_set_ref(struct rule_set *rules);
void rule_set_unref(struct rule_set *rules);

/** Do two sets say the same? Either may be NULL. */
bool rule_set_equal(const struct rule_set *a, const struct rule_set *b);

/** Does @text fit the name or glob @pattern? */
bool rule_fits(const char *pattern, const char *text);

/** Is @pattern more than a name? */
bool rule_is_glob(const char *pattern);

/** The option table of an entry, for documentation. */
extern const struct bb_option rule_options[];

#endif
