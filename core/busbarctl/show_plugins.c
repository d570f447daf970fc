/* SPDX-License-Identifier: Apache-2.0
 *
 * show_plugins.c - plugins, and what one of them can be told: the options come from the table that parses them.
 */
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "connection.h"
#include "format.h"
#include "json.h"
#include "table.h"

struct plugins {
	const struct ctl *ctl;
	struct json json;
	struct table *table;
	bool one, begun;
};

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

/* Without the closing brace: `plugin` adds the options. */
static void plugin_json(struct json *json, const Busbar__Plugin *plugin)
{
	json_key(json, "plugin");
	json_string(json, plugin->name);
	json_key(json, "kind");
	json_string(json, or_null(plugin->kind));
	json_key(json, "version");
	json_string(json, or_null(plugin->version));
	json_key(json, "summary");
	json_string(json, plugin->summary);
	json_key(json, "schemes");
	json_string(json, plugin->schemes);
	json_key(json, "file");
	json_string(json, plugin->file);
	json_key(json, "loaded");
	json_bool(json, plugin->error[0] == '\0');
	json_key(json, "error");
	json_string(json, or_null(plugin->error));
	json_key(json, "used");
	json_unsigned(json, plugin->used);
}

static void plugin_row(struct table *table, const Busbar__Plugin *plugin)
{
	const bool refused = plugin->error[0] != '\0';

	table_cell(table, STYLE_BOLD, plugin->name);
	table_cell(table, refused ? STYLE_RED : STYLE_PLAIN, refused ? "refused" : plugin->kind);
	table_cell(table, STYLE_PLAIN, or_dash(plugin->version));
	table_cell_format(table, STYLE_PLAIN, "%u", plugin->used);
	table_cell(table, refused ? STYLE_RED : STYLE_PLAIN, refused ? plugin->error : plugin->summary);
}

static const struct table_column plugin_columns[] = {
	{"PLUGIN", false}, {"KIND", false}, {"VERSION", false}, {"USED", true}, {"SUMMARY", false},
};

static int plugins_frame(void *context, const Busbar__Response *response)
{
	struct plugins *plugins = context;

	if (!plugins->begun && plugins->ctl->json)
		json_array(&plugins->json, true);
	else if (!plugins->begun)
		plugins->table = table_open(stdout, plugins->ctl->colour, plugin_columns, BB_LENGTH(plugin_columns));
	plugins->begun = true;
	for (size_t i = 0; i < response->n_plugins; i++) {
		if (plugins->ctl->json) {
			json_object(&plugins->json, false);
			plugin_json(&plugins->json, response->plugins[i]);
			json_end_object(&plugins->json);
		} else {
			plugin_row(plugins->table, response->plugins[i]);
		}
	}
	return CONNECTION_GO_ON;
}

int plugins_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__PluginsRequest message = BUSBAR__PLUGINS_REQUEST__INIT;
	struct plugins plugins = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	(void)argc; /* no arguments: the table of commands says so */
	(void)argv;
	request.command_case = BUSBAR__REQUEST__COMMAND_PLUGINS;
	request.plugins = &message;
	result = connection_ask(ctl, &request, false, plugins_frame, &plugins);
	table_close(plugins.table);
	if (result == CTL_FINE && ctl->json)
		json_end_array(&plugins.json);
	return result;
}

/* A bound: a number where it is one, else as it is written. */
static void bound_json(struct json *json, const char *key, const Busbar__Option *option, int64_t bound)
{
	char text[FORMAT_TIME_SIZE];

	json_key(json, key);
	if (!option->ranged)
		json_null(json);
	else if (strcmp(option->type, "int") == 0 || strcmp(option->type, "integer") == 0)
		json_integer(json, bound);
	else if (strcmp(option->type, "decimal") == 0)
		json_decimal(json, bound, 3);
	else
		json_string(json, format_option(text, option->type, bound));
}

