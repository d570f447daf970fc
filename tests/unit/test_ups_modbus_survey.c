/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ups_modbus_survey.c - which registers a device has, found out from what it refuses; against devices made here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/modbus.h>

#include "survey.h"

#define ADDRESSES 2048
#define BOTH      (1u << BB_SPACE_INPUT | 1u << BB_SPACE_HOLDING)

/* A device: a value in each register is its address, plus 1000 in input registers. */
static struct {
	bool has[ADDRESSES]; /* an address it has, in whichever space */
	int exception;       /* what it answers for those it lacks */
	int says[ADDRESSES]; /* an exception that this address causes, though it is there */
	int functions;       /* bits of the functions it knows */
	unsigned most;       /* registers it answers in one request */
	int answers_left;    /* then it falls silent; −1: never */
	unsigned requests, most_asked;
} device;

static struct bb_register registers[ADDRESSES];
static struct bb_regmap map = {.id = "test", .registers = registers};
static struct survey survey;

static int device_read(void *context, uint8_t function, uint16_t address, uint16_t count, uint16_t *ret_words)
{
	cr_assert_eq(context, &device);
	device.requests++;
	device.most_asked = count > device.most_asked ? count : device.most_asked;
	if (device.answers_left == 0)
		return -ETIMEDOUT;
	device.answers_left -= device.answers_left > 0;
	if (!(device.functions & 1 << function))
		return BB_MODBUS_ILLEGAL_FUNCTION;
	if (count > device.most)
		return BB_MODBUS_ILLEGAL_VALUE;
	for (unsigned i = address; i < (unsigned)address + count; i++) {
		if (!device.has[i])
			return device.exception;
		if (device.says[i])
			return device.says[i];
	}
	for (unsigned i = 0; i < count; i++)
		ret_words[i] = (uint16_t)(address + i + (function == 4 ? 1000 : 0));
	return 0;
}

static const struct survey_reader reader = {.read = device_read, .context = &device};

static void start(void)
{
	memset(&device, 0, sizeof(device));
	device.exception = BB_MODBUS_ILLEGAL_ADDRESS;
	device.functions = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4;
	device.most = 125;
	device.answers_left = -1;
	memset(registers, 0, sizeof(registers));
	map.count = 0;
}

static void stop(void)
{
	survey_finish(&survey);
}

TestSuite(survey, .init = start, .fini = stop);

/* A register in the map; the device has it too. */
static struct bb_register *list(uint16_t address, uint8_t count, uint8_t spaces)
{
	struct bb_register *entry = &registers[map.count++];

	*entry = (struct bb_register){.address = address,
				      .count = count,
				      .type = count == 1 ? BB_REGISTER_U16 : BB_REGISTER_U32,
				      .spaces = spaces,
				      .feeds = true,
				      .point = "vendor.test"};
	for (unsigned i = address; i < (unsigned)address + count; i++)
		device.has[i] = true;
	return entry;
}

static void list_range(uint16_t first, uint16_t end)
{
	for (uint16_t i = first; i < end; i++)
		(void)list(i, 1, BOTH);
}

static void prepare(unsigned most, unsigned gap)
{
	cr_assert_eq(survey_init(&survey, &map, most, gap), 0);
}

static int take(void)
{
	device.requests = 0;
	return survey_take(&survey, &reader);
}

static int read_all(bool urgent)
{
	device.requests = 0;
	return survey_read(&survey, &reader, urgent);
}

/* What is known is what the device is, and one reading brings the words of all of it. */
static void expect_truth(void)
{
	memset(survey.words, 0xff, sizeof(*survey.words) * map.count);
	cr_assert_eq(read_all(false), 0);
	for (size_t i = 0; i < map.count; i++) {
		const uint16_t address = registers[i].address;
		const enum survey_state expected = device.has[address] ? SURVEY_PRESENT : SURVEY_LACKING;

		cr_assert_eq(survey.states[i], expected, "register %u is in state %d", address, survey.states[i]);
		if (expected == SURVEY_PRESENT)
			cr_assert_eq(*survey_words(&survey, i), address + (survey.input ? 1000 : 0));
	}
}

Test(survey, a_device_that_has_everything_takes_one_request_a_block)
{
	list_range(100, 350);
	prepare(125, 0);
	cr_assert_eq(take(), 0);
	cr_assert_eq(device.requests, 3, "a first look and two blocks, not %u", device.requests);
	cr_assert_eq(survey.block_count, 2);
	expect_truth();
	cr_assert_eq(device.requests, 2);
}

Test(survey, a_register_that_is_refused_is_found_by_halves)
{
	list_range(0, 100);
	device.has[37] = false;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_leq(device.requests, 32, "%u requests", device.requests);
	cr_assert_eq(survey.block_count, 2, "before it and behind it, not %zu", survey.block_count);
	expect_truth();
}

