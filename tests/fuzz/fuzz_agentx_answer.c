/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_agentx_answer.c - any Get, GetNext or GetBulk of a master over the trees of devices and the BUSBAR-MIB, whatever
 * the devices measure. The first four bytes say what they measure, how old it is, and which alarms are active; then comes
 * a message, whose header is made one that is taken.
 *
 * The answer is one that snmpd takes, to that request; every name in it lies in the range it was asked for, and a Get of
 * it gives the same value. What is there is not passed over: a GetNext that includes it gives it, and one that ends
 * before it gives nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "../unit/agentx_rewrite.h"
#include "alarm.h"
#include "configuration.h"
#include "context.h"
#include "device.h"
#include "objects.h"
#include "registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEED_SIZE  4
#define RANGES_MAX 64 /* of one request: more are none the wiser */

static struct contexts *contexts;
static struct bb_device *devices[2];
static uint32_t dice;

static void demand(int holds)
{
	if (!holds)
		abort();
}

/* ---- devices ---- */

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1664525U + 1013904223U;
	return (dice >> 8) % sides;
}

/* Every point that an object wants, in rows 1 to 3 where it has rows, and the alarms; the second device has a tenth. */
static int world_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	static unsigned opened;
	const size_t step = opened++ ? 10 : 1;
	const struct bb_alarm_type *alarm;
	char name[128];

	(void)config;
	(void)state;
	for (size_t i = 0; i < object_count; i += step) {
		const char *const point = object_table[i].point, *const star = strchr(point, '*');

		for (int row = 1; point[0] != '\0' && row <= (star ? 3 : 1); row++) {
			(void)snprintf(name, sizeof(name), star ? "%.*s%d%s" : "%.*s",
				       star ? (int)(star - point) : (int)sizeof(name), point, row,
				       star ? star + 1 : "");
			(void)bb_builder_add(builder, name); /* twice, or not in the dictionary: then not */
		}
	}
	for (size_t i = 0; (alarm = bb_alarm_type_row(i)) != NULL; i += step) {
		(void)snprintf(name, sizeof(name), "alarm.%s", alarm->name);
		(void)bb_builder_add(builder, name);
	}
	return 0;
}

static int world_poll(void *state, struct bb_reading *reading)
{
	static const int64_t numbers[] = {0, 1, -1, 5, 970, 2301, INT32_MAX, INT64_MAX, INT64_MIN, 4711};

	(void)state;
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		if (bb_reading_is_derived(reading, i) || roll(4) == 0)
			continue;
		if (bb_reading_point(reading, i)->kind == BB_KIND_STRING)
			(void)bb_reading_set_text(reading, i, "a text of some length, and \xc3\xbc", roll(29));
		else /* what is out of range becomes a bad value */
			(void)bb_reading_set(reading, i, numbers[roll(BB_LENGTH(numbers))]);
	}
	return 0;
}

static void world_close(void *state)
{
	(void)state;
}

static struct bb_device *add_device(struct bb_registry *registry, const char *name)
{
	static const struct bb_plugin plugin = {
		.abi = BB_PLUGIN_ABI,
		.kind = BB_PLUGIN_DEVICE,
		.name = "world",
		.state_size = sizeof(int),
		.device = {.open = world_open, .poll = world_poll, .close = world_close},
	};
	static const char *const options[] = {"interval=1s", "stale-after=10s", NULL};
	struct configuration_section section;
	struct bb_device *device;

	demand(configuration_make_device(&plugin, name, options, &section) == 0);
	demand(device_create(registry, &plugin, section.config, &device) == 0);
	demand(device_open(device, NULL) == 0);
	demand(registry_add(registry, device) == 0);
	return device;
}

static void make_world(void)
{
	static const struct oid base = {7, {1, 3, 6, 1, 4, 1, 99}};
	struct contexts_setup setup = {.default_device = "ups-a", .agent = {.base = &base}};

	demand(registry_create(NULL, &setup.registry) == 0);
	setup.agent.registry = setup.registry;
	devices[0] = add_device(setup.registry, "ups-a");
	devices[1] = add_device(setup.registry, "ups-b");
	demand(contexts_create(&setup, &contexts) == 0);
	demand(contexts_update(contexts) > 0);
}

/* Some are active, by events whose numbers are all different, as they really are. */
static void change_alarms(struct bb_device *device, size_t place)
{
	struct bb_snapshot snapshot;
	struct bb_alarm_set *alarms;

	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	alarms = alarm_set_copy(snapshot.alarms);
	demand(alarms != NULL);
	for (size_t i = 0; i < alarms->count; i++) {
		alarms->alarms[i].active = roll(3) == 0;
		alarms->alarms[i].event =
			alarms->alarms[i].active ? 1 + (roll(50) * alarms->count + i) * BB_LENGTH(devices) + place : 0;
		alarms->alarms[i].since_wall_ms = 1700000000000 + roll(100000);
		alarms->alarms[i].since_ms = roll(100000);
	}
	alarm_set_seal(alarms);
	demand(device_replace_alarms(device, snapshot.alarms, alarms));
	bb_snapshot_release(&snapshot);
}

