/* SPDX-License-Identifier: Apache-2.0
 *
 * test_regmap_file.c - map files: heads, rows that stand for many registers, models, which register feeds a point.
 * What spoilt files are told is tests/integration/test_maps.py's business.
 */
#include <busbar/macros.h>

#include "regmap_support.h"

static const struct bb_register *at(const struct bb_regmap *map, unsigned address)
{
	const struct bb_register *entry = bb_regmap_register(map, BB_SPACE_HOLDING, (uint16_t)address);

	cr_assert(entry && entry->address == address, "no register %u", address);
	return entry;
}

Test(regmap_file, the_head_says_whose_map_it_is)
{
	struct bb_regmap *map = map_of_text(NULL,
					    "# SPDX-License-Identifier: Apache-2.0\n"
					    "# A remark. Not a key: it has more than a word.\n"
					    "## nor: this\n"
					    "\n"
					    "# id: my-ups\n"
					    "# vendor:  Maker & Sons \n"
					    "# models: One, Two\n"
					    "# oem: 12\n"
					    "address,type,functions,point\n"
					    "1,u16,3/4,output.L1.load\r\n"
					    "# a remark among rows\n",
					    NULL);

	cr_assert_not_null(map);
	cr_expect_str_eq(map->id, "my-ups");
	cr_expect_str_eq(map->vendor, "Maker & Sons");
	cr_expect_str_eq(map->models, "One, Two");
	cr_expect_eq(map->oem, 12);
	cr_expect_eq(map->count, 1);
	cr_expect_str_eq(map->registers[0].symbol, "");
	cr_expect_str_eq(map->registers[0].note, "");
	regmap_free(map);
}

Test(regmap_file, a_repeated_row_has_numbers_in_its_names)
{
	struct bb_regmap *map = map_of_rows("# repeat: 10-11 3 times every 5 from 9\n",
					    "10,1,s16,3/4,MODULE_<nnn>_TEMP,module.<n>.temperature,,,,\n"
					    "11,1,s16,3/4,Charge(<n-1>),module.<n>.charge,,,,\n");

	cr_expect_eq(map->count, 6);
	cr_expect_str_eq(at(map, 10)->symbol, "MODULE_009_TEMP");
	cr_expect_str_eq(at(map, 20)->symbol, "MODULE_011_TEMP");
	cr_expect_str_eq(at(map, 21)->symbol, "Charge(10)");
	cr_expect_str_eq(at(map, 21)->point, "module.11.charge");
	cr_expect_null(bb_regmap_register(map, BB_SPACE_HOLDING, 12));
	regmap_free(map);
}

Test(regmap_file, a_copied_row_is_there_itself_and_under_other_names)
{
	struct bb_regmap *map = map_of_rows("# copy: 10-12 to 1010 2 times every 100 as module.<n>.\n",
					    "10,1,u16,3/4,LOAD,output.L1.load,,,,\n"
					    "11,1,u16,3/4,ALARM,alarm.on-battery,,,,\n"
					    "12,1,u16,3/4,ODD,vendor.odd,,,,odd\n"
					    "13,1,u16,3/4,TEMP,ups.temperature,,,,\n");

	cr_expect_eq(map->count, 10);
	cr_expect_str_eq(at(map, 10)->point, "output.L1.load");
	cr_expect_str_eq(at(map, 1110)->point, "module.2.output.L1.load");
	cr_expect_eq(at(map, 1110)->unit, BB_PERCENT);
	cr_expect_eq(at(map, 1110)->decimals, 1);
	cr_expect_eq(at(map, 11)->kind, BB_KIND_ALARM);
	cr_expect_eq(at(map, 1011)->kind, BB_KIND_BOOL, "only a device has alarms");
	cr_expect_str_eq(at(map, 1112)->point, "module.2.vendor.odd");
	cr_expect_str_eq(at(map, 1112)->note, "odd");
	regmap_free(map);
}

Test(regmap_file, a_variant_lacks_the_points_that_its_model_lacks)
{
	static const char text[] = "# id: both\n"
				   "# variant: only-one MODEL 1\n"
				   "# variant: only-two MODEL 2\n"
				   "address,type,functions,point,models\n"
				   "1,u16,3/4,output.L1.load,MODEL 1;MODEL 2\n"
				   "2,u16,3/4,output.L2.load,MODEL 1\n"
				   "3,u16,3/4,alarm.on-battery,none\n";
	struct bb_regmap *map = map_of_text(NULL, text, NULL);
	uint16_t word;

	cr_assert_not_null(map);
	cr_expect_str_eq(at(map, 3)->point, "alarm.on-battery");
	regmap_free(map);

	map = map_of_text("only-two", text, NULL);
	cr_assert_not_null(map);
	cr_expect_str_eq(map->id, "only-two");
	cr_expect_str_eq(map->models, "MODEL 2");
	cr_expect_eq(map->count, 3, "block reads go on working");
	cr_expect_str_eq(at(map, 1)->point, "output.L1.load");
	cr_expect_null(at(map, 2)->point);
	cr_expect_not(at(map, 2)->feeds);
	cr_expect_eq(bb_register_encode(at(map, 2), BB_QUALITY_UNKNOWN, 0, &word), BB_ENCODED_ABSENT);
	cr_expect_eq(word, 0xD8F1, "still a measurement");
	regmap_free(map);
	cr_expect_null(map_of_text("only-three", text, &(struct told){.text = ""}));
}

