/* SPDX-License-Identifier: Apache-2.0
 *
 * Drafts: from the points a plugin names to descriptors.
 *
 * A plugin says mostly names; draft_add() finds what the dictionary knows about each. Points that look like their row
 * of the dictionary are references to it. The others are made one by one: instances of patterns, points with labels
 * or a unit of their own, and those the dictionary does not know.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/text.h>

#include "dictionary.h"
#include "draft.h"
#include "generation.h"

/* Names longer than this are no names of points: they have to fit into log lines and label text. */
#define NAME_MAX_LENGTH 127
#define LABELS_MAX      1024

/* The family of points that only one make of device has. */
static const char vendor_metric[] = "busbar_vendor_value";

/* ---- the list ---- */

const struct bb_point *draft_point(const struct draft *draft, size_t index)
{
	const struct draft_point *point = &draft->points[index];

	return point->own ? point->own : point->row;
}

/* The slot of @name in the hash: the one that holds it, or the empty one where it belongs. */
static size_t draft_slot(const struct draft *draft, const char *name)
{
	size_t slot = bb_text_hash(name, strlen(name)) & (draft->hash_room - 1);

	while (draft->hash[slot] != 0 && strcmp(draft_point(draft, draft->hash[slot] - 1)->name, name) != 0)
		slot = (slot + 1) & (draft->hash_room - 1);
	return slot;
}

int draft_find(const struct draft *draft, const char *name)
{
	uint32_t place;

	if (draft->hash_room == 0)
		return -ENOENT;
	place = draft->hash[draft_slot(draft, name)];
	return place != 0 ? (int)place - 1 : -ENOENT;
}

/* Room for one point more; the hash is kept at most half full. */
static int draft_grow(struct draft *draft)
{
	const size_t room = draft->room ? draft->room * 2 : 64;
	struct draft_point *points;
	uint32_t *hash;

	if (draft->count < draft->room)
		return 0;
	points = reallocarray(draft->points, room, sizeof(*points));
	if (!points)
		return -ENOMEM;
	draft->points = points;
	hash = calloc(room * 2, sizeof(*hash));
	if (!hash)
		return -ENOMEM;
	free(draft->hash);
	draft->hash = hash;
	draft->hash_room = room * 2;
	draft->room = room;
	for (size_t i = 0; i < draft->count; i++)
		hash[draft_slot(draft, draft_point(draft, i)->name)] = (uint32_t)i + 1;
	return 0;
}

static int draft_append(struct draft *draft, struct draft_point point)
{
	const char *name = (point.own ? point.own : point.row)->name;
	int r = draft_grow(draft);

	if (r < 0)
		return r;
	draft->points[draft->count++] = point;
	draft->hash[draft_slot(draft, name)] = (uint32_t)draft->count;
	return 0;
}

int draft_init(struct draft *draft, const struct bb_log *log, const struct generation *base)
{
	draft->log = log;
	for (size_t i = 0; base && i < base->delivered; i++) {
		int r = draft_append(draft, (struct draft_point){.row = base->points[i]});

		if (r < 0)
			return r;
	}
	return 0;
}

void draft_finish(struct draft *draft)
{
	for (size_t i = 0; i < draft->count; i++)
		free(draft->points[i].own);
	free(draft->points);
	free(draft->hash);
	*draft = (struct draft){0};
}

/* ---- from what a plugin says to a descriptor ---- */

/* Parts of letters, digits, '-' and '_', with dots between them. */
static bool name_is_valid(const char *name)
{
	size_t length = 0;
	char before = '.';

	for (; name[length] != '\0'; length++) {
		const char c = name[length];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				    c == '-' || c == '_';

		if (length >= NAME_MAX_LENGTH || (!letter && (c != '.' || before == '.')))
			return false;
		before = c;
	}
	return before != '.';
}

/* Label text of a pattern with its parts put in; what a name may consist of needs no escaping. */
static size_t expand_labels(char *buffer, const struct dictionary_match *match)
{
	size_t used = 0;

	for (const char *c = match->labels; *c != '\0'; c++) {
		if (*c != '<') {
			buffer[used++] = *c;
			continue;
		}
		const size_t part = (size_t)(c[1] - '1');

		memcpy(buffer + used, match->parts[part].text, match->parts[part].length);
		used += match->parts[part].length;
		c += 2;
	}
	buffer[used] = '\0';
	return used;
}

