/* SPDX-License-Identifier: Apache-2.0
 *
 * everything.c - see everything.h.
 *
 * No physics here. Each number runs through a range that is believable for its unit, one step of its last decimal per
 * poll, so that every value changes with every poll; enumerations go through their members, flag words through their
 * bits. Alarms come and go slowly by simulated time, a few at once; those that instances.c adds stay. Texts stay as they are, since they are identity,
 * but some are awkward on purpose: quotes, backslashes, umlauts, as long as a text may be.
 *
 * Commands have no value: they are there, and nothing can be read from them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "everything.h"
#include "instances.h"

#define NAME_SIZE 64

/* Simulated time for which an alarm is active, and after which it is again. */
#define ALARM_ON_MS     10000
#define ALARM_PERIOD_MS 600000

struct range {
	int64_t low, high; /* in the point's own decimals */
};

/* What was written to a point, which then stays so. */
struct written {
	struct written *next;
	size_t index;
	int64_t number;
	char text[]; /* of a string */
};

struct everything {
	size_t count; /* the points are the first ones of the device, */
	size_t rows;  /* of them one for each row of the dictionary */
	struct written *written;
	struct range ranges[];
};

/* Pattern rows whose instance cannot be made by putting 1 for the placeholder. */
static const struct {
	const char *row, *name;
} instances[] = {
	{"bacs.settings.<name>", "bacs.settings.log-rate-1"},
	{"sts.<name>", "sts.auto-transfermode"},
	{"module.<m>.<point>", "module.2.battery.charge"},
	{"vendor.<symbol>", "vendor.example"},
};

/* Ranges that a name says more about than its unit, in thousandths: the first end of a name that fits counts. */
static const struct {
	const char *end;
	int64_t low, high;
} named_ranges[] = {
	{"phases", 1000, 3000},
	{"powerfactor", 800, 1000},
	{"count", 0, 40000},
	{"temperature", 18000, 42000},
	{"battery.voltage", 384000, 442000},
	{"battery.current", -40000, 10000},
	{"L1-L2.voltage", 395000, 405000},
	{"module.<m>.voltage", 12000, 13800},
	{"frequency.nominal", 50000, 60000},
	{"voltage.nominal", 220000, 240000},
	{"transfer.low", 170000, 190000},
	{"transfer.high", 260000, 280000},
	{"timer.reboot", -1000, 300000},
	{"num-lines", 1000, 3000},
	{"temperature-unit", 0, 1000},
	{"module-type", 0, 1000},
};

/* The others, by unit, in thousandths. */
static const struct {
	int64_t low, high;
} unit_ranges[] = {
	[BB_UNIT_NONE] = {0, 100000},
	[BB_VOLT] = {225000, 235000},
	[BB_AMPERE] = {1000, 20000},
	[BB_WATT] = {500000, 4000000},
	[BB_VOLTAMPERE] = {600000, 4600000},
	[BB_VAR] = {100000, 900000},
	[BB_HERTZ] = {49800, 50200},
	[BB_PERCENT] = {0, 100000},
	[BB_CELSIUS] = {18000, 42000},
	[BB_SECOND] = {0, 3600000},
	[BB_KILOWATTHOUR] = {0, INT64_C(100000000)},
	[BB_MILLIOHM] = {2000, 9000},
};

/* Units of rows that leave it to the device; sensors go through them by their number. */
static const enum bb_unit sensor_units[] = {BB_UNIT_NONE, BB_CELSIUS, BB_PERCENT, BB_VOLT, BB_AMPERE};

static const char *const texts[] = {
	"plain text",
	"quoted \"text\" and 'more'",
	"back\\slash and \\n that is no new line",
	"K\303\274hlraum S\303\274dwest, 4. Stock",
	"comma, semicolon; colon: percent % hash # {braces}",
	"\xe9\x9b\xbb\xe6\xba\x90\xe8\xa3\x85\xe7\xbd\xae \xe2\x82\xac \xf0\x9f\x94\x8b",
};

