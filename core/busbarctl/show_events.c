/* SPDX-License-Identifier: Apache-2.0
 *
 * show_events.c - events and the data log: what has happened, and what was measured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "connection.h"
#include "format.h"
#include "list.h"

static void event_json(struct json *json, const Busbar__Event *event)
{
	char text[FORMAT_TIME_SIZE];

	json_object(json, false);
	json_key(json, "number");
	json_unsigned(json, event->number);
	json_key(json, "time");
	json_string(json, format_utc(text, event->wall_ms));
	json_key(json, "event");
	json_string(json, event->kind);
	json_key(json, "severity");
	json_string(json, format_severity(event->severity));
	json_key(json, "device");
	json_string(json, event->device[0] != '\0' ? event->device : NULL);
	json_key(json, "subject");
	json_string(json, event->subject);
	json_key(json, "point");
	json_string(json, event->point);
	json_key(json, "value");
	json_string(json, event->value);
	json_key(json, "unit");
	json_string(json, event->unit);
	json_key(json, "source");
	json_string(json, event->source);
	json_key(json, "text");
	json_string(json, event->text);
	json_key(json, "raised");
	if (event->raised != 0)
		json_unsigned(json, event->raised);
	else
		json_null(json);
	json_end_object(json);
}

static void event_csv(struct csv *csv, const Busbar__Event *event)
{
	char text[FORMAT_TIME_SIZE];

	csv_unsigned(csv, event->number);
	csv_text(csv, format_utc(text, event->wall_ms));
	csv_text(csv, event->kind);
	csv_text(csv, format_severity(event->severity));
	csv_text(csv, event->device);
	csv_text(csv, event->subject);
	csv_text(csv, event->point);
	csv_text(csv, event->value);
	csv_text(csv, event->unit);
	csv_text(csv, event->source);
	csv_text(csv, event->text);
	if (event->raised != 0)
		csv_unsigned(csv, event->raised);
	else
		csv_text(csv, "");
	csv_end(csv);
}

static void event_row(struct table *table, const Busbar__Event *event)
{
	char when[FORMAT_TIME_SIZE];

	table_cell_format(table, STYLE_GREY, "%" PRIu64, event->number);
	table_cell(table, STYLE_PLAIN, format_local(when, event->wall_ms));
	table_cell(table, STYLE_BOLD, event->device[0] != '\0' ? event->device : "(agent)");
	table_cell(table, format_severity_style(event->severity), event->kind);
	table_cell(table, STYLE_PLAIN, event->subject[0] != '\0' ? event->subject : "-");
	table_cell_format(table, STYLE_PLAIN, "%s%s%s", event->value[0] != '\0' ? event->value : "-",
			  event->unit[0] != '\0' ? " " : "", event->unit);
	if (event->source[0] != '\0')
		table_cell_format(table, STYLE_PLAIN, "%s (%s)", event->text, event->source);
	else
		table_cell(table, STYLE_PLAIN, event->text);
}

static const struct table_column event_columns[] = {
	{"NUMBER", true},   {"TIME", false}, {"DEVICE", false}, {"EVENT", false},
	{"SUBJECT", false}, {"VALUE", true}, {"TEXT", false},
};
static const char *const event_names[] = {
	"number", "time",  "event", "severity", "device", "subject",
	"point",  "value", "unit",  "source",   "text",   "raised",
};
static const struct list_layout event_layout = {
	.columns = event_columns,
	.column_count = BB_LENGTH(event_columns),
	.names = event_names,
	.name_count = BB_LENGTH(event_names),
};

static int events_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;
	bool more = true;

	list_begin(list);
	for (size_t i = 0; i < response->n_events && more; i++) {
		if (list->ctl->csv)
			event_csv(&list->csv, response->events[i]);
		else if (list->ctl->json)
			event_json(&list->json, response->events[i]);
		else
			event_row(list->table, response->events[i]);
		more = list_row(list);
	}
	return list_show(list) && more ? CONNECTION_GO_ON : CONNECTION_ENOUGH;
}

int events_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__EventsRequest events = BUSBAR__EVENTS_REQUEST__INIT;
	struct list list = {.ctl = ctl, .layout = &event_layout, .json = {.out = stdout}, .csv = {.out = stdout}};
	int result;

	if (argc > 0 && ctl->device != NULL)
		return ctl_fail(CTL_USAGE, "say the device once: '%s' or --device '%s'", argv[0], ctl->device);
	if (argc > 0)
		events.device = argv[0];
	else if (ctl->device != NULL)
		events.device = (char *)ctl->device; /* nobody writes to a message that is only packed */
	events.since = ctl->since;
	events.since_wall_ms = ctl->since_wall_ms;
	events.newest = ctl->last < UINT32_MAX ? (uint32_t)ctl->last : UINT32_MAX;
	events.follow = ctl->follow;
	request.command_case = BUSBAR__REQUEST__COMMAND_EVENTS;
	request.events = &events;
	result = connection_ask(ctl, &request, ctl->follow, events_frame, &list);
	list_end(&list, result == CTL_FINE);
	return result;
}

