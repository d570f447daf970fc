/* SPDX-License-Identifier: Apache-2.0
 *
 * section.c - the sections of devices and exporters: each is checked against the tables of its plugin and the common
 * one here, and last by the plugin itself.
 *
 * A fault is logged where it is found and does not keep the rest from being checked, so that one run shows all.
 */
#include "section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "derive_battery.h"
#include "options.h"
#include "text.h"

const struct bb_option configuration_device_options[] = {
	{.name = "plugin", .type = BB_OPTION_STRING, .required = true, .help = "the device plugin that speaks to it"},
	{.name = "address", .type = BB_OPTION_ADDRESS, .help = "where it is, such as snmp://192.0.2.1"},
	{.name = "interval",
	 .type = BB_OPTION_DURATION,
	 .preset = "5s",
	 .min = 10,
	 .max = 86400000,
	 .help = "how often everything is read"},
	{.name = "watch",
	 .type = BB_OPTION_DURATION,
	 .preset = "1s",
	 .min = 0,
	 .max = 86400000,
	 .help = "how often the urgent points are read in between, 0s: never"},
	{.name = "stale-after",
	 .type = BB_OPTION_DURATION,
	 .min = 100,
	 .max = 604800000,
	 .help = "age at which values count as too old; without it 3 intervals, at least 10s"},
	{.name = "timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "3s",
	 .min = 10,
	 .max = 600000,
	 .help = "how long one poll may take"},
	{.name = "battery-installed",
	 .type = BB_OPTION_STRING,
	 .help = "since when the battery is in, such as 2023-05-01"},
	{.name = "battery-span",
	 .type = BB_OPTION_INT,
	 .preset = "48",
	 .min = 1,
	 .max = 600,
	 .help = "months of 30 days after which it is too old"},
	{.name = "hold-time",
	 .type = BB_OPTION_DURATION,
	 .min = 1000,
	 .max = 604800000,
	 .help = "how long the full battery carries the rated load; for devices that do not say the time left"},
	{.name = "rated-power",
	 .type = BB_OPTION_INT,
	 .min = 1,
	 .max = 100000000,
	 .help = "rated load in VA, where the device does not say it"},
	{.name = "assumed-load",
	 .type = BB_OPTION_INT,
	 .min = 1,
	 .max = 100000000,
	 .help = "load in VA to reckon with, where the device does not say it"},
	{0},
};

static const struct bb_option exporter_options[] = {
	{.name = "plugin", .type = BB_OPTION_STRING, .help = "the exporter plugin, if the section has another name"},
	{0},
};

const struct section_rules section_devices = {"devices", "device", BB_PLUGIN_DEVICE, configuration_device_options};
const struct section_rules section_exporters = {"exporters", "exporter", BB_PLUGIN_EXPORTER, exporter_options};

/* A section while it is being checked. */
struct item {
	const struct yaml_node *key;
	size_t order; /* in which it was found */
	struct configuration_section section;
};

struct items {
	struct item *items;
	size_t count;
};

static int no_such_plugin(const struct yaml_node *place, const char *key, const char *name,
			  const struct section_rules *rules, const struct plugin_finder *plugins)
{
	const char *suggestion = bb_text_suggest(name, plugins->names(plugins->context, rules->kind));

	if (suggestion)
		return yaml_error(place, "%s: there is no %s plugin '%s', did you mean '%s'?", key, rules->what, name,
				  suggestion);
	return yaml_error(place, "%s: there is no %s plugin '%s'", key, rules->what, name);
}

/* A device says its plugin; an exporter may, and else is called like it. */
static int find_plugin(const struct section_rules *rules, const struct yaml_node *key, const struct yaml_node *section,
		       const struct plugin_finder *plugins, const struct bb_plugin **ret_plugin)
{
	const struct yaml_node *said = NULL;
	const char *name = key->text;

	if (!yaml_is_null(section) && section->kind != YAML_MAPPING)
		return yaml_error(section, "%s: must be a mapping of options, not %s", name, yaml_kind_name(section));
	if (!yaml_is_null(section))
		said = yaml_find(section, "plugin");
	if (!said && rules->kind == BB_PLUGIN_DEVICE)
		return yaml_error(key, "plugin: is missing, %s needs it", key->text);
	if (said && (said->kind != YAML_SCALAR || yaml_is_null(said)))
		return yaml_error(said, "plugin: must be the name of %s %s plugin",
				  rules->kind == BB_PLUGIN_DEVICE ? "a" : "an", rules->what);
	if (said)
		name = said->text;
	*ret_plugin = plugins->find(plugins->context, rules->kind, name);
	if (*ret_plugin)
		return 0;
	return said ? no_such_plugin(said, "plugin", name, rules, plugins)
		    : no_such_plugin(key, key->text, name, rules, plugins);
}

