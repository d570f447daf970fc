/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_value.c - what came with the answers of a poll goes into its reading.
 */
#include "poll.h"

#include <string.h>

/* TimeTicks wrap after 497 days; a clock this close to the end may have. */
#define POLL_TICKS_WRAP (INT64_C(1) << 32)
#define POLL_WRAP_SLACK (INT64_C(60) * 60 * 100)

/* A restart shows as a clock that went back, unless it just went round. */
void poll_take_uptime(struct ups_snmp *ups, const struct bb_snmp_variable *variable)
{
	const struct decode_clock before = ups->clock;

	if (variable->type != BB_SNMP_TICKS && variable->type != BB_SNMP_UNSIGNED) {
		ups->clock.known = false;
		return;
	}
	decode_clock_set(&ups->clock, variable->number, bb_clock_wall_ms());
	if (before.known && variable->number < before.ticks && before.ticks < POLL_TICKS_WRAP - POLL_WRAP_SLACK)
		ups->restarted = true;
}

/* A text point: numbers and identifiers as text are fine as well. */
static void poll_set_text(struct bb_reading *reading, size_t point, const struct bb_snmp_variable *variable)
{
	char text[256];
	size_t length;

	switch (variable->type) {
	case BB_SNMP_STRING:
		(void)bb_reading_set_text(reading, point, (const char *)variable->bytes,
					  variable->length); /* without memory it is BAD, which is what can be done */
		return;
	case BB_SNMP_INTEGER:
	case BB_SNMP_UNSIGNED:
		if (variable->number == INT64_MAX) { /* a Counter64 that does not fit */
			bb_reading_set_quality(reading, point, BB_QUALITY_BAD);
			return;
		}
		length = bb_decimal_print(text, variable->number, 0);
		break;
	case BB_SNMP_OBJECT:
		length = (size_t)bb_snmp_oid_print(text, sizeof(text), &variable->object);
		if (length >= sizeof(text))
			length = sizeof(text) - 1;
		break;
	case BB_SNMP_NULL:
	case BB_SNMP_END:
		bb_reading_set_quality(reading, point, BB_QUALITY_UNSUPPORTED);
		return;
	case BB_SNMP_TICKS:
	default:
		bb_reading_set_quality(reading, point, BB_QUALITY_BAD);
		return;
	}
	(void)bb_reading_set_text(reading, point, text, length); /* as above */
}

static void poll_take_item(struct ups_snmp *ups, struct plan_item *item, const struct bb_snmp_variable *variable)
{
	struct bb_reading *reading = ups->poll->reading;
	enum bb_quality quality;
	int64_t value;

	item->seen = true;
	if (item->point < 0)
		return;
	if (item->kind == BB_KIND_STRING) {
		poll_set_text(reading, (size_t)item->point, variable);
		return;
	}
	quality = decode_number(&item->decoder, variable, &ups->clock, &value);
	if (quality != BB_QUALITY_GOOD) {
		bb_reading_set_quality(reading, (size_t)item->point, quality);
		return;
	}
	(void)bb_reading_set(reading, (size_t)item->point, value); /* a value that is no member becomes BAD by itself */
	if (item->decoder.object->id.arcs[1] == 6 && item->decoder.object->id.arcs[0] == 1)
		ups->alarms.present = value; /* upsAlarmsPresent is all that the group has but its table */
}

void poll_miss_item(struct ups_snmp *ups, struct plan_item *item)
{
	item->seen = true;
	ups->poll->changed = true;
	if (item->point >= 0)
		bb_reading_set_quality(ups->poll->reading, (size_t)item->point, BB_QUALITY_UNSUPPORTED);
}

bool poll_is_alarm_row(const struct suffix *suffix)
{
	return suffix->length > ups_snmp_alarm_column.length &&
	       memcmp(suffix->arcs, ups_snmp_alarm_column.arcs,
		      ups_snmp_alarm_column.length * sizeof(suffix->arcs[0])) == 0;
}

/* Is @suffix behind all rows of the alarm column? */
bool poll_is_behind_alarms(const struct suffix *suffix)
{
	return suffix_compare(suffix, &ups_snmp_alarm_column) > 0 && !poll_is_alarm_row(suffix);
}

/* A variable that answers to a name or lies on the way of a run. */
int poll_take(struct ups_snmp *ups, const struct bb_snmp_variable *variable, const struct suffix *suffix,
	      size_t *cursor)
{
	struct plan_item *item;
	enum instance instance;
	uint32_t row;

	if (poll_is_alarm_row(suffix)) {
		if (!alarms_are_served(&ups->alarms))
			ups->poll->changed = true;
		else
			return alarms_row(&ups->alarms, variable);
	}
	item = plan_find(&ups->plan, suffix, cursor);
	if (item)
		poll_take_item(ups, item, variable);
	else if (variable->type != BB_SNMP_NULL && object_find(suffix, &row, &instance) && instance == INSTANCE_PLAIN &&
		 row <= 3)
		ups->poll->changed = true; /* was not there when the device was learned */
	return 0;
}

/* Items up to @position (NULL: all) that were on the way of a run and did not come are not there any more. */
void poll_pass(struct ups_snmp *ups, const struct suffix *position)
{
	for (size_t i = ups->poll->index; i < ups->plan.count; i++) {
		struct plan_item *item = &ups->plan.items[i];

		if (position && suffix_compare(&item->name, position) > 0)
			break;
		if (!item->seen && !item->dropped)
			poll_miss_item(ups, item);
	}
}
