/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_preset.h - rules with a name: the usual thresholds of a UPS, of which only the limits have to be said.
 */
#ifndef CORE_RULE_PRESET_H
#define CORE_RULE_PRESET_H

#include "rule.h"

struct rule_preset {
	const char *name;
	const char *title;
	const char *point; /* name or glob */
	const char *other; /* NULL: none */
	enum rule_compare compare;
	const char *hysteresis;
	const char *warning, *alarm; /* when the configuration says neither; NULL: it must */
};

/** In the order of RULE_PRESET_NAMES, for a BB_OPTION_ENUM. */
extern const struct rule_preset rule_presets[];

#define RULE_PRESET_NAMES                                                                                              \
	"battery-voltage input-voltage ups-temperature autonomy battery-charge output-load battery-symmetry "          \
	"seconds-on-battery"

#endif
