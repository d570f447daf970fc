/* SPDX-License-Identifier: Apache-2.0
 *
 * ups-modbus - any device that a register map describes, over Modbus TCP.
 *
 * The map (option `model`) says everything: addresses, codings, points. At first contact the device is surveyed
 * (survey.c): registers it refuses are left out. Each poll then reads the same few blocks and decodes them (points.c).
 * A device that was away, or refuses what it had, is surveyed from the start, because it may come back with other
 * firmware. Registers that it could not say at the time are asked for again, soon at first, then less and less often: it
 * may have been starting up, or it may be that it never can.
 */
#include "ups-modbus.h"

#include <errno.h>
#include <stdlib.h>

#include <busbar/modbus.h>
#include <busbar/modbus_link.h>

#include "identify.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS  30000

static const struct bb_option ups_modbus_options[] = {
	{.name = "address",
	 .type = BB_OPTION_ADDRESS,
	 .choices = "modbus-tcp",
	 .required = true,
	 .help = "modbus-tcp://HOST[:PORT]/UNIT; units of one host and port share a connection"},
	{.name = "model",
	 .type = BB_OPTION_STRING,
	 .preset = "default",
	 .help = "register map of the device (busbarctl maps); not said: the one it names itself by, where it does"},
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
	const char *model = bb_config_string(config, "model"), *meant;

	if (bb_modbus_address_unit(bb_config_address(config, "address")) < 0)
		return bb_config_error(config, "address", "the unit id after the slash must be 0 to 255");
	if (bb_regmap_find(model) != NULL)
		return 0;
	meant = bb_regmap_suggest(model);
	return bb_config_error(config, "model", "there is no register map '%s'%s%s%s", model,
			       meant != NULL ? ", did you mean '" : "", meant != NULL ? meant : "",
			       meant != NULL ? "'?" : "");
}

/* From now on the device is read by @map. */
static int use_map(struct ups_modbus *device, const struct bb_regmap *map)
{
	int r = -EINVAL; /* check() has said that there is no such map */

	points_finish(device);
	survey_finish(&device->survey);
	device->map = map;
	if (map != NULL)
		r = survey_init(&device->survey, map, (unsigned)bb_config_int(device->config, "max-registers"),
				(unsigned)bb_config_int(device->config, "gap"));
	if (r == 0)
		r = points_init(device);
	return r < 0 ? bb_log_error(device->log, r, "cannot prepare its register map") : 0;
}

static int ups_modbus_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct ups_modbus *device = state;
	const int unit = bb_modbus_address_unit(bb_config_address(config, "address"));
	int r;

	device->log = bb_builder_log(builder);
	device->config = config;
	device->is_unidentified = !bb_config_is_set(config, "model");
	if (unit < 0)
		return -EINVAL; /* check() has said so */
	device->unit = (uint8_t)unit;
	r = bb_builder_link(builder, &BB_LINK_MODBUS, &device->link);
	return r < 0 ? r : use_map(device, bb_regmap_find(bb_config_string(config, "model")));
}

