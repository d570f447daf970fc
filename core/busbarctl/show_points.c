/* SPDX-License-Identifier: Apache-2.0
 *
 * show_points.c - points, get and watch.
 *
 * A value that is too old to pass for the present one is never printed as a value: the table says what it was, JSON
 * has null, and `last` beside it.
 */
#include "show_points.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <busbar/macros.h>

#include "format.h"
#include "text.h"

static void value_json(struct json *json, const Busbar__Point *point)
{
	char buffer[FORMAT_VALUE_SIZE];

	switch (point->kind) {
	case BUSBAR__POINT__KIND__NUMBER:
	case BUSBAR__POINT__KIND__COUNTER:
		json_decimal(json, point->number, point->decimals);
		break;
	case BUSBAR__POINT__KIND__BOOL:
	case BUSBAR__POINT__KIND__ALARM_STATE:
		json_bool(json, point->number != 0);
		break;
	default:
		json_string(json, format_value(buffer, point));
	}
}

void point_json(struct json *json, const Busbar__Point *point)
{
	json_key(json, "device");
	json_string(json, point->device);
	json_key(json, "point");
	json_string(json, point->name);
	json_key(json, "value");
	if (point->known && !point->hidden)
		value_json(json, point);
	else
		json_null(json);
	if (point->known && point->hidden) {
		json_key(json, "last");
		value_json(json, point);
	}
	if (point->kind == BUSBAR__POINT__KIND__ENUM || point->kind == BUSBAR__POINT__KIND__FLAGS) {
		json_key(json, "raw");
		if (point->known)
			json_integer(json, point->number);
		else
			json_null(json);
	}
	json_key(json, "unit");
	json_string(json, point->unit);
	json_key(json, "quality");
	json_string(json, format_quality(point->quality));
	json_key(json, "age");
	if (point->age_ms >= 0)
		json_decimal(json, point->age_ms, 3);
	else
		json_null(json);
	if (point->derived) {
		json_key(json, "derived");
		json_bool(json, true);
	}
}

static enum style quality_style(Busbar__Point__Quality quality)
{
	switch (quality) {
	case BUSBAR__POINT__QUALITY__GOOD:
		return STYLE_PLAIN;
	case BUSBAR__POINT__QUALITY__STALE:
		return STYLE_YELLOW;
	case BUSBAR__POINT__QUALITY__BAD:
		return STYLE_RED;
	default:
		return STYLE_GREY;
	}
}

static enum style value_style(const Busbar__Point *point)
{
	if (point->kind == BUSBAR__POINT__KIND__ALARM_STATE && point->known && point->number != 0)
		return STYLE_RED;
	return point->quality == BUSBAR__POINT__QUALITY__GOOD ? STYLE_PLAIN : STYLE_GREY;
}

/* "good", "stale, was 97.0", and where the value comes from when not from the device. */
static void quality_text(char *buffer, size_t size, const Busbar__Point *point)
{
	char value[FORMAT_VALUE_SIZE];

	if (point->known && point->hidden)
		(void)snprintf(buffer, size, "%s, was %s", format_quality(point->quality), format_value(value, point));
	else
		(void)snprintf(buffer, size, "%s%s", format_quality(point->quality),
			       point->derived && point->known ? ", derived" : "");
}

static void point_row(struct table *table, const Busbar__Point *point)
{
	char value[FORMAT_VALUE_SIZE], quality[256], age[FORMAT_TIME_SIZE];
	const bool shown = point->known && !point->hidden;

	quality_text(quality, sizeof(quality), point);
	table_cell(table, STYLE_PLAIN, point->device);
	table_cell(table, STYLE_PLAIN, point->name);
	table_cell(table, value_style(point), shown ? format_value(value, point) : "-");
	table_cell(table, STYLE_PLAIN, point->unit);
	table_cell(table, quality_style(point->quality), quality);
	table_cell(table, STYLE_PLAIN, format_span(age, point->age_ms));
}

static const struct table_column point_columns[] = {
	{"DEVICE", false}, {"POINT", false}, {"VALUE", true}, {"UNIT", false}, {"QUALITY", false}, {"AGE", true},
};

int point_list_frame(void *context, const Busbar__Response *response)
{
	struct point_list *list = context;

	if (!list->begun) {
		if (list->ctl->json)
			json_array(&list->json, true);
		else
			list->table = table_open(stdout, list->ctl->colour, point_columns, BB_LENGTH(point_columns));
		list->begun = true;
	}
	for (size_t i = 0; i < response->n_points; i++) {
		if (list->ctl->json) {
			json_object(&list->json, false);
			point_json(&list->json, response->points[i]);
			json_end_object(&list->json);
		} else {
			point_row(list->table, response->points[i]);
		}
	}
	list->count += response->n_points;
	return CONNECTION_GO_ON;
}

void point_list_end(struct point_list *list)
{
	if (list->begun && list->ctl->json)
		json_end_array(&list->json);
	table_close(list->table);
}

/* [DEVICE] [GLOB]. A single argument that cannot be a device's name is a glob of points. */
static void take_device_and_glob(int argc, char **argv, Busbar__PointsRequest *request)
{
	if (argc == 1 && !text_is_device_name(argv[0]) && strpbrk(argv[0], ".*?[") != NULL) {
		request->point = argv[0];
		return;
	}
	if (argc > 0)
		request->device = argv[0];
	if (argc > 1)
		request->point = argv[1];
}

