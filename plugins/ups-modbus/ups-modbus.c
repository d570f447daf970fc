/* SPDX-License-Identifier: Apache-2.0
 *
 * ups-modbus - any device that a register map describes, over Modbus TCP.
 *
 * The map (option `model`) says everything: addresses, codings, points. At first contact the device is surveyed
 * (survey.c): registers it refuses are left out. Each poll then reads the same few blocks and decodes them. A device
 * that was away, or refuses what it had, is surveyed again, because it may come back with other firmware.
 *
 * Registers are exact: a value goes from words to a point's scaled integer by two integers, see bb_register_decode().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus_link.h>
#include <busbar/plugin.h>

#include "survey.h"

#define TEXT_SIZE 256

struct ups_modbus {
	const struct bb_log *log;
	struct bb_link *link;
	const struct bb_regmap *map;
	uint8_t unit;
	struct survey survey;
	int *points;   /* for each register of the map: its point in readings, −1: none */
	bool was_lost; /* a poll has failed since the last survey */
};

static const struct bb_option ups_modbus_options[] = {
	{.name = "address",
	 .type = BB_OPTION_ADDRESS,
	 .choices = "modbus-tcp",
	 .required = true,
	 .help = "modbus-tcp://HOST[:PORT]/UNIT; units of one host and port share a connection"},
	{.name = "model",
	 .type = BB_OPTION_STRING,
	 .preset = "default",
	 .help = "register map of the device: busbarctl maps lists them"},
	{.name = "max-registers",
	 .type = BB_OPTION_INT,
	 .preset = "125",
	 .min = 1,
	 .max = 125,
	 .help = "the most registers the device answers in one request"},
	{.name = "gap",
	 .type = BB_OPTION_INT,
	 .preset = "16",
	 .min = 0,
	 .max = 124,
	 .help = "how many registers that nobody needs may be read to save a request"},
	{0},
};

static int ups_modbus_check(const struct bb_config *config)
{
	const char *model = bb_config_string(config, "model");

	if (bb_modbus_address_unit(bb_config_address(config, "address")) < 0)
		return bb_config_error(config, "address", "the unit id after the slash must be 0 to 255");
	if (bb_regmap_find(model) == NULL)
		return bb_config_error(config, "model", "there is no register map '%s'", model);
	return 0;
}

static int ups_modbus_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct ups_modbus *device = state;
	const int unit = bb_modbus_address_unit(bb_config_address(config, "address"));
	int r;

	device->log = bb_builder_log(builder);
	device->map = bb_regmap_find(bb_config_string(config, "model"));
	if (unit < 0 || device->map == NULL)
		return -EINVAL; /* check() has said so */
	device->unit = (uint8_t)unit;
	r = bb_builder_link(builder, &BB_LINK_MODBUS, &device->link);
	if (r < 0)
		return r;
	device->points = calloc(device->map->count, sizeof(*device->points));
	r = device->points == NULL
		    ? -ENOMEM
		    : survey_init(&device->survey, device->map, (unsigned)bb_config_int(config, "max-registers"),
				  (unsigned)bb_config_int(config, "gap"));
	return r < 0 ? bb_log_error(device->log, r, "cannot prepare map %s", device->map->id) : 0;
}

static void ups_modbus_close(void *state)
{
	struct ups_modbus *device = state;

	survey_finish(&device->survey);
	free(device->points);
	bb_link_unref(device->link);
}

/* The survey reads from the device's unit on its link. */
static int ups_modbus_ask(void *context, uint8_t function, uint16_t address, uint16_t count, uint16_t *ret_words)
{
	const struct ups_modbus *device = context;

	return bb_modbus_read(device->link, device->unit, function, address, count, ret_words);
}

static struct survey_reader reader_of(struct ups_modbus *device)
{
	return (struct survey_reader){.read = ups_modbus_ask, .context = device};
}

