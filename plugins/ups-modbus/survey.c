/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.c - which registers of a map a device really has, see survey.h. No sockets: it reads through a survey_reader.
 *
 * Awkward: a survey may take longer than a poll may last, above all behind a slow gateway, with a device that lacks much
 * of its map. So it can be broken off by the deadline at any request, and goes on from there the next time.
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

static bool is_wanted(const struct survey *survey, const struct bb_register *entry)
{
	/* A command has no state to read; what does not fit into a request cannot be read. */
	return entry->feeds && entry->point != NULL && entry->kind != BB_KIND_COMMAND && entry->count <= survey->most;
}

int survey_init(struct survey *survey, const struct bb_regmap *map, unsigned most, unsigned gap)
{
	size_t words = 0;

	*survey = (struct survey){.map = map, .most = most, .gap = gap};
	survey->states = calloc(map->count, sizeof(*survey->states));
	survey->urgent_points = calloc(map->count, sizeof(*survey->urgent_points));
	survey->offsets = calloc(map->count, sizeof(*survey->offsets));
	survey->blocks = calloc(map->count, sizeof(*survey->blocks));
	survey->urgent = calloc(map->count, sizeof(*survey->urgent));
	for (size_t i = 0; survey->offsets != NULL && i < map->count; i++) {
		survey->offsets[i] = words;
		words += map->registers[i].count;
	}
	survey->words = calloc(words, sizeof(*survey->words));
	if (!survey->states || !survey->urgent_points || !survey->offsets || !survey->blocks || !survey->urgent ||
	    !survey->words) {
		survey_finish(survey);
		return -ENOMEM;
	}
	for (size_t i = 0; i < map->count; i++) {
		const char *name = map->registers[i].point;
		const struct bb_point *point = name != NULL ? bb_dictionary_find(name) : NULL;

		survey->urgent_points[i] = point != NULL && point->urgent;
	}
	survey_reset(survey);
	return 0;
}

void survey_finish(struct survey *survey)
{
	free(survey->states);
	free(survey->urgent_points);
	free(survey->offsets);
	free(survey->blocks);
	free(survey->urgent);
	free(survey->words);
	*survey = (struct survey){0};
}

void survey_reset(struct survey *survey)
{
	for (size_t i = 0; i < survey->map->count; i++)
		survey->states[i] = is_wanted(survey, &survey->map->registers[i]) ? SURVEY_UNKNOWN : SURVEY_UNWANTED;
	survey->input = survey->refused = false;
	survey->block_count = survey->urgent_count = 0;
}

size_t survey_postponed(const struct survey *survey)
{
	size_t count = 0;

	for (size_t i = 0; i < survey->map->count; i++)
		count += survey->states[i] == SURVEY_POSTPONED;
	return count;
}

const uint16_t *survey_words(const struct survey *survey, size_t index)
{
	return survey->words + survey->offsets[index];
}

/* ---- registers in a block ---- */

/* Is the register read by a block of @space? Holding registers stand for input registers where the map has both. */
static bool is_in_space(const struct bb_register *entry, enum bb_space space)
{
	if (entry->spaces & 1u << BB_SPACE_HOLDING)
		return space == BB_SPACE_HOLDING;
	return (entry->spaces & 1u << space) != 0;
}

