/* SPDX-License-Identifier: Apache-2.0
 *
 * The list `alarms:` of the configuration: all entries of all files, checked one by one (rule_section.c) and against each
 * other. A fault is logged where it is found and does not keep the rest from being checked, so that one run shows all.
 */
#include "rule_config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "rule_section.h"
#include "text.h"

/* What stands in front of every set; behind it, since the set ends with an array. */
struct header {
	_Alignas(max_align_t) atomic_uint references;
};

bool rule_fits(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

bool rule_is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[\\") != NULL;
}

/* ---- the whole list ---- */

/* A device that no rule could ever be for is a typing error. */
static int check_device(const struct rule_section *section, const char *const *names, size_t count)
{
	const char *suggestion, **list;

	for (size_t i = 0; i < count; i++)
		if (rule_fits(section->device, names[i]))
			return 0;
	if (!bb_config_is_set(section->config, "device"))
		return 0; /* no devices at all are no fault of the rule */
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	memcpy(list, names, count * sizeof(*list));
	suggestion = bb_text_suggest(section->device, list);
	free(list);
	if (suggestion)
		return bb_config_error(section->config, "device", "there is no device '%s', did you mean '%s'?",
				       section->device, suggestion);
	return bb_config_error(section->config, "device", "there is no device '%s'", section->device);
}

static const char *shared_name(const struct rule_section *a, const struct rule_section *b)
{
	for (size_t i = 0; i < a->level_count; i++)
		for (size_t j = 0; j < b->level_count; j++)
			if (strcmp(a->levels[i].name, b->levels[j].name) == 0)
				return b->levels[j].name;
	return NULL;
}

/* Two rules for the same device must not have the same name: nobody could tell their alarms apart. */
static int check_names(const struct rule_set *rules, size_t index, const char *const *names, size_t count)
{
	const struct rule_section *section = &rules->sections[index];

	for (size_t i = 0; i < index; i++) {
		const char *name = shared_name(&rules->sections[i], section);

		for (size_t j = 0; name && j < count; j++)
			if (rule_fits(section->device, names[j]) && rule_fits(rules->sections[i].device, names[j]))
				return bb_config_error(
					section->config, bb_config_is_set(section->config, "name") ? "name" : NULL,
					"device %s has a rule %s already; give this one another name", names[j], name);
	}
	return 0;
}

static int check_list(const struct sources *sources, struct rule_set *rules)
{
	int result = 0;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;
		const struct yaml_node *list = root ? yaml_find(root, RULE_CONFIG_KEY) : NULL;

		if (yaml_is_null(list))
			continue;
		if (list->kind != YAML_SEQUENCE) {
			result = yaml_error(list, "%s: must be a list of rules, not %s", RULE_CONFIG_KEY,
					    yaml_kind_name(list));
			continue;
		}
		for (size_t j = 0; j < list->count; j++) {
			int r = rule_section_check(rules, list->values[j], &rules->sections[rules->count]);

			if (r < 0)
				result = r;
			else
				rules->count++;
		}
	}
	return result;
}

static size_t count_entries(const struct sources *sources)
{
	size_t count = 0;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;
		const struct yaml_node *list = root ? yaml_find(root, RULE_CONFIG_KEY) : NULL;

		if (!yaml_is_null(list) && list->kind == YAML_SEQUENCE)
			count += list->count;
	}
	return count;
}

static struct header *header_of(struct rule_set *rules)
{
	return (struct header *)rules - 1;
}

static struct rule_set *set_create(size_t most)
{
	struct header *header =
		calloc(1, sizeof(*header) + sizeof(struct rule_set) + most * sizeof(struct rule_section));

	if (!header)
		return NULL;
	atomic_init(&header->references, 1);
	return (struct rule_set *)(header + 1);
}

int rule_config_check(const struct sources *sources, const char *const *device_names, size_t device_count,
		      struct rule_set **ret_rules)
{
	struct rule_set *rules = set_create(count_entries(sources));
	int result;

	if (!rules)
		return -ENOMEM;
	result = check_list(sources, rules);
	for (size_t i = 0; device_names && i < rules->count; i++) {
		int r = check_device(&rules->sections[i], device_names, device_count);

		if (r == 0)
			r = check_names(rules, i, device_names, device_count);
		if (r < 0)
			result = r;
	}
	if (result < 0) {
		rule_set_unref(rules);
		return result;
	}
	*ret_rules = rules;
	return 0;
}

struct rule_set *rule_set_ref(struct rule_set *rules)
{
	if (rules)
		atomic_fetch_add_explicit(&header_of(rules)->references, 1, memory_order_relaxed);
	return rules;
}

void rule_set_unref(struct rule_set *rules)
{
	if (!rules || atomic_fetch_sub_explicit(&header_of(rules)->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < rules->count; i++)
		rule_section_free(&rules->sections[i]);
	free(header_of(rules));
}

bool rule_set_equal(const struct rule_set *a, const struct rule_set *b)
{
	const size_t a_count = a ? a->count : 0, b_count = b ? b->count : 0;

	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!options_equal(a->sections[i].config, b->sections[i].config))
			return false;
	return true;
}
