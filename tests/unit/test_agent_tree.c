/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agent_tree.c - the BUSBAR-MIB over some devices: order, lookups, and what each cell says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_columns.h"
#include "agent_tree.h"
#include "alarm.h"
#include "alarm_rows.h"
#include "codec.h"
#include "device_data.h"
#include "fake_device.h"
#include "reading.h"

#define BASE "1.3.6.1.4.1.8072.9999.9999.1628"

static struct bb_registry *registry;
static struct subtree *tree;
static struct moment moment;

static void start(void)
{
	struct oid base;

	script = (struct fake_script){0};
	cr_assert_eq(registry_create(NULL, &registry), 0);
	cr_assert_eq(oid_parse(BASE, &base), 0);
	cr_assert_eq(agent_tree_create(&(struct agent_tree_setup){.registry = registry, .base = &base}, &tree), 0);
}

static void stop(void)
{
	struct bb_device_list *list = bb_registry_devices(registry);

	tree->ops->destroy(tree);
	for (size_t i = 0; i < list->count; i++) {
		struct bb_device *device = bb_device_ref(list->devices[i]);

		registry_remove(registry, device);
		bb_device_unref(device);
		fake_free(device);
	}
	bb_device_list_unref(list);
	registry_destroy(registry);
}

TestSuite(agent_tree, .init = start, .fini = stop);

/* ---- devices ---- */

static struct bb_device *add(const char *name, const char *const *points, bool answers)
{
	struct bb_device *device = fake_open_device(registry, name, points);

	if (answers)
		cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(registry_add(registry, device), 0);
	return device;
}

/* Sets a value of the newest reading, which is nobody else's yet. */
static void set(struct bb_device *device, const char *point, int64_t value)
{
	const int index = bb_reading_find(device->reading, point);

	cr_assert_geq(index, 0, "no point %s", point);
	reading_put(device->reading, (size_t)index, value);
}

/* Lets the first alarm of @device be active as of event @number. */
static void raise(struct bb_device *device, uint64_t number)
{
	struct bb_alarm_set *alarms = alarm_set_copy(device->alarms);

	alarms->alarms[0].active = true;
	alarms->alarms[0].event = number;
	alarms->alarms[0].since_wall_ms = 1700000000000;
	alarm_set_seal(alarms);
	bb_alarm_set_unref(device->alarms);
	device->alarms = alarms;
}

static const char *const ups_points[] = {"alarm.on-battery",
					 "battery.charge",
					 "device.model",
					 "input.L1.voltage",
					 "output.source",
					 "battery.current",
					 NULL};
static const char *const one_point[] = {"battery.charge", NULL};

/* Names that are each other's beginnings, and of many lengths: "b" comes before "aa" where lengths count. */
static void add_some(void)
{
	static const char *const names[] = {"b", "a", "aa", "ups-b", "ups-a", "ups", "c1", "ups-a1"};

	for (size_t i = 0; i < BB_LENGTH(names); i++)
		raise(add(names[i], ups_points, true), 100 - i);
	add("silent", ups_points, false);
	add("small", one_point, true);
}

/* ---- asking ---- */

/* What came: the name, and where its varbind stands in @buffer. */
struct answer {
	struct codec_buffer buffer;
	struct codec_varbind varbind;
};

static void answer_parse(struct answer *answer)
{
	struct codec_reader reader = {.at = answer->buffer.bytes, .end = answer->buffer.bytes + answer->buffer.length};

	cr_assert_not(answer->buffer.failed);
	cr_assert_eq(codec_read_varbind(&reader, &answer->varbind), 0);
	cr_assert(codec_at_end(&reader), "one variable binding, no more");
}

static struct picture *picture_now(void)
{
	struct picture *picture;

	moment = (struct moment){.now_ms = bb_clock_ms(), .lead_ms = bb_clock_wall_ms() - bb_clock_ms()};
	picture = tree->ops->picture(tree, &moment);
	cr_assert_not_null(picture);
	return picture;
}