Test(regmap_file, the_finest_step_else_the_higher_address_feeds)
{
	struct bb_regmap *map = map_of_rows("", "1,1,u16,3/4,,input.L1.voltage,0.1,,,\n"
						"2,1,u16,3/4,,input.L1.voltage,1,,,\n"
						"3,1,u16,3/4,,input.L2.voltage,1,,,\n"
						"4,1,u16,3/4,,input.L2.voltage,1,,,\n"
						"5,1,u16,3/4,,bacs.status,,,,\n"
						"6,1,u16,3/4,,bacs.status,65536,,,\n"
						"7,1,u16,3/4,,ups.status.word,,,,\n"
						"8,1,u16,3/4,,ups.status.word,,,,\n"
						"9,1,u16,3/4,,,,,,\n"
						"1,1,bit,1/5,,ups.command.on,,,,\n");
	static const bool feeds[] = {true, false, false, true, true, true, false, true, false};

	for (unsigned address = 1; address <= BB_LENGTH(feeds); address++)
		cr_expect_eq(at(map, address)->feeds, feeds[address - 1], "register %u", address);
	cr_expect_not(bb_regmap_register(map, BB_SPACE_COIL, 1)->feeds);
	cr_expect(bb_regmap_register(map, BB_SPACE_COIL, 1)->writable);
	cr_expect_null(at(map, 9)->point);
	regmap_free(map);
}

Test(regmap_file, a_register_is_found_in_its_space_and_from_within)
{
	struct bb_regmap *map = map_of_rows("", "0,1,u16,4,,vendor.a,,,,\n"
						"0,1,u16,3,,vendor.b,,,,\n"
						"1,125,string,3/4,,device.model,,,,\n"
						"126,1,u16,4,,vendor.c,,,,\n"
						"65535,1,u16,3,,vendor.d,,,,\n");

	cr_expect_str_eq(bb_regmap_register(map, BB_SPACE_INPUT, 0)->point, "vendor.a");
	cr_expect_str_eq(bb_regmap_register(map, BB_SPACE_HOLDING, 0)->point, "vendor.b");
	cr_expect_str_eq(bb_regmap_register(map, BB_SPACE_HOLDING, 125)->point, "device.model");
	cr_expect_null(bb_regmap_register(map, BB_SPACE_HOLDING, 126));
	cr_expect_str_eq(bb_regmap_register(map, BB_SPACE_INPUT, 126)->point, "vendor.c");
	cr_expect_null(bb_regmap_register(map, BB_SPACE_COIL, 0));
	cr_expect_str_eq(bb_regmap_register(map, BB_SPACE_HOLDING, 65535)->point, "vendor.d");
	cr_expect_null(bb_regmap_register(map, BB_SPACE_HOLDING, 65534));
	regmap_free(map);
}

Test(regmap_file, a_point_may_have_another_that_stands_in_for_it)
{
	struct bb_regmap *map = map_of_rows("", "1,1,u16,3/4,,site.do.1.state output.1.state,,,,\n");

	cr_expect_str_eq(at(map, 1)->point, "site.do.1.state");
	cr_expect_str_eq(at(map, 1)->fallback, "output.1.state");
	regmap_free(map);
}

Test(regmap_file, shipped_maps_load_when_they_are_asked_for)
{
	static const char *const folders[] = {BUSBAR_TEST_MAPS, "/nowhere", NULL};
	struct told told = {.text = ""};
	const struct bb_regmap *map;

	cr_expect_null(bb_regmap_find("socomec"), "nothing is open");
	cr_assert_eq(regmap_open(folders, &(struct regmap_listener){told_fault, &told}), 0);
	map = bb_regmap_find("bacs");
	cr_assert_not_null(map);
	cr_expect_eq(bb_regmap_find("bacs"), map);
	cr_expect_str_eq(at(map, 3645)->point, "module.512.temperature");
	cr_expect_str_eq(at(map, 3645)->symbol, "MODULE_512_TEMP");
	cr_expect_str_eq(at(map, 4515)->point, "module.512.charge");
	cr_expect_str_eq(at(map, 2738)->point, "string.16.current.ac");
	map = bb_regmap_find("abb-newave-conceptpower");
	cr_assert_not_null(map);
	cr_expect_str_eq(at(map, 33000)->point, "module.30.output.L1.load");
	cr_expect_str_eq(at(map, 33066)->point, "module.30.aux.4.state");
	cr_expect_null(bb_regmap_find("socomek"));
	cr_expect_str_eq(bb_regmap_suggest("socomek"), "socomec");
	cr_expect_eq(told.count, 0, "%s", told.text);
	regmap_close();
	cr_expect_null(bb_regmap_id(0));
}
