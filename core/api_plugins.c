/* SPDX-License-Identifier: Apache-2.0
 *
 * api_plugins.c - answers what plugins there are, which were refused and why, and what options one has.
 *
 * Options come from the very tables that parse the configuration, so what is shown is what holds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/exporter.h>

#include "api_internal.h"
#include "loader.h"
#include "options.h"
#include "text.h"

#define OPTIONS_A_FRAME 16
#define CHOICES_MAX     32 /* of one option; what is beyond is not shown */

/* How many sections of the configuration name @plugin. */
static uint32_t count_uses(const struct configuration *configuration, const struct bb_plugin *plugin)
{
	uint32_t count = 0;

	for (size_t i = 0; i < configuration->device_count; i++)
		count += configuration->devices[i].plugin == plugin;
	for (size_t i = 0; i < configuration->exporter_count; i++)
		count += configuration->exporters[i].plugin == plugin;
	return count;
}

static void plugin_fill(Busbar__Plugin *row, const struct loader_entry *entry,
			const struct configuration *configuration)
{
	const struct bb_plugin *plugin = entry->plugin;
	const char *slash = strrchr(entry->file, '/');

	busbar__plugin__init(row);
	row->file = api_text(entry->file);
	row->error = api_text(entry->error);
	if (plugin == NULL) {
		row->name = api_text(slash != NULL ? slash + 1 : entry->file);
		return;
	}
	row->name = api_text(plugin->name);
	row->kind = api_text(plugin->kind == BB_PLUGIN_DEVICE ? "device" : "exporter");
	row->version = api_text(plugin->version != NULL ? plugin->version : bb_version());
	row->summary = api_text(plugin->summary);
	row->schemes = api_text(plugin->device.schemes);
	row->used = count_uses(configuration, plugin);
}

struct plugins_answer {
	struct api_answer answer;
	size_t next; /* entry of the loader, or, with @plugin, option of the table */
	const struct bb_plugin *plugin;
	bool common; /* in the table that all devices share */
};

/* Finds the plugin of that name and sends its row; its options follow. */
static int plugins_begin_one(struct plugins_answer *plugins, const char *name)
{
	struct api_client *client = plugins->answer.client;
	size_t count, name_count = 0;
	const struct loader_entry *entries = loader_entries(agent_loader(client->api->agent), &count);
	const char **names = calloc(count + 1, sizeof(*names));
	int r;

	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		Busbar__Response response = BUSBAR__RESPONSE__INIT;
		Busbar__Plugin row, *pointer = &row;

		if (entries[i].plugin == NULL)
			continue;
		names[name_count++] = entries[i].plugin->name;
		if (strcmp(entries[i].plugin->name, name) != 0)
			continue;
		free(names);
		plugin_fill(&row, &entries[i], agent_configuration(client->api->agent));
		response.protocol = API_PROTOCOL;
		response.plugins = &pointer;
		response.n_plugins = 1;
		plugins->plugin = entries[i].plugin;
		r = api_send(client, &response);
		return r < 0 ? r : API_MORE;
	}
	r = api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, bb_text_suggest(name, names), "no plugin '%s' is loaded",
		       name);
	free(names);
	return r;
}

static int plugins_begin(struct api_answer *answer, const Busbar__Request *request)
{
	if (request->plugins->name[0] != '\0')
		return plugins_begin_one((struct plugins_answer *)answer, request->plugins->name);
	return API_MORE;
}

static bool plugin_hides(const struct bb_plugin *plugin, const char *option)
{
	for (const struct bb_option *own = plugin->options; own != NULL && own->name != NULL; own++) {
		if (strcmp(own->name, option) == 0)
			return true;
	}
	return false;
}

/* The next option to show, NULL: that was the last. */
static const struct bb_option *plugins_next_option(struct plugins_answer *plugins)
{
	if (!plugins->common) {
		const struct bb_option *own = plugins->plugin->options;

		if (own != NULL && own[plugins->next].name != NULL)
			return &own[plugins->next++];
		if (plugins->plugin->kind != BB_PLUGIN_DEVICE)
			return NULL;
		plugins->common = true;
		plugins->next = 0;
	}
	while (configuration_device_options[plugins->next].name != NULL) {
		const struct bb_option *option = &configuration_device_options[plugins->next++];

		if (!plugin_hides(plugins->plugin, option->name))
			return option;
	}
	return NULL;
}

/* One option's row, with room for its choices; free() @words afterwards. */
struct option_row {
	Busbar__Option message;
	char *choices[CHOICES_MAX];
	char *words;
};

static int option_fill(struct option_row *row, const struct bb_option *option, bool common)
{
	Busbar__Option *message = &row->message;

	busbar__option__init(message);
	message->name = api_text(option->name);
	message->type = api_text(options_type_name(option->type));
	message->preset = api_text(option->preset);
	message->help = api_text(option->help);
	message->required = option->required;
	message->common = common;
	message->ranged = option->min < option->max;
	message->minimum = option->min;
	message->maximum = option->max;
	row->words = NULL;
	if (option->choices != NULL) {
		char *rest, *word;

		row->words = strdup(option->choices);
		if (row->words == NULL)
			return -ENOMEM;
		message->choices = row->choices;
		for (word = strtok_r(row->words, " ", &rest); word != NULL && message->n_choices < CHOICES_MAX;
		     word = strtok_r(NULL, " ", &rest))
			message->choices[message->n_choices++] = word;
	}
	return 0;
}

static int plugins_more_options(struct plugins_answer *plugins)
{
	struct option_row rows[OPTIONS_A_FRAME];
	Busbar__Option *pointers[OPTIONS_A_FRAME];
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	const struct bb_option *option;
	int r = 0;

	while (r == 0 && response.n_options < OPTIONS_A_FRAME && (option = plugins_next_option(plugins)) != NULL) {
		struct option_row *row = &rows[response.n_options];

		pointers[response.n_options++] = &row->message;
		r = option_fill(row, option, plugins->common);
	}
	response.options = pointers;
	response.protocol = API_PROTOCOL;
	response.last = response.n_options < OPTIONS_A_FRAME;
	if (r == 0)
		r = api_send(plugins->answer.client, &response);
	for (size_t i = 0; i < response.n_options; i++)
		free(rows[i].words);
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

static int plugins_more(struct api_answer *answer)
{
	struct plugins_answer *plugins = (struct plugins_answer *)answer;
	struct agent *agent = answer->client->api->agent;
	Busbar__Plugin rows[API_BATCH], *pointers[API_BATCH];
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	const struct loader_entry *entries;
	size_t count;
	int r;

	if (plugins->plugin != NULL)
		return plugins_more_options(plugins);
	entries = loader_entries(agent_loader(agent), &count);
	for (; plugins->next < count && response.n_plugins < API_BATCH; plugins->next++) {
		pointers[response.n_plugins] = &rows[response.n_plugins];
		plugin_fill(&rows[response.n_plugins++], &entries[plugins->next], agent_configuration(agent));
	}
	response.plugins = pointers;
	response.protocol = API_PROTOCOL;
	response.last = plugins->next == count;
	r = api_send(answer->client, &response);
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

const struct api_answer_type api_plugins = {
	.size = sizeof(struct plugins_answer),
	.begin = plugins_begin,
	.more = plugins_more,
};
