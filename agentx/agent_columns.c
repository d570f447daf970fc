/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_columns.c - see agent_columns.h. The numbers are those of mibs/BUSBAR-MIB.txt; a test compares them.
 */
#include "agent_columns.h"

#include <busbar/decimal.h>
#include <busbar/exporter.h>
#include <busbar/macros.h>

#include "agent_put.h"
#include "agent_value.h"

/* ---- the agent ---- */

#define AGENT_SCALAR(name, expression)                                                                                 \
	static bool agent_##name(struct agent_view *view, const struct agent_row *row, struct agent_value *value)      \
	{                                                                                                              \
		(void)row;                                                                                             \
		return expression;                                                                                     \
	}

AGENT_SCALAR(version, ((void)view, agent_put_text(value, bb_version())))
AGENT_SCALAR(devices, agent_put_gauge(value, view->devices->list->count))
AGENT_SCALAR(devices_up, agent_put_gauge(value, agent_view_totals(view)->up))
AGENT_SCALAR(alarms, agent_put_gauge(value, agent_view_totals(view)->active))
AGENT_SCALAR(polls, agent_put_counter(value, agent_view_totals(view)->polls))
AGENT_SCALAR(errors, agent_put_counter(value, agent_view_totals(view)->errors))
AGENT_SCALAR(bad_values, agent_put_counter(value, agent_view_totals(view)->bad_values))
AGENT_SCALAR(events, agent_put_counter(value, agent_view_figures(view)->events))
AGENT_SCALAR(requests, agent_put_counter(value, agent_view_figures(view)->requests))
AGENT_SCALAR(notifications, agent_put_counter(value, agent_view_figures(view)->notifications))
AGENT_SCALAR(connections, agent_put_counter(value, agent_view_figures(view)->connections))

static bool agent_uptime(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	(void)row;
	value->syntax = CODEC_TIME_TICKS;
	value->number = (uint32_t)((view->moment.now_ms - view->shared->started_ms) / 10); /* wraps, as TimeTicks do */
	return true;
}

/* ---- devices ---- */

static bool device_name(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, bb_device_name(agent_view_device(view, row->device)));
}

/* The text of the device's point @name. */
static bool put_text_point(struct agent_view *view, const struct agent_row *row, const char *name,
			   struct agent_value *value)
{
	const struct bb_snapshot *snapshot = agent_view_snapshot(view, row->device);
	const int index = snapshot->reading ? bb_reading_find(snapshot->reading, name) : -1;

	if (index < 0 || !agent_value_is_shown(snapshot, (size_t)index))
		return false;
	return agent_put_text(value, bb_reading_text(snapshot->reading, (size_t)index));
}

static bool device_manufacturer(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return put_text_point(view, row, "device.mfr", value);
}

static bool device_model(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return put_text_point(view, row, "device.model", value);
}

static bool device_serial(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return put_text_point(view, row, "device.serial", value);
}

static bool device_plugin(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, bb_device_plugin(agent_view_device(view, row->device)));
}

static bool device_state(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_integer(value, (int)agent_view_snapshot(view, row->device)->state + 1);
}

static bool device_age(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const int64_t age_ms = agent_view_snapshot(view, row->device)->age_ms;

	return age_ms >= 0 && agent_put_gauge(value, (uint64_t)age_ms / 1000);
}

static bool device_alarms(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_alarm_set *alarms = agent_view_snapshot(view, row->device)->alarms;

	return agent_put_gauge(value, alarms ? alarms->active : 0);
}

static bool device_worst(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_alarm_set *alarms = agent_view_snapshot(view, row->device)->alarms;
	enum bb_severity worst;

	if (!alarms || !bb_alarm_set_worst(alarms, &worst))
		return agent_put_integer(value, 0);
	return agent_put_severity(value, worst);
}

static bool device_points(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_reading *reading = agent_view_snapshot(view, row->device)->reading;

	return agent_put_gauge(value, reading ? bb_reading_count(reading) : 0);
}

static bool device_polls(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_counter(value, agent_view_stats(view, row->device)->polls);
}

