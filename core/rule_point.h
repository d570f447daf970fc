/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_point.h - what the dictionary knows of the points a rule names, before any device has answered.
 */
#ifndef CORE_RULE_POINT_H
#define CORE_RULE_POINT_H

#include <busbar/point.h>

#include "rule_config.h"

/** The points of a rule, as far as they are alike. */
struct rule_point {
	bool known; /* all below; a point that the device describes is not */
	enum bb_unit unit;
	enum bb_kind kind;
	unsigned decimals;          /* the most that one has */
	const struct bb_point *row; /* one of them */
};

/** Look up the points of @section. A name that must be a typing error is refused: 0, -EINVAL (said) or -ENOMEM. */
int rule_point_check(const struct rule_section *section, struct rule_point *ret_point);

/** Can the points be compared with a limit, or with the member that @section names? 0 or -EINVAL (said). */
int rule_point_check_number(const struct rule_section *section, const struct rule_point *point);
int rule_point_check_member(const struct rule_section *section, const struct rule_point *point);

/** Value of the member called @name ("true" and "false" of bools and alarms) of @point; false: it has no such. */
bool rule_point_member(const struct bb_point *point, const char *name, int64_t *ret_value);

/** Is it a number with a unit? */
bool rule_point_is_number(enum bb_kind kind);

#endif
