/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.c - which registers of a map a device really has, see survey.h. No sockets: it reads through a survey_reader.
 */
#include "survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>

static const uint8_t functions[BB_SPACE_COUNT] = {
	[BB_SPACE_COIL] = 1,
	[BB_SPACE_DISCRETE] = 2,
	[BB_SPACE_INPUT] = 4,
	[BB_SPACE_HOLDING] = 3,
};

int survey_init(struct survey *survey, const struct bb_regmap *map, unsigned most, unsigned gap)
{
	size_t words = 0;

	*survey = (struct survey){.map = map, .most = most, .gap = gap};
	survey->present = calloc(map->count, sizeof(*survey->present));
	survey->offsets = calloc(map->count, sizeof(*survey->offsets));
	survey->blocks = calloc(map->count, sizeof(*survey->blocks));
	survey->urgent = calloc(map->count, sizeof(*survey->urgent));
	if (survey->offsets != NULL)
		for (size_t i = 0; i < map->count; i++) {
			survey->offsets[i] = words;
			words += map->registers[i].count;
		}
	survey->words = calloc(words, sizeof(*survey->words));
	if (!survey->present || !survey->offsets || !survey->blocks || !survey->urgent || !survey->words) {
		survey_finish(survey);
		return -ENOMEM;
	}
	return 0;
}

void survey_finish(struct survey *survey)
{
	free(survey->present);
	free(survey->offsets);
	free(survey->blocks);
	free(survey->urgent);
	free(survey->words);
	*survey = (struct survey){0};
}

const uint16_t *survey_words(const struct survey *survey, size_t index)
{
	return survey->words + survey->offsets[index];
}

bool survey_is_urgent(const struct bb_register *entry)
{
	const struct bb_point *point = bb_dictionary_find(entry->point);

	return point != NULL && point->urgent;
}

/* Is the register read by a block of @space? Holding registers stand for input registers where the map has both. */
static bool is_in_space(const struct bb_register *entry, enum bb_space space)
{
	if (entry->spaces & 1u << BB_SPACE_HOLDING)
		return space == BB_SPACE_HOLDING;
	return (entry->spaces & 1u << space) != 0;
}

/* Calls for each register that lies whole in @block; the map is sorted, but small enough to go through. */
#define FOR_EACH_IN(survey, block, i)                                                                                  \
	for (size_t i = 0; i < (survey)->map->count; i++)                                                              \
		if (is_in_space(&(survey)->map->registers[i], (block)->space) &&                                       \
		    (survey)->map->registers[i].address >= (block)->address &&                                         \
		    (survey)->map->registers[i].address + (survey)->map->registers[i].count <=                         \
			    (block)->address + (block)->count)

static int ask(const struct survey *survey, const struct survey_reader *reader, const struct bb_block *block,
	       uint16_t *ret_words)
{
	const bool other = block->space == BB_SPACE_HOLDING && survey->input;

	return reader->read(reader->context, functions[other ? BB_SPACE_INPUT : block->space], block->address,
			    block->count, ret_words);
}

/* What an exception means for a poll as a whole: the device is busy, or it does not have what was asked for. */
static int judge_exception(int exception)
{
	switch (exception) {
	case BB_MODBUS_ACKNOWLEDGE:
	case BB_MODBUS_BUSY:
	case BB_MODBUS_GATEWAY_PATH:
	case BB_MODBUS_GATEWAY_TARGET:
		return -EAGAIN;
	}
	return -ESTALE;
}

static int read_block(struct survey *survey, const struct survey_reader *reader, const struct bb_block *block)
{
	uint16_t words[BB_MODBUS_BITS_MAX];
	const int r = ask(survey, reader, block, words);

	if (r != 0)
		return r < 0 ? r : judge_exception(r);
	FOR_EACH_IN(survey, block, i)
	memcpy(survey->words + survey->offsets[i], words + (survey->map->registers[i].address - block->address),
	       survey->map->registers[i].count * sizeof(*words));
	return 0;
}

/* ---- surveying ---- */

/* The registers that are to be read and lie in @block: how many, and where the second half of them begins. */
static size_t count_wanted(const struct survey *survey, const struct bb_block *block, const bool *wanted,
			   uint16_t *ret_middle)
{
	size_t count = 0, passed = 0;

	FOR_EACH_IN(survey, block, i)
	count += wanted[i];
	FOR_EACH_IN(survey, block, i)
	if (wanted[i] && passed++ == count / 2)
		*ret_middle = survey->map->registers[i].address;
	return count;
}