/* What @seed has measured; that takes a while, so not when it has just been so. */
static void move_world(uint32_t seed)
{
	static int64_t moved_ms = -1;
	static uint32_t last;

	if (moved_ms < 0 || seed != last || bb_clock_ms() - moved_ms > 1000) {
		moved_ms = bb_clock_ms();
		last = dice = seed;
		for (size_t i = 0; i < BB_LENGTH(devices); i++) {
			demand(device_poll(devices[i], BB_GROUP_REST) == 0);
			change_alarms(devices[i], i);
		}
	}
	dice = seed;
}

/* ---- one request ---- */

struct question {
	struct codec_header header;
	const char *context;
	struct moment moment;
};

/* Ask; the answer, whole and of the right shape, in @answer; its variables begin at @ret_reader. */
static struct codec_response ask(const struct question *question, const uint8_t *payload, struct codec_buffer *answer,
				 struct codec_reader *ret_reader)
{
	struct codec_buffer again = {0};
	struct codec_octets context;
	struct codec_reader reader;
	struct codec_header header;
	struct codec_response response;

	demand(codec_reader_init(&reader, &question->header, payload, &context) == 0);
	demand(contexts_answer(contexts, &question->moment, &question->header, question->context, &reader, answer) ==
	       0);
	demand(answer->length <= CODEC_MESSAGE_MAX);
	demand(codec_header_parse(answer->bytes, &header) == 0);
	demand(header.type == CODEC_RESPONSE && header.session == question->header.session &&
	       header.transaction == question->header.transaction && header.packet == question->header.packet);
	demand(CODEC_HEADER_SIZE + header.length == answer->length);
	demand(rewrite_message(&header, answer->bytes + CODEC_HEADER_SIZE, &again) == 0);
	demand(again.length == answer->length && memcmp(again.bytes, answer->bytes, again.length) == 0);
	codec_buffer_free(&again);
	demand(codec_reader_init(ret_reader, &header, answer->bytes + CODEC_HEADER_SIZE, &context) == 0);
	demand(codec_read_response(ret_reader, &response) == 0);
	demand(response.error == CODEC_NO_ERROR || codec_at_end(ret_reader));
	return response;
}

/* Ask for one range in the same transaction. Its variable, whose bytes begin at *@ret_bytes in @answer. */
static void ask_one(const struct question *question, enum codec_type type, const struct codec_range *range,
		    struct codec_buffer *answer, const uint8_t **ret_bytes, struct codec_varbind *ret_varbind)
{
	struct question other = *question;
	struct codec_buffer request = {0};
	struct codec_reader reader;
	const size_t place = codec_begin(&request, &(struct codec_header){.type = type}, NULL);

	codec_put_oid(&request, &range->start, range->include);
	codec_put_oid(&request, &range->end, false);
	demand(codec_end(&request, place) == 0);
	demand(codec_header_parse(request.bytes, &other.header) == 0);
	other.header.transaction = question->header.transaction;
	demand(ask(&other, request.bytes + CODEC_HEADER_SIZE, answer, &reader).error == CODEC_NO_ERROR);
	*ret_bytes = reader.at;
	demand(codec_read_varbind(&reader, ret_varbind) == 0);
	demand(codec_at_end(&reader));
	codec_buffer_free(&request);
}

static bool is_exception(const struct codec_varbind *varbind)
{
	return varbind->type == CODEC_NO_SUCH_OBJECT || varbind->type == CODEC_NO_SUCH_INSTANCE ||
	       varbind->type == CODEC_END_OF_MIB_VIEW;
}

/* What a Get and a GetNext say of a name that stands in an answer with the bytes from @bytes on: just that. */
static void ask_again(const struct question *question, const uint8_t *bytes, size_t length, const struct oid *name)
{
	static const enum codec_type types[] = {CODEC_GET, CODEC_GET_NEXT};
	const struct codec_range range = {.start = *name, .include = true};

	for (size_t i = 0; i < BB_LENGTH(types); i++) {
		struct codec_buffer answer = {0};
		struct codec_varbind varbind;
		const uint8_t *there;

		ask_one(question, types[i], &range, &answer, &there, &varbind);
		demand(answer.bytes + answer.length == there + length);
		demand(memcmp(there, bytes, length) == 0);
		codec_buffer_free(&answer);
	}
}

/* Nothing stands between @start and @name, which came next: a range that ends there is empty. */
static void ask_before(const struct question *question, const struct codec_range *range, const struct oid *name)
{
	const struct codec_range before = {range->start, *name, range->include};
	struct codec_buffer answer = {0};
	struct codec_varbind varbind;
	const uint8_t *there;

	ask_one(question, CODEC_GET_NEXT, &before, &answer, &there, &varbind);
	demand(varbind.type == CODEC_END_OF_MIB_VIEW);
	codec_buffer_free(&answer);
}

