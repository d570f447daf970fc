/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_rows.c - the rows of the alarm tables, see alarm_rows.h.
 *
 * An alarm that nobody was told of has no event, and so no number for its row: it is inhibited, or so new that the event
 * is still being written. An alarm without an identity in any MIB cannot be said here at all.
 */
#include "alarm_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* bacsWellKnownAlarms; all other identities are rows of upsAlarmTable. */
static const char alarm_bacs[] = "1.3.6.1.2.1.33.5.3.3.";

#define BRANCH_BACS 5

uint32_t alarm_row_id(uint64_t number)
{
	return (uint32_t)((number - 1) % INT32_MAX) + 1;
}

enum alarm_table alarm_table_of(const struct object *object)
{
	return object_branch(object) == BRANCH_BACS ? ALARM_TABLE_BACS : ALARM_TABLE_UPS;
}

bool alarm_table_of_identity(const char *oid, enum alarm_table *ret_table)
{
	if (oid[0] == '\0')
		return false;
	*ret_table = strncmp(oid, alarm_bacs, sizeof(alarm_bacs) - 1) == 0 ? ALARM_TABLE_BACS : ALARM_TABLE_UPS;
	return true;
}

static int alarm_rows_compare(const void *a, const void *b)
{
	const struct alarm_row *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

int alarm_rows_init(struct alarm_rows *rows, const struct bb_alarm_set *set)
{
	uint32_t count = 0;

	*rows = (struct alarm_rows){0};
	if (!set || set->active == 0)
		return 0;
	rows->rows = malloc(set->active * sizeof(*rows->rows));
	if (!rows->rows)
		return -ENOMEM;
	for (enum alarm_table table = ALARM_TABLE_UPS; table < ALARM_TABLES; table++) {
		for (size_t i = 0; i < set->count; i++) {
			const struct bb_alarm *alarm = &set->alarms[i];
			enum alarm_table its;

			if (!alarm->active || alarm->event == 0 || count == set->active ||
			    !alarm_table_of_identity(alarm->type->oid, &its) || its != table)
				continue;
			rows->rows[count++] = (struct alarm_row){alarm_row_id(alarm->event), alarm};
		}
		rows->first[table + 1] = count;
		qsort(rows->rows + rows->first[table], count - rows->first[table], sizeof(*rows->rows),
		      alarm_rows_compare);
	}
	return 0;
}

void alarm_rows_finish(struct alarm_rows *rows)
{
	free(rows->rows);
	*rows = (struct alarm_rows){0};
}

void alarm_row_put(const struct object *object, const struct alarm_row *row, const struct moment *moment,
		   struct codec_buffer *buffer)
{
	struct oid identity;

	switch (object->source) {
	case OBJECT_IDENTITY:
		if (oid_parse(row->alarm->type->oid, &identity) < 0) /* the table of alarms is ours */
			identity = (struct oid){.length = 2, .arcs = {0, 0}};
		codec_put_oid(buffer, &identity, false);
		return;
	case OBJECT_SINCE:
		codec_put_u32(buffer, row->alarm->since_ms == 0 ? 0 : moment_uptime(moment, row->alarm->since_ms));
		return;
	case OBJECT_NUMBER:
	default:
		object_put_number(object, row->id, buffer);
		return;
	}
}
