/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_device_picture.c - what of a device shows in the UPS-MIB at one moment, and how it is walked.
 */
#include <stdlib.h>

#include "agentx_support.h"

#include "alarm.h"
#include "device_picture.h"

#include <busbar/macros.h>

#define INSTANCES_MAX 4000

static const struct moment now = {.now_ms = 5000000, .lead_ms = 1699995000000, .master_ms = 2000000};
static const struct oid root = {OBJECT_ROOT_ARCS, {1, 3, 6, 1, 2, 1, 33}};

static uint32_t random_state = 7;

static uint32_t random_below(uint32_t end)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % end;
}

/* ---- making pictures ---- */

/* What was made for a picture; the picture itself owns a layout and what is in its snapshot. */
static struct picture *picture_of(struct bb_reading *take_reading, struct bb_alarm_set *take_alarms, bool stale)
{
	struct bb_snapshot snapshot = {.reading = take_reading,
				       .alarms = take_alarms,
				       .state = stale ? BB_DEVICE_LOST : BB_DEVICE_UP,
				       .stale = {stale, stale}};
	struct device_picture *picture;
	struct layout *layout = NULL;

	if (take_reading)
		cr_assert_eq(layout_create(take_reading, &layout), 0);
	picture = device_picture_create(&snapshot, layout, 4711);
	layout_unref(layout);
	cr_assert_not_null(picture);
	return &picture->head;
}

/* Modules in an order that is none, lines, scalars, things of no object. */
static struct generation *large_generation(size_t modules)
{
	static const char *const columns[] = {"voltage", "temperature", "balancing", "impedance", "alarms"};
	static const char *const others[] = {
		"device.model",    "battery.charge",   "output.L3.load",   "output.L1.load",
		"ups.test.id",     "ups.temperature",  "input.L2.voltage", "module.1.status",
		"string.2.alarms", "string.1.current", "sensor.4.value",   "gxr.2.input.3.state",
		"alarm.count",     "ups.timer.start",  "bacs.status",      "input.1.state"};
	const size_t count = modules * BB_LENGTH(columns) + BB_LENGTH(others);
	struct bb_point_spec *specs = calloc(count, sizeof(*specs));
	char(*names)[32] = calloc(count, sizeof(*names));
	struct generation *generation;
	size_t used = 0;

	for (size_t i = 0; i < modules; i++)
		for (size_t j = 0; j < BB_LENGTH(columns); j++) {
			(void)snprintf(names[used], sizeof(names[used]), "module.%zu.%s", (i * 7919) % modules + 1,
				       columns[j]);
			specs[used].name = names[used];
			used++;
		}
	for (size_t i = 0; i < BB_LENGTH(others); i++)
		specs[used++].name = others[i];
	generation = support_generation(specs, count);
	free(specs);
	free(names);
	return generation;
}

/* Values for some of the points, of any quality. */
static struct bb_reading *random_reading(struct generation *generation)
{
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);

	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);
		const uint32_t chance = random_below(10);

		if (chance == 0)
			continue; /* unknown */
		if (chance == 1)
			bb_reading_set_quality(reading, i, BB_QUALITY_UNSUPPORTED);
		else if (chance == 2)
			bb_reading_set_quality(reading, i, BB_QUALITY_BAD);
		else if (point->kind == BB_KIND_STRING)
			cr_assert_eq(bb_reading_set_text(reading, i, "text", 4), 0);
		else
			cr_assert_eq(bb_reading_set(reading, i, 1), 0);
	}
	reading_finish(reading);
	return reading;
}

struct told {
	const char *type;
	uint64_t event;
	int64_t since_ms;
	bool active;
};

static struct bb_alarm_set *alarms_of(const struct told *told, size_t count)
{
	struct bb_alarm_set *set = alarm_set_create(count, NULL);

