/* SPDX-License-Identifier: Apache-2.0
 *
 * show_alarms.c - alarms and events: what is wrong now, and what has happened.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "format.h"
#include "json.h"
#include "table.h"

/* One list that is either a table or an array, for both commands. */
struct list {
	const struct ctl *ctl;
	struct json json;
	struct table *table;
	bool begun, alarm;
	uint64_t count;
};

static enum style severity_style(Busbar__Severity severity)
{
	static const enum style styles[] = {STYLE_PLAIN, STYLE_BLUE, STYLE_YELLOW, STYLE_RED};

	return (size_t)severity < sizeof(styles) / sizeof(styles[0]) ? styles[(size_t)severity] : STYLE_PLAIN;
}

/* The agent itself has no name in the messages. */
static const char *device_or(const char *device, const char *otherwise)
{
	return device[0] != '\0' ? device : otherwise;
}

static void time_json(struct json *json, const char *key, int64_t wall_ms)
{
	char text[FORMAT_TIME_SIZE];

	json_key(json, key);
	json_string(json, wall_ms != 0 ? format_utc(text, wall_ms) : NULL);
}

static void alarm_json(struct json *json, const Busbar__Alarm *alarm)
{
	json_object(json, false);
	json_key(json, "device");
	json_string(json, device_or(alarm->device, NULL));
	json_key(json, "alarm");
	json_string(json, alarm->name);
	json_key(json, "title");
	json_string(json, alarm->title);
	json_key(json, "severity");
	json_string(json, format_severity(alarm->severity));
	json_key(json, "active");
	json_bool(json, alarm->active);
	time_json(json, "since", alarm->since_wall_ms);
	json_key(json, "event");
	if (alarm->event != 0)
		json_unsigned(json, alarm->event);
	else
		json_null(json);
	json_end_object(json);
}

static void alarm_row(struct table *table, const Busbar__Alarm *alarm)
{
	char since[FORMAT_TIME_SIZE];

	table_cell(table, STYLE_PLAIN, device_or(alarm->device, "(agent)"));
	table_cell(table, STYLE_BOLD, alarm->name);
	table_cell(table, alarm->active ? severity_style(alarm->severity) : STYLE_GREY,
		   format_severity(alarm->severity));
	table_cell(table, alarm->active ? STYLE_PLAIN : STYLE_GREY, alarm->active ? "active" : "-");
	table_cell(table, STYLE_PLAIN, alarm->since_wall_ms != 0 ? format_local(since, alarm->since_wall_ms) : "-");
	table_cell(table, STYLE_PLAIN, alarm->title);
}

static const struct table_column alarm_columns[] = {
	{"DEVICE", false}, {"ALARM", false}, {"SEVERITY", false},
	{"STATE", false},  {"SINCE", false}, {"MEANING", false},
};

static int alarms_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;

	if (!list->begun && list->ctl->json)
		json_array(&list->json, true);
	else if (!list->begun)
		list->table = table_open(stdout, list->ctl->colour, alarm_columns,
					 sizeof(alarm_columns) / sizeof(alarm_columns[0]));
	list->begun = true;
	for (size_t i = 0; i < response->n_alarms; i++) {
		const Busbar__Alarm *alarm = response->alarms[i];

		list->alarm |= alarm->active && alarm->severity == BUSBAR__SEVERITY__ALARM;
		if (list->ctl->json)
			alarm_json(&list->json, alarm);
		else
			alarm_row(list->table, alarm);
	}
	list->count += response->n_alarms;
	return CONNECTION_GO_ON;
}

int alarms_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__AlarmsRequest alarms = BUSBAR__ALARMS_REQUEST__INIT;
	struct list list = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	if (argc > 0)
		alarms.device = argv[0];
	alarms.all = ctl->all;
	request.command_case = BUSBAR__REQUEST__COMMAND_ALARMS;
	request.alarms = &alarms;
	result = connection_ask(ctl, &request, false, alarms_frame, &list);
	table_close(list.table);
	if (result != CTL_FINE)
		return result;
	if (ctl->json)
		json_end_array(&list.json);
	else if (list.count == 0)
		(void)printf("No alarm is active.\n");
	return list.alarm ? CTL_ALARM : CTL_FINE;
}

static void event_json(struct json *json, const Busbar__Event *event)
{
	json_object(json, false);
	json_key(json, "number");
	json_unsigned(json, event->number);
	time_json(json, "time", event->wall_ms);
	json_key(json, "event");
	json_string(json, event->kind);
	json_key(json, "severity");
	json_string(json, format_severity(event->severity));
	json_key(json, "device");
	json_string(json, device_or(event->device, NULL));
	json_key(json, "subject");
	json_string(json, event->subject);
	json_key(json, "value");
	json_string(json, event->value);
	json_key(json, "text");
	json_string(json, event->text);
	json_end_object(json);
}

static void event_row(struct table *table, const Busbar__Event *event)
{
	char when[FORMAT_TIME_SIZE];

	table_cell_format(table, STYLE_GREY, "%" PRIu64, event->number);
	table_cell(table, STYLE_PLAIN, format_local(when, event->wall_ms));
	table_cell(table, STYLE_BOLD, device_or(event->device, "(agent)"));
	table_cell(table, severity_style(event->severity), event->kind);
	table_cell(table, STYLE_PLAIN, event->subject[0] != '\0' ? event->subject : "-");
	table_cell(table, STYLE_PLAIN, event->text);
}

static const struct table_column event_columns[] = {
	{"NUMBER", true}, {"TIME", false}, {"DEVICE", false}, {"EVENT", false}, {"SUBJECT", false}, {"TEXT", false},
};

/* Events that are followed leave the table at once: each has to be seen when it happens. */
static int events_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;
	const struct ctl *ctl = list->ctl;
	bool enough = false;

	if (!list->begun && ctl->json && !ctl->follow)
		json_array(&list->json, true);
	if (!list->begun && !ctl->json)
		list->table = table_open(stdout, ctl->colour, event_columns,
					 sizeof(event_columns) / sizeof(event_columns[0]));
	list->begun = true;
	for (size_t i = 0; i < response->n_events && !enough; i++) {
		if (ctl->json)
			event_json(&list->json, response->events[i]);
		else
			event_row(list->table, response->events[i]);
		list->count++;
		enough = list->count == ctl->count;
	}
	if (ctl->follow && list->table != NULL)
		table_flush(list->table);
	/* Whoever reads a pipe wants the line now; when he has gone there is nothing left to do. */
	if (ctl->follow && fflush(stdout) != 0)
		enough = true;
	return enough ? CONNECTION_ENOUGH : CONNECTION_GO_ON;
}

int events_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__EventsRequest events = BUSBAR__EVENTS_REQUEST__INIT;
	struct list list = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	if (argc > 0)
		events.device = argv[0];
	events.since = ctl->since;
	events.newest = ctl->last < UINT32_MAX ? (uint32_t)ctl->last : UINT32_MAX;
	events.follow = ctl->follow;
	request.command_case = BUSBAR__REQUEST__COMMAND_EVENTS;
	request.events = &events;
	result = connection_ask(ctl, &request, ctl->follow, events_frame, &list);
	table_close(list.table);
	if (result == CTL_FINE && ctl->json && !ctl->follow)
		json_end_array(&list.json);
	return result;
}