static void sample_json(struct json *json, const Busbar__Sample *sample)
{
	char text[FORMAT_TIME_SIZE];

	json_object(json, false);
	json_key(json, "time");
	json_string(json, format_utc(text, sample->wall_ms));
	json_key(json, "device");
	json_string(json, sample->device);
	json_key(json, "point");
	json_string(json, sample->point);
	json_key(json, "value");
	json_decimal(json, sample->number, sample->decimals);
	json_key(json, "unit");
	json_string(json, sample->unit);
	json_end_object(json);
}

static void sample_csv(struct csv *csv, const Busbar__Sample *sample)
{
	char text[FORMAT_TIME_SIZE];

	csv_text(csv, format_utc(text, sample->wall_ms));
	csv_text(csv, sample->device);
	csv_text(csv, sample->point);
	csv_decimal(csv, sample->number, sample->decimals);
	csv_text(csv, sample->unit);
	csv_end(csv);
}

static void sample_row(struct table *table, const Busbar__Sample *sample)
{
	char text[FORMAT_TIME_SIZE];

	table_cell(table, STYLE_PLAIN, format_local(text, sample->wall_ms));
	table_cell(table, STYLE_BOLD, sample->device);
	table_cell(table, STYLE_PLAIN, sample->point);
	table_cell(table, STYLE_PLAIN, format_number(text, sample->number, sample->decimals));
	table_cell(table, STYLE_PLAIN, sample->unit);
}

static const struct table_column sample_columns[] = {
	{"TIME", false}, {"DEVICE", false}, {"POINT", false}, {"VALUE", true}, {"UNIT", false},
};
static const char *const sample_names[] = {"time", "device", "point", "value", "unit"};
static const struct list_layout sample_layout = {
	.columns = sample_columns,
	.column_count = BB_LENGTH(sample_columns),
	.names = sample_names,
	.name_count = BB_LENGTH(sample_names),
};

static int log_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;
	bool more = true;

	list_begin(list);
	for (size_t i = 0; i < response->n_samples && more; i++) {
		if (list->ctl->csv)
			sample_csv(&list->csv, response->samples[i]);
		else if (list->ctl->json)
			sample_json(&list->json, response->samples[i]);
		else
			sample_row(list->table, response->samples[i]);
		more = list_row(list);
	}
	return more ? CONNECTION_GO_ON : CONNECTION_ENOUGH;
}

int log_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__LogRequest log = BUSBAR__LOG_REQUEST__INIT;
	struct list list = {.ctl = ctl, .layout = &sample_layout, .json = {.out = stdout}, .csv = {.out = stdout}};
	int result;

	if (ctl->since != 0)
		return ctl_fail(CTL_USAGE, "--since wants a time or a duration here: values have no numbers");
	log.points = argv;
	log.n_points = (size_t)argc;
	if (ctl->device != NULL)
		log.device = (char *)ctl->device; /* nobody writes to a message that is only packed */
	log.since_wall_ms = ctl->since_wall_ms;
	request.command_case = BUSBAR__REQUEST__COMMAND_LOG;
	request.log = &log;
	result = connection_ask(ctl, &request, false, log_frame, &list);
	list_end(&list, result == CTL_FINE);
	if (result == CTL_FINE && list.count == 0 && !ctl->json && !ctl->csv)
		(void)printf("The data log has nothing of that.\n");
	return result;
}
