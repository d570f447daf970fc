/* SPDX-License-Identifier: Apache-2.0
 *
 * test_regmap_plan.c - requests for sets of registers: few, small enough, and over nothing a device may lack.
 */
#include <busbar/macros.h>

#include "regmap_support.h"

#define BLOCKS_MAX 64

static struct bb_block blocks[BLOCKS_MAX];

/* A map of plain vendor registers from @first to @last. */
static void add_rows(char *text, size_t size, unsigned first, unsigned last, const char *functions)
{
	for (unsigned address = first; address <= last; address++) {
		const size_t used = strlen(text);

		(void)snprintf(text + used, size - used, "%u,1,u16,%s,,vendor.v%u,,,,\n", address, functions, address);
	}
}

static void expect_block(size_t index, enum bb_space space, unsigned address, unsigned count)
{
	cr_expect(blocks[index].space == space && blocks[index].address == address && blocks[index].count == count,
		  "block %zu is space %d, %u registers from %u", index, blocks[index].space, blocks[index].count,
		  blocks[index].address);
}

Test(regmap_plan, neighbours_are_one_request_of_at_most_125)
{
	char rows[8000] = "";
	struct bb_regmap *map;

	add_rows(rows, sizeof(rows), 100, 299, "3/4");
	map = map_of_rows("", rows);
	cr_expect_eq(bb_regmap_plan(map, NULL, 125, 0, blocks, BLOCKS_MAX), 2);
	expect_block(0, BB_SPACE_HOLDING, 100, 125);
	expect_block(1, BB_SPACE_HOLDING, 225, 75);
	cr_expect_eq(bb_regmap_plan(map, NULL, 16, 0, blocks, 3), 13, "counts on past the room it has");
	expect_block(2, BB_SPACE_HOLDING, 132, 16);
	regmap_free(map);
}

Test(regmap_plan, gaps_are_crossed_only_as_far_as_allowed)
{
	char rows[4000] = "";
	struct bb_regmap *map;

	add_rows(rows, sizeof(rows), 10, 12, "3/4");
	add_rows(rows, sizeof(rows), 20, 22, "3/4");
	map = map_of_rows("", rows);
	cr_expect_eq(bb_regmap_plan(map, NULL, 125, 6, blocks, BLOCKS_MAX), 2);
	cr_expect_eq(bb_regmap_plan(map, NULL, 125, 7, blocks, BLOCKS_MAX), 1);
	expect_block(0, BB_SPACE_HOLDING, 10, 13);
	cr_expect_eq(bb_regmap_plan(map, NULL, 12, 7, blocks, BLOCKS_MAX), 2);
	expect_block(0, BB_SPACE_HOLDING, 10, 3);
	expect_block(1, BB_SPACE_HOLDING, 20, 3);
	regmap_free(map);
}

Test(regmap_plan, a_gap_that_saves_no_request_is_not_crossed)
{
	char rows[8000] = "";
	struct bb_regmap *map;

	add_rows(rows, sizeof(rows), 0, 99, "3/4");
	add_rows(rows, sizeof(rows), 110, 219, "3/4");
	map = map_of_rows("", rows);
	/* Two requests either way: the first could reach over the gap, to no avail. */
	cr_expect_eq(bb_regmap_plan(map, NULL, 125, 20, blocks, BLOCKS_MAX), 2);
	expect_block(0, BB_SPACE_HOLDING, 0, 100);
	expect_block(1, BB_SPACE_HOLDING, 110, 110);
	regmap_free(map);
}

Test(regmap_plan, registers_that_are_listed_are_no_gap)
{
	char rows[4000] = "";
	bool wanted[40] = {false};
	struct bb_regmap *map;

	add_rows(rows, sizeof(rows), 0, 39, "3/4");
	map = map_of_rows("", rows);
	wanted[3] = wanted[30] = true;
	cr_expect_eq(bb_regmap_plan(map, wanted, 125, 0, blocks, BLOCKS_MAX), 1);
	expect_block(0, BB_SPACE_HOLDING, 3, 28);
	cr_expect_eq(bb_regmap_plan(map, (const bool[40]){false}, 125, 0, blocks, BLOCKS_MAX), 0);
	regmap_free(map);
}

Test(regmap_plan, each_space_has_its_own_requests)
{
	struct bb_regmap *map = map_of_rows("", "0,1,bit,1/5,,vendor.a,,,,\n"
						"0,1,bit,2,,alarm.on-battery,,,,\n"
						"1,1,bit,2,,alarm.on-bypass,,,,\n"
						"0,1,u16,4,,vendor.b,,,,\n"
						"1,1,u16,3,,vendor.c,,,,\n"
						"2,16,string,3/4,,device.model,,,,\n"
						"18,1,u16,3/4,,vendor.d,,,,\n");

	cr_expect_eq(bb_regmap_plan(map, NULL, 125, 8, blocks, BLOCKS_MAX), 4);
	expect_block(0, BB_SPACE_COIL, 0, 1);
	expect_block(1, BB_SPACE_DISCRETE, 0, 2);
	expect_block(2, BB_SPACE_INPUT, 0, 1);
	expect_block(3, BB_SPACE_HOLDING, 1, 18);
	cr_expect_eq(bb_regmap_plan(map, NULL, 17, 8, blocks, BLOCKS_MAX), 5, "a text is never cut");
	expect_block(3, BB_SPACE_HOLDING, 1, 17);
	expect_block(4, BB_SPACE_HOLDING, 18, 1);
	regmap_free(map);
}

/* Every wanted register stands whole in exactly one block, whatever the limits are. */
Test(regmap_plan, nothing_is_forgotten_in_any_shipped_map)
{
	static const char *const folders[] = {BUSBAR_TEST_MAPS, NULL};
	struct told told = {.text = ""};
	const char *id;
	size_t maps = 0;

	cr_assert_eq(regmap_open(folders, &(struct regmap_listener){told_fault, &told}), 0);
	for (; (id = bb_regmap_id(maps)); maps++) {
		const struct bb_regmap *map = bb_regmap_find(id);

		cr_assert_not_null(map, "%s", told.text);
		for (unsigned most = 32; most <= 125; most += 31) {
			static struct bb_block plan[4096];
			const size_t count = bb_regmap_plan(map, NULL, most, most / 8, plan, BB_LENGTH(plan));
			size_t covered = 0, feeds = 0;

			cr_assert_leq(count, BB_LENGTH(plan));
			for (size_t i = 0; i < map->count; i++)
				feeds += map->registers[i].feeds;
			for (size_t b = 0; b < count; b++) {
				cr_assert_leq(plan[b].count, plan[b].space <= BB_SPACE_DISCRETE ? most * 16 : most);
				for (size_t i = 0; i < map->count; i++) {
					const struct bb_register *entry = &map->registers[i];
					const bool holding = entry->spaces & 1u << BB_SPACE_HOLDING;

					if (!entry->feeds || !(entry->spaces & 1u << plan[b].space) ||
					    (holding && plan[b].space != BB_SPACE_HOLDING))
						continue;
					covered += entry->address >= plan[b].address &&
						   entry->address + entry->count <= plan[b].address + plan[b].count;
				}
			}
			cr_assert_eq(covered, feeds, "%s by %u: %zu of %zu", id, most, covered, feeds);
		}
	}
	cr_expect_eq(maps, 27);
	regmap_close();
}