static bool device_errors(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_counter(value, agent_view_stats(view, row->device)->errors);
}

static bool device_bad_values(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_counter(value, agent_view_stats(view, row->device)->bad_values);
}

/* ---- points ---- */

static const struct bb_reading *reading_of(struct agent_view *view, const struct agent_row *row)
{
	return agent_view_snapshot(view, row->device)->reading;
}

static const struct bb_point *point_of(struct agent_view *view, const struct agent_row *row)
{
	return bb_reading_point(reading_of(view, row), agent_rows_point(view, row));
}

static bool point_name(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, point_of(view, row)->name);
}

static bool point_text(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const size_t index = agent_rows_point(view, row);

	if (!agent_value_is_shown(agent_view_snapshot(view, row->device), index))
		return false;
	return agent_put_text(value,
			      agent_value_text(reading_of(view, row), index, value->buffer, sizeof(value->buffer)));
}

/* The number of a point whose value is shown. */
static bool number_of(struct agent_view *view, const struct agent_row *row, int64_t *ret_number)
{
	const size_t index = agent_rows_point(view, row);

	return agent_value_is_shown(agent_view_snapshot(view, row->device), index) &&
	       agent_value_number(reading_of(view, row), index, ret_number);
}

/* A number that does not fit is not there: a wrong one would be believed. */
static bool point_value(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	int64_t number;

	if (!number_of(view, row, &number) || number < INT32_MIN || number > INT32_MAX)
		return false;
	return agent_put_integer(value, (int)number);
}

static bool point_value64(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	int64_t number;

	return number_of(view, row, &number) && number >= 0 && agent_put_counter(value, (uint64_t)number);
}

static bool point_decimals(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_gauge(value, point_of(view, row)->decimals);
}

static bool point_unit(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, bb_unit_name(point_of(view, row)->unit));
}

static bool point_kind(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_integer(value, (int)point_of(view, row)->kind);
}

static bool point_quality(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_snapshot *snapshot = agent_view_snapshot(view, row->device);

	return agent_put_integer(value, (int)bb_snapshot_quality(snapshot, agent_rows_point(view, row)) + 1);
}

static bool point_writable(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_truth(value, point_of(view, row)->writable);
}

static bool point_derived(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_truth(value, bb_reading_is_derived(reading_of(view, row), agent_rows_point(view, row)));
}

static bool point_age(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_reading *reading = reading_of(view, row);
	const int64_t time_ms = bb_reading_time(reading, bb_reading_group(reading, agent_rows_point(view, row)));
	const int64_t age_ms = view->moment.now_ms - time_ms;

	return time_ms != 0 && agent_put_gauge(value, age_ms > 0 ? (uint64_t)age_ms / 1000 : 0);
}

/* ---- alarms ---- */

static const struct agent_alarm *alarm_row(const struct agent_view *view, const struct agent_row *row)
{
	return &view->alarms->rows[row->order];
}

static bool alarm_device(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, alarm_row(view, row)->device);
}

static bool alarm_name(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, alarm_row(view, row)->alarm->type->name);
}

static bool alarm_title(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_text(value, alarm_row(view, row)->alarm->type->title);
}

static bool alarm_severity(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_severity(value, alarm_row(view, row)->alarm->type->severity);
}

static bool alarm_since(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const int64_t since_ms = alarm_row(view, row)->alarm->since_wall_ms;

	return since_ms != 0 && agent_put_date(value, since_ms);
}

static bool alarm_identity(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const char *text = alarm_row(view, row)->alarm->type->oid;

	value->syntax = CODEC_OBJECT_IDENTIFIER;
	value->oid.length = 0; /* zeroDotZero: no MIB has one */
	return *text == '\0' || oid_parse(text, &value->oid) == 0;
}

static bool alarm_acknowledged(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	return agent_put_truth(value, alarm_row(view, row)->alarm->acknowledged);
}

static bool alarm_point(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_point *point = alarm_row(view, row)->alarm->point;

	return point && agent_put_text(value, point->name);
}