/* Sensors are alike but for their unit, and the family says the unit. */
static const char *sensor_metric(enum bb_unit unit)
{
	switch (unit) {
	case BB_CELSIUS:
		return "busbar_sensor_celsius";
	case BB_PERCENT:
		return "busbar_sensor_humidity_ratio";
	case BB_VOLT:
		return "busbar_sensor_volts";
	case BB_AMPERE:
		return "busbar_sensor_amperes";
	default:
		return "busbar_sensor_value";
	}
}

/* What the plugin says of a point that no row describes to the end. */
static void describe_by_spec(struct bb_point *point, const struct bb_point_spec *spec)
{
	if (spec->kind != BB_KIND_UNSET)
		point->kind = spec->kind;
	point->unit = spec->unit;
	point->decimals = spec->decimals;
	point->writable = spec->writable;
	point->members = spec->members;
	point->member_count = spec->member_count;
	if (spec->help)
		point->help = spec->help;
}

/* A module of a modular device has the points of a whole one: module.3.output.L1.voltage. */
static void describe_by_row(struct bb_point *point, const struct bb_point *row)
{
	point->class = row->class;
	point->help = row->help;
	point->kind = row->kind;
	point->unit = row->unit;
	point->decimals = row->decimals;
	point->keep = row->keep;
	point->members = row->members;
	point->member_count = row->member_count;
}

static void describe_open(struct bb_point *point, const struct bb_point_spec *spec,
			  const struct dictionary_match *match)
{
	const bool module = strncmp(spec->name, "module.", strlen("module.")) == 0;
	const struct bb_point *inner = module ? bb_dictionary_find(match->parts[1].text) : NULL;

	if (inner && inner->kind != BB_KIND_ALARM && spec->kind == BB_KIND_UNSET)
		describe_by_row(point, inner);
	else
		describe_by_spec(point, spec);
}

/* A name that the dictionary does not know. */
static void describe_unknown(struct bb_point *point, const struct bb_point_spec *spec, struct bb_alarm_type *alarm)
{
	point->class = "vendor";
	point->help = "";
	point->kind = BB_KIND_NUMBER;
	describe_by_spec(point, spec);
	if (strncmp(spec->name, ALARM_PREFIX, strlen(ALARM_PREFIX)) == 0) {
		point->kind = BB_KIND_ALARM;
		point->urgent = point->keep = true;
		point->metric = "busbar_alarm_active";
		*alarm = (struct bb_alarm_type){.title = spec->help ? spec->help : point->name,
						.oid = "",
						.severity = BB_SEVERITY_WARNING,
						.bit = -1};
		point->alarm = alarm;
	} else {
		point->metric = vendor_metric;
	}
}

/* Texts, timestamps and commands are no numbers to plot; a text stays visible when the device is silent. */
static void settle_by_kind(struct bb_point *point)
{
	const bool number =
		point->kind == BB_KIND_NUMBER || point->kind == BB_KIND_COUNTER || point->kind == BB_KIND_BOOL;

	if (point->metric && strcmp(point->metric, vendor_metric) == 0 && !number)
		point->metric = NULL;
	if (point->kind == BB_KIND_STRING)
		point->keep = true;
}

static struct own_point *own_create(const char *name, const char *labels)
{
	const size_t name_size = strlen(name) + 1, labels_size = strlen(labels) + 1;
	struct own_point *own = calloc(1, sizeof(*own) + name_size + labels_size);

	if (!own)
		return NULL;
	memcpy(own->texts, name, name_size);
	memcpy(own->texts + name_size, labels, labels_size);
	own->point.name = own->texts;
	own->point.labels = own->texts + name_size;
	return own;
}

void own_copy(struct own_point *own, const struct bb_point *from)
{
	const char *name = own->point.name, *labels = own->point.labels;

	own->point = *from;
	own->point.name = name;
	own->point.labels = labels;
	if (from->alarm && bb_alarm_type_find(from->alarm->name) != from->alarm) {
		own->alarm = *from->alarm;
		own->alarm.name = name + strlen(ALARM_PREFIX);
		if (from->alarm->title == from->name) /* it has no help */
			own->alarm.title = name;
		own->point.alarm = &own->alarm;
	}
}

