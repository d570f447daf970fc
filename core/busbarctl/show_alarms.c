/* SPDX-License-Identifier: Apache-2.0
 *
 * show_alarms.c - alarms: what is wrong now, since when, and whether somebody knows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "connection.h"
#include "format.h"
#include "list.h"

static void time_json(struct json *json, const char *key, int64_t wall_ms)
{
	char text[FORMAT_TIME_SIZE];

	json_key(json, key);
	json_string(json, wall_ms != 0 ? format_utc(text, wall_ms) : NULL);
}

/* NULL for "", which means that there is none. */
static void text_json(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_string(json, text[0] != '\0' ? text : NULL);
}

static void alarm_json(struct json *json, const Busbar__Alarm *alarm)
{
	json_object(json, false);
	text_json(json, "device", alarm->device);
	json_key(json, "alarm");
	json_string(json, alarm->name);
	json_key(json, "title");
	json_string(json, alarm->title);
	json_key(json, "severity");
	json_string(json, format_severity(alarm->severity));
	json_key(json, "active");
	json_bool(json, alarm->active);
	json_key(json, "acknowledged");
	json_bool(json, alarm->acknowledged);
	time_json(json, "inhibited_until", alarm->inhibited_until_wall_ms);
	time_json(json, "since", alarm->since_wall_ms);
	json_key(json, "event");
	if (alarm->event != 0)
		json_unsigned(json, alarm->event);
	else
		json_null(json);
	text_json(json, "point", alarm->point);
	json_key(json, "value");
	if (alarm->valued)
		json_decimal(json, alarm->number, alarm->decimals);
	else
		json_null(json);
	json_key(json, "unit");
	json_string(json, alarm->unit);
	text_json(json, "text", alarm->text);
	json_end_object(json);
}

static const char *state_words(const Busbar__Alarm *alarm)
{
	if (alarm->inhibited_until_wall_ms != 0)
		return alarm->active ? "active, inhibited" : "inhibited";
	if (!alarm->active)
		return "-";
	return alarm->acknowledged ? "acknowledged" : "active";
}

static void alarm_row(struct table *table, const Busbar__Alarm *alarm)
{
	char when[FORMAT_TIME_SIZE];

	table_cell(table, STYLE_PLAIN, alarm->device[0] != '\0' ? alarm->device : "(agent)");
	table_cell(table, STYLE_BOLD, alarm->name);
	table_cell(table, alarm->active ? format_severity_style(alarm->severity) : STYLE_GREY,
		   format_severity(alarm->severity));
	table_cell(table, alarm->active && !alarm->acknowledged ? STYLE_PLAIN : STYLE_GREY, state_words(alarm));
	table_cell(table, STYLE_PLAIN, alarm->since_wall_ms != 0 ? format_local(when, alarm->since_wall_ms) : "-");
	if (alarm->valued)
		table_cell_format(table, STYLE_PLAIN, "%s%s%s", format_number(when, alarm->number, alarm->decimals),
				  alarm->unit[0] != '\0' ? " " : "", alarm->unit);
	else
		table_cell(table, STYLE_PLAIN, "-");
	if (alarm->event != 0)
		table_cell_format(table, STYLE_GREY, "%" PRIu64, alarm->event);
	else
		table_cell(table, STYLE_GREY, "-");
	if (alarm->inhibited_until_wall_ms != 0)
		table_cell_format(table, STYLE_PLAIN, "%s (inhibited until %s)", alarm->title,
				  format_local(when, alarm->inhibited_until_wall_ms));
	else
		table_cell(table, STYLE_PLAIN, alarm->title);
}

static const struct table_column alarm_columns[] = {
	{"DEVICE", false}, {"ALARM", false}, {"SEVERITY", false}, {"STATE", false},
	{"SINCE", false},  {"VALUE", true},  {"EVENT", true},     {"MEANING", false},
};
static const struct list_layout alarm_layout = {
	.columns = alarm_columns,
	.column_count = BB_LENGTH(alarm_columns),
};

static int alarms_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;

	list_begin(list);
	for (size_t i = 0; i < response->n_alarms; i++) {
		const Busbar__Alarm *alarm = response->alarms[i];

		list->alarm |= alarm->active && alarm->severity == BUSBAR__SEVERITY__ALARM;
		if (list->ctl->json)
			alarm_json(&list->json, alarm);
		else
			alarm_row(list->table, alarm);
		(void)list_row(list); /* the command has no --count */
	}
	return CONNECTION_GO_ON;
}

int alarms_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__AlarmsRequest alarms = BUSBAR__ALARMS_REQUEST__INIT;
	struct list list = {.ctl = ctl, .layout = &alarm_layout, .json = {.out = stdout}};
	int result;

	if (argc > 0)
		alarms.device = argv[0];
	alarms.all = ctl->all;
	request.command_case = BUSBAR__REQUEST__COMMAND_ALARMS;
	request.alarms = &alarms;
	result = connection_ask(ctl, &request, false, alarms_frame, &list);
	list_end(&list, result == CTL_FINE);
	if (result != CTL_FINE)
		return result;
	if (!ctl->json && list.count == 0)
		(void)printf("No alarm is active.\n");
	return list.alarm ? CTL_ALARM : CTL_FINE;
}