	cr_assert_not_null(set);
	for (size_t i = 0; i < count; i++) {
		set->alarms[i] = (struct bb_alarm){.type = bb_alarm_type_find(told[i].type),
						   .active = told[i].active,
						   .event = told[i].event,
						   .since_ms = told[i].since_ms};
		cr_assert_not_null(set->alarms[i].type, "%s", told[i].type);
		set->active += told[i].active;
	}
	return set;
}

/* ---- looking at them ---- */

static struct codec_varbind get(const struct picture *picture, const struct oid *name, struct codec_buffer *buffer)
{
	struct codec_varbind varbind;

	buffer->length = 0;
	picture->ops->get(picture, &now, name, buffer);
	cr_assert_eq(support_parse(buffer, &varbind, 1), 1);
	cr_assert_eq(oid_compare(&varbind.name, name), 0, "an answer has the name of the question");
	return varbind;
}

static struct codec_varbind get_text(const struct picture *picture, const char *name, struct codec_buffer *buffer)
{
	const struct oid oid = support_oid(name);

	return get(picture, &oid, buffer);
}

/* The names of all there is, by GETNEXT; each is checked against GET on the way. */
static size_t walk(const struct picture *picture, struct oid *names)
{
	struct codec_range range = {.start = root};
	struct codec_buffer next = {0}, single = {0};
	size_t count = 0;

	cr_assert(oid_after(&root, &range.end));
	for (;;) {
		struct codec_varbind varbind;
		struct oid name;

		next.length = 0;
		if (!picture->ops->next(picture, &now, &range, &next, &name))
			break;
		cr_assert_eq(support_parse(&next, &varbind, 1), 1);
		cr_assert_eq(oid_compare(&varbind.name, &name), 0);
		cr_assert_gt(oid_compare(&name, &range.start), 0, "names grow");
		(void)get(picture, &name, &single); /* what it says is compared byte by byte */
		cr_assert(single.length == next.length && memcmp(single.bytes, next.bytes, next.length) == 0);
		cr_assert_lt(count, INSTANCES_MAX);
		names[count++] = name;
		range.start = name;
	}
	cr_assert_eq(next.length, 0, "nothing is appended at the end");
	codec_buffer_free(&next);
	codec_buffer_free(&single);
	return count;
}

/* How many instances a reading should show, counted the long way round: each point by each object. */
struct tally {
	struct oid *names;
	size_t count;
};

static int note_name(void *context, size_t object, uint32_t row)
{
	struct tally *tally = context;

	object_name(&object_table[object], row, &tally->names[tally->count++]);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return oid_compare(a, b);
}

static void add_index(struct tally *tally, const char *index, const char *column)
{
	const size_t count = tally->count;
	const struct object *of_column = support_object(column);

	for (size_t i = 0; i < count; i++) {
		const struct oid *name = &tally->names[i];
		struct object_place place;
		struct oid row;
		size_t known = count;

		object_locate(name, &place);
		if (!object_is_beside(of_column, &object_table[place.object]))
			continue;
		object_name(support_object(index), place.row, &row);
		while (known < tally->count && oid_compare(&tally->names[known], &row) != 0)
			known++;
		if (known == tally->count)
			tally->names[tally->count++] = row;
	}
}

static size_t expected_names(const struct bb_reading *reading, struct oid *names)
{
	struct tally tally = {.names = names};

	for (size_t i = 0; i < bb_reading_count(reading); i++)
		if (bb_reading_qualities(reading)[i] == BB_QUALITY_GOOD ||
		    strcmp(bb_reading_point(reading, i)->name, "ups.test.id") == 0) {
			const size_t before = tally.count;

			cr_assert_eq(object_match(bb_reading_point(reading, i), note_name, &tally), 0);
			/* The spin lock does not hang on the value. */
			for (size_t j = before; j < tally.count; j++) {
				const struct oid id = support_oid("1.3.6.1.2.1.33.1.7.1.0");

				if (bb_reading_qualities(reading)[i] != BB_QUALITY_GOOD &&
				    oid_compare(&names[j], &id) == 0)
					names[j--] = names[--tally.count];
			}
		}
	add_index(&tally, "bacsModuleIndex", "bacsModuleVoltage");
	add_index(&tally, "bacsStringIndex", "bacsStringCurrent");
	add_index(&tally, "rauxIndex", "rauxInput1");
	qsort(names, tally.count, sizeof(*names), compare_names);
	return tally.count;
}

