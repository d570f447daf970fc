/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_quantity.h - values as people write them in rules: "40%", "10 min", "5 V", "10..34 degC".
 *
 * A quantity is kept exactly, in millionths of the unit that points are counted in. Thread: any.
 */
#ifndef CORE_RULE_QUANTITY_H
#define CORE_RULE_QUANTITY_H

#include <busbar/point.h>

#include "option_value.h"

struct rule_quantity {
	int64_t micro; /* in millionths of @unit */
	enum bb_unit unit;
};

/** Read @text. Returns 0, or -EINVAL with @ret_fault. */
int rule_quantity_parse(const char *text, struct rule_quantity *ret_quantity, struct option_fault *ret_fault);

/** Read "A..B"; a unit behind B only counts for both. As rule_quantity_parse(); B must be greater than A. */
int rule_range_parse(const char *text, struct rule_quantity *ret_low, struct rule_quantity *ret_high,
		     struct option_fault *ret_fault);

/** @quantity with @decimals decimals, rounded half away from zero. */
int64_t rule_quantity_scale(struct rule_quantity quantity, unsigned decimals);

/** Can a value with @decimals decimals be exactly @quantity? */
bool rule_quantity_is_exact(struct rule_quantity quantity, unsigned decimals);

/** How @unit may be written, for errors: "V, mV, kV"; "" for BB_UNIT_NONE. */
const char *rule_quantity_units(enum bb_unit unit);

#endif