static bool ask_next(struct picture *picture, const struct codec_range *range, struct answer *answer)
{
	struct oid name;

	*answer = (struct answer){0};
	if (!picture->ops->next(picture, &moment, range, &answer->buffer, &name)) {
		cr_assert_eq(answer->buffer.length, 0);
		codec_buffer_free(&answer->buffer);
		return false;
	}
	answer_parse(answer);
	cr_assert_eq(oid_compare(&name, &answer->varbind.name), 0);
	return true;
}

static void ask(struct picture *picture, const struct oid *name, struct answer *answer)
{
	*answer = (struct answer){0};
	picture->ops->get(picture, &moment, name, &answer->buffer);
	answer_parse(answer);
	cr_assert_eq(oid_compare(name, &answer->varbind.name), 0);
}

/* Base, prefix "3.1.4" below .1, and texts as a table indexes them: @first with its length unless it is NULL. */
static struct oid named(const char *below, const char *first, const char *implied)
{
	char text[OID_TEXT_SIZE];
	struct oid name;
	uint32_t arc;

	(void)snprintf(text, sizeof(text), "%s.%s", BASE, below);
	cr_assert_eq(oid_parse(text, &name), 0);
	if (first) {
		arc = (uint32_t)strlen(first);
		cr_assert_eq(oid_append(&name, &arc, 1), 0);
	}
	for (; first && *first; first++) {
		arc = (unsigned char)*first;
		cr_assert_eq(oid_append(&name, &arc, 1), 0);
	}
	for (; implied && *implied; implied++) {
		arc = (unsigned char)*implied;
		cr_assert_eq(oid_append(&name, &arc, 1), 0);
	}
	return name;
}

/* The value of @name in a picture of now, as text: numbers in decimal, exceptions by name. */
static const char *value_of(const struct oid *name)
{
	static char text[300];
	struct picture *picture = picture_now();
	struct answer answer;
	char oid[OID_TEXT_SIZE];

	ask(picture, name, &answer);
	switch (answer.varbind.type) {
	case CODEC_NO_SUCH_OBJECT:
		(void)strcpy(text, "noSuchObject");
		break;
	case CODEC_NO_SUCH_INSTANCE:
		(void)strcpy(text, "noSuchInstance");
		break;
	case CODEC_OCTET_STRING:
		(void)snprintf(text, sizeof(text), "%.*s", (int)answer.varbind.octets.length,
			       (const char *)answer.varbind.octets.bytes);
		break;
	case CODEC_OBJECT_IDENTIFIER:
		(void)snprintf(text, sizeof(text), "%.200s", oid_print(&answer.varbind.oid, oid));
		break;
	case CODEC_COUNTER64:
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)answer.varbind.counter64);
		break;
	case CODEC_INTEGER:
		(void)snprintf(text, sizeof(text), "%d", (int)answer.varbind.number);
		break;
	default:
		(void)snprintf(text, sizeof(text), "%u", answer.varbind.number);
		break;
	}
	codec_buffer_free(&answer.buffer);
	picture_unref(picture);
	return text;
}