Test(agentx_device_picture, a_walk_shows_what_has_a_value_in_order_and_nothing_else)
{
	struct generation *generation = large_generation(40);
	struct oid *names = calloc(INSTANCES_MAX, sizeof(*names)), *expected = calloc(INSTANCES_MAX, sizeof(*expected));

	for (unsigned round = 0; round < 50; round++) {
		struct bb_reading *reading = random_reading(generation);
		const size_t wanted = expected_names(reading, expected);
		struct picture *picture = picture_of(reading, NULL, false);
		const size_t count = walk(picture, names);

		cr_assert_eq(count, wanted, "round %u: %zu instances instead of %zu", round, count, wanted);
		for (size_t i = 0; i < count; i++)
			cr_assert_eq(oid_compare(&names[i], &expected[i]), 0);
		picture_unref(picture);
	}
	free(names);
	free(expected);
	generation_unref(generation);
}

Test(agentx_device_picture, a_search_range_finds_the_first_in_it_or_none)
{
	struct generation *generation = large_generation(20);
	struct picture *picture = picture_of(random_reading(generation), NULL, false);
	struct oid *names = calloc(INSTANCES_MAX, sizeof(*names));
	const size_t count = walk(picture, names);
	struct codec_buffer buffer = {0};

	cr_assert_gt(count, 50);
	for (unsigned i = 0; i < 20000; i++) {
		struct codec_range range = {.start = names[random_below((uint32_t)count)],
					    .end = names[random_below((uint32_t)count)],
					    .include = random_below(2)};
		struct oid found;
		size_t first = 0;
		bool any;

		switch (random_below(4)) {
		case 0:
			range.start.length -= random_below(4);
			break;
		case 1:
			range.start.arcs[range.start.length - 1] -= range.start.arcs[range.start.length - 1] > 0;
			break;
		case 2:
			range.end.length = 0;
			break;
		default:
			break;
		}
		while (first < count && (oid_compare(&names[first], &range.start) < 0 ||
					 (!range.include && oid_compare(&names[first], &range.start) == 0)))
			first++;
		any = first < count && (range.end.length == 0 || oid_compare(&names[first], &range.end) < 0);
		buffer.length = 0;
		cr_assert_eq(picture->ops->next(picture, &now, &range, &buffer, &found), any);
		cr_assert(!any || oid_compare(&found, &names[first]) == 0);
	}
	codec_buffer_free(&buffer);
	free(names);
	picture_unref(picture);
	generation_unref(generation);
}

Test(agentx_device_picture, a_name_without_a_value_is_no_instance_and_one_of_nothing_no_object)
{
	static const struct {
		const char *name;
		enum codec_syntax type;
	} cases[] = {
		{"1.3.6.1.2.1.33.1.2.4.0", CODEC_INTEGER},
		{"1.3.6.1.2.1.33.1.2.4", CODEC_NO_SUCH_INSTANCE},
		{"1.3.6.1.2.1.33.1.2.4.1", CODEC_NO_SUCH_INSTANCE},
		{"1.3.6.1.2.1.33.1.2.4.0.0", CODEC_NO_SUCH_INSTANCE},
		{"1.3.6.1.2.1.33.1.2.5.0", CODEC_NO_SUCH_INSTANCE},
		{"1.3.6.1.2.1.33.1.3.3.1.3.4", CODEC_NO_SUCH_INSTANCE},
		{"1.3.6.1.2.1.33.1.3.3.1.1.1", CODEC_NO_SUCH_OBJECT}, /* upsInputLineIndex is not accessible */
		{"1.3.6.1.2.1.33.1.8.7.0", CODEC_NO_SUCH_OBJECT},
		{"1.3.6.1.2.1.33.1.2", CODEC_NO_SUCH_OBJECT},
		{"1.3.6.1.2.1.33.7.1.0", CODEC_NO_SUCH_OBJECT},
	};
	struct picture *picture = picture_of(support_reading("battery.charge", 970, NULL), NULL, false);
	struct codec_buffer buffer = {0};

	for (size_t i = 0; i < BB_LENGTH(cases); i++)
		cr_expect_eq(get_text(picture, cases[i].name, &buffer).type, cases[i].type, "%s", cases[i].name);
	codec_buffer_free(&buffer);
	picture_unref(picture);
}

