/* SPDX-License-Identifier: Apache-2.0
 *
 * show_status.c - status and version: how everything is, at one glance.
 *
 * The light of a device is decided by busbard. What is red ends with exit status 1, so that a script can ask.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "connection.h"
#include "format.h"
#include "json.h"
#include "table.h"
#include "text.h"

struct status {
	const struct ctl *ctl;
	struct json json;
	struct table *table;
	bool begun, alarm;
	char agent_line[512];
	char *own_alarms; /* lines about the agent's own alarms, which come before the devices and are shown after */
};

static const Busbar__Point *find_point(const Busbar__Device *device, const char *name)
{
	for (size_t i = 0; i < device->n_points; i++) {
		const Busbar__Point *point = device->points[i];

		if (strcmp(point->name, name) == 0 && point->known && !point->hidden)
			return point;
	}
	return NULL;
}

/* The line that carries most. */
static const Busbar__Point *find_load(const Busbar__Device *device)
{
	static const char *const lines[] = {"output.L1.load", "output.L2.load", "output.L3.load"};
	const Busbar__Point *most = NULL;

	for (size_t i = 0; i < BB_LENGTH(lines); i++) {
		const Busbar__Point *point = find_point(device, lines[i]);

		if (point != NULL && (most == NULL || point->number > most->number))
			most = point;
	}
	return most;
}

static void names_json(struct json *json, const char *key, char *const *names, size_t count)
{
	json_key(json, key);
	json_array(json, false);
	for (size_t i = 0; i < count; i++)
		json_string(json, names[i]);
	json_end_array(json);
}

static void number_json(struct json *json, const char *key, const Busbar__Point *point)
{
	json_key(json, key);
	if (point != NULL)
		json_decimal(json, point->number, point->decimals);
	else
		json_null(json);
}

static void severity_json(struct json *json, const char *key, Busbar__Severity severity)
{
	json_key(json, key);
	json_string(json, severity == BUSBAR__SEVERITY__NO_SEVERITY ? NULL : format_severity(severity));
}

/* The agent's own alarms are few and each is told with its reason, such as what the journal's trouble is. */
static void own_alarms_json(struct json *json, const Busbar__Agent *agent)
{
	char when[FORMAT_TIME_SIZE];

	json_key(json, "own_alarms");
	json_array(json, false);
	for (size_t i = 0; i < agent->n_active; i++) {
		const Busbar__Alarm *alarm = agent->active[i];

		json_object(json, false);
		json_key(json, "alarm");
		json_string(json, alarm->name);
		severity_json(json, "severity", alarm->severity);
		json_key(json, "acknowledged");
		json_bool(json, alarm->acknowledged);
		json_key(json, "since");
		json_string(json, alarm->since_wall_ms != 0 ? format_utc(when, alarm->since_wall_ms) : NULL);
		json_key(json, "text");
		json_string(json, alarm->text[0] != '\0' ? alarm->text : alarm->title);
		json_end_object(json);
	}
	json_end_array(json);
}

/* The same as lines; the caller frees them. NULL: there are none. */
static char *own_alarms_lines(const struct ctl *ctl, const Busbar__Agent *agent)
{
	char when[FORMAT_TIME_SIZE], clean[1024];
	char *lines = NULL;
	size_t size;
	FILE *out = agent->n_active > 0 ? open_memstream(&lines, &size) : NULL;

	if (out == NULL)
		return NULL; /* the last line names them in any case */
	for (size_t i = 0; i < agent->n_active; i++) {
		const Busbar__Alarm *alarm = agent->active[i];
		const char *text = alarm->text[0] != '\0' ? alarm->text : alarm->title;
		const enum style style = format_severity_style(alarm->severity);

		(void)bb_text_clean(clean, sizeof(clean), text, strlen(text));
		(void)fprintf(out, "busbard %s%s%s since %s%s: %s\n", style_begin(style, ctl->colour), alarm->name,
			      style_end(style, ctl->colour),
			      alarm->since_wall_ms != 0 ? format_local(when, alarm->since_wall_ms) : "its start",
			      alarm->acknowledged ? ", acknowledged" : "", clean);
	}
	(void)fclose(out);
	return lines;
}

static void agent_json(struct json *json, const Busbar__Agent *agent)
{
	json_key(json, "agent");
	json_object(json, false);
	json_key(json, "version");
	json_string(json, agent->version);
	json_key(json, "uptime");
	json_decimal(json, agent->uptime_ms, 3);
	json_key(json, "pid");
	json_unsigned(json, agent->pid);
	json_key(json, "plugins");
	json_unsigned(json, agent->plugins);
	json_key(json, "plugins_refused");
	json_unsigned(json, agent->plugins_refused);
	names_json(json, "exporters", agent->exporters, agent->n_exporters);
	json_key(json, "log_level");
	json_string(json, agent->log_level);
	json_key(json, "devices");
	json_unsigned(json, agent->devices);
	json_key(json, "alarms");
	json_unsigned(json, agent->n_alarms);
	names_json(json, "active_alarms", agent->alarms, agent->n_alarms);
	severity_json(json, "worst", agent->worst);
	own_alarms_json(json, agent);
	json_end_object(json);
}

