/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_section.h - one entry of `alarms:`, from a mapping in a file to a rule.
 */
#ifndef CORE_RULE_SECTION_H
#define CORE_RULE_SECTION_H

#include "rule_config.h"

/** Check @node, whose gate may be one of @rules, those before it. Faults are logged. Returns 0, -EINVAL or -ENOMEM. */
int rule_section_check(const struct rule_set *rules, const struct yaml_node *node, struct rule_section *ret_section);

/** Free what is in @section. */
void rule_section_free(struct rule_section *section);

#endif