Test(agentx_device_picture, of_a_stale_device_identity_and_settings_stay)
{
	static const struct bb_point_spec specs[] = {
		{.name = "device.model"}, {.name = "battery.charge"}, {.name = "ups.timer.start"},
		{.name = "ups.test.id"},  {.name = "output.L1.load"},
	};
	struct generation *generation = support_generation(specs, BB_LENGTH(specs));
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);
	struct oid names[8];
	struct picture *picture;
	char text[OID_TEXT_SIZE];

	cr_assert_eq(bb_reading_set_text(reading, 0, "Model 1", 7), 0);
	for (size_t i = 1; i < BB_LENGTH(specs); i++)
		cr_assert_eq(bb_reading_set(reading, i, 3), 0);
	reading_finish(reading);
	picture = picture_of(reading, NULL, true);
	cr_assert_eq(walk(picture, names), 3);
	cr_expect_str_eq(oid_print(&names[0], text), "1.3.6.1.2.1.33.1.1.2.0");
	cr_expect_str_eq(oid_print(&names[1], text), "1.3.6.1.2.1.33.1.7.2.0", "the spin lock is ours");
	cr_expect_str_eq(oid_print(&names[2], text), "1.3.6.1.2.1.33.1.8.3.0");
	picture_unref(picture);
	generation_unref(generation);
}

Test(agentx_device_picture, an_index_is_there_as_long_as_any_other_column_of_its_row)
{
	static const struct bb_point_spec specs[] = {
		{.name = "module.2.voltage"}, {.name = "module.1.impedance"}, {.name = "module.3.temperature"}};
	struct generation *generation = support_generation(specs, BB_LENGTH(specs));
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);
	struct codec_buffer buffer = {0};
	struct oid names[16];
	struct picture *picture;

	cr_assert_eq(bb_reading_set(reading, 0, 12000), 0);
	cr_assert_eq(bb_reading_set(reading, 1, 512), 0);
	bb_reading_set_quality(reading, 2, BB_QUALITY_UNSUPPORTED);
	reading_finish(reading);
	picture = picture_of(reading, NULL, false);
	cr_expect_eq(walk(picture, names), 4, "two rows, each with its index and one column");
	cr_expect_eq(get_text(picture, "1.3.6.1.2.1.33.5.2.5.1.1.1", &buffer).number, 1);
	cr_expect_eq(get_text(picture, "1.3.6.1.2.1.33.5.2.5.1.1.2", &buffer).number, 2);
	cr_expect_eq(get_text(picture, "1.3.6.1.2.1.33.5.2.5.1.1.3", &buffer).type, CODEC_NO_SUCH_INSTANCE);
	codec_buffer_free(&buffer);
	picture_unref(picture);
	generation_unref(generation);
}

/* ---- alarms ---- */

#define UPS_PRESENT  "1.3.6.1.2.1.33.1.6.1.0"
#define UPS_ALARM    "1.3.6.1.2.1.33.1.6.2.1."
#define BACS_PRESENT "1.3.6.1.2.1.33.5.3.1.0"
#define BACS_ALARM   "1.3.6.1.2.1.33.5.3.2.1."

