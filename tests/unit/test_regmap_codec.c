/* SPDX-License-Identifier: Apache-2.0
 *
 * test_regmap_codec.c - words of registers and values of points, both ways.
 */
#include <busbar/macros.h>

#include "regmap_support.h"

static const struct bb_register *only(const char *row)
{
	static struct bb_regmap *map;

	regmap_free(map);
	map = map_of_rows("", row);
	cr_assert_eq(map->count, 1);
	return &map->registers[0];
}

static uint16_t encoded(const struct bb_register *entry, int64_t value, enum bb_encoding expected)
{
	uint16_t words[2] = {0x5555, 0x5555};

	cr_expect_eq(bb_register_encode(entry, BB_QUALITY_GOOD, value, words), expected, "%s: %lld", entry->symbol,
		     (long long)value);
	cr_expect_eq(words[1], 0x5555, "one word is one word");
	return words[0];
}

static int64_t decoded(const struct bb_register *entry, uint16_t word)
{
	int64_t value = INT64_MIN;

	cr_expect_eq(bb_register_decode(entry, &word, &value), BB_QUALITY_GOOD, "%s: %u", entry->symbol, word);
	return value;
}

static enum bb_quality quality(const struct bb_register *entry, uint16_t word)
{
	int64_t value = 4711;
	const enum bb_quality result = bb_register_decode(entry, &word, &value);

	if (result != BB_QUALITY_GOOD)
		cr_expect_eq(value, 4711, "output must stay untouched on failure");
	return result;
}

Test(regmap_codec, numbers_are_scaled_exactly_and_rounded_half_away_from_zero)
{
	const struct bb_register *volts = only("1,1,s16,3/4,V,input.L1.voltage,,,,\n"); /* 0.1 V behind 1 V */

	cr_expect_eq(decoded(volts, 230), 2300);
	cr_expect_eq(encoded(volts, 2304, BB_ENCODED), 230);
	cr_expect_eq(encoded(volts, 2305, BB_ENCODED), 231);
	cr_expect_eq(encoded(volts, -5, BB_ENCODED), 0xFFFF);
	cr_expect_eq(encoded(volts, -4, BB_ENCODED), 0);

	const struct bb_register *kilowatts = only("1,1,u16,3/4,P,output.L1.realpower,100,,,\n");

	cr_expect_eq(decoded(kilowatts, 12), 1200);
	cr_expect_eq(encoded(kilowatts, 1250, BB_ENCODED), 13);
}

Test(regmap_codec, every_raw_value_of_a_register_survives_the_way_there_and_back)
{
	static const char *const rows[] = {
		"1,1,u16,3/4,A,output.L1.voltage,0.1,,,\n",    "1,1,s16,3/4,B,battery.current,0.1,,,\n",
		"1,1,u16,3/4,C,output.L1.realpower,1000,,,\n", "1,1,s16,3/4,D,module.7.temperature,0.5,-39,,\n",
		"1,1,u16,3/4,E,battery.runtime,60,,,\n",       "1,1,u16,3/4,F,vendor.f,,,,\n",
		"1,1,u16,3/4,G,ups.status.word,,,,\n",         "1,1,s16,3/4,H,string.3.current,0.01,,,\n",
	};

	for (size_t i = 0; i < BB_LENGTH(rows); i++) {
		const struct bb_register *entry = only(rows[i]);

		for (unsigned raw = 0; raw <= UINT16_MAX; raw++) {
			const uint16_t word = (uint16_t)raw;
			uint16_t back = 0;
			int64_t value;

			if (bb_register_decode(entry, &word, &value) != BB_QUALITY_GOOD) {
				cr_assert_eq(raw, 0xD8F1, "%s: %u", entry->symbol, raw);
				continue;
			}
			/* Less than no time is left is not rounded towards some. */
			cr_assert_eq(bb_register_encode(entry, BB_QUALITY_GOOD, value, &back), BB_ENCODED);
			cr_assert_eq(back, raw, "%s: %u came back as %u", entry->symbol, raw, back);
		}
	}
}