static void option_json(struct json *json, const Busbar__Option *option)
{
	json_object(json, false);
	json_key(json, "name");
	json_string(json, option->name);
	json_key(json, "type");
	json_string(json, option->type);
	json_key(json, "default");
	json_string(json, or_null(option->preset));
	json_key(json, "required");
	json_bool(json, option->required);
	bound_json(json, "minimum", option, option->minimum);
	bound_json(json, "maximum", option, option->maximum);
	json_key(json, "choices");
	json_array(json, false);
	for (size_t i = 0; i < option->n_choices; i++)
		json_string(json, option->choices[i]);
	json_end_array(json);
	json_key(json, "common");
	json_bool(json, option->common);
	json_key(json, "help");
	json_string(json, option->help);
	json_end_object(json);
}

/* "1s to 1d", or the words there are. */
static void range_cell(struct table *table, const Busbar__Option *option)
{
	char minimum[FORMAT_TIME_SIZE], maximum[FORMAT_TIME_SIZE], words[512] = "";
	size_t used = 0;

	if (option->ranged) {
		table_cell_format(table, STYLE_PLAIN, "%s to %s", format_option(minimum, option->type, option->minimum),
				  format_option(maximum, option->type, option->maximum));
		return;
	}
	for (size_t i = 0; i < option->n_choices && used < sizeof(words); i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s", i > 0 ? " " : "",
					 option->choices[i]);
	table_cell(table, STYLE_PLAIN, or_dash(words));
}

static void option_row(struct table *table, const Busbar__Option *option)
{
	table_cell(table, option->common ? STYLE_PLAIN : STYLE_BOLD, option->name);
	table_cell(table, STYLE_PLAIN, option->type);
	table_cell(table, option->required ? STYLE_YELLOW : STYLE_PLAIN,
		   option->required ? "required" : or_dash(option->preset));
	range_cell(table, option);
	table_cell(table, STYLE_PLAIN, option->help);
}

static const struct table_column option_columns[] = {
	{"OPTION", false}, {"TYPE", false}, {"DEFAULT", false}, {"RANGE", false}, {"HELP", false},
};

static void plugin_heading(struct plugins *plugins, const Busbar__Plugin *plugin)
{
	const bool colour = plugins->ctl->colour;

	if (plugins->ctl->json) {
		json_object(&plugins->json, true);
		plugin_json(&plugins->json, plugin);
		json_key(&plugins->json, "options");
		json_array(&plugins->json, true);
		return;
	}
	(void)printf("%s%s%s: %s plugin, %s\n", style_begin(STYLE_BOLD, colour), plugin->name,
		     style_end(STYLE_BOLD, colour), plugin->kind, plugin->summary);
	(void)printf("version %s, %s\n", plugin->version, plugin->file);
	if (plugin->schemes[0] != '\0')
		(void)printf("addresses: %s\n", plugin->schemes);
	(void)putchar('\n');
	plugins->table = table_open(stdout, colour, option_columns, BB_LENGTH(option_columns));
}

static int plugin_frame(void *context, const Busbar__Response *response)
{
	struct plugins *plugins = context;

	if (response->n_plugins > 0 && !plugins->begun) {
		plugins->begun = true;
		plugin_heading(plugins, response->plugins[0]);
	}
	for (size_t i = 0; i < response->n_options && plugins->begun; i++) {
		if (plugins->ctl->json)
			option_json(&plugins->json, response->options[i]);
		else
			option_row(plugins->table, response->options[i]);
	}
	return CONNECTION_GO_ON;
}

int plugin_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__PluginsRequest message = BUSBAR__PLUGINS_REQUEST__INIT;
	struct plugins plugins = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	(void)argc; /* the table of commands says 1 */
	message.name = argv[0];
	request.command_case = BUSBAR__REQUEST__COMMAND_PLUGINS;
	request.plugins = &message;
	result = connection_ask(ctl, &request, false, plugin_frame, &plugins);
	table_close(plugins.table);
	if (result == CTL_FINE && plugins.begun && ctl->json) {
		json_end_array(&plugins.json);
		json_end_object(&plugins.json);
	}
	return result;
}
