/* SPDX-License-Identifier: Apache-2.0
 *
 * alarms.c - rows of upsAlarmTable to alarm points.
 */
#include "alarms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* upsWellKnownAlarms, of which RFC 1628 has the first 24. */
#define ALARMS_WELL_KNOWN "1.3.6.1.2.1.33.1.6.3."
#define ALARMS_RFC_COUNT  24

void alarms_init(struct alarms *alarms)
{
	memset(alarms, 0, sizeof(*alarms));
	alarms->present = -1;
}

void alarms_finish(struct alarms *alarms)
{
	free(alarms->entries);
	alarms->entries = NULL;
	alarms->count = alarms->size = 0;
}

bool alarms_are_served(const struct alarms *alarms)
{
	return alarms->count > 0;
}

static struct alarms_entry *alarms_find(const struct alarms *alarms, const struct bb_alarm_type *type)
{
	for (size_t i = 0; i < alarms->count; i++)
		if (alarms->entries[i].type == type)
			return &alarms->entries[i];
	return NULL;
}

static int alarms_add(struct alarms *alarms, const struct bb_alarm_type *type, struct alarms_entry **ret_entry)
{
	if (alarms->count == alarms->size) {
		const size_t size = alarms->size ? alarms->size * 2 : ALARMS_RFC_COUNT + 2;
		struct alarms_entry *entries = realloc(alarms->entries, size * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		alarms->entries = entries;
		alarms->size = size;
	}
	*ret_entry = &alarms->entries[alarms->count++];
	**ret_entry = (struct alarms_entry){.type = type, .point = -1};
	alarms->grown = true;
	return 0;
}

int alarms_serve(struct alarms *alarms, const struct identity *identity)
{
	quirks_select(identity, "upsAlarmDescr", false, &alarms->quirks);
	for (unsigned i = 1; i <= ALARMS_RFC_COUNT; i++) {
		const struct bb_alarm_type *type;
		struct alarms_entry *entry;
		char oid[64];
		int r;

		(void)snprintf(oid, sizeof(oid), ALARMS_WELL_KNOWN "%u", i); /* fits: 21 characters and two digits */
		type = bb_alarm_type_find_oid(oid);
		if (!type || alarms_find(alarms, type))
			continue;
		r = alarms_add(alarms, type, &entry);
		if (r < 0)
			return r;
	}
	return 0;
}

void alarms_begin(struct alarms *alarms)
{
	alarms->rows = alarms->unknown = 0;
	alarms->complete = false;
	for (size_t i = 0; i < alarms->count; i++)
		alarms->entries[i].active = false;
}

static void alarms_note_unknown(struct alarms *alarms, const struct bb_snmp_variable *variable, const char *identity)
{
	if (alarms->unknown++ > 0)
		return;
	if (identity)
		(void)snprintf(alarms->unknown_name, sizeof(alarms->unknown_name), "%s", identity); /* may be cut */
	else
		(void)snprintf(alarms->unknown_name, sizeof(alarms->unknown_name), "%.*s",
			       variable->type == BB_SNMP_STRING ? (int)(variable->length < 80 ? variable->length : 80)
								: 0,
			       variable->type == BB_SNMP_STRING ? (const char *)variable->bytes : "");
}

int alarms_row(struct alarms *alarms, const struct bb_snmp_variable *variable)
{
	const struct bb_alarm_type *type;
	struct alarms_entry *entry;
	char identity[160];
	int r = decode_alarm(&alarms->quirks, variable, identity, sizeof(identity));

	alarms->rows++;
	if (r == -ENOENT)
		return 0;
	type = r < 0 ? NULL : bb_alarm_type_find_oid(identity);
	if (!type) {
		alarms_note_unknown(alarms, variable, r < 0 ? NULL : identity);
		return 0;
	}
	entry = alarms_find(alarms, type);
	if (!entry) {
		r = alarms_add(alarms, type, &entry);
		if (r < 0)
			return r;
	}
	entry->active = true;
	return 0;
}

int alarms_describe(struct alarms *alarms, struct bb_builder *builder)
{
	for (size_t i = 0; i < alarms->count; i++) {
		struct alarms_entry *entry = &alarms->entries[i];
		char point[96];

		(void)snprintf(point, sizeof(point), "alarm.%s", entry->type->name); /* names are shorter by far */
		entry->point = bb_builder_add(builder, point);
		if (entry->point < 0)
			return entry->point;
	}
	alarms->grown = false;
	return 0;
}

void alarms_fill(const struct alarms *alarms, struct bb_reading *reading)
{
	/* Rows may come and go between the two objects, so one more or less is no contradiction; none at all is. A
	 * table that cannot be read is empty when its count says so. */
	const bool contradiction = alarms->complete ? alarms->present > 0 && alarms->rows == 0 : alarms->present != 0;

	for (size_t i = 0; i < alarms->count; i++) {
		const struct alarms_entry *entry = &alarms->entries[i];

		if (entry->point < 0)
			continue;
		if (contradiction)
			bb_reading_set_quality(reading, (size_t)entry->point, BB_QUALITY_UNKNOWN);
		else
			(void)bb_reading_set(reading, (size_t)entry->point, entry->active); /* 0 or 1 always fits */
	}
}
