/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_plan.c - which requests read a set of registers: as few as possible, and of those plans the one that reads
 * the fewest addresses for nothing.
 *
 * Found from the end: best[i] is the cheapest way to read the wanted registers from the i-th on, and the first request
 * of it may end after any of them that still fits. Awkward: a device may refuse a request that touches an address it
 * does not have, so gaps are crossed only over as many unlisted addresses as the caller allows, and only where that
 * saves a request.
 */
#include <stdlib.h>

#include <busbar/regmap.h>

/* Any number of needless addresses costs less than a request. */
#define REQUEST_COST (UINT64_C(1) << 20)

/* A register to read, in order of address. */
struct stop {
	unsigned first, end; /* addresses; the end is the first one after */
	uint64_t cost;       /* of the cheapest plan from here on */
	size_t next;         /* where its second request begins */
};

static bool space_of(const struct bb_register *entry, enum bb_space space)
{
	/* What answers in both is read from the holding registers. */
	if (entry->spaces & 1u << BB_SPACE_HOLDING)
		return space == BB_SPACE_HOLDING;
	return (entry->spaces & 1u << space) != 0;
}

static size_t collect(const struct bb_regmap *map, const bool *wanted, enum bb_space space, struct stop *stops)
{
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct bb_register *entry = &map->registers[i];

		if ((wanted ? wanted[i] : entry->feeds) && space_of(entry, space))
			stops[count++] =
				(struct stop){.first = entry->address, .end = (unsigned)entry->address + entry->count};
	}
	return count;
}

/* How many of the addresses from @first up to @end no row lists; more than @limit is not counted further. */
static unsigned count_unlisted(const struct bb_regmap *map, enum bb_space space, unsigned first, unsigned end,
			       unsigned limit)
{
	unsigned unlisted = 0;

	while (first < end && unlisted <= limit) {
		const struct bb_register *entry = bb_regmap_register(map, space, (uint16_t)first);

		first = entry ? (unsigned)entry->address + entry->count : first + 1;
		unlisted += !entry;
	}
	return unlisted;
}

/* Fill in the cheapest plan from stop @i on; those behind it are done. */
static void settle(const struct bb_regmap *map, enum bb_space space, struct stop *stops, size_t count, size_t i,
		   unsigned most, unsigned gap)
{
	uint64_t needless = 0;

	for (size_t j = i; j < count; j++) {
		uint64_t cost;

		if (j > i) {
			if (stops[j].end - stops[i].first > most)
				break;
			if (count_unlisted(map, space, stops[j - 1].end, stops[j].first, gap) > gap)
				break;
			needless += stops[j].first - stops[j - 1].end;
		}
		cost = REQUEST_COST + needless + (j + 1 < count ? stops[j + 1].cost : 0);
		if (j == i || cost <= stops[i].cost) {
			stops[i].cost = cost;
			stops[i].next = j + 1;
		}
	}
}

size_t bb_regmap_plan(const struct bb_regmap *map, const bool *wanted, unsigned most, unsigned gap,
		      struct bb_block *ret_blocks, size_t room)
{
	struct stop *stops = calloc(map->count + 1, sizeof(*stops));
	size_t blocks = 0;

	if (!stops)
		return 0; /* nothing is read, which shows: a plan without blocks is none */
	for (unsigned space = 0; space < BB_SPACE_COUNT; space++) {
		const bool bits = space == BB_SPACE_COIL || space == BB_SPACE_DISCRETE;
		const size_t count = collect(map, wanted, space, stops);

		for (size_t i = count; i-- > 0;)
			settle(map, space, stops, count, i, bits ? most * 16 : most, gap);
		for (size_t i = 0; i < count; i = stops[i].next, blocks++)
			if (blocks < room)
				ret_blocks[blocks] = (struct bb_block){
					.space = space,
					.address = (uint16_t)stops[i].first,
					.count = (uint16_t)(stops[stops[i].next - 1].end - stops[i].first),
				};
	}
	free(stops);
	return blocks;
}