Test(regmap_codec, what_does_not_fit_is_cut)
{
	const struct bb_register *plain = only("1,1,u16,3/4,V,output.L1.voltage,,,,\n");
	const struct bb_register *sign;

	cr_expect_eq(encoded(plain, 655350, BB_ENCODED), 65535);
	cr_expect_eq(encoded(plain, 655360, BB_ENCODED_SATURATED), 65535);
	cr_expect_eq(encoded(plain, INT64_MAX, BB_ENCODED_SATURATED), 65535);
	cr_expect_eq(encoded(plain, -10, BB_ENCODED_SATURATED), 0, "negative in an unsigned register reads 0");
	cr_expect_eq(encoded(plain, INT64_MIN, BB_ENCODED_SATURATED), 0);

	sign = only("1,1,s16,3/4,V,battery.current,,,,\n");
	cr_expect_eq(encoded(sign, 400000, BB_ENCODED_SATURATED), 0x7FFF);
	cr_expect_eq(encoded(sign, -400000, BB_ENCODED_SATURATED), 0x8000);
}

Test(regmap_codec, time_left_is_rounded_down_and_never_0_before_it_is)
{
	const struct bb_register *minutes = only("1,1,s16,3/4,T,battery.runtime,60,,,\n");

	cr_expect(minutes->time_left);
	cr_expect_eq(encoded(minutes, 0, BB_ENCODED), 0);
	cr_expect_eq(encoded(minutes, 1, BB_ENCODED), 1);
	cr_expect_eq(encoded(minutes, 59, BB_ENCODED), 1);
	cr_expect_eq(encoded(minutes, 119, BB_ENCODED), 1);
	cr_expect_eq(encoded(minutes, 120, BB_ENCODED), 2);
	cr_expect_eq(decoded(minutes, 2), 120);
	cr_expect_not(only("1,1,s16,3/4,T,ups.timer.shutdown,,,,\n")->time_left);
}

Test(regmap_codec, a_temperature_byte_is_half_degrees_around_25)
{
	const struct bb_register *byte = only("1,1,s16,3/4,T,module.1.temperature,0.5,-39,least=0;most=255,\n");

	cr_expect_eq(decoded(byte, 128), 250);
	cr_expect_eq(decoded(byte, 0), -390);
	cr_expect_eq(decoded(byte, 255), 885);
	cr_expect_eq(quality(byte, 256), BB_QUALITY_BAD);
	cr_expect_eq(encoded(byte, 255, BB_ENCODED), 129);
	cr_expect_eq(encoded(byte, 1000, BB_ENCODED_SATURATED), 255);
	cr_expect_eq(encoded(byte, -400, BB_ENCODED_SATURATED), 0);
}

