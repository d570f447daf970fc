/* SPDX-License-Identifier: Apache-2.0
 *
 * configuration.c - busbar.yaml and conf.d/ *.yaml beside it, read and checked whole.
 *
 * All files are parsed first. Their top-level keys are then looked at together, as if they stood in one file: the
 * agent's own options here, the sections of devices and exporters in section.c. Everything is checked even when
 * something was faulty, so that one run shows all faults; the result is thrown away in the end if there was any.
 */
#include "configuration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "data_log.h"
#include "journal.h"
#include "log.h"
#include "options.h"
#include "rule_config.h"
#include "section.h"
#include "sources.h"
#include "text.h"

static const struct bb_option agent_options[] = {
	{.name = "log-level",
	 .type = BB_OPTION_ENUM,
	 .preset = "notice",
	 .choices = "error warning notice info debug",
	 .help = "lines above this level are not written"},
	{.name = "socket",
	 .type = BB_OPTION_STRING,
	 .preset = "/run/busbar/busbar.sock",
	 .help = "path of the local socket"},
	{.name = "socket-group", .type = BB_OPTION_STRING, .help = "group whose members may use the local socket"},
	{.name = "plugin-dir", .type = BB_OPTION_STRING, .help = "folder of plugins, instead of the installation's"},
	{.name = "maps-dir",
	 .type = BB_OPTION_STRING,
	 .help = "folder of your own register maps, instead of " BUSBAR_SYSCONFDIR "/maps.d"},
	{.name = "state-dir",
	 .type = BB_OPTION_STRING,
	 .preset = "/var/lib/busbar",
	 .help = "folder of the journal; it must be there"},
	{0},
};

/* ---- top-level keys ---- */

static bool is_agent_option(const char *key)
{
	for (const struct bb_option *option = agent_options; option->name; option++)
		if (strcmp(option->name, key) == 0)
			return true;
	return false;
}

/* Keys with something below them. */
static const char *const mappings[] = {"devices", "exporters", RULE_CONFIG_KEY, JOURNAL_KEY};

#define MAPPING_COUNT BB_LENGTH(mappings)

static bool is_top_level(const char *key)
{
	for (size_t i = 0; i < MAPPING_COUNT; i++)
		if (strcmp(mappings[i], key) == 0)
			return true;
	return is_agent_option(key);
}

static int unknown_top_level(const struct yaml_node *key)
{
	const char *names[BB_LENGTH(agent_options) + MAPPING_COUNT];
	const char *suggestion;
	size_t count = 0;

	while (count < MAPPING_COUNT) {
		names[count] = mappings[count];
		count++;
	}
	for (const struct bb_option *option = agent_options; option->name; option++)
		names[count++] = option->name;
	names[count] = NULL;
	suggestion = bb_text_suggest(key->text, names);
	if (suggestion)
		return yaml_error(key, "%s: unknown key, did you mean '%s'?", key->text, suggestion);
	return yaml_error(key, "%s: unknown key", key->text);
}

/* Find @key among those of @mapping that are there already. */
static const struct yaml_node *find_key(const struct yaml_node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->keys[i]->text, key) == 0)
			return mapping->keys[i];
	return NULL;
}

/* Move the agent's own options of all files into @merged, which has room for each of them. */
static int merge_agent(const struct sources *sources, struct yaml_node *merged)
{
	int result = 0;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;

		for (size_t j = 0; root && j < root->count; j++) {
			struct yaml_node *key = root->keys[j];
			const struct yaml_node *first = find_key(merged, key->text);

			if (!is_agent_option(key->text))
				continue;
			if (first) {
				result = yaml_error(key, "%s: given twice, first in %s:%u", key->text,
						    first->document->file, first->line);
				continue;
			}
			merged->keys[merged->count] = key;
			merged->values[merged->count++] = root->values[j];
		}
	}
	return result;
}

static int check_agent(const struct sources *sources, struct bb_config **ret_config)
{
	static const struct bb_option *const tables[] = {agent_options, NULL};
	struct yaml_node *keys[BB_LENGTH(agent_options)];
	struct yaml_node *values[BB_LENGTH(keys)];
	struct yaml_node merged = {
		.kind = YAML_MAPPING,
		.document = sources->documents[0],
		.line = 1,
		.column = 1,
		.keys = keys,
		.values = values,
	};
	struct bb_config *config;
	int result = merge_agent(sources, &merged);
	int r = options_parse(&merged, "busbar", tables, &config);

	if (r < 0)
		return r;
	if (result < 0) {
		options_free(config);
		return result;
	}
	*ret_config = config;
	return 0;
}

static int check_top_level(const struct sources *sources)
{
	int result = 0;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;

		for (size_t j = 0; root && j < root->count; j++) {
			if (!is_top_level(root->keys[j]->text))
				result = unknown_top_level(root->keys[j]);
		}
	}
	return result;
}

/* The one mapping `journal:`, or nothing. */
static int find_journal(const struct sources *sources, const struct yaml_node **ret_section)
{
	const struct yaml_node *section = NULL;

	for (size_t i = 0; i < sources->count; i++) {
		const struct yaml_node *root = sources->documents[i]->root;
		const struct yaml_node *key = root ? find_key(root, JOURNAL_KEY) : NULL;

		if (!key)
			continue;
		if (section)
			return yaml_error(key, JOURNAL_KEY ": given twice, first in %s:%u", section->document->file,
					  section->line);
		section = yaml_find(root, JOURNAL_KEY);
	}
	*ret_section = section;
	return 0;
}