/* Texts of single rows: what is read by machines, and the longest text there may be. */
static const struct {
	const char *name, *text;
} named_texts[] = {
	{"ups.status", "OL"},
	{"device.serial.adapter", "141004711"},
	{"device.contact", "as long as a text may be, 255 bytes: 012345678901234567890123456789012345678901234567"
			   "8901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
			   "34567890123456789012345678901234567890123456789012345678901234567890123456789---- end"},
};

void everything_instance(char *buffer, size_t size, const char *row)
{
	size_t used = 0;

	for (size_t i = 0; i < BB_LENGTH(instances); i++) {
		if (strcmp(instances[i].row, row) != 0)
			continue;
		(void)snprintf(buffer, size, "%s", instances[i].name); /* fits: NAME_SIZE is more than any of them */
		return;
	}
	while (*row && used + 1 < size) {
		if (*row == '<') {
			buffer[used++] = '1';
			row += strcspn(row, ">");
			row += *row == '>';
		} else {
			buffer[used++] = *row++;
		}
	}
	buffer[used] = '\0';
}

static const char *text_of(const struct bb_point *point, size_t index)
{
	for (size_t i = 0; i < BB_LENGTH(named_texts); i++)
		if (strcmp(named_texts[i].name, point->name) == 0)
			return named_texts[i].text;
	return texts[index % BB_LENGTH(texts)];
}