#define expect(name, text)                                                                                             \
	do {                                                                                                           \
		const struct oid asked = name;                                                                         \
		const char *said = value_of(&asked);                                                                   \
		cr_expect_str_eq(said, text, "%s is '%s', not '%s'", #name, said, text);                               \
	} while (0)

/* All names of a picture, by GETNEXT, and that the order is right. */
static size_t walk(struct picture *picture, struct oid *names, size_t most)
{
	struct codec_range range = {.start = {.length = 1, .arcs = {1}}};
	struct answer answer;
	size_t count = 0;

	while (ask_next(picture, &range, &answer)) {
		cr_assert_lt(oid_compare(&range.start, &answer.varbind.name), 0, "not increasing at %zu", count);
		cr_assert_lt(count, most);
		range.start = names[count++] = answer.varbind.name;
		codec_buffer_free(&answer.buffer);
	}
	return count;
}

/* ---- tests ---- */

Test(agent_tree, columns_stand_in_the_order_of_their_names)
{
	for (size_t i = 1; i < agent_column_count; i++) {
		struct oid a = {.length = agent_columns[i - 1].length}, b = {.length = agent_columns[i].length};

		memcpy(a.arcs, agent_columns[i - 1].prefix, sizeof(agent_columns[0].prefix));
		memcpy(b.arcs, agent_columns[i].prefix, sizeof(agent_columns[0].prefix));
		cr_expect_lt(oid_compare(&a, &b), 0, "column %zu", i);
	}
}

Test(agent_tree, an_agent_without_devices_shows_its_scalars)
{
	struct oid names[64];
	struct picture *picture = picture_now();

	cr_expect_eq(walk(picture, names, BB_LENGTH(names)), 12);
	picture_unref(picture);
	expect(named("1.1.3.0", NULL, NULL), "0");
	expect(named("1.1.1.0", NULL, NULL), bb_version());
	expect(named("1.1.1", NULL, NULL), "noSuchInstance");
	expect(named("1.1.1.1", NULL, NULL), "noSuchInstance");
	expect(named("1.1.1.0.0", NULL, NULL), "noSuchInstance");
	expect(named("1.1.13.0", NULL, NULL), "noSuchObject");
	expect(named("1.5.1.0", NULL, NULL), "noSuchObject");
	expect(named("1", NULL, NULL), "noSuchObject");
}

Test(agent_tree, whatever_a_walk_finds_can_be_got_with_the_same_value)
{
	static struct oid names[4096];
	struct picture *picture;
	size_t count;

	add_some();
	picture = picture_now();
	count = walk(picture, names, BB_LENGTH(names));
	cr_expect_gt(count, 500);
	for (size_t i = 0; i < count; i++) {
		const struct codec_range range = {.start = names[i], .include = true};
		struct answer got, next;

		ask(picture, &names[i], &got);
		cr_assert(ask_next(picture, &range, &next));
		cr_assert_eq(oid_compare(&next.varbind.name, &names[i]), 0);
		cr_assert_eq(got.buffer.length, next.buffer.length);
		cr_assert_eq(memcmp(got.buffer.bytes, next.buffer.bytes, got.buffer.length), 0, "varbind %zu", i);
		codec_buffer_free(&got.buffer);
		codec_buffer_free(&next.buffer);
	}
	picture_unref(picture);
}

/* A small generator, so that a failure can be had again. */
static uint32_t random_number(void)
{
	static uint32_t state = 20261120;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* A name near one of @names: cut, lengthened, or with another number somewhere. */
static struct oid random_near(const struct oid *names, size_t count)
{
	static const uint32_t some[] = {0, 1, 2, 3, 5, 31, 32, 45, 97, 98, 122, 255, 256, 2147483648u, UINT32_MAX};
	struct oid name = names[random_number() % count];

	for (uint32_t changes = random_number() % 3; changes > 0; changes--) {
		const uint32_t at = 8 + random_number() % (name.length - 8);
		const uint32_t arc = some[random_number() % BB_LENGTH(some)];

		switch (random_number() % 4) {
		case 0:
			name.length = at + 1;
			break;
		case 1:
			(void)oid_append(&name, &arc, 1); /* full: as it is */
			break;
		case 2:
			name.arcs[at] = arc;
			break;
		default:
			name.arcs[at] += random_number() % 3 - 1;
			break;
		}
	}
	return name;
}

/* What next should find: by looking at all names. */
static const struct oid *first_of(const struct oid *names, size_t count, const struct codec_range *range)
{
	for (size_t i = 0; i < count; i++) {
		const int order = oid_compare(&names[i], &range->start);

		if (order < 0 || (order == 0 && !range->include))
			continue;
		return range->end.length > 0 && oid_compare(&names[i], &range->end) >= 0 ? NULL : &names[i];
	}
	return NULL;
}

Test(agent_tree, next_finds_the_first_name_behind_any_other)
{
	static struct oid names[4096];
	struct picture *picture;
	size_t count, found = 0;

	add_some();
	picture = picture_now();
	count = walk(picture, names, BB_LENGTH(names));
	for (int i = 0; i < 20000; i++) {
		struct codec_range range = {.start = random_near(names, count), .include = random_number() % 2};
		const struct oid *expected;
		struct answer answer;
		char text[OID_TEXT_SIZE];

		if (random_number() % 2)
			range.end = random_near(names, count);
		expected = first_of(names, count, &range);
		if (!ask_next(picture, &range, &answer)) {
			cr_assert_null(expected, "nothing behind %s", oid_print(&range.start, text));
			continue;
		}
		cr_assert_not_null(expected, "something behind %s", oid_print(&range.start, text));
		cr_assert_eq(oid_compare(&answer.varbind.name, expected), 0, "behind %s",
			     oid_print(&range.start, text));
		codec_buffer_free(&answer.buffer);
		found++;
	}
	cr_expect_gt(found, 1000);
	picture_unref(picture);
}

/* The devices that column @below names, in the order of a walk, with commas between them. */
static const char *devices_of(const char *below)
{
	static char text[100];
	struct codec_range range = {.start = named(below, NULL, NULL)};
	struct picture *picture = picture_now();
	struct answer answer;
	char last[40] = "";

	text[0] = '\0';
	cr_assert(oid_after(&range.start, &range.end));
	while (ask_next(picture, &range, &answer)) {
		char device[40];

		(void)snprintf(device, sizeof(device), "%.*s", (int)answer.varbind.octets.length,
			       (const char *)answer.varbind.octets.bytes);
		if (strcmp(device, last) != 0)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				       text[0] == '\0' ? "" : ",", device);
		(void)strcpy(last, device);
		range.start = answer.varbind.name;
		codec_buffer_free(&answer.buffer);
	}
	picture_unref(picture);
	return text;
}

Test(agent_tree, devices_come_by_name_alone_and_by_length_before_points)
{
	add_some();
	cr_expect_str_eq(devices_of("1.2.1.2"), "a,aa,b,c1,silent,small,ups,ups-a,ups-a1,ups-b");
	cr_expect_str_eq(devices_of("1.3.1.2"), "a,b,aa,c1,ups,small,ups-a,ups-b,ups-a1");
}

Test(agent_tree, a_device_says_what_it_is)
{
	struct bb_device *device = add("ups-a", ups_points, true);
	const int model = bb_reading_find(device->reading, "device.model");

	cr_assert_eq(bb_reading_set_text(device->reading, (size_t)model, "PowerBox 9", 10), 0);
	add("ups-b", ups_points, false);
	expect(named("1.1.3.0", NULL, NULL), "2");
	expect(named("1.1.4.0", NULL, NULL), "1");
	expect(named("1.1.6.0", NULL, NULL), "1");
	expect(named("1.2.1.1", NULL, "ups-a"), "noSuchObject"); /* the index cannot be read */
	expect(named("1.2.1.2", NULL, "ups-a"), "ups-a");
	expect(named("1.2.1.3", NULL, "ups-a"), "noSuchInstance");
	expect(named("1.2.1.4", NULL, "ups-a"), "PowerBox 9");
	expect(named("1.2.1.4", NULL, "ups-b"), "noSuchInstance");
	expect(named("1.2.1.4", NULL, "ups"), "noSuchInstance");
	expect(named("1.2.1.6", NULL, "ups-a"), "fake");
	expect(named("1.2.1.7", NULL, "ups-a"), "3"); /* up */
	expect(named("1.2.1.7", NULL, "ups-b"), "1"); /* unknown */
	expect(named("1.2.1.8", NULL, "ups-a"), "0");
	expect(named("1.2.1.8", NULL, "ups-b"), "noSuchInstance");
	expect(named("1.2.1.9", NULL, "ups-a"), "0");
	expect(named("1.2.1.10", NULL, "ups-a"), "0");
	expect(named("1.2.1.11", NULL, "ups-b"), "0");
	expect(named("1.2.1.12", NULL, "ups-a"), "1");
	expect(named("1.3.1.3", "ups-b", "battery.charge"), "noSuchInstance");
}

Test(agent_tree, a_point_has_a_text_and_numbers)
{
	struct bb_device *device = add("ups-a", ups_points, true);

	set(device, "battery.charge", 970);
	set(device, "battery.current", -15);
	set(device, "output.source", 3);
	expect(named("1.3.1.2", "ups-a", "battery.charge"), "ups-a");
	expect(named("1.3.1.3", "ups-a", "battery.charge"), "battery.charge");
	expect(named("1.3.1.4", "ups-a", "battery.charge"), "97.0");
	expect(named("1.3.1.5", "ups-a", "battery.charge"), "970");
	expect(named("1.3.1.6", "ups-a", "battery.charge"), "970");
	expect(named("1.3.1.7", "ups-a", "battery.charge"), "1");
	expect(named("1.3.1.8", "ups-a", "battery.charge"), "%");
	expect(named("1.3.1.9", "ups-a", "battery.charge"), "1");
	expect(named("1.3.1.10", "ups-a", "battery.charge"), "2");
	expect(named("1.3.1.13", "ups-a", "battery.charge"), "2");
	expect(named("1.3.1.5", "ups-a", "battery.current"), "-15");
	expect(named("1.3.1.6", "ups-a", "battery.current"), "noSuchInstance"); /* SNMP has no negative 64 bits */
	expect(named("1.3.1.4", "ups-a", "output.source"), "normal");
	expect(named("1.3.1.5", "ups-a", "output.source"), "3");
	expect(named("1.3.1.4", "ups-a", "alarm.on-battery"), "false");
	expect(named("1.3.1.5", "ups-a", "alarm.on-battery"), "0");
	expect(named("1.3.1.4", "ups-a", "device.model"), "noSuchInstance"); /* nobody has said it yet */
	expect(named("1.3.1.10", "ups-a", "device.model"), "1");
	expect(named("1.3.1.4", "ups-a", "battery.charges"), "noSuchInstance");
	expect(named("1.3.1.4", "ups-a", NULL), "noSuchInstance");
}

Test(agent_tree, flags_and_times_are_texts_and_numbers)
{
	static const char *const points[] = {"bacs.status", "ups.status.word", "ups.test.start", "ups.command.on",
					     NULL};
	struct bb_device *device = add("ups-a", points, true);

	set(device, "ups.status.word", 0x5);
	expect(named("1.3.1.4", "ups-a", "ups.status.word"), "bypass-mode output-active");
	expect(named("1.3.1.5", "ups-a", "ups.status.word"), "5");
	expect(named("1.3.1.9", "ups-a", "ups.status.word"), "4");
	set(device, "bacs.status", INT64_C(1) << 32);
	expect(named("1.3.1.5", "ups-a", "bacs.status"), "noSuchInstance");
	expect(named("1.3.1.6", "ups-a", "bacs.status"), "4294967296");
	set(device, "ups.test.start", INT64_C(1700000000000));
	expect(named("1.3.1.4", "ups-a", "ups.test.start"), "2023-11-14T22:13:20Z");
	expect(named("1.3.1.5", "ups-a", "ups.test.start"), "1700000000");
	set(device, "ups.test.start", INT64_C(1700000000123));
	expect(named("1.3.1.4", "ups-a", "ups.test.start"), "2023-11-14T22:13:20.123Z");
	set(device, "ups.test.start", INT64_C(4102444800000)); /* 2100: no Integer32 any more */
	expect(named("1.3.1.5", "ups-a", "ups.test.start"), "noSuchInstance");
	expect(named("1.3.1.6", "ups-a", "ups.test.start"), "4102444800");
	expect(named("1.3.1.4", "ups-a", "ups.command.on"), "noSuchInstance");
	expect(named("1.3.1.9", "ups-a", "ups.command.on"), "9");
}

Test(agent_tree, a_number_that_does_not_fit_is_left_out_rather_than_wrong)
{
	struct bb_device *device = add("ups-a", ups_points, true);

	set(device, "input.L1.voltage", INT64_C(2147483648));
	expect(named("1.3.1.4", "ups-a", "input.L1.voltage"), "214748364.8");
	expect(named("1.3.1.5", "ups-a", "input.L1.voltage"), "noSuchInstance");
	expect(named("1.3.1.6", "ups-a", "input.L1.voltage"), "2147483648");
	set(device, "input.L1.voltage", INT32_MAX);
	expect(named("1.3.1.5", "ups-a", "input.L1.voltage"), "2147483647");
	set(device, "input.L1.voltage", INT32_MIN);
	expect(named("1.3.1.5", "ups-a", "input.L1.voltage"), "-2147483648");
	set(device, "input.L1.voltage", INT64_C(-2147483649));
	expect(named("1.3.1.5", "ups-a", "input.L1.voltage"), "noSuchInstance");
	expect(named("1.3.1.4", "ups-a", "input.L1.voltage"), "-214748364.9");
}

Test(agent_tree, old_measurements_are_not_shown_but_alarms_are)
{
	struct bb_device *device = add("ups-a", ups_points, true);

	set(device, "alarm.on-battery", 1);
	for (int group = 0; group < BB_GROUP_COUNT; group++)
		device->reading->times[group] -= 60000;
	expect(named("1.2.1.7", NULL, "ups-a"), "4"); /* lost */
	expect(named("1.2.1.8", NULL, "ups-a"), "60");
	expect(named("1.3.1.4", "ups-a", "battery.charge"), "noSuchInstance");
	expect(named("1.3.1.5", "ups-a", "battery.charge"), "noSuchInstance");
	expect(named("1.3.1.10", "ups-a", "battery.charge"), "3"); /* stale */
	expect(named("1.3.1.11", "ups-a", "battery.charge"), "60");
	expect(named("1.3.1.4", "ups-a", "alarm.on-battery"), "true");
}

Test(agent_tree, alarms_of_all_devices_stand_in_the_order_of_their_numbers)
{
	struct codec_range range = {.start = named("1.4.1.2", NULL, NULL)};
	struct picture *picture;
	struct bb_device *quiet;
	struct answer answer;
	uint32_t id = 0;
	int count = 0;

	add_some();
	quiet = add("quiet", ups_points, true);
	raise(quiet, 0); /* kept quiet: nobody was told, so it has no number */
	picture = picture_now();
	range.end = named("1.4.1.3", NULL, NULL);
	while (ask_next(picture, &range, &answer)) {
		cr_expect_gt(answer.varbind.name.arcs[answer.varbind.name.length - 1], id);
		id = answer.varbind.name.arcs[answer.varbind.name.length - 1];
		range.start = answer.varbind.name;
		codec_buffer_free(&answer.buffer);
		count++;
	}
	cr_expect_eq(count, 8);
	picture_unref(picture);
	expect(named("1.4.1.2.100", NULL, NULL), "b");
	expect(named("1.4.1.3.100", NULL, NULL), "on-battery");
	expect(named("1.4.1.7.100", NULL, NULL), "1.3.6.1.2.1.33.1.6.3.2");
	expect(named("1.4.1.8.100", NULL, NULL), "2");
	expect(named("1.4.1.9.100", NULL, NULL), "noSuchInstance");
	expect(named("1.4.1.2.92", NULL, NULL), "noSuchInstance");
	expect(named("1.1.5.0", NULL, NULL), "9");
	raise(quiet, 92); /* the table is made again when an alarm changes */
	expect(named("1.4.1.2.92", NULL, NULL), "quiet");
	expect(named("1.2.1.9", NULL, "quiet"), "1");
	expect(named("1.2.1.10", NULL, "quiet"), "3"); /* alarm */
}

/* Without a journal's notes numbers begin at the milliseconds since 1970 (core/journal_files.c). */
Test(agent_tree, an_alarm_has_a_row_however_large_the_number_of_its_event)
{
	struct bb_device *device = add("ups", ups_points, true);

	raise(device, UINT64_C(1795167000125));
	expect(named("1.4.1.2.2018154880", NULL, NULL), "ups");
	cr_expect_eq(alarm_row_id(UINT64_C(1795167000125)), 2018154880, "as in upsAlarmTable");
}

Test(agent_tree, a_picture_stays_as_it_is_while_devices_change_and_go)
{
	static struct oid before[1024], after[1024];
	struct bb_device *device = add("ups-a", ups_points, true), *other = add("ups-b", ups_points, true);
	struct picture *picture = picture_now();
	const size_t count = walk(picture, before, BB_LENGTH(before));

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	registry_remove(registry, other);
	cr_expect_eq(walk(picture, after, BB_LENGTH(after)), count);
	picture_unref(picture);
	fake_free(other);
	picture = picture_now();
	cr_expect_lt(walk(picture, after, BB_LENGTH(after)), count);
	picture_unref(picture);
}

static uint64_t counter_in(struct picture *picture, const struct oid *name)
{
	struct answer answer;

	ask(picture, name, &answer);
	cr_assert_eq(answer.varbind.type, CODEC_COUNTER64);
	codec_buffer_free(&answer.buffer);
	return answer.varbind.counter64;
}

Test(agent_tree, the_counters_of_a_picture_agree_with_each_other_while_polls_go_on)
{
	const struct oid of_device = named("1.2.1.12", NULL, "ups-a"), of_agent = named("1.1.6.0", NULL, NULL);
	struct bb_device *device = add("ups-a", ups_points, true);
	struct picture *picture = picture_now();

	cr_expect_eq(counter_in(picture, &of_device), 1);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_expect_eq(counter_in(picture, &of_agent), 1, "the sum of what its devices say");
	cr_expect_eq(counter_in(picture, &of_device), 1);
	picture_unref(picture);
	picture = picture_now();
	cr_expect_eq(counter_in(picture, &of_agent), 2);
	cr_expect_eq(counter_in(picture, &of_device), 2);
	picture_unref(picture);
}

Test(agent_tree, points_with_names_too_long_for_the_index_are_left_out)
{
	static char fits[81], too_long[82];
	static const char *const points[] = {"battery.charge", fits, too_long, NULL};
	static struct oid names[256];
	struct picture *picture;

	memset(fits, 'v', sizeof(fits) - 1);
	memset(too_long, 'v', sizeof(too_long) - 1);
	add("ups-a", points, true);
	add("ups-b", one_point, true);
	picture = picture_now();
	cr_expect_gt(walk(picture, names, BB_LENGTH(names)), 0);
	picture_unref(picture);
	expect(named("1.3.1.3", "ups-a", fits), fits);
	expect(named("1.3.1.3", "ups-a", too_long), "noSuchInstance");
	cr_expect_str_eq(devices_of("1.3.1.2"), "ups-a,ups-b");
}

Test(agent_tree, under_a_long_base_only_short_names_fit)
{
	static char longest[81];
	static const char *const points[] = {longest, NULL};
	static struct oid names[256];
	struct oid base = {.length = OID_MAX - 37};
	struct picture *picture;
	size_t count;

	memset(longest, 'v', sizeof(longest) - 1);
	for (uint32_t i = 0; i < base.length; i++)
		base.arcs[i] = 1;
	tree->ops->destroy(tree);
	cr_assert_eq(agent_tree_create(&(struct agent_tree_setup){.registry = registry, .base = &base}, &tree), 0);
	add("a-device-with-the-longest-name--", points, true);
	picture = picture_now();
	count = walk(picture, names, BB_LENGTH(names));
	cr_expect_gt(count, 12 + 8);
	for (size_t i = 0; i < count; i++)
		cr_assert_leq(names[i].length, OID_MAX);
	picture_unref(picture);
}

Test(agent_tree, a_base_that_leaves_no_room_is_refused)
{
	struct oid base = {.length = OID_MAX - 36};
	struct subtree *other = NULL;

	cr_expect_eq(agent_tree_create(&(struct agent_tree_setup){.registry = registry, .base = &base}, &other),
		     -E2BIG);
	cr_expect_null(other);
}
