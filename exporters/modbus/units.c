/* SPDX-License-Identifier: Apache-2.0
 *
 * units.c - the unit ids of the server, see units.h.
 *
 * A request is checked in the order an integrator can rely on: function (01), length and byte count (03), quantity
 * (03), address and quantity within 65536 (02), all of which bb_modbus_request_parse() does; then for reads whether a map
 * lists every address (02), whether the device ever answered (06), whether its values are stale (0B); writes.c has
 * those of writes.
 */
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/exporter.h>

#include "writes.h"

#define UNIT_MAX            247 /* Serial Line, 2.2: 248 to 255 are reserved, 0 is for broadcasts */
#define FUNCTION_READ_LAST  4
#define FUNCTION_IDENTIFY   43
#define MEI_IDENTIFICATION  14 /* Read Device Identification (Application Protocol, 6.21) */
#define IDENTIFY_BASIC      1
#define IDENTIFY_ONE        4
#define IDENTIFY_OBJECTS    3    /* vendor, product, version: the basic ones */
#define CONFORMITY          0x81 /* basic identification, also one by one */
#define ABSENT_WORD_DEFAULT (-1)

const struct bb_option units_options[] = {
	{.name = "device", .type = BB_OPTION_STRING, .required = true, .help = "name of the device"},
	{.name = "map", .type = BB_OPTION_STRING, .preset = "default", .help = "register map it is seen through"},
	{.name = "on-stale",
	 .type = BB_OPTION_ENUM,
	 .preset = "exception",
	 .choices = "exception hold",
	 .help = "what measurements of a stale device answer: exception 0B, or their last values"},
	{.name = "allow-write",
	 .type = BB_OPTION_BOOL,
	 .preset = "false",
	 .help = "may clients write to the points that the map grants?"},
	{.name = "absent",
	 .type = BB_OPTION_INT,
	 .min = -32768,
	 .max = 65535,
	 .help = "what a measurement that the device does not have shows (default -9999)"},
	{0},
};

struct unit {
	uint8_t id;
	struct image *image;
};

struct units {
	struct bb_registry *registry;
	size_t count;
	struct unit units[];
};

/* The unit id that a section stands under, or -EINVAL. */
static int section_unit(const struct bb_config *section)
{
	char *end;
	const long id = strtol(bb_config_name(section), &end, 10);

	return *end == '\0' && id >= 1 && id <= UNIT_MAX ? (int)id : -EINVAL;
}

/* All sections of one unit id stand next to each other: how many from @first on. */
static size_t count_views(const struct bb_config *const *first)
{
	size_t count = 0;

	while (first[count] != NULL && strcmp(bb_config_name(first[count]), bb_config_name(first[0])) == 0)
		count++;
	return count;
}

static int make_image(const struct bb_config *const *sections, size_t count, struct image **ret_image)
{
	struct view *views = calloc(count, sizeof(*views));
	unsigned address = 0;
	int r = 0;

	if (views == NULL)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < count; i++) {
		views[i] = (struct view){
			.device = bb_config_string(sections[i], "device"),
			.map = bb_regmap_find(bb_config_string(sections[i], "map")),
			.allow_write = bb_config_bool(sections[i], "allow-write"),
			.hold = bb_config_int(sections[i], "on-stale") == 1,
			.absent = ABSENT_WORD_DEFAULT,
		};
		if (bb_config_is_set(sections[i], "absent"))
			views[i].absent = (uint16_t)bb_config_int(sections[i], "absent");
		if (views[i].map == NULL)
			r = bb_config_error(sections[i], "map", "there is no register map '%s'",
					    bb_config_string(sections[i], "map"));
	}
	if (r >= 0) {
		r = image_create(views, count, ret_image, &address);
		if (r == -EEXIST)
			r = bb_config_error(sections[0], NULL, "two maps of this unit list address %u", address);
	}
	free(views);
	return r;
}

int units_create(const struct bb_config *config, struct bb_registry *registry, struct units **ret_units)
{
	const struct bb_config *const *sections = bb_config_sections(config, "units");
	struct units *units;
	size_t most = 0;
	int r = 0;

	while (sections[most] != NULL)
		most++;
	units = calloc(1, sizeof(*units) + most * sizeof(struct unit));
	if (units == NULL)
		return -ENOMEM;
	units->registry = registry;
	for (size_t count; r >= 0 && *sections != NULL; sections += count) {
		const int id = section_unit(*sections);
		struct unit *unit = &units->units[units->count];

		count = count_views(sections);
		if (id < 0) {
			r = bb_config_error(*sections, NULL, "a unit id is a number from 1 to %d", UNIT_MAX);
			break;
		}
		r = make_image(sections, count, &unit->image);
		unit->id = (uint8_t)id;
		units->count += r >= 0;
	}
	if (r >= 0 && units->count == 0)
		r = bb_config_error(config, "units", "the server needs at least one unit");
	if (r < 0) {
		units_destroy(units);
		return r;
	}
	*ret_units = units;
	return 0;
}