static void device_json(struct json *json, const Busbar__Device *device)
{
	const Busbar__Point *tokens = find_point(device, "ups.status");

	json_object(json, false);
	json_key(json, "device");
	json_string(json, device->name);
	json_key(json, "state");
	json_string(json, device->state);
	json_key(json, "colour");
	json_string(json, format_light(device->light));
	json_key(json, "plugin");
	json_string(json, device->plugin);
	json_key(json, "address");
	json_string(json, device->address);
	json_key(json, "alarms");
	json_unsigned(json, device->n_alarms);
	names_json(json, "active_alarms", device->alarms, device->n_alarms);
	json_key(json, "open");
	json_unsigned(json, device->open);
	severity_json(json, "worst", device->worst);
	json_key(json, "age");
	if (device->age_ms >= 0)
		json_decimal(json, device->age_ms, 3);
	else
		json_null(json);
	json_key(json, "status");
	json_string(json, tokens != NULL ? tokens->text : NULL);
	number_json(json, "charge", find_point(device, "battery.charge"));
	number_json(json, "runtime", find_point(device, "battery.runtime"));
	number_json(json, "load", find_load(device));
	json_key(json, "polls");
	json_unsigned(json, device->polls);
	json_key(json, "errors");
	json_unsigned(json, device->errors);
	json_key(json, "poll_duration");
	json_decimal(json, device->last_poll_us, 6);
	json_end_object(json);
}

/* Appends to the agent's line; what does not fit is left out. */
static void agent_say(struct status *status, const char *separator, const char *text)
{
	const size_t used = strlen(status->agent_line);

	(void)snprintf(status->agent_line + used, sizeof(status->agent_line) - used, "%s%s", separator, text);
}

static void agent_line(struct status *status, const Busbar__Agent *agent)
{
	char span[FORMAT_TIME_SIZE], counts[128];

	agent_say(status, "busbard ", agent->version);
	agent_say(status, ", up ", format_span(span, agent->uptime_ms));
	(void)snprintf(counts, sizeof(counts), ", %u device%s, %u plugin%s", agent->devices,
		       agent->devices == 1 ? "" : "s", agent->plugins, agent->plugins == 1 ? "" : "s");
	agent_say(status, counts, "");
	if (agent->plugins_refused > 0) {
		(void)snprintf(counts, sizeof(counts), " (%u refused)", agent->plugins_refused);
		agent_say(status, counts, "");
	}
	for (size_t i = 0; i < agent->n_exporters; i++)
		agent_say(status, i == 0 ? ", exports to " : " ", agent->exporters[i]);
	for (size_t i = 0; i < agent->n_alarms; i++)
		agent_say(status, i == 0 ? ", alarms: " : " ", agent->alarms[i]);
}

static enum style light_style(Busbar__Device__Light light)
{
	static const enum style styles[] = {STYLE_GREY, STYLE_BLUE, STYLE_GREEN, STYLE_YELLOW, STYLE_RED};

	return (size_t)light < BB_LENGTH(styles) ? styles[(size_t)light] : STYLE_PLAIN;
}

static const char *state_words(const Busbar__Device *device)
{
	switch (device->light) {
	case BUSBAR__DEVICE__LIGHT__GREY:
		return "initialising";
	case BUSBAR__DEVICE__LIGHT__BLUE:
		return "never connected";
	case BUSBAR__DEVICE__LIGHT__GREEN:
		return "fine";
	case BUSBAR__DEVICE__LIGHT__YELLOW:
		return "warning";
	case BUSBAR__DEVICE__LIGHT__RED:
		return strcmp(device->state, "lost") == 0 ? "lost" : "alarm";
	default: /* of a newer agent */
		return device->state;
	}
}

static void number_cell(struct table *table, const Busbar__Point *point)
{
	char value[FORMAT_VALUE_SIZE];

	if (point == NULL)
		table_cell(table, STYLE_GREY, "-");
	else
		table_cell_format(table, STYLE_PLAIN, "%s%s", format_value(value, point), point->unit);
}