Test(survey, any_set_of_lacking_registers_is_found)
{
	uint32_t random = 1;

	list_range(0, 200);
	prepare(125, 16);
	for (int round = 0; round < 200; round++) {
		bool any = false;

		for (unsigned i = 0; i < 200; i++) {
			random = random * 1664525 + 1013904223;
			device.has[i] = random >> 28 > (unsigned)round % 14;
			any = any || device.has[i];
		}
		survey_reset(&survey);
		cr_assert_eq(take(), any ? 0 : -ENODATA);
		if (any)
			expect_truth();
	}
}

Test(survey, a_gap_is_read_over_only_where_the_device_allows_it)
{
	list_range(0, 10);
	list_range(15, 25); /* 10 to 14 are in no map, and the device lacks them */
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.block_count, 2);
	expect_truth();
	for (unsigned i = 10; i < 15; i++)
		device.has[i] = true;
	survey_reset(&survey);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.block_count, 1);
	expect_truth();
}

Test(survey, a_device_with_only_function_04_is_read_by_it)
{
	list_range(0, 50);
	device.functions = 1 << 4;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(device.requests, 2);
	cr_assert(survey.input);
	expect_truth();
	cr_assert_eq(survey_function(&survey, &survey.blocks[0]), 4);
}

static int read_input_only(void *context, uint8_t function, uint16_t address, uint16_t count, uint16_t *ret_words)
{
	return function == 3 ? BB_MODBUS_ILLEGAL_ADDRESS : device_read(context, function, address, count, ret_words);
}

Test(survey, a_device_that_knows_03_but_has_only_input_registers_is_read_by_04)
{
	const struct survey_reader input_reader = {.read = read_input_only, .context = &device};

	list_range(0, 20);
	prepare(125, 16);
	cr_assert_eq(survey_take(&survey, &input_reader), 0);
	cr_assert(survey.input);
	cr_assert_eq(survey.block_count, 1);
	cr_assert_eq(survey_read(&survey, &input_reader, false), 0);
	cr_assert_eq(*survey_words(&survey, 7), 1007);
}

Test(survey, holding_registers_are_never_asked_for_by_04)
{
	list_range(0, 5);
	(void)list(100, 1, 1u << BB_SPACE_HOLDING);
	device.functions = 1 << 4;
	prepare(125, 0);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.states[0], SURVEY_PRESENT);
	cr_assert_eq(survey.states[5], SURVEY_LACKING);
}

Test(survey, the_four_spaces_are_kept_apart)
{
	(void)list(3, 1, 1u << BB_SPACE_COIL);
	(void)list(3, 1, 1u << BB_SPACE_DISCRETE);
	(void)list(3, 1, 1u << BB_SPACE_INPUT);
	(void)list(3, 1, 1u << BB_SPACE_HOLDING);
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.block_count, 4);
	cr_assert_eq(survey_function(&survey, &survey.blocks[0]), 1);
	cr_assert_eq(survey_function(&survey, &survey.blocks[1]), 2);
	cr_assert_eq(survey_function(&survey, &survey.blocks[2]), 4);
	cr_assert_eq(survey_function(&survey, &survey.blocks[3]), 3);
	cr_assert_eq(*survey_words(&survey, 2), 1003);
	cr_assert_eq(*survey_words(&survey, 3), 3);
}

Test(survey, registers_of_several_words_are_never_cut)
{
	for (uint16_t i = 0; i < 40; i++)
		(void)list((uint16_t)(3 * i), 3, BOTH);
	device.has[61] = false; /* the middle of the one at 60 */
	prepare(20, 0);
	cr_assert_eq(take(), 0);
	cr_assert_leq(device.most_asked, 20);
	for (size_t b = 0; b < survey.block_count; b++)
		cr_assert_eq(survey.blocks[b].address % 3 + survey.blocks[b].count % 3, 0);
	for (size_t i = 0; i < map.count; i++)
		cr_assert_eq(survey.states[i], i == 20 ? SURVEY_LACKING : SURVEY_PRESENT);
}

Test(survey, a_device_that_answers_fewer_registers_at_a_time_is_asked_for_fewer)
{
	list_range(0, 100);
	device.most = 30;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	expect_truth();
	cr_assert_leq(survey.block_count, 8);
}

Test(survey, what_does_not_fit_into_a_request_is_not_asked_for)
{
	(void)list(0, 1, BOTH);
	(void)list(10, 32, BOTH);
	prepare(16, 16);
	cr_assert_eq(take(), 0);
	cr_assert_leq(device.most_asked, 16);
	cr_assert_eq(survey.states[1], SURVEY_UNWANTED);
}

