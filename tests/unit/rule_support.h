/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_support.h - rules from text, for tests of what is made of them.
 */
#ifndef TESTS_RULE_SUPPORT_H
#define TESTS_RULE_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>

#include "rule_config.h"
#include "yaml_tree.h"

/** The rules of @text, "alarms:" and a list; they must be fine. */
static inline struct rule_set *rules_of(const char *text)
{
	struct yaml_document *document = NULL;
	struct rule_set *rules = NULL;

	cr_assert_eq(yaml_parse("rules.yaml", text, strlen(text), &document), 0);
	cr_assert_eq(rule_config_check(&(struct sources){.documents = &document, .count = 1}, NULL, 0, &rules), 0);
	yaml_unload(document);
	return rules;
}

#endif