static void device_row(struct table *table, const Busbar__Device *device)
{
	const Busbar__Point *tokens = find_point(device, "ups.status");
	const Busbar__Point *runtime = find_point(device, "battery.runtime");
	char span[FORMAT_TIME_SIZE];

	table_cell(table, STYLE_BOLD, device->name);
	table_cell(table, light_style(device->light), state_words(device));
	table_cell(table, STYLE_PLAIN, tokens != NULL ? tokens->text : "-");
	number_cell(table, find_point(device, "battery.charge"));
	if (runtime != NULL && runtime->decimals == 0 && runtime->number < INT64_MAX / 1000)
		table_cell(table, STYLE_PLAIN, format_span(span, runtime->number * 1000));
	else
		number_cell(table, runtime);
	number_cell(table, find_load(device));
	table_cell_format(table, device->n_alarms > 0 ? light_style(device->light) : STYLE_PLAIN, "%zu",
			  device->n_alarms);
	table_cell_format(table, device->open > 0 ? light_style(device->light) : STYLE_PLAIN, "%u", device->open);
	table_cell(table, STYLE_PLAIN, format_span(span, device->age_ms));
	table_cell(table, STYLE_PLAIN, device->plugin);
	table_cell(table, STYLE_PLAIN, device->address[0] != '\0' ? device->address : "-");
}

static const struct table_column status_columns[] = {
	{"DEVICE", false}, {"STATE", false}, {"STATUS", false}, {"CHARGE", true},  {"RUNTIME", true},  {"LOAD", true},
	{"ALARMS", true},  {"OPEN", true},   {"AGE", true},     {"PLUGIN", false}, {"ADDRESS", false},
};

static void status_begin(struct status *status)
{
	status->begun = true;
	if (!status->ctl->json) {
		status->table = table_open(stdout, status->ctl->colour, status_columns, BB_LENGTH(status_columns));
		return;
	}
	json_object(&status->json, true);
}

static int status_frame(void *context, const Busbar__Response *response)
{
	struct status *status = context;

	if (!status->begun)
		status_begin(status);
	if (response->agent != NULL) {
		status->alarm |= response->agent->worst == BUSBAR__SEVERITY__ALARM;
		if (status->ctl->json) {
			agent_json(&status->json, response->agent);
			json_key(&status->json, "devices");
			json_array(&status->json, true);
		} else {
			agent_line(status, response->agent);
			status->own_alarms = own_alarms_lines(status->ctl, response->agent);
		}
	}
	for (size_t i = 0; i < response->n_devices; i++) {
		const Busbar__Device *device = response->devices[i];

		status->alarm |=
			device->light == BUSBAR__DEVICE__LIGHT__RED || device->worst == BUSBAR__SEVERITY__ALARM;
		if (status->ctl->json)
			device_json(&status->json, device);
		else
			device_row(status->table, device);
	}
	return CONNECTION_GO_ON;
}

int status_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__StatusRequest message = BUSBAR__STATUS_REQUEST__INIT;
	struct status status = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	(void)argc; /* no arguments: the table of commands says so */
	(void)argv;
	request.command_case = BUSBAR__REQUEST__COMMAND_STATUS;
	request.status = &message;
	result = connection_ask(ctl, &request, false, status_frame, &status);
	table_close(status.table);
	if (result == CTL_FINE && ctl->json) {
		json_end_array(&status.json);
		json_end_object(&status.json);
	} else if (result == CTL_FINE) {
		(void)printf("%s%s\n", status.own_alarms != NULL ? status.own_alarms : "", status.agent_line);
	}
	free(status.own_alarms);
	if (result != CTL_FINE)
		return result;
	return status.alarm ? CTL_ALARM : CTL_FINE;
}

/* Both programs' versions; busbarctl's own is there even when no agent is. */
static int version_frame(void *context, const Busbar__Response *response)
{
	char *agent = context;

	if (response->agent != NULL)
		(void)snprintf(agent, FORMAT_TIME_SIZE, "%s", response->agent->version);
	return CONNECTION_GO_ON;
}

int version_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__StatusRequest message = BUSBAR__STATUS_REQUEST__INIT;
	char agent[FORMAT_TIME_SIZE] = "";
	int result;

	(void)argc; /* no arguments: the table of commands says so */
	(void)argv;
	message.agent_only = true;
	request.command_case = BUSBAR__REQUEST__COMMAND_STATUS;
	request.status = &message;
	result = connection_ask(ctl, &request, false, version_frame, agent);
	if (ctl->json) {
		struct json json = {.out = stdout};

		json_object(&json, false);
		json_key(&json, "busbarctl");
		json_string(&json, BUSBAR_VERSION);
		json_key(&json, "busbard");
		json_string(&json, agent[0] != '\0' ? agent : NULL);
		json_end_object(&json);
	} else {
		(void)printf("busbarctl %s\n", BUSBAR_VERSION);
		if (agent[0] != '\0')
			(void)printf("busbard %s\n", agent);
	}
	return result;
}