/* Shrink @block to the registers in it that are to be read: it shall not end in a gap that may be what is refused. */
static struct bb_block trim(const struct survey *survey, const struct bb_block *block, const bool *wanted)
{
	struct bb_block trimmed = *block;
	unsigned first = 65536, end = 0;

	FOR_EACH_IN(survey, block, i)
	if (wanted[i]) {
		const struct bb_register *entry = &survey->map->registers[i];

		if (entry->address < first)
			first = entry->address;
		if (entry->address + entry->count > end)
			end = entry->address + entry->count;
	}
	trimmed.address = (uint16_t)first;
	trimmed.count = (uint16_t)(end - first);
	return trimmed;
}

/* Read @block; when it is refused, find out by halves what of it the device has. */
static int explore(struct survey *survey, const struct survey_reader *reader, const struct bb_block *block,
		   const bool *wanted)
{
	struct bb_block low, high;
	uint16_t middle = 0;
	size_t count;
	int r = read_block(survey, reader, block);

	if (r == 0) {
		FOR_EACH_IN(survey, block, i)
		if (wanted[i])
			survey->present[i] = true;
		return 0;
	}
	if (r != -ESTALE)
		return r;
	count = count_wanted(survey, block, wanted, &middle);
	if (count <= 1)
		return 0; /* this is the one it lacks */
	low = high = *block;
	low.count = (uint16_t)(middle - block->address);
	high.address = middle;
	high.count = (uint16_t)(block->address + block->count - middle);
	low = trim(survey, &low, wanted);
	high = trim(survey, &high, wanted);
	r = explore(survey, reader, &low, wanted);
	return r < 0 ? r : explore(survey, reader, &high, wanted);
}

/* Does the device answer function 03 at all, where the map allows 03 and 04? Some have only 04. */
static int choose_function(struct survey *survey, const struct survey_reader *reader, const struct bb_block *block)
{
	uint16_t words[BB_MODBUS_BITS_MAX];
	int r;

	survey->input = false;
	if (block->space != BB_SPACE_HOLDING)
		return 0;
	r = ask(survey, reader, block, words);
	if (r == BB_MODBUS_ILLEGAL_FUNCTION) {
		survey->input = true;
		return 0;
	}
	return r < 0 ? r : 0;
}

static size_t plan_urgent(struct survey *survey)
{
	bool *wanted = calloc(survey->map->count, sizeof(*wanted));
	size_t count = 0;

	if (wanted == NULL)
		return 0; /* then there are no polls of what is urgent */
	for (size_t i = 0; i < survey->map->count; i++)
		wanted[i] = survey->present[i] && survey_is_urgent(&survey->map->registers[i]);
	count = bb_regmap_plan(survey->map, wanted, survey->most, survey->gap, survey->urgent, survey->map->count);
	free(wanted);
	return count;
}

int survey_take(struct survey *survey, const struct survey_reader *reader)
{
	bool *wanted = calloc(survey->map->count, sizeof(*wanted));
	size_t found = 0;
	int r = 0;

	if (wanted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < survey->map->count; i++) {
		wanted[i] = survey->map->registers[i].feeds;
		survey->present[i] = false;
	}
	survey->block_count =
		bb_regmap_plan(survey->map, wanted, survey->most, survey->gap, survey->blocks, survey->map->count);
	if (survey->block_count > 0)
		r = choose_function(survey, reader, &survey->blocks[0]);
	for (size_t i = 0; r >= 0 && i < survey->block_count; i++)
		r = explore(survey, reader, &survey->blocks[i], wanted);
	free(wanted);
	if (r < 0)
		return r;

	for (size_t i = 0; i < survey->map->count; i++)
		found += survey->present[i];
	if (found == 0)
		return -ENODATA;
	/* A gap between two registers it has may hold one it lacks; then that gap must not be read over. */
	survey->block_count = bb_regmap_plan(survey->map, survey->present, survey->most, survey->gap, survey->blocks,
					     survey->map->count);
	for (size_t i = 0; i < survey->block_count; i++) {
		r = read_block(survey, reader, &survey->blocks[i]);
		if (r == -ESTALE && survey->gap > 0) {
			survey->gap = 0;
			return survey_take(survey, reader);
		}
		if (r < 0)
			return r;
	}
	survey->urgent_count = plan_urgent(survey);
	return 0;
}

int survey_read(struct survey *survey, const struct survey_reader *reader, bool urgent)
{
	const struct bb_block *blocks = urgent ? survey->urgent : survey->blocks;
	const size_t count = urgent ? survey->urgent_count : survey->block_count;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++)
		r = read_block(survey, reader, &blocks[i]);
	return r;
}