Test(agentx_device_picture, active_alarms_are_rows_of_the_table_that_their_identity_belongs_to)
{
	static const struct told told[] = {
		{"low-battery", 12, 4000000, true},  {"on-battery", 7, 3000000, true},
		{"input-bad", 9, 4500000, false},                                           /* over */
		{"bacs-voltage-low", 8, 1000, true}, {"batteries-weak", 10, 3000000, true}, /* no MIB has it */
		{"fan-failure", 0, 3000000, true},                                          /* nobody was told */
	};
	const struct oid on_battery = support_oid("1.3.6.1.2.1.33.1.6.3.2"),
			 low = support_oid("1.3.6.1.2.1.33.5.3.3.7");
	struct picture *picture =
		picture_of(support_reading("battery.charge", 970, NULL), alarms_of(told, BB_LENGTH(told)), false);
	struct codec_buffer buffer = {0};
	struct codec_varbind varbind;
	struct oid names[16];

	cr_expect_eq(walk(picture, names), 10, "charge, two counts, two columns of two, three of one");
	varbind = get_text(picture, UPS_PRESENT, &buffer);
	cr_expect(varbind.type == CODEC_GAUGE32 && varbind.number == 2);
	varbind = get_text(picture, UPS_ALARM "2.7", &buffer);
	cr_expect(varbind.type == CODEC_OBJECT_IDENTIFIER && oid_compare(&varbind.oid, &on_battery) == 0);
	varbind = get_text(picture, UPS_ALARM "3.7", &buffer);
	cr_expect(varbind.type == CODEC_TIME_TICKS && varbind.number == 100000);
	cr_expect_eq(get_text(picture, UPS_ALARM "3.12", &buffer).number, 200000);
	cr_expect_eq(get_text(picture, UPS_ALARM "2.9", &buffer).type, CODEC_NO_SUCH_INSTANCE);
	cr_expect_eq(get_text(picture, UPS_ALARM "1.7", &buffer).type, CODEC_NO_SUCH_OBJECT, "not accessible");
	cr_expect_eq(get_text(picture, BACS_PRESENT, &buffer).number, 1);
	cr_expect_eq(get_text(picture, BACS_ALARM "1.8", &buffer).number, 8);
	varbind = get_text(picture, BACS_ALARM "2.8", &buffer);
	cr_expect_eq(oid_compare(&varbind.oid, &low), 0);
	cr_expect_eq(get_text(picture, BACS_ALARM "3.8", &buffer).number, 0, "before the master started");
	codec_buffer_free(&buffer);
	picture_unref(picture);
}

Test(agentx_device_picture, without_batteries_there_is_no_table_of_their_alarms)
{
	struct picture *picture = picture_of(support_reading("battery.charge", 970, NULL), alarms_of(NULL, 0), false);
	struct codec_buffer buffer = {0};

	cr_expect_eq(get_text(picture, UPS_PRESENT, &buffer).number, 0);
	cr_expect_eq(get_text(picture, BACS_PRESENT, &buffer).type, CODEC_NO_SUCH_INSTANCE);
	picture_unref(picture);
	picture = picture_of(support_reading("bacs.voltage", 4800, NULL), alarms_of(NULL, 0), false);
	cr_expect_eq(get_text(picture, BACS_PRESENT, &buffer).number, 0);
	codec_buffer_free(&buffer);
	picture_unref(picture);
}

Test(agentx_device_picture, a_device_that_never_answered_has_alarms_and_nothing_else)
{
	static const struct told told[] = {{"communications-lost", 3, 3000000, true}};
	struct picture *picture = picture_of(NULL, alarms_of(told, 1), true);
	struct oid names[4];

	cr_expect_eq(walk(picture, names), 3, "the count, and two columns of one row");
	picture_unref(picture);
	picture = picture_of(NULL, NULL, true);
	cr_expect_eq(walk(picture, names), 0);
	picture_unref(picture);
}

Test(agentx_device_picture, the_number_of_an_alarm_is_that_of_its_event_as_far_as_it_goes)
{
	cr_expect_eq(alarm_row_id(1), 1);
	cr_expect_eq(alarm_row_id(INT32_MAX), INT32_MAX);
	cr_expect_eq(alarm_row_id(UINT64_C(1) << 31), 1);
}