static bool alarm_value(struct agent_view *view, const struct agent_row *row, struct agent_value *value)
{
	const struct bb_alarm *alarm = alarm_row(view, row)->alarm;

	if (!alarm->point)
		return false;
	(void)bb_decimal_print(value->buffer, alarm->value, alarm->point->decimals);
	return agent_put_text(value, value->buffer);
}

_Static_assert(AGENT_TEXT_MAX >= BB_DECIMAL_SIZE, "numbers fit");
_Static_assert((int)BB_KIND_NUMBER == 1 && (int)BB_KIND_COMMAND == 9, "busbarPointKind has the core's numbers");
_Static_assert((int)BB_QUALITY_UNKNOWN == 0 && (int)BB_QUALITY_BAD == 4, "busbarPointQuality is one more");
_Static_assert((int)BB_DEVICE_UNKNOWN == 0 && (int)BB_DEVICE_LOST == 3, "busbarDeviceState is one more");

#define SCALAR(number, function)                                                                                       \
	{                                                                                                              \
		{1, 1, number}, 3, AGENT_SCALARS, function                                                             \
	}
#define DEVICE_COLUMN(number, function)                                                                                \
	{                                                                                                              \
		{1, 2, 1, number}, 4, AGENT_DEVICES, function                                                          \
	}
#define POINT_COLUMN(number, function)                                                                                 \
	{                                                                                                              \
		{1, 3, 1, number}, 4, AGENT_POINTS, function                                                           \
	}
#define ALARM_COLUMN(number, function)                                                                                 \
	{                                                                                                              \
		{1, 4, 1, number}, 4, AGENT_ALARMS, function                                                           \
	}

/* Column 1 of each table is its INDEX, which cannot be read. */
const struct agent_column agent_columns[] = {
	SCALAR(1, agent_version),
	SCALAR(2, agent_uptime),
	SCALAR(3, agent_devices),
	SCALAR(4, agent_devices_up),
	SCALAR(5, agent_alarms),
	SCALAR(6, agent_polls),
	SCALAR(7, agent_errors),
	SCALAR(8, agent_bad_values),
	SCALAR(9, agent_events),
	SCALAR(10, agent_requests),
	SCALAR(11, agent_notifications),
	SCALAR(12, agent_connections),
	DEVICE_COLUMN(2, device_name),
	DEVICE_COLUMN(3, device_manufacturer),
	DEVICE_COLUMN(4, device_model),
	DEVICE_COLUMN(5, device_serial),
	DEVICE_COLUMN(6, device_plugin),
	DEVICE_COLUMN(7, device_state),
	DEVICE_COLUMN(8, device_age),
	DEVICE_COLUMN(9, device_alarms),
	DEVICE_COLUMN(10, device_worst),
	DEVICE_COLUMN(11, device_points),
	DEVICE_COLUMN(12, device_polls),
	DEVICE_COLUMN(13, device_errors),
	DEVICE_COLUMN(14, device_bad_values),
	POINT_COLUMN(2, device_name),
	POINT_COLUMN(3, point_name),
	POINT_COLUMN(4, point_text),
	POINT_COLUMN(5, point_value),
	POINT_COLUMN(6, point_value64),
	POINT_COLUMN(7, point_decimals),
	POINT_COLUMN(8, point_unit),
	POINT_COLUMN(9, point_kind),
	POINT_COLUMN(10, point_quality),
	POINT_COLUMN(11, point_age),
	POINT_COLUMN(12, point_writable),
	POINT_COLUMN(13, point_derived),
	ALARM_COLUMN(2, alarm_device),
	ALARM_COLUMN(3, alarm_name),
	ALARM_COLUMN(4, alarm_title),
	ALARM_COLUMN(5, alarm_severity),
	ALARM_COLUMN(6, alarm_since),
	ALARM_COLUMN(7, alarm_identity),
	ALARM_COLUMN(8, alarm_acknowledged),
	ALARM_COLUMN(9, alarm_point),
	ALARM_COLUMN(10, alarm_value),
};
const size_t agent_column_count = BB_LENGTH(agent_columns);