/* The label text of a point: what its row or pattern has, then what the plugin adds. */
static int print_labels(char *buffer, const struct bb_point_spec *spec, const struct dictionary_match *match)
{
	const char *more = spec->labels ? spec->labels : "";
	size_t used = 0;

	buffer[0] = '\0';
	if (strlen(more) > LABELS_MAX / 2)
		return -EINVAL;
	if (!match->row && strncmp(spec->name, ALARM_PREFIX, strlen(ALARM_PREFIX)) == 0)
		used = (size_t)bb_label_print(buffer, LABELS_MAX, "alarm", spec->name + strlen(ALARM_PREFIX));
	else if (!match->row)
		used = (size_t)bb_label_print(buffer, LABELS_MAX, "point", spec->name);
	else if (match->labels)
		used = expand_labels(buffer, match);
	else
		used = (size_t)(stpcpy(buffer, match->row->labels) - buffer);
	if (used > 0 && more[0] != '\0')
		buffer[used++] = ',';
	strcpy(buffer + used, more);
	return 0;
}

static int draft_add_own(struct draft *draft, const struct bb_point_spec *spec, const struct dictionary_match *match)
{
	char labels[LABELS_MAX];
	struct own_point *own;
	int r = print_labels(labels, spec, match);

	if (r < 0)
		return bb_log_error(draft->log, r, "point %s: label text is too long", spec->name);
	own = own_create(spec->name, labels);
	if (!own)
		return bb_log_error(draft->log, -ENOMEM, "point %s", spec->name);

	if (!match->row) {
		describe_unknown(&own->point, spec, &own->alarm);
		own->alarm.name = own->point.alarm ? own->point.name + strlen(ALARM_PREFIX) : NULL;
	} else {
		own_copy(own, match->row);
		own->point.writable = match->row->writable && spec->writable;
		if (match->open)
			describe_open(&own->point, spec, match);
		if (match->unit_of_device) {
			own->point.unit = spec->unit;
			if (own->point.metric && strcmp(own->point.metric, sensor_metric(BB_UNIT_NONE)) == 0)
				own->point.metric = sensor_metric(spec->unit);
		}
	}
	settle_by_kind(&own->point);

	r = draft_append(draft, (struct draft_point){.own = &own->point});
	if (r < 0) {
		free(own);
		return bb_log_error(draft->log, r, "point %s", spec->name);
	}
	return 0;
}

static int draft_add_one(struct draft *draft, const struct bb_point_spec *spec)
{
	struct dictionary_match match = {0};
	int r;

	if (!name_is_valid(spec->name) || spec->decimals > BB_DECIMALS_MAX)
		return bb_log_error(draft->log, -EINVAL, "cannot be a point: '%s' with %u decimals", spec->name,
				    spec->decimals);
	if (draft_find(draft, spec->name) >= 0)
		return bb_log_error(draft->log, -EEXIST, "point %s", spec->name);

	const bool known = dictionary_match(spec->name, &match);
	const bool as_is = known && !match.labels && !match.unit_of_device;

	if (!as_is || (spec->labels && spec->labels[0] != '\0'))
		return draft_add_own(draft, spec, &match);
	r = draft_append(draft,
			 (struct draft_point){.row = spec->writable ? match.row : dictionary_read_only_row(match.row)});
	return r < 0 ? bb_log_error(draft->log, r, "point %s", spec->name) : 0;
}

int draft_add(struct draft *draft, const struct bb_point_spec *specs, size_t count)
{
	const int first = (int)draft->count;

	for (size_t i = 0; i < count; i++) {
		int r = draft_add_one(draft, &specs[i]);

		if (r < 0)
			return r;
	}
	return first;
}

int draft_add_derived(struct draft *draft, const char *name)
{
	const int place = draft_add(draft, &(struct bb_point_spec){.name = name}, 1);

	if (place >= 0)
		draft->points[place].derived = true;
	return place;
}