/* Is the variable that comes next in @reader one for @range? The search goes on behind it. */
static void check_next(const struct question *question, struct codec_reader *reader, struct codec_range *range)
{
	static struct codec_varbind varbind;
	const uint8_t *const bytes = reader->at;
	int order;

	demand(codec_read_varbind(reader, &varbind) == 0);
	order = oid_compare(&varbind.name, &range->start);
	if (varbind.type == CODEC_END_OF_MIB_VIEW) {
		demand(order == 0);
		return;
	}
	demand(!is_exception(&varbind));
	demand(range->include ? order >= 0 : order > 0);
	demand(range->end.length == 0 || oid_compare(&varbind.name, &range->end) < 0);
	ask_again(question, bytes, (size_t)(reader->at - bytes), &varbind.name);
	ask_before(question, range, &varbind.name);
	range->start = varbind.name;
	range->include = false;
}

static void check_get(const struct question *question, struct codec_reader *reader, const struct codec_range *range)
{
	static struct codec_varbind varbind;
	const uint8_t *const bytes = reader->at;

	demand(codec_read_varbind(reader, &varbind) == 0);
	demand(oid_compare(&varbind.name, &range->start) == 0);
	demand(varbind.type != CODEC_END_OF_MIB_VIEW);
	if (!is_exception(&varbind))
		ask_again(question, bytes, (size_t)(reader->at - bytes), &varbind.name);
}

static size_t read_ranges(const struct question *question, const uint8_t *payload, struct codec_range *ranges,
			  uint16_t *ret_singles, uint16_t *ret_rows)
{
	struct codec_octets context;
	struct codec_reader reader;
	size_t count = 0;

	demand(codec_reader_init(&reader, &question->header, payload, &context) == 0);
	*ret_singles = UINT16_MAX;
	*ret_rows = 0;
	if (question->header.type == CODEC_GET_BULK)
		demand(codec_read_bulk(&reader, ret_singles, ret_rows) == 0);
	while (!codec_at_end(&reader) && count < RANGES_MAX)
		demand(codec_read_range(&reader, &ranges[count++]) == 0);
	return codec_at_end(&reader) ? count : 0;
}

static void check_answer(const struct question *question, const uint8_t *payload, struct codec_reader *reader)
{
	static struct codec_range ranges[RANGES_MAX];
	uint16_t singles, rows;
	const size_t count = read_ranges(question, payload, ranges, &singles, &rows);
	size_t row = 0;

	if (count == 0)
		return;
	for (size_t i = 0; i < count && i < singles; i++)
		if (question->header.type == CODEC_GET)
			check_get(question, reader, &ranges[i]);
		else
			check_next(question, reader, &ranges[i]);
	for (; !codec_at_end(reader); row++)
		for (size_t i = singles; i < count; i++)
			check_next(question, reader, &ranges[i]);
	demand(row <= rows);
}

static void look_at(const struct codec_header *header, const uint8_t *payload)
{
	struct question question = {.header = *header};
	struct codec_buffer answer = {0};
	struct codec_octets octets;
	struct codec_reader reader;
	char context[64];
	int64_t later = roll(4) * 6000;

	if (header->type < CODEC_GET || header->type > CODEC_GET_BULK ||
	    codec_reader_init(&reader, header, payload, &octets) < 0 || octets.length >= sizeof(context))
		return;
	memcpy(context, octets.bytes, octets.length);
	context[octets.length] = '\0';
	question.context = context;
	question.moment = (struct moment){bb_clock_ms() + later, bb_clock_wall_ms() - bb_clock_ms(),
					  (int64_t)roll(100000) - 50000};
	if (ask(&question, payload, &answer, &reader).error == CODEC_NO_ERROR)
		check_answer(&question, payload, &reader);
	codec_buffer_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[CODEC_HEADER_SIZE], *payload;
	struct codec_header header;
	uint32_t length, seed;

	if (!contexts)
		make_world();
	if (size < SEED_SIZE + sizeof(bytes))
		return 0;
	memcpy(&seed, data, SEED_SIZE);
	memcpy(bytes, data + SEED_SIZE, sizeof(bytes));
	data += SEED_SIZE + sizeof(bytes);
	size -= SEED_SIZE + sizeof(bytes);
	length = (uint32_t)size / 4 * 4;
	bytes[0] = 1;
	bytes[1] = (uint8_t)(CODEC_GET + bytes[1] % 3);
	for (int i = 0; i < 4; i++)
		bytes[16 + i] = (uint8_t)(length >> (bytes[2] & CODEC_NETWORK_BYTE_ORDER ? 24 - 8 * i : 8 * i));
	if (codec_header_parse(bytes, &header) < 0)
		return 0;
	payload = malloc(length ? length : 1); /* of just its size, so that a byte too far is noticed */
	if (!payload)
		return 0;
	memcpy(payload, data, length);
	move_world(seed);
	contexts_forget_transactions(contexts);
	look_at(&header, payload);
	free(payload);
	return 0;
}