/* @devices as many as are known: a fault among them must not hide one here. */
static int check_journal(const struct sources *sources, size_t devices, struct bb_config **ret_config)
{
	static const struct bb_option *const tables[] = {journal_options, NULL};
	const struct yaml_node *section = NULL;
	struct bb_config *config;
	int r = find_journal(sources, &section);

	if (r == 0)
		r = options_parse(section, JOURNAL_KEY, tables, &config);
	if (r < 0)
		return r;
	r = data_log_check(config, devices);
	if (r < 0) {
		options_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

/* ---- the whole ---- */

/* The worse of two results: lack of memory is not a fault of the file. */
static int worse(int a, int b)
{
	return a == -ENOMEM || b == 0 ? a : b;
}

/* Rules name devices: compare them, unless the devices are faulty (@devices_known) and not all there. */
static int check_rules(const struct sources *sources, bool devices_known, struct configuration *configuration)
{
	const char **names = calloc(configuration->device_count + 1, sizeof(*names));
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < configuration->device_count; i++)
		names[i] = bb_config_name(configuration->devices[i].config);
	r = rule_config_check(sources, devices_known ? names : NULL, configuration->device_count,
			      &configuration->rules);
	free(names);
	return r;
}

static int check_all(const struct sources *sources, const struct plugin_finder *plugins,
		     struct configuration *configuration)
{
	int r = check_top_level(sources);

	r = worse(r, check_agent(sources, &configuration->agent));
	r = worse(r, sections_check(sources, &section_devices, plugins, &configuration->devices,
				    &configuration->device_count));
	r = worse(r, check_rules(sources, r == 0, configuration));
	r = worse(r, check_journal(sources, configuration->device_count, &configuration->journal));
	return worse(r, sections_check(sources, &section_exporters, plugins, &configuration->exporters,
				       &configuration->exporter_count));
}

int configuration_load(const char *path, const struct plugin_finder *plugins, struct configuration **ret)
{
	struct configuration *configuration = calloc(1, sizeof(*configuration));
	struct sources sources;
	int r = configuration ? sources_load(path, &sources) : -ENOMEM;

	if (r == 0) {
		r = check_all(&sources, plugins, configuration);
		sources_free(&sources);
	}
	if (r < 0) {
		configuration_free(configuration);
		return r == -ENOMEM ? bb_log_error(NULL, r, "%s: cannot read", path) : r;
	}
	*ret = configuration;
	return 0;
}

int configuration_load_agent(const char *path, struct bb_config **ret_agent)
{
	struct sources sources;
	int r = sources_load(path, &sources);

	if (r == 0) {
		r = check_agent(&sources, ret_agent);
		sources_free(&sources);
	}
	return r == -ENOMEM ? bb_log_error(NULL, r, "%s: cannot read", path) : r;
}

static void free_sections(struct configuration_section *sections, size_t count)
{
	for (size_t i = 0; i < count; i++)
		options_free(sections[i].config);
	free(sections);
}

void configuration_free(struct configuration *configuration)
{
	if (!configuration)
		return;
	options_free(configuration->agent);
	options_free(configuration->journal);
	free_sections(configuration->devices, configuration->device_count);
	free_sections(configuration->exporters, configuration->exporter_count);
	rule_set_unref(configuration->rules);
	free(configuration);
}

/* ---- a section from the command line ---- */

static bool is_list(const struct bb_plugin *plugin, const char *name, size_t length)
{
	for (const struct bb_option *option = plugin->options; option && option->name; option++)
		if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
			return option->type == BB_OPTION_LIST;
	return false;
}

/* Print a text as YAML in single quotes, in which only the quote itself is special. Errors show at fclose(). */
static void print_quoted(FILE *stream, const char *text, size_t length)
{
	(void)fputc('\'', stream);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\'')
			(void)fputc('\'', stream);
		(void)fputc(text[i], stream);
	}
	(void)fputc('\'', stream);
}

/* "key=value" as a line of YAML; the texts of a list are separated by commas in both. */
static int print_option(FILE *stream, const struct bb_plugin *plugin, const char *option)
{
	const char *equals = strchr(option, '=');
	size_t length;

	if (!equals || equals == option) {
		(void)bb_log_error(NULL, 0, "%s: must be written as OPTION=VALUE", option);
		return -EINVAL;
	}
	length = (size_t)(equals - option);
	print_quoted(stream, option, length);
	(void)fputs(": ", stream);
	if (is_list(plugin, option, length))
		(void)fprintf(stream, "[%s]", equals + 1);
	else
		print_quoted(stream, equals + 1, strlen(equals + 1));
	(void)fputc('\n', stream);
	return 0;
}

/* A document that comes from no file: its relative paths begin in the current folder, and nobody else can read it. */
static int parse_options(const struct bb_plugin *plugin, const char *const *options,
			 struct yaml_document **ret_document)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int r = 0;

	if (!stream)
		return -ENOMEM;
	(void)fprintf(stream, "plugin: %s\n", plugin->name);
	for (; *options && r == 0; options++)
		r = print_option(stream, plugin, *options);
	if (fclose(stream) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = yaml_parse(NULL, text, size, ret_document);
	free(text);
	return r;
}

int configuration_make_device(const struct bb_plugin *plugin, const char *name, const char *const *options,
			      struct configuration_section *ret_section)
{
	struct yaml_document *document;
	int r = parse_options(plugin, options, &document);

	if (r < 0)
		return r;
	document->folder = realpath(".", NULL); /* NULL: "." then, which means the same until somebody moves */
	r = section_check(&section_devices, name, document->root, plugin, ret_section);
	yaml_unload(document);
	return r;
}
