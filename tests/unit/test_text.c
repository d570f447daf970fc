/* SPDX-License-Identifier: Apache-2.0
 *
 * test_text.c - what foreign text becomes, what a typing error was meant to be, which names are names.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <busbar/macros.h>

#include "text.h"

struct clean_case {
	const char *text;
	size_t length;
	const char *expected;
};

#define CLEAN(text, expected)                                                                                          \
	{                                                                                                              \
		text, sizeof(text) - 1, expected                                                                       \
	}

Test(text, foreign_text_comes_out_as_utf8_without_control_characters)
{
	static const struct clean_case cases[] = {
		CLEAN("", ""),
		CLEAN("Netys RT", "Netys RT"),
		CLEAN("UPS\0\0\0", "UPS"),
		CLEAN("UPS \r\n", "UPS"),
		CLEAN("\0\0", ""),
		CLEAN("a\0b", "a?b"),
		CLEAN("a\nb\tc\033[31m\x7f", "a?b?c?[31m?"),
		CLEAN("Z\xc3\xbcrich 20\xe2\x82\xac \xf0\x9f\x94\x8b", "Z\xc3\xbcrich 20\xe2\x82\xac \xf0\x9f\x94\x8b"),
		CLEAN("Z\xfcrich", "Z?rich"),
		CLEAN("\xc3", "?"),
		CLEAN("\xe2\x82", "??"),
		CLEAN("\xf0\x9f\x94", "???"),
		CLEAN("\xc0\xaf", "??"),               /* overlong slash */
		CLEAN("\xe0\x80\xaf", "???"),          /* the same with three bytes */
		CLEAN("\xf0\x80\x80\xaf", "????"),     /* and with four */
		CLEAN("\xed\xa0\x80", "???"),          /* half a surrogate pair */
		CLEAN("\xed\x9f\xbf", "\xed\x9f\xbf"), /* the last before them */
		CLEAN("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"),
		CLEAN("\xf4\x90\x80\x80", "????"), /* above U+10FFFF */
		CLEAN("\xf8\x88\x80\x80\x80", "?????"),
		CLEAN("\xc2\x9b[31m", "??[31m"), /* CSI, a C1 control character that terminals obey */
		CLEAN("\xc2\xa0", "\xc2\xa0"),
		CLEAN("a\xe2\x80\xa8"
		      "b",
		      "a???b"),                             /* U+2028, a line separator */
		CLEAN("\xe2\x80\xaetxt.exe", "???txt.exe"), /* U+202E turns the line around */
		CLEAN("\xe2\x81\xa6", "???"),
		CLEAN("\xe2\x80\xa7\xe2\x81\xa5", "\xe2\x80\xa7\xe2\x81\xa5"), /* their neighbours */
		CLEAN("\xff\xfe", "??"),
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		char buffer[TEXT_MAX + 1];
		size_t length = bb_text_clean(buffer, sizeof(buffer), cases[i].text, cases[i].length);

		cr_expect_str_eq(buffer, cases[i].expected, "case %zu", i);
		cr_expect_eq(length, strlen(cases[i].expected), "case %zu", i);
	}
}

Test(text, long_text_is_cut_between_characters)
{
	char buffer[6];

	cr_expect_eq(bb_text_clean(buffer, sizeof(buffer), "abcdefgh", 8), 5);
	cr_expect_str_eq(buffer, "abcde");
	cr_expect_eq(bb_text_clean(buffer, sizeof(buffer), "abcd\xc3\xbc", 6), 4, "half a character does not fit");
	cr_expect_str_eq(buffer, "abcd");
	cr_expect_eq(bb_text_clean(buffer, sizeof(buffer), "abcd efgh", 9), 4, "no blank at the end");
	cr_expect_eq(bb_text_clean(buffer, 1, "abc", 3), 0);
	cr_expect_str_eq(buffer, "");
}

Test(text, nothing_is_written_into_no_room)
{
	char guard = 'x';

	cr_expect_eq(bb_text_clean(&guard, 0, "abc", 3), 0);
	cr_expect_eq(guard, 'x');
}

Test(text, typing_errors_find_the_word_that_was_meant)
{
	static const char *const words[] = {"interval", "watch", "stale-after", "on", "address", "user", NULL};

	cr_expect_str_eq(bb_text_suggest("intervall", words), "interval");
	cr_expect_str_eq(bb_text_suggest("itnerval", words), "interval");
	cr_expect_str_eq(bb_text_suggest("intrvl", words), "interval");
	cr_expect_str_eq(bb_text_suggest("wacth", words), "watch", "swapped letters count once");
	cr_expect_str_eq(bb_text_suggest("stale_after", words), "stale-after");
	cr_expect_str_eq(bb_text_suggest("adress", words), "address");
	cr_expect_str_eq(bb_text_suggest("WATCH", words), "watch", "upper and lower case are alike");
	cr_expect_str_eq(bb_text_suggest("off", words) ? "found" : "none", "none", "two errors are too many for 'on'");
	cr_expect_null(bb_text_suggest("colour", words));
	cr_expect_null(bb_text_suggest("", words));
}

Test(text, the_nearest_word_wins)
{
	static const char *const words[] = {"load", "lead", "leads", NULL};

	cr_expect_str_eq(bb_text_suggest("leadz", words), "lead");
	cr_expect_str_eq(bb_text_suggest("leads", words), "leads");
}

Test(text, absurdly_long_words_are_not_compared)
{
	static const char *const words[] = {"interval", NULL};
	char text[4096];

	memset(text, 'i', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_expect_null(bb_text_suggest(text, words));
}

Test(text, device_names_fit_contexts_labels_and_files)
{
	static const char *const good[] = {"a", "0", "ups-a", "7", "a-", "abcdefghijklmnopqrstuvwxyz012345"};
	static const char *const bad[] = {"",      "-a",     "Ups",      "ups_a", "ups.a",
					  "ups a", "../etc", "\xc3\xbc", "a/b",   "abcdefghijklmnopqrstuvwxyz0123456"};

	for (size_t i = 0; i < BB_LENGTH(good); i++)
		cr_expect(text_is_device_name(good[i]), "'%s'", good[i]);
	for (size_t i = 0; i < BB_LENGTH(bad); i++)
		cr_expect_not(text_is_device_name(bad[i]), "'%s'", bad[i]);
}

Test(text, a_word_is_found_in_a_list_only_as_a_whole)
{
	cr_expect(text_has_word("snmp modbus-tcp nut", "nut", 3));
	cr_expect(text_has_word("snmp modbus-tcp nut", "snmp://host", 4));
	cr_expect(text_has_word("  OL   CHRG ", "CHRG", 4));
	cr_expect_not(text_has_word("snmp modbus-tcp nut", "modbus", 6));
	cr_expect_not(text_has_word("snmp", "snmp-x", 6));
	cr_expect_not(text_has_word("snmp", "", 0));
	cr_expect_not(text_has_word("", "snmp", 4));
}

Test(text, hashes_are_those_of_fnv_1a)
{
	cr_expect_eq(bb_text_hash("", 0), 0x811c9dc5);
	cr_expect_eq(bb_text_hash("a", 1), 0xe40c292c);
	cr_expect_eq(bb_text_hash("foobar and more", 6), 0xbf9cf968);
}