/* The common option `address` allows any scheme; what this plugin understands is known only now. */
static int check_scheme(const struct bb_plugin *plugin, const struct bb_config *config)
{
	const struct bb_address *address = bb_config_address(config, "address");

	if (!plugin->device.schemes || !address ||
	    text_has_word(plugin->device.schemes, address->scheme, strlen(address->scheme)))
		return 0;
	return bb_config_error(config, "address", "the scheme '%s' is not one of: %s", address->scheme,
			       plugin->device.schemes);
}

/* Everything about a section whose plugin is known; the last word is the plugin's. */
int section_check(const struct section_rules *rules, const char *name, const struct yaml_node *node,
		  const struct bb_plugin *plugin, struct configuration_section *ret_section)
{
	const struct bb_option *tables[] = {rules->options, NULL, NULL};
	struct configuration_section section = {.plugin = plugin};
	int r;

	if (plugin->options) {
		tables[0] = plugin->options;
		tables[1] = rules->options;
	}
	r = options_parse(node, name, tables, &section.config);
	if (r < 0)
		return r;
	if (rules->kind == BB_PLUGIN_DEVICE) {
		r = check_scheme(plugin, section.config);
		if (r == 0)
			r = battery_check(section.config);
		if (r == 0 && plugin->device.check)
			r = plugin->device.check(section.config);
	} else if (plugin->exporter.check) {
		r = plugin->exporter.check(section.config);
	}
	if (r < 0) {
		options_free(section.config);
		return r;
	}
	*ret_section = section;
	return 0;
}

static int add_item(struct items *items, const struct section_rules *rules, const struct yaml_node *key,
		    const struct yaml_node *value, const struct plugin_finder *plugins)
{
	struct item *item = &items->items[items->count];
	const struct bb_plugin *plugin;
	int r, result = 0;

	*item = (struct item){.key = key, .order = items->count};
	items->count++;
	if (!text_is_device_name(key->text))
		result = yaml_error(key, "%s: a name is 1 to 32 of a-z, 0-9 and '-', and does not begin with '-'",
				    key->text);
	r = find_plugin(rules, key, value, plugins, &plugin);
	if (r == 0)
		r = section_check(rules, key->text, value, plugin, &item->section);
	return r < 0 ? r : result;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;
	int r = strcmp(left->key->text, right->key->text);

	return r != 0 ? r : left->order < right->order ? -1 : 1;
}

/* Sort by name; the same name in two files shows here. Twice in one file has been refused by yaml_tree.c. */
static int sort_items(struct items *items)
{
	int result = 0;

	if (items->count > 0)
		qsort(items->items, items->count, sizeof(struct item), compare_items);
	for (size_t i = 1; i < items->count; i++) {
		const struct yaml_node *first = items->items[i - 1].key, *second = items->items[i].key;

		if (strcmp(first->text, second->text) == 0)
			result = yaml_error(second, "%s: given twice, first in %s:%u", second->text,
					    first->document->file, first->line);
	}
	return result;
}

static void items_free(struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		options_free(items->items[i].section.config);
	free(items->items);
}

/* Check all sections of one kind, in the order of the files, so that errors come in that order too. */
static int check_items(const struct sources *sources, const struct section_rules *rules,
		       const struct plugin_finder *plugins, struct items *items)
{
	int result = 0;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;
		const struct yaml_node *sections = root ? yaml_find(root, rules->key) : NULL;

		if (yaml_is_null(sections))
			continue;
		if (sections->kind != YAML_MAPPING) {
			result = yaml_error(sections, "%s: must be a mapping of names to their options, not %s",
					    rules->key, yaml_kind_name(sections));
			continue;
		}
		struct item *more = reallocarray(items->items, items->count + sections->count + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		items->items = more;
		for (size_t j = 0; j < sections->count; j++) {
			int r = add_item(items, rules, sections->keys[j], sections->values[j], plugins);

			if (r < 0)
				result = r;
		}
	}
	int r = sort_items(items);

	return r < 0 ? r : result;
}

int sections_check(const struct sources *sources, const struct section_rules *rules,
		   const struct plugin_finder *plugins, struct configuration_section **ret_sections, size_t *ret_count)
{
	struct configuration_section *sections;
	struct items items = {0};
	int r = check_items(sources, rules, plugins, &items);

	if (r < 0)
		goto fail;
	sections = calloc(items.count + 1, sizeof(*sections)); /* never of nothing */
	if (!sections) {
		r = -ENOMEM;
		goto fail;
	}
	for (size_t i = 0; i < items.count; i++)
		sections[i] = items.items[i].section;
	*ret_sections = sections;
	*ret_count = items.count;
	free(items.items);
	return 0;

fail:
	items_free(&items);
	return r;
}
