/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_rows.h - the rows of upsAlarmTable and bacsAlarmTable: active alarms that have an identity and an event.
 */
#ifndef AGENTX_ALARM_ROWS_H
#define AGENTX_ALARM_ROWS_H

#include <busbar/alarm.h>

#include "objects.h"

/** The two tables. */
enum alarm_table {
	ALARM_TABLE_UPS,
	ALARM_TABLE_BACS,
	ALARM_TABLES,
};

struct alarm_row {
	uint32_t id; /* upsAlarmId */
	const struct bb_alarm *alarm;
};

/** Those of a set that is kept for at least as long. */
struct alarm_rows {
	struct alarm_row *rows; /* of the one table, then of the other, each by id */
	uint32_t first[ALARM_TABLES + 1];
};

/** The rows of @set (NULL: none). 0 or -ENOMEM. */
int alarm_rows_init(struct alarm_rows *rows, const struct bb_alarm_set *set);
void alarm_rows_finish(struct alarm_rows *rows);

/** The table that an object of one of the alarm groups is about. */
enum alarm_table alarm_table_of(const struct object *object);

/** The table whose rows have that identity; false: none has. */
bool alarm_table_of_identity(const char *oid, enum alarm_table *ret_table);

/**
 * How managers know event @number: upsAlarmId, busbarAlarmId, busbarEventNumber. The number as far as PositiveInteger
 * goes, then from 1 again: an agent that could not note its numbers counts from the milliseconds since 1970.
 */
uint32_t alarm_row_id(uint64_t number);

/** Append what column @object says of @row. */
void alarm_row_put(const struct object *object, const struct alarm_row *row, const struct moment *moment,
		   struct codec_buffer *buffer);

#endif