/* The first register of the map, which is sorted by address, at or behind @address. */
static size_t first_at(const struct bb_regmap *map, uint16_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (map->registers[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first register from the @from-th on that lies whole in @block; the map's count when there is none. */
static size_t next_in(const struct bb_regmap *map, const struct bb_block *block, size_t from)
{
	const unsigned end = (unsigned)block->address + block->count;

	for (size_t i = from; i < map->count && map->registers[i].address < end; i++)
		if (is_in_space(&map->registers[i], block->space) &&
		    (unsigned)map->registers[i].address + map->registers[i].count <= end)
			return i;
	return map->count;
}

#define FOR_EACH_IN(map, block, i)                                                                                     \
	for (size_t i = next_in(map, block, first_at(map, (block)->address)); i < (map)->count;                        \
	     i = next_in(map, block, i + 1))

/* How many registers of @block are in @state. */
static size_t count_state(const struct survey *survey, const struct bb_block *block, enum survey_state state)
{
	size_t count = 0;

	FOR_EACH_IN(survey->map, block, i)
	{
		count += survey->states[i] == state;
	}
	return count;
}

static void set_state(struct survey *survey, const struct bb_block *block, enum survey_state from, enum survey_state to)
{
	FOR_EACH_IN(survey->map, block, i)
	{
		if (survey->states[i] == from)
			survey->states[i] = to;
	}
}

/*
 * The part of @block from its @skip-th register of @state on, @take of them (at least one): it shall not begin or end in
 * a gap, which may be what is refused.
 */
static struct bb_block part_of(const struct survey *survey, const struct bb_block *block, enum survey_state state,
			       size_t skip, size_t take)
{
	unsigned first = 65536, end = 0;
	size_t passed = 0;

	FOR_EACH_IN(survey->map, block, i)
	{
		const struct bb_register *entry = &survey->map->registers[i];

		if (survey->states[i] != state || passed++ < skip || passed > skip + take)
			continue;
		if (entry->address < first)
			first = entry->address;
		if ((unsigned)entry->address + entry->count > end)
			end = (unsigned)entry->address + entry->count;
	}
	return (struct bb_block){.space = block->space, .address = (uint16_t)first, .count = (uint16_t)(end - first)};
}

/* ---- asking ---- */

/* Function 04 instead of 03, if all registers of @block may be read by it. */
static bool reads_input(const struct survey *survey, const struct bb_block *block)
{
	if (block->space != BB_SPACE_HOLDING || !survey->input)
		return false;
	FOR_EACH_IN(survey->map, block, i)
	{
		if (!(survey->map->registers[i].spaces & 1u << BB_SPACE_INPUT))
			return false;
	}
	return true;
}

uint8_t survey_function(const struct survey *survey, const struct bb_block *block)
{
	return functions[reads_input(survey, block) ? BB_SPACE_INPUT : block->space];
}

void survey_keep(struct survey *survey, const struct bb_block *block, const uint16_t *words)
{
	FOR_EACH_IN(survey->map, block, i)
	{
		const struct bb_register *entry = &survey->map->registers[i];

		memcpy(survey->words + survey->offsets[i], words + (entry->address - block->address),
		       entry->count * sizeof(*words));
	}
}

/* What an exception says: -EAGAIN busy, -EIO it could not, -ESTALE it does not have that. */
static int judge_exception(int exception)
{
	switch (exception) {
	case BB_MODBUS_ACKNOWLEDGE:
	case BB_MODBUS_BUSY:
	case BB_MODBUS_GATEWAY_PATH:
	case BB_MODBUS_GATEWAY_TARGET:
		return -EAGAIN;
	case BB_MODBUS_ILLEGAL_FUNCTION:
	case BB_MODBUS_ILLEGAL_ADDRESS:
	case BB_MODBUS_ILLEGAL_VALUE:
		return -ESTALE;
	}
	return -EIO;
}

static int read_block(struct survey *survey, const struct survey_reader *reader, const struct bb_block *block,
		      bool *ret_exception)
{
	uint16_t words[BB_MODBUS_BITS_MAX];
	const int r =
		reader->read(reader->context, survey_function(survey, block), block->address, block->count, words);

	*ret_exception = r > 0;
	if (r != 0)
		return r < 0 ? r : judge_exception(r);
	survey_keep(survey, block, words);
	return 0;
}

/* ---- surveying ---- */

/* An attempt to survey: what it asks through, and how far it came. */
struct attempt {
	struct survey *survey;
	const struct survey_reader *reader;
	size_t answers; /* of any kind: the device is there */
};

static int ask(struct attempt *attempt, const struct bb_block *block, bool *ret_exception)
{
	const int r = read_block(attempt->survey, attempt->reader, block, ret_exception);

	attempt->answers += r == 0 || *ret_exception;
	return r;
}

static bool is_same(const struct bb_block *a, const struct bb_block *b)
{
	return a->address == b->address && a->count == b->count;
}

/* Registers that overlap cannot be split: those that fill @block are lacking, others in it have blocks of their own. */
static void give_up(struct survey *survey, const struct bb_block *block)
{
	FOR_EACH_IN(survey->map, block, i)
	{
		if (survey->states[i] == SURVEY_UNKNOWN && survey->map->registers[i].count == block->count)
			survey->states[i] = SURVEY_LACKING;
	}
}

/* Read @block; when it is refused, find out by halves what of it the device has. Negative: it did not answer. */
static int explore(struct attempt *attempt, const struct bb_block *block)
{
	struct survey *survey = attempt->survey;
	const size_t unknown = count_state(survey, block, SURVEY_UNKNOWN);
	struct bb_block low, high;
	bool exception;
	int r;

	r = ask(attempt, block, &exception);
	if (r == 0) {
		set_state(survey, block, SURVEY_UNKNOWN, SURVEY_PRESENT);
		survey->blocks[survey->block_count++] = *block;
		return 0;
	}
	if (!exception)
		return r;
	if (r == -EAGAIN || (r == -EIO && unknown <= 1)) { /* a device that is busy is not pestered with halves */
		set_state(survey, block, SURVEY_UNKNOWN, SURVEY_POSTPONED);
		return 0;
	}
	survey->refused = true;
	if (unknown <= 1) { /* this is what it lacks */
		set_state(survey, block, SURVEY_UNKNOWN, SURVEY_LACKING);
		return 0;
	}
	low = part_of(survey, block, SURVEY_UNKNOWN, 0, unknown / 2);
	high = part_of(survey, block, SURVEY_UNKNOWN, unknown / 2, unknown);
	if (is_same(&low, block) || is_same(&high, block)) {
		give_up(survey, block);
		return 0;
	}
	r = explore(attempt, &low);
	return r < 0 ? r : explore(attempt, &high);
}

static int explore_unknown(struct attempt *attempt)
{
	struct survey *survey = attempt->survey;
	bool *unknown = calloc(survey->map->count, sizeof(*unknown));
	struct bb_block *blocks = calloc(survey->map->count, sizeof(*blocks));
	size_t count = 0;
	int r = unknown != NULL && blocks != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < survey->map->count; i++)
		unknown[i] = survey->states[i] == SURVEY_UNKNOWN;
	if (r == 0)
		count = bb_regmap_plan(survey->map, unknown, survey->most, survey->gap, blocks, survey->map->count);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = explore(attempt, &blocks[i]);
	free(blocks);
	free(unknown);
	return r;
}

/* Has the device any holding register? Some have only input registers, though the map allows both. */
static bool has_only_input(const struct survey *survey)
{
	bool either = false;

	for (size_t i = 0; i < survey->map->count; i++) {
		const uint8_t both = 1u << BB_SPACE_HOLDING | 1u << BB_SPACE_INPUT;

		if (survey->states[i] == SURVEY_UNWANTED || (survey->map->registers[i].spaces & both) != both)
			continue;
		if (survey->states[i] != SURVEY_LACKING)
			return false;
		either = true;
	}
	return either;
}

/* A first look, so that a device that has only input registers is not asked for each of them twice. */
static int choose_function(struct attempt *attempt)
{
	struct survey *survey = attempt->survey;

	for (size_t i = 0; i < survey->map->count; i++) {
		const struct bb_register *entry = &survey->map->registers[i];
		const struct bb_block block = {
			.space = BB_SPACE_HOLDING, .address = entry->address, .count = entry->count};
		uint16_t words[UINT8_MAX];
		int r;

		if (survey->states[i] != SURVEY_UNKNOWN || !(entry->spaces & 1u << BB_SPACE_HOLDING) ||
		    !(entry->spaces & 1u << BB_SPACE_INPUT))
			continue;
		r = attempt->reader->read(attempt->reader->context, survey_function(survey, &block), block.address,
					  block.count, words);
		attempt->answers += r >= 0;
		survey->input = r == BB_MODBUS_ILLEGAL_FUNCTION;
		return r < 0 ? r : 0;
	}
	return 0;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct bb_block *one = a, *other = b;

	return one->space != other->space ? (int)one->space - (int)other->space
					  : (int)one->address - (int)other->address;
}

/* May @high, behind @low, be read in one request with it? Not over what the device lacks, nor over a wide gap. */
static bool may_join(const struct survey *survey, const struct bb_block *low, const struct bb_block *high,
		     struct bb_block *ret_joined)
{
	const bool bits = low->space == BB_SPACE_COIL || low->space == BB_SPACE_DISCRETE;
	const unsigned low_end = (unsigned)low->address + low->count, end = (unsigned)high->address + high->count;
	const struct bb_block joined = {
		.space = low->space, .address = low->address, .count = (uint16_t)(end - low->address)};

	if (low->space != high->space || high->address > low_end + survey->gap ||
	    end - low->address > survey->most * (bits ? 16 : 1) ||
	    count_state(survey, &joined, SURVEY_LACKING) + count_state(survey, &joined, SURVEY_POSTPONED) > 0)
		return false;
	*ret_joined = joined;
	return true;
}

/*
 * Halving leaves more blocks than needed: join neighbours where the device answers for both at once. When it is broken
 * off, those not looked at yet stay as they are.
 */
static int join_blocks(struct attempt *attempt)
{
	struct survey *survey = attempt->survey;
	struct bb_block *blocks = survey->blocks;
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < survey->block_count; i++) {
		struct bb_block joined;
		bool exception = false;
		bool join = r == 0 && count > 0 && may_join(survey, &blocks[count - 1], &blocks[i], &joined);

		if (join) {
			const int answer = ask(attempt, &joined, &exception);

			join = answer == 0;
			if (answer < 0 && !exception)
				r = answer;
		}
		if (join)
			blocks[count - 1] = joined;
		else
			blocks[count++] = blocks[i];
	}
	survey->block_count = count;
	return r;
}

/* What is urgent lies in blocks that can be read, and so can the parts of them that hold it. */
static void plan_urgent(struct survey *survey)
{
	survey->urgent_count = 0;
	for (size_t b = 0; b < survey->block_count; b++) {
		struct bb_block *part = &survey->urgent[survey->urgent_count];
		unsigned first = 65536, end = 0;

		FOR_EACH_IN(survey->map, &survey->blocks[b], i)
		{
			const struct bb_register *entry = &survey->map->registers[i];

			if (survey->states[i] != SURVEY_PRESENT || !survey->urgent_points[i])
				continue;
			first = entry->address < first ? entry->address : first;
			end = (unsigned)entry->address + entry->count;
		}
		if (end == 0)
			continue;
		*part = (struct bb_block){
			.space = survey->blocks[b].space, .address = (uint16_t)first, .count = (uint16_t)(end - first)};
		survey->urgent_count++;
	}
	if (survey->urgent_count == 0 && survey->block_count > 0) {
		survey->urgent[0] = part_of(survey, &survey->blocks[0], SURVEY_PRESENT, 0, 1);
		survey->urgent_count = 1;
	}
}

static int take(struct attempt *attempt)
{
	struct survey *survey = attempt->survey;
	int r = 0;

	if (survey->block_count == 0)
		r = choose_function(attempt);
	if (r == 0)
		r = explore_unknown(attempt);
	if (r == 0 && !survey->input && has_only_input(survey)) {
		survey_reset(survey);
		survey->input = true;
		r = explore_unknown(attempt);
	}
	qsort(survey->blocks, survey->block_count, sizeof(*survey->blocks), compare_blocks);
	if (r == 0 && survey->refused) {
		r = join_blocks(attempt);
		survey->refused = r != 0;
	}
	return r;
}

int survey_take(struct survey *survey, const struct survey_reader *reader)
{
	struct attempt attempt = {.survey = survey, .reader = reader};
	int r;

	for (size_t i = 0; i < survey->map->count; i++)
		if (survey->states[i] == SURVEY_POSTPONED)
			survey->states[i] = SURVEY_UNKNOWN;
	r = take(&attempt);
	if (r < 0)
		return r == -ETIMEDOUT && attempt.answers > 0 ? -EAGAIN : r;
	if (survey->block_count == 0)
		return survey_postponed(survey) > 0 ? -EAGAIN : -ENODATA;
	plan_urgent(survey);
	return 0;
}

int survey_read(struct survey *survey, const struct survey_reader *reader, bool urgent)
{
	const struct bb_block *blocks = urgent ? survey->urgent : survey->blocks;
	const size_t count = urgent ? survey->urgent_count : survey->block_count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		bool exception;

		r = read_block(survey, reader, &blocks[i], &exception);
		if (r == -EIO && exception)
			r = -ESTALE; /* a part of it may still be had: the survey finds out */
	}
	return r;
}