static bool ends_with(const char *text, const char *end)
{
	const size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static enum bb_unit unit_of(const struct bb_point *row, const char *name)
{
	unsigned sensor;

	if (row->unit == BB_UNIT_NONE && sscanf(name, "sensor.%u.", &sensor) == 1 && !ends_with(name, "scaling"))
		return sensor_units[sensor % BB_LENGTH(sensor_units)];
	return row->unit;
}

static struct range range_of(const char *name, enum bb_unit unit, uint8_t decimals)
{
	struct range range = {unit_ranges[unit].low, unit_ranges[unit].high};

	for (size_t i = 0; i < BB_LENGTH(named_ranges); i++) {
		if (!ends_with(name, named_ranges[i].end))
			continue;
		range = (struct range){named_ranges[i].low, named_ranges[i].high};
		break;
	}
	range.low = bb_decimal_rescale(range.low, 3, decimals);
	range.high = bb_decimal_rescale(range.high, 3, decimals);
	return range;
}

/* A pattern's own number is in its name; what else tells instances apart the core cannot know. */
static const char *labels_of(const struct bb_point *row)
{
	if (row->metric && strncmp(row->name, "module.<m>.", 11) == 0 && strcmp(row->class, "bacs") == 0)
		return "string=\"1\"";
	if (row->metric && (strncmp(row->name, "sensor.", 7) == 0 || strncmp(row->name, "site.", 5) == 0 ||
			    strncmp(row->name, "gxr.", 4) == 0 || strcmp(row->class, "sensor") == 0))
		return "name=\"Door \\\"3\\\"\"";
	return NULL;
}

static int add_row(struct everything *everything, struct bb_builder *builder, const struct bb_point *row)
{
	char name[NAME_SIZE];
	struct bb_point_spec spec = {.name = name, .labels = labels_of(row), .writable = row->writable};

	everything_instance(name, sizeof(name), row->name);
	spec.unit = unit_of(row, name);
	everything->ranges[everything->count++] = range_of(row->name, spec.unit, row->decimals);
	return bb_builder_add_points(builder, &spec, 1);
}

/* One more of the points that @spec's row stands for, or one that the row leaves to the device. */
static int add_instance(struct everything *everything, struct bb_builder *builder, struct bb_point_spec *spec)
{
	const struct bb_point *row = bb_dictionary_find(spec->name);
	uint8_t decimals = spec->decimals;

	if (row && spec->kind == BB_KIND_UNSET) {
		spec->unit = unit_of(row, spec->name);
		decimals = row->decimals;
	}
	if (row) {
		spec->labels = labels_of(row);
		spec->writable = row->writable;
	}
	everything->ranges[everything->count++] = range_of(spec->name, spec->unit, decimals);
	return bb_builder_add_points(builder, spec, 1);
}

int everything_open(struct bb_builder *builder, struct everything **ret_everything)
{
	struct everything *everything;
	struct bb_point_spec spec;
	char name[NAME_SIZE];
	size_t rows = 0, more = 0;
	int r = 0;

	while (bb_dictionary_row(rows))
		rows++;
	while (instances_at(more, name, sizeof(name), &spec))
		more++;
	everything = calloc(1, sizeof(*everything) + (rows + more) * sizeof(everything->ranges[0]));
	if (!everything)
		return -ENOMEM;
	*ret_everything = everything;
	everything->rows = rows;

	for (size_t i = 0; i < rows && r >= 0; i++)
		r = add_row(everything, builder, bb_dictionary_row(i));
	for (size_t i = 0; r >= 0 && instances_at(i, name, sizeof(name), &spec); i++)
		r = add_instance(everything, builder, &spec);
	return r < 0 ? r : 0;
}

/* Value number @tick of point @index. */
static int64_t value_of(const struct everything *everything, const struct bb_point *point, size_t index, uint64_t tick,
			int64_t now_ms)
{
	const struct range *range = &everything->ranges[index];
	const uint64_t place = tick + index * 7; /* neighbours are not in step */

	switch (point->kind) {
	case BB_KIND_NUMBER:
		return range->low + (int64_t)(place % (uint64_t)(range->high - range->low + 1));
	case BB_KIND_COUNTER:
		return (int64_t)place;
	case BB_KIND_ENUM:
		return point->member_count > 0 ? point->members[place % point->member_count].value : 0;
	case BB_KIND_FLAGS:
		return point->member_count > 0 ? INT64_C(1) << point->members[place % point->member_count].value : 0;
	case BB_KIND_BOOL:
		return (int64_t)(place % 2);
	case BB_KIND_ALARM:
		return index >= everything->rows ||
		       (now_ms + (int64_t)index * ALARM_ON_MS) % ALARM_PERIOD_MS < ALARM_ON_MS;
	case BB_KIND_TIMESTAMP:
		return bb_clock_wall_ms();
	case BB_KIND_STRING:
	case BB_KIND_COMMAND:
	case BB_KIND_UNSET:
		break;
	}
	return 0;
}

static void fill_written(const struct written *written, enum bb_group group, struct bb_reading *reading)
{
	const struct bb_point *point = bb_reading_point(reading, written->index);

	if (point->kind == BB_KIND_COMMAND || (group == BB_GROUP_URGENT && !point->urgent))
		return;
	if (point->kind == BB_KIND_STRING)
		(void)bb_reading_set_text(reading, written->index, written->text, strlen(written->text)); /* or BAD */
	else
		(void)bb_reading_set(reading, written->index, written->number); /* the core has checked it */
}

void everything_fill(const struct everything *everything, uint64_t tick, int64_t now_ms, enum bb_group group,
		     struct bb_reading *reading)
{
	for (size_t i = 0; i < everything->count; i++) {
		const struct bb_point *point = bb_reading_point(reading, i);

		if (group == BB_GROUP_URGENT && !point->urgent)
			continue;
		if (point->kind == BB_KIND_STRING) {
			const char *text = text_of(point, i);

			(void)bb_reading_set_text(reading, i, text, strlen(text)); /* BAD without memory */
		} else if (point->kind != BB_KIND_COMMAND) {
			(void)bb_reading_set(reading, i, value_of(everything, point, i, tick, now_ms)); /* a member */
		}
	}
	for (const struct written *written = everything->written; written; written = written->next)
		fill_written(written, group, reading);
}

/* Take what was written to point @index out of the list, if there is something. */
static void forget_written(struct everything *everything, size_t index)
{
	for (struct written **place = &everything->written; *place; place = &(*place)->next) {
		struct written *written = *place;

		if (written->index != index)
			continue;
		*place = written->next;
		free(written);
		return;
	}
}

int everything_write(struct everything *everything, size_t index, const struct bb_value *value)
{
	const char *text = value->text ? value->text : "";
	struct written *written = malloc(sizeof(*written) + strlen(text) + 1);

	if (!written)
		return -ENOMEM;
	forget_written(everything, index);
	written->index = index;
	written->number = value->number;
	strcpy(written->text, text);
	written->next = everything->written;
	everything->written = written;
	return 0;
}

void everything_close(struct everything *everything)
{
	while (everything && everything->written)
		forget_written(everything, everything->written->index);
	free(everything);
}