Test(survey, what_feeds_no_point_is_not_asked_for)
{
	list_range(0, 3);
	registers[0].feeds = false;
	registers[1].kind = BB_KIND_COMMAND;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.blocks[0].address, 2);
	cr_assert_eq(survey.blocks[0].count, 1);
}

Test(survey, a_busy_device_is_asked_again_later)
{
	static const int exceptions[] = {BB_MODBUS_ACKNOWLEDGE, BB_MODBUS_BUSY, BB_MODBUS_GATEWAY_PATH,
					 BB_MODBUS_GATEWAY_TARGET};

	list_range(0, 10);
	list_range(500, 510);
	prepare(125, 16);
	for (size_t e = 0; e < sizeof(exceptions) / sizeof(exceptions[0]); e++) {
		survey_reset(&survey);
		device.says[505] = exceptions[e];
		cr_assert_eq(take(), 0);
		cr_assert_eq(device.requests, 3, "a busy device is not pestered with halves");
		cr_assert_eq(survey_postponed(&survey), 10);
		cr_assert_eq(survey.block_count, 1);
		cr_assert_eq(read_all(false), 0);
		device.says[505] = 0;
		cr_assert_eq(take(), 0);
		cr_assert_eq(device.requests, 1, "only what is not known");
		cr_assert_eq(survey_postponed(&survey), 0);
		expect_truth();
	}
}

Test(survey, a_device_that_is_busy_altogether_is_not_one_that_has_nothing)
{
	list_range(0, 10);
	device.says[3] = BB_MODBUS_GATEWAY_TARGET;
	prepare(125, 16);
	cr_assert_eq(take(), -EAGAIN);
	device.says[3] = 0;
	cr_assert_eq(take(), 0);
	expect_truth();
}

Test(survey, one_register_that_fails_is_postponed_without_its_neighbours)
{
	list_range(0, 64);
	device.says[20] = BB_MODBUS_DEVICE_FAILURE;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey_postponed(&survey), 1);
	cr_assert_eq(survey.states[20], SURVEY_POSTPONED);
	cr_assert_eq(read_all(false), 0, "nothing that is read touches it");
	device.says[20] = 0;
	cr_assert_eq(take(), 0);
	expect_truth();
}

Test(survey, a_survey_broken_off_goes_on_where_it_was)
{
	unsigned attempts = 0;

	list_range(0, 300);
	for (unsigned i = 0; i < 300; i += 7)
		device.has[i] = false;
	prepare(125, 0);
	do {
		device.answers_left = 10;
		cr_assert_leq(++attempts, 200);
	} while (take() == -EAGAIN);
	cr_assert_gt(attempts, 5);
	device.answers_left = -1;
	expect_truth();
}

Test(survey, a_device_that_says_nothing_is_not_there)
{
	list_range(0, 10);
	device.answers_left = 0;
	prepare(125, 16);
	cr_assert_eq(take(), -ETIMEDOUT);
	cr_assert_eq(device.requests, 1);
}

Test(survey, a_device_with_nothing_of_the_map_says_so)
{
	list_range(0, 10);
	memset(device.has, 0, sizeof(device.has));
	prepare(125, 16);
	cr_assert_eq(take(), -ENODATA);
}

Test(survey, a_device_that_loses_registers_has_become_another)
{
	list_range(0, 40);
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	device.has[30] = false;
	cr_assert_eq(read_all(false), -ESTALE);
	survey_reset(&survey);
	cr_assert_eq(take(), 0);
	expect_truth();
	device.says[3] = BB_MODBUS_BUSY;
	cr_assert_eq(read_all(false), -EAGAIN);
	device.says[3] = BB_MODBUS_DEVICE_FAILURE;
	cr_assert_eq(read_all(false), -ESTALE, "the survey finds out which one it is");
}

Test(survey, what_is_urgent_is_read_by_itself)
{
	list_range(0, 100);
	registers[40].point = "alarm.on-battery";
	registers[45].point = "output.source";
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.urgent_count, 1);
	cr_assert_eq(survey.urgent[0].address, 40);
	cr_assert_eq(survey.urgent[0].count, 6);
	cr_assert_eq(read_all(true), 0);
	cr_assert_eq(device.requests, 1);
}

Test(survey, a_device_without_urgent_registers_is_asked_for_one_to_see_that_it_is_there)
{
	list_range(0, 100);
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	cr_assert_eq(survey.urgent_count, 1);
	cr_assert_eq(survey.urgent[0].count, 1);
	device.answers_left = 0;
	cr_assert_eq(read_all(true), -ETIMEDOUT);
}

Test(survey, of_registers_that_overlap_each_is_found_out_about)
{
	(void)list(0, 2, BOTH);
	(void)list(1, 1, BOTH);
	device.has[0] = false;
	prepare(125, 16);
	cr_assert_eq(take(), 0);
	expect_truth();
}