Test(regmap_codec, enumerations_are_coded_as_the_map_has_them)
{
	const struct bb_register *source =
		only("1,1,u16,3/4,S,output.source,,,0=normal;1=battery;2=bypass;other=-9999,\n");

	cr_expect_eq(decoded(source, 0), 3);
	cr_expect_eq(decoded(source, 1), 5);
	cr_expect_eq(quality(source, 3), BB_QUALITY_BAD);
	cr_expect_eq(quality(source, 0xD8F1), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(encoded(source, 4, BB_ENCODED), 2);
	cr_expect_eq(encoded(source, 2, BB_ENCODED_OTHER), 0xD8F1);

	source = only("1,1,u16,3/4,S,output.source,,,7=normal,\n");
	cr_expect_eq(encoded(source, 5, BB_ENCODED_ABSENT), 0, "a state that is not there is 0");
}

Test(regmap_codec, flags_keep_their_bits_or_have_them_moved)
{
	const struct bb_register *word = only("1,1,u16,3/4,S,ups.status.word,,,,\n");

	cr_expect_eq(word->mask, 0xFFFF);
	cr_expect_eq(decoded(word, 0xFFFF), 0xFFFF, "-1 is no code of a flag word");
	cr_expect_eq(encoded(word, 0x18009, BB_ENCODED), 0x8009);

	word = only("1,1,u16,3/4,S,bacs.status,65536,,,\n");
	cr_expect_eq(word->mask, 0xFFFF0000);
	cr_expect_eq(decoded(word, 0x8001), 0x80010000);
	cr_expect_eq(encoded(word, INT64_C(0x180010002), BB_ENCODED), 0x8001);

	word = only("1,1,u16,3/4,S,ups.status.word,,,bit0=battery-low;bit9=bypass-mode,\n");
	cr_expect_eq(word->mask, 0x0011);
	cr_expect_eq(decoded(word, 0xFFFF), 0x0011);
	cr_expect_eq(decoded(word, 0x0001), 0x0010);
	cr_expect_eq(encoded(word, 0x0001, BB_ENCODED), 0x0200);
}

Test(regmap_codec, alarms_are_anything_but_0)
{
	const struct bb_register *alarm = only("1,1,u16,3/4,A,alarm.on-battery,,,,\n");

	cr_expect_eq(decoded(alarm, 0), 0);
	cr_expect_eq(decoded(alarm, 8), 1);
	cr_expect_eq(decoded(alarm, 0xFFFF), 1);
	cr_expect_eq(encoded(alarm, 1, BB_ENCODED), 1);

	alarm = only("1,1,u16,3/4,A,alarm.on-battery,,,0=true;1=false,\n");
	cr_expect_eq(decoded(alarm, 0), 1);
	cr_expect_eq(encoded(alarm, 1, BB_ENCODED), 0);
}

Test(regmap_codec, absent_is_minus_9999_for_measurements_and_0_for_the_rest)
{
	static const struct {
		const char *row;
		uint16_t word;
	} cases[] = {
		{"1,1,u16,3/4,,output.L1.voltage,,,,\n", 0xD8F1},
		{"1,1,s16,3/4,,ups.temperature,,,,\n", 0xD8F1},
		{"1,1,u16,3/4,,output.L1.powerfactor,,,,\n", 0xD8F1},
		{"1,1,u16,3/4,,sensor.1.value,,,,\n", 0xD8F1},
		{"1,1,u16,3/4,,battery.runtime,60,,,\n", 0xD8F1},
		{"1,1,u16,3/4,,output.energy,,,,\n", 0xD8F1},
		{"1,1,u16,3/4,,input.phases,,,,\n", 0},
		{"1,1,u16,3/4,,input.failure.count,,,,\n", 0},
		{"1,1,u16,3/4,,ups.status.word,,,,\n", 0},
		{"1,1,u16,3/4,,alarm.on-battery,,,,\n", 0},
		{"1,1,u16,3/4,,output.source,,,4=normal,\n", 0},
		{"1,1,u16,3/4,,aux.1.state,,,,\n", 0},
		{"1,1,u16,3/4,,vendor.word,,,,\n", 0},
		{"1,1,u16,3/4,,vendor.load,,,absent=-9999,\n", 0xD8F1},
		{"1,1,u16,3/4,,,,,,\n", 0},
		{"1,1,bit,1/5,,ups.command.on,,,,\n", 0},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		uint16_t word = 0x5555;

		cr_expect_eq(bb_register_encode(only(cases[i].row), BB_QUALITY_STALE, 7, &word), BB_ENCODED_ABSENT);
		cr_expect_eq(word, cases[i].word, "%s", cases[i].row);
	}
}

Test(regmap_codec, what_means_not_supported_depends_on_the_map_and_the_unit)
{
	struct bb_regmap *map = map_of_rows("# absent: -1 -9999\n", "1,1,s16,3/4,,module.1.voltage,0.001,,,\n"
								    "2,1,s16,3/4,,string.1.current,0.01,,,\n"
								    "3,1,u16,3/4,,bacs.alarms,,,,\n"
								    "4,1,s16,3/4,,gxr.1.input.1.state,,,,\n");

	cr_expect_eq(quality(&map->registers[0], 0xFFFF), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(quality(&map->registers[0], 0xD8F1), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(decoded(&map->registers[1], 0xFFFF), -1, "a current of -0.01 A");
	cr_expect_eq(quality(&map->registers[1], 0xD8F1), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(decoded(&map->registers[2], 0xFFFF), 0xFFFF);
	cr_expect_eq(decoded(&map->registers[2], 0xD8F1), 0xD8F1);
	cr_expect_eq(quality(&map->registers[3], 0xFFFF), BB_QUALITY_UNSUPPORTED);
	regmap_free(map);

	map = map_of_rows("# absent: none\n", "1,1,u16,3/4,,output.L1.realpower,,,,\n");
	cr_expect_eq(decoded(&map->registers[0], 0xD8F1), 55537);
	regmap_free(map);
	cr_expect_eq(quality(only("1,1,u16,3/4,,output.L1.realpower,,,,\n"), 0xD8F1), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(decoded(only("1,1,u16,3/4,,input.failure.count,,,,\n"), 0xD8F1), 55537);
}

Test(regmap_codec, two_words_have_the_high_one_first_unless_the_map_says_otherwise)
{
	const char *const row = "1,2,s16,3/4,,vendor.wide,,,,\n";
	struct bb_regmap *high = map_of_rows("", row), *low = map_of_rows("# word-order: low-first\n", row);
	uint16_t words[2];
	int64_t value;

	cr_expect_eq(bb_register_encode(&high->registers[0], BB_QUALITY_GOOD, 0x12345678, words), BB_ENCODED);
	cr_expect(words[0] == 0x1234 && words[1] == 0x5678);
	cr_expect_eq(bb_register_encode(&low->registers[0], BB_QUALITY_GOOD, -2, words), BB_ENCODED);
	cr_expect(words[0] == 0xFFFE && words[1] == 0xFFFF);
	cr_expect_eq(bb_register_decode(&low->registers[0], words, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, -2);
	cr_expect_eq(bb_register_encode(&low->registers[0], BB_QUALITY_GOOD, INT64_C(1) << 40, words),
		     BB_ENCODED_SATURATED);
	cr_expect(words[0] == 0xFFFF && words[1] == 0x7FFF);
	regmap_free(high);
	regmap_free(low);
}

Test(regmap_codec, texts_are_two_characters_a_word_and_cut_between_characters)
{
	const struct bb_register *text = only("1,3,string,3/4,,device.model,,,,\n");
	uint16_t words[3];
	char buffer[16];

	bb_register_encode_text(text, "USV", words);
	cr_expect(words[0] == 0x5553 && words[1] == 0x5600 && words[2] == 0);
	cr_expect_eq(bb_register_decode_text(text, words, buffer, sizeof(buffer)), 3);
	cr_expect_str_eq(buffer, "USV");

	bb_register_encode_text(text, "12345\xC3\xA4", words); /* five, and a letter of two bytes */
	cr_expect_eq(bb_register_decode_text(text, words, buffer, sizeof(buffer)), 5);
	cr_expect_str_eq(buffer, "12345");
	bb_register_encode_text(text, "123456789", words);
	cr_expect_eq(bb_register_decode_text(text, words, buffer, sizeof(buffer)), 6);
	cr_expect_eq(bb_register_decode_text(text, words, buffer, 4), 3);
	cr_expect_str_eq(buffer, "123");
	bb_register_encode_text(text, "ab    ", words);
	cr_expect_eq(bb_register_decode_text(text, words, buffer, sizeof(buffer)), 2, "padded with blanks");
}