static int ups_modbus_describe(struct bb_builder *builder, void *state)
{
	struct ups_modbus *device = state;
	const struct survey_reader reader = reader_of(device);
	int r = survey_take(&device->survey, &reader);

	if (r == -ENODATA)
		return bb_log_error(device->log, r, "unit %u has no register of map %s", device->unit, device->map->id);
	if (r < 0)
		return r;
	for (size_t i = 0; i < device->map->count; i++) {
		const struct bb_register *entry = &device->map->registers[i];
		const struct bb_point_spec spec = {
			.name = entry->point,
			.unit = entry->unit,
			.decimals = entry->decimals,
			.kind = entry->kind,
			.writable = entry->writable,
			.help = entry->note,
		};

		device->points[i] = -1;
		if (!device->survey.present[i])
			continue;
		r = bb_builder_add_points(builder, &spec, 1);
		if (r < 0)
			return r;
		device->points[i] = r;
	}
	device->was_lost = false;
	return 0;
}

static void decode(const struct ups_modbus *device, size_t index, struct bb_reading *reading)
{
	const struct bb_register *entry = &device->map->registers[index];
	const uint16_t *words = survey_words(&device->survey, index);
	const size_t point = (size_t)device->points[index];
	char text[TEXT_SIZE];
	int64_t value = 0;
	enum bb_quality quality;

	if (entry->type == BB_REGISTER_STRING) {
		const size_t length = bb_register_decode_text(entry, words, text, sizeof(text));

		(void)bb_reading_set_text(reading, point, text, length); /* what it lacks memory for, it marks */
		return;
	}
	quality = bb_register_decode(entry, words, &value);
	if (quality == BB_QUALITY_GOOD)
		(void)bb_reading_set(reading, point, value); /* what cannot be, it marks */
	else
		bb_reading_set_quality(reading, point, quality);
}

static int ups_modbus_refresh(struct ups_modbus *device, struct bb_reading *reading, bool urgent)
{
	const struct survey_reader reader = reader_of(device);
	int r;

	if (device->was_lost)
		return BB_RELEARN;
	r = survey_read(&device->survey, &reader, urgent);
	if (r == -ESTALE)
		return BB_RELEARN;
	if (r < 0) {
		device->was_lost = r != -EAGAIN;
		return r;
	}
	for (size_t i = 0; i < device->map->count; i++)
		if (device->points[i] >= 0 && (!urgent || survey_is_urgent(&device->map->registers[i])))
			decode(device, i, reading);
	return 0;
}

static int ups_modbus_poll(void *state, struct bb_reading *reading)
{
	return ups_modbus_refresh(state, reading, false);
}

static int ups_modbus_watch(void *state, struct bb_reading *reading)
{
	return ups_modbus_refresh(state, reading, true);
}

/* Coils by function 05, registers by 06; then read back, because many devices answer a write and ignore it. */
static int ups_modbus_write(void *state, size_t point, const struct bb_value *value)
{
	struct ups_modbus *device = state;

	for (size_t i = 0; i < device->map->count; i++) {
		const struct bb_register *entry = &device->map->registers[i];
		const bool coil = (entry->spaces & 1u << BB_SPACE_COIL) != 0;
		uint16_t words[2], seen;
		int r;

		if (device->points[i] != (int)point)
			continue;
		if (!entry->writable || entry->count != 1)
			return -EACCES;
		if (bb_register_encode(entry, BB_QUALITY_GOOD, value->number, words) != BB_ENCODED)
			return -ERANGE;
		r = bb_modbus_write(device->link, device->unit, coil ? 5 : 6, entry->address, words, 1);
		if (r == 0)
			r = bb_modbus_read(device->link, device->unit, coil ? 1 : 3, entry->address, 1, &seen);
		if (r != 0)
			return r < 0 ? r : -EREMOTEIO;
		return seen == words[0] ? 0 : -EIO;
	}
	return -ENOENT;
}

BB_PLUGIN(ups_modbus) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "ups-modbus",
	.summary = "UPSs and other devices by register map, Modbus TCP",
	.options = ups_modbus_options,
	.state_size = sizeof(struct ups_modbus),
	.device = {.check = ups_modbus_check,
		   .open = ups_modbus_open,
		   .describe = ups_modbus_describe,
		   .poll = ups_modbus_poll,
		   .watch = ups_modbus_watch,
		   .write = ups_modbus_write,
		   .close = ups_modbus_close,
		   .schemes = "modbus-tcp"},
};