int points_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__PointsRequest points = BUSBAR__POINTS_REQUEST__INIT;
	struct point_list list = {.ctl = ctl, .json = {.out = stdout}};
	int result;

	take_device_and_glob(argc, argv, &points);
	request.command_case = BUSBAR__REQUEST__COMMAND_POINTS;
	request.points = &points;
	result = connection_ask(ctl, &request, false, point_list_frame, &list);
	if (result != CTL_NO_AGENT) /* else the array stays open: half a list must not look like a whole one */
		point_list_end(&list);
	if (result == CTL_FINE && list.count == 0 && argc > 0) {
		if (points.point[0] != '\0')
			return ctl_fail(CTL_ALARM, "no point fits '%s'", points.point);
		return ctl_fail(CTL_ALARM, "no points: '%s' has not answered yet", points.device);
	}
	return result;
}

struct get {
	const struct ctl *ctl;
	int result;
};

/* A value that is not there is said on stderr, so that `$(busbarctl get …)` is either a value or empty. */
static int get_frame(void *context, const Busbar__Response *response)
{
	struct get *get = context;
	char value[FORMAT_VALUE_SIZE], age[FORMAT_TIME_SIZE];

	for (size_t i = 0; i < response->n_points; i++) {
		const Busbar__Point *point = response->points[i];
		const bool shown = point->known && !point->hidden;

		if (get->ctl->json) {
			struct json json = {.out = stdout};

			json_object(&json, false);
			point_json(&json, point);
			json_end_object(&json);
		} else if (shown) {
			(void)printf("%s\n", format_value(value, point));
		}
		if (shown)
			get->result = CTL_FINE;
		else if (point->known)
			get->result =
				ctl_fail(CTL_ALARM, "%s of %s is stale: it was %s, %s ago", point->name, point->device,
					 format_value(value, point), format_span(age, point->age_ms));
		else
			get->result = ctl_fail(CTL_ALARM, "%s of %s has no value: its quality is %s", point->name,
					       point->device, format_quality(point->quality));
	}
	return CONNECTION_GO_ON;
}

int get_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__PointsRequest points = BUSBAR__POINTS_REQUEST__INIT;
	struct get get = {.ctl = ctl, .result = CTL_ALARM};
	int result;

	(void)argc; /* the table of commands says 2 */
	points.device = argv[0];
	points.point = argv[1];
	points.exact = true;
	request.command_case = BUSBAR__REQUEST__COMMAND_POINTS;
	request.points = &points;
	result = connection_ask(ctl, &request, false, get_frame, &get);
	return result == CTL_FINE ? get.result : result;
}

struct watch {
	const struct ctl *ctl;
	uint64_t shown;
	int device_width, point_width; /* of the widest so far */
};

static void watch_line(struct watch *watch, const Busbar__Point *point, int64_t wall_ms)
{
	char time_text[FORMAT_TIME_SIZE], value[FORMAT_VALUE_SIZE], quality[256];
	const bool colour = watch->ctl->colour;
	const bool shown = point->known && !point->hidden;
	const enum style style = value_style(point);

	if ((int)strlen(point->device) > watch->device_width)
		watch->device_width = (int)strlen(point->device);
	if ((int)strlen(point->name) > watch->point_width)
		watch->point_width = (int)strlen(point->name);
	quality_text(quality, sizeof(quality), point);
	(void)printf("%s  %-*s  %-*s  %s%s%s%s%s", format_local(time_text, wall_ms), watch->device_width, point->device,
		     watch->point_width, point->name, style_begin(style, colour),
		     shown ? format_value(value, point) : "-", style_end(style, colour),
		     shown && point->unit[0] != '\0' ? " " : "", shown ? point->unit : "");
	if (point->quality != BUSBAR__POINT__QUALITY__GOOD)
		(void)printf("  %s", quality);
	(void)putchar('\n');
}

/* One object a line: a list without an end cannot be an array. */
static void watch_json(const Busbar__Point *point, int64_t wall_ms)
{
	struct json json = {.out = stdout};
	char time_text[FORMAT_TIME_SIZE];

	json_object(&json, false);
	json_key(&json, "time");
	json_string(&json, format_utc(time_text, wall_ms));
	point_json(&json, point);
	json_end_object(&json);
}

static int watch_frame(void *context, const Busbar__Response *response)
{
	struct watch *watch = context;
	struct timespec now;
	int64_t wall_ms;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (size_t i = 0; i < response->n_points; i++) {
		if (watch->ctl->json)
			watch_json(response->points[i], wall_ms);
		else
			watch_line(watch, response->points[i], wall_ms);
		if (++watch->shown == watch->ctl->count)
			return CONNECTION_ENOUGH;
	}
	/* Whoever reads a pipe wants the line now; when he has gone there is nothing left to do. */
	return fflush(stdout) == 0 ? CONNECTION_GO_ON : CONNECTION_ENOUGH;
}

int watch_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__PointsRequest points = BUSBAR__POINTS_REQUEST__INIT;
	struct watch watch = {.ctl = ctl};

	take_device_and_glob(argc, argv, &points);
	points.watch = true;
	request.command_case = BUSBAR__REQUEST__COMMAND_POINTS;
	request.points = &points;
	return connection_ask(ctl, &request, true, watch_frame, &watch);
}
