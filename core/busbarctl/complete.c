/* SPDX-License-Identifier: Apache-2.0
 *
 * complete.c - the hidden command that shells ask when somebody presses the tabulator key: names, one a line.
 *
 * Nothing is ever said on stderr, and an agent that does not answer at once is left alone.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "regmap.h"

static int devices_frame(void *context, const Busbar__Response *response)
{
	(void)context; /* nothing to keep, here and below */
	for (size_t i = 0; i < response->n_devices; i++)
		(void)puts(response->devices[i]->name);
	return CONNECTION_GO_ON;
}

static int points_frame(void *context, const Busbar__Response *response)
{
	(void)context;
	for (size_t i = 0; i < response->n_points; i++)
		(void)puts(response->points[i]->name);
	return CONNECTION_GO_ON;
}

static int alarms_frame(void *context, const Busbar__Response *response)
{
	(void)context;
	for (size_t i = 0; i < response->n_alarms; i++)
		(void)puts(response->alarms[i]->name);
	return CONNECTION_GO_ON;
}

static int plugins_frame(void *context, const Busbar__Response *response)
{
	(void)context;
	for (size_t i = 0; i < response->n_plugins; i++) {
		if (response->plugins[i]->error[0] == '\0')
			(void)puts(response->plugins[i]->name);
	}
	return CONNECTION_GO_ON;
}

/* The addresses that a probe could begin with. */
static int schemes_frame(void *context, const Busbar__Response *response)
{
	(void)context;
	for (size_t i = 0; i < response->n_plugins; i++) {
		char *rest;

		for (const char *scheme = strtok_r(response->plugins[i]->schemes, " ", &rest); scheme != NULL;
		     scheme = strtok_r(NULL, " ", &rest))
			(void)printf("%s://\n", scheme);
	}
	return CONNECTION_GO_ON;
}

static int tests_frame(void *context, const Busbar__Response *response)
{
	(void)context;
	for (size_t i = 0; i < response->n_tests; i++)
		(void)puts(response->tests[i]->name);
	return CONNECTION_GO_ON;
}

static void commands_print(void)
{
	for (const struct command *command = commands; command->name != NULL; command++) {
		if (!command->hidden)
			(void)puts(command->name);
	}
}

/* Faults of files are nothing to tell somebody who is typing. */
static void ignore_fault(void *context, const char *file, unsigned line, const char *text)
{
	(void)context;
	(void)file;
	(void)line;
	(void)text;
}

static int maps_print(void)
{
	const struct regmap_listener listener = {.fault = ignore_fault};
	char shipped[PATH_MAX];
	const char *const directories[] = {shipped, BUSBAR_SYSCONFDIR "/maps.d", NULL};
	const char *id;

	if (regmap_default_directory(shipped, sizeof(shipped)) < 0 || regmap_open(directories, &listener) < 0)
		return CTL_ALARM;
	for (size_t i = 0; (id = bb_regmap_id(i)); i++)
		(void)puts(id);
	regmap_close();
	return CTL_FINE;
}

int complete_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__StatusRequest status = BUSBAR__STATUS_REQUEST__INIT;
	Busbar__PointsRequest points = BUSBAR__POINTS_REQUEST__INIT;
	Busbar__AlarmsRequest alarms = BUSBAR__ALARMS_REQUEST__INIT;
	Busbar__PluginsRequest plugins = BUSBAR__PLUGINS_REQUEST__INIT;
	Busbar__TestRequest tests = BUSBAR__TEST_REQUEST__INIT;
	const char *what = argv[0];

	ctl->quiet = true;
	if (strcmp(what, "commands") == 0) {
		commands_print();
		return CTL_FINE;
	}
	if (strcmp(what, "maps") == 0)
		return maps_print();
	if (strcmp(what, "devices") == 0) {
		request.command_case = BUSBAR__REQUEST__COMMAND_STATUS;
		request.status = &status;
		return connection_ask(ctl, &request, false, devices_frame, NULL);
	}
	if (strcmp(what, "points") == 0) {
		if (argc > 1)
			points.device = argv[1];
		request.command_case = BUSBAR__REQUEST__COMMAND_POINTS;
		request.points = &points;
		return connection_ask(ctl, &request, false, points_frame, NULL);
	}
	if (strcmp(what, "alarms") == 0) {
		if (argc > 1)
			alarms.device = argv[1];
		alarms.all = true;
		request.command_case = BUSBAR__REQUEST__COMMAND_ALARMS;
		request.alarms = &alarms;
		return connection_ask(ctl, &request, false, alarms_frame, NULL);
	}
	if (strcmp(what, "tests") == 0) {
		tests.list = true;
		request.command_case = BUSBAR__REQUEST__COMMAND_TEST;
		request.test = &tests;
		return connection_ask(ctl, &request, false, tests_frame, NULL);
	}
	request.command_case = BUSBAR__REQUEST__COMMAND_PLUGINS;
	request.plugins = &plugins;
	if (strcmp(what, "plugins") == 0)
		return connection_ask(ctl, &request, false, plugins_frame, NULL);
	if (strcmp(what, "schemes") == 0)
		return connection_ask(ctl, &request, false, schemes_frame, NULL);
	return CTL_USAGE;
}