void units_destroy(struct units *units)
{
	if (units == NULL)
		return;
	for (size_t i = 0; i < units->count; i++)
		image_destroy(units->units[i].image);
	free(units);
}

int units_check(const struct bb_config *config)
{
	struct units *units;
	const int r = units_create(config, NULL, &units);

	if (r >= 0)
		units_destroy(units);
	return r;
}

/* ---- answering ---- */

/* On TCP, 0 and 255 mean the device itself (Messaging on TCP/IP, 4.4.2.2): the only unit, where there is one. */
static struct unit *find_unit(struct units *units, uint8_t id)
{
	for (size_t i = 0; i < units->count; i++)
		if (units->units[i].id == id)
			return &units->units[i];
	return (id == 0 || id == 255) && units->count == 1 ? &units->units[0] : NULL;
}

/* Read Device Identification, for scanners: who we are, not what the device behind the unit is. */
static size_t identify(const struct bb_modbus_request *request, uint8_t reply[BB_MODBUS_TCP_MAX])
{
	const char *const objects[IDENTIFY_OBJECTS] = {"busbar", "busbar", bb_version()};
	uint8_t data[BB_MODBUS_PDU_MAX];
	uint8_t code, object;
	size_t first = 0, last = IDENTIFY_OBJECTS, length;

	if (request->data_length != 3 || request->data[0] != MEI_IDENTIFICATION)
		return bb_modbus_reply_exception(reply, request, BB_MODBUS_ILLEGAL_FUNCTION);
	code = request->data[1];
	object = request->data[2];
	if (code == IDENTIFY_ONE) {
		if (object >= IDENTIFY_OBJECTS)
			return bb_modbus_reply_exception(reply, request, BB_MODBUS_ILLEGAL_ADDRESS);
		first = object;
		last = first + 1;
	} else if (code < IDENTIFY_BASIC || code > IDENTIFY_ONE) {
		return bb_modbus_reply_exception(reply, request, BB_MODBUS_ILLEGAL_VALUE);
	}
	data[0] = MEI_IDENTIFICATION;
	data[1] = code;
	data[2] = CONFORMITY;
	data[3] = 0; /* nothing follows in another answer */
	data[4] = 0;
	data[5] = (uint8_t)(last - first);
	length = 6;
	for (size_t i = first; i < last; i++) {
		const size_t size = strlen(objects[i]);

		data[length] = (uint8_t)i;
		data[length + 1] = (uint8_t)size;
		memcpy(data + length + 2, objects[i], size);
		length += 2 + size;
	}
	return bb_modbus_reply_data(reply, request, data, length);
}

static size_t answer_read(struct units *units, struct unit *unit, const struct bb_modbus_request *request,
			  uint8_t reply[BB_MODBUS_TCP_MAX])
{
	uint16_t words[BB_MODBUS_BITS_MAX];
	uint8_t bits[BB_MODBUS_BITS_MAX];
	const int exception = image_read(unit->image, units->registry, bb_clock_ms(), request, words);

	if (exception)
		return bb_modbus_reply_exception(reply, request, (uint8_t)exception);
	if (request->function > 2) /* 03 and 04 read registers */
		return bb_modbus_reply_words(reply, request, words);
	for (unsigned i = 0; i < request->quantity; i++)
		bits[i] = words[i] != 0;
	return bb_modbus_reply_bits(reply, request, bits);
}

size_t units_answer(struct units *units, struct client *client, const uint8_t *frame, size_t length,
		    uint8_t reply[BB_MODBUS_TCP_MAX])
{
	struct bb_modbus_request request;
	int exception = bb_modbus_request_parse(frame, length, &request);
	struct unit *unit = find_unit(units, request.unit);

	if (unit == NULL)
		return bb_modbus_reply_exception(reply, &request, BB_MODBUS_GATEWAY_PATH);
	if (exception)
		return bb_modbus_reply_exception(reply, &request, (uint8_t)exception);
	if (request.function == FUNCTION_IDENTIFY)
		return identify(&request, reply);
	if (request.function <= FUNCTION_READ_LAST)
		return answer_read(units, unit, &request, reply);
	exception = writes_begin(client, unit->image, units->registry, &request);
	return exception ? bb_modbus_reply_exception(reply, &request, (uint8_t)exception) : 0;
}
