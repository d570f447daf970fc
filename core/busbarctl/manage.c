/* SPDX-License-Identifier: Apache-2.0
 *
 * manage.c - probe, reload and log-level: the commands that make busbard do something.
 */
#include <stdio.h>
#include <string.h>

#include "show_points.h"

/* Points, or the lines that say why there are none. */
static int probe_frame(void *context, const Busbar__Response *response)
{
	if (response->error == NULL)
		return point_list_frame(context, response);
	for (size_t i = 0; i < response->n_lines; i++)
		(void)ctl_fail(CTL_ALARM, "%s", response->lines[i]);
	return CONNECTION_GO_ON;
}

int probe_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__ProbeRequest probe = BUSBAR__PROBE_REQUEST__INIT;
	struct point_list list = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	for (int i = 1; i < argc; i++) {
		if (strchr(argv[i], '=') == NULL)
			return ctl_fail(CTL_USAGE, "an option is written KEY=VALUE, not '%s'", argv[i]);
	}
	probe.address = argv[0];
	probe.options = argv + 1;
	probe.n_options = (size_t)argc - 1;
	request.command_case = BUSBAR__REQUEST__COMMAND_PROBE;
	request.probe = &probe;
	result = connection_ask(ctl, &request, false, probe_frame, &list);
	if (result != CTL_NO_AGENT)
		point_list_end(&list);
	return result;
}

struct reload {
	const struct ctl *ctl;
	struct json json;
};

/* What is wrong, or, about a configuration that was taken, what is odd. */
static int reload_frame(void *context, const Busbar__Response *response)
{
	struct reload *reload = context;
	struct json *json = &reload->json;

	if (!reload->ctl->json) {
		for (size_t i = 0; i < response->n_lines; i++)
			(void)ctl_fail(CTL_FINE, "%s", response->lines[i]);
		if (response->error == NULL)
			(void)printf("The configuration is loaded.\n");
		return CONNECTION_GO_ON;
	}
	json_object(json, false);
	json_key(json, "loaded");
	json_bool(json, response->error == NULL);
	json_key(json, "messages");
	json_array(json, false);
	for (size_t i = 0; i < response->n_lines; i++)
		json_string(json, response->lines[i]);
	json_end_array(json);
	json_end_object(json);
	return CONNECTION_GO_ON;
}

int reload_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__ReloadRequest message = BUSBAR__RELOAD_REQUEST__INIT;
	struct reload reload = {.ctl = ctl, .json = {.out = stdout}};

	(void)argc; /* no arguments: the table of commands says so */
	(void)argv;
	request.command_case = BUSBAR__REQUEST__COMMAND_RELOAD;
	request.reload = &message;
	return connection_ask(ctl, &request, false, reload_frame, &reload);
}

static int log_level_frame(void *context, const Busbar__Response *response)
{
	const struct ctl *ctl = context;

	if (ctl->json) {
		struct json json = {.out = stdout};

		json_object(&json, false);
		json_key(&json, "log_level");
		json_string(&json, response->log_level);
		json_end_object(&json);
	} else {
		(void)printf("%s\n", response->log_level);
	}
	return CONNECTION_GO_ON;
}

int log_level_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__LogLevelRequest level = BUSBAR__LOG_LEVEL_REQUEST__INIT;

	if (argc > 0)
		level.level = argv[0];
	request.command_case = BUSBAR__REQUEST__COMMAND_LOG_LEVEL;
	request.log_level = &level;
	return connection_ask(ctl, &request, false, log_level_frame, ctl);
}