static void ups_modbus_close(void *state)
{
	struct ups_modbus *device = state;

	points_finish(device);
	survey_finish(&device->survey);
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

/* Was a poll in steps not over when its deadline passed? */
static bool is_unanswered(const struct ups_modbus *device)
{
	return device->next < device->asking_count;
}

/* A device without a configured model may say what it is. 0 or a negative errno. */
static int find_map(struct ups_modbus *device, const struct survey_reader *reader)
{
	const struct bb_regmap *map = NULL;
	char text[IDENTIFY_TEXT_SIZE];
	int r = identify_map(reader, &map, text);

	if (r < 0)
		return r;
	if (r > 0 && map != device->map) {
		bb_log_notice(device->log, "says that it is '%s': taking register map %s", text, map->id);
		r = use_map(device, map);
	}
	device->is_unidentified = r < 0;
	return r < 0 ? r : 0;
}

/* When to ask again for what the survey had to leave open: less and less often. */
static void plan_retry(struct ups_modbus *device)
{
	device->postponed = survey_postponed(&device->survey) > 0;
	if (device->postponed)
		device->retry_ms = bb_clock_ms() + bb_backoff_next(&device->backoff, RETRY_FIRST_MS, RETRY_MOST_MS);
	else
		device->backoff.failures = 0;
}

static int ups_modbus_describe(struct bb_builder *builder, void *state)
{
	struct ups_modbus *device = state;
	const struct survey_reader reader = reader_of(device);
	int r = 0;

	if (device->is_unidentified)
		r = find_map(device, &reader);
	if (r < 0)
		return r;
	if (device->was_lost || is_unanswered(device)) {
		survey_reset(&device->survey);
		device->backoff.failures = 0;
	}
	device->was_lost = false;
	device->next = device->asking_count = 0;
	r = survey_take(&device->survey, &reader);
	if (r == -EAGAIN)
		return r; /* it goes on from there */
	if (r < 0)
		device->was_lost = true;
	if (r == -ENODATA)
		return bb_log_error(device->log, r, "unit %u has no register of map %s", device->unit, device->map->id);
	if (r < 0)
		return r;
	plan_retry(device);
	return points_describe(device, builder);
}

static bool needs_survey(const struct ups_modbus *device)
{
	return device->was_lost || is_unanswered(device) || (device->postponed && bb_clock_ms() >= device->retry_ms);
}

static int ups_modbus_refresh(struct ups_modbus *device, struct bb_reading *reading, bool urgent)
{
	const struct survey_reader reader = reader_of(device);
	int r;

	if (needs_survey(device))
		return BB_RELEARN;
	r = survey_read(&device->survey, &reader, urgent);
	if (r < 0)
		device->was_lost = r != -EAGAIN;
	if (r == -ESTALE)
		return BB_RELEARN;
	if (r == 0)
		points_decode(device, reading, urgent);
	return r;
}

static int ups_modbus_poll(void *state, struct bb_reading *reading)
{
	return ups_modbus_refresh(state, reading, false);
}

static int ups_modbus_watch(void *state, struct bb_reading *reading)
{
	return ups_modbus_refresh(state, reading, true);
}

/* ---- polls in steps: only what goes as it always does; poll() and watch() see to everything else ---- */

static int ups_modbus_ask_next(struct ups_modbus *device, int *ret_fd)
{
	const struct bb_block *block = &device->asking[device->next];
	const int r = bb_modbus_ask(device->link, device->unit, survey_function(&device->survey, block), block->address,
				    block->count, ret_fd);

	if (r == 0)
		return BB_WAIT;
	device->next = device->asking_count;
	return BB_BLOCKS;
}

static int ups_modbus_step(void *state, struct bb_reading *reading, enum bb_group group, bool again, int *ret_fd)
{
	struct ups_modbus *device = state;
	const bool urgent = group == BB_GROUP_URGENT;
	uint16_t words[BB_MODBUS_BITS_MAX];
	int r;

	if (!again) {
		if (needs_survey(device))
			return BB_BLOCKS;
		device->asking = urgent ? device->survey.urgent : device->survey.blocks;
		device->asking_count = urgent ? device->survey.urgent_count : device->survey.block_count;
		device->next = 0;
		return ups_modbus_ask_next(device, ret_fd);
	}
	r = bb_modbus_answer(device->link, words);
	if (r == -EAGAIN)
		return BB_WAIT;
	if (r != 0) {
		device->next = device->asking_count;
		return BB_BLOCKS;
	}
	survey_keep(&device->survey, &device->asking[device->next++], words);
	if (device->next < device->asking_count)
		return ups_modbus_ask_next(device, ret_fd);
	points_decode(device, reading, urgent);
	return 0;
}

/* Coils by function 05, registers by 06; then read back, because many devices answer a write and ignore it. */
static int ups_modbus_write(void *state, size_t point, const struct bb_value *value)
{
	struct ups_modbus *device = state;
	const struct bb_register *entry = points_register(device, point);
	const bool coil = entry != NULL && (entry->spaces & 1u << BB_SPACE_COIL) != 0;
	uint16_t words[2], seen;
	int r;

	if (entry == NULL || !entry->writable || entry->count != 1)
		return -EACCES;
	if (entry->kind == BB_KIND_COMMAND)
		words[0] = value->argument_count > 0 ? (uint16_t)value->arguments[0] : 1;
	else if (bb_register_encode(entry, BB_QUALITY_GOOD, value->number, words) != BB_ENCODED)
		return -ERANGE;
	r = bb_modbus_write(device->link, device->unit, coil ? 5 : 6, entry->address, words, 1);
	if (r == 0 && entry->kind != BB_KIND_COMMAND) { /* which has no state to be read back */
		r = bb_modbus_read(device->link, device->unit, coil ? 1 : 3, entry->address, 1, &seen);
		if (r == 0 && seen != words[0])
			r = -EIO;
	}
	return r > 0 ? -EREMOTEIO : r;
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
		   .step = ups_modbus_step,
		   .write = ups_modbus_write,
		   .close = ups_modbus_close,
		   .schemes = "modbus-tcp"},
};
