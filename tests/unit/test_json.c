/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c - busbarctl's JSON writer: documents are valid whatever they are made from.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "json.h"

static char *text;
static size_t length;

/* A writer into memory; finish() closes it and compares. */
static struct json begin(void)
{
	struct json json = {.out = open_memstream(&text, &length)};

	cr_assert_not_null(json.out);
	return json;
}

static void finish(struct json *json, const char *expected)
{
	fclose(json->out);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(json, escapes_what_a_string_must_not_hold)
{
	static const struct {
		const char *label, *string, *expected;
	} cases[] = {
		{"plain", "ups-a", "\"ups-a\""},
		{"empty", "", "\"\""},
		{"quotes and backslashes", "a\"b\\c", "\"a\\\"b\\\\c\""},
		{"control characters", "\001\n\037\177", "\"\\u0001\\u000a\\u001f\\u007f\""},
		{"UTF-8 of two, three and four bytes", "K\xc3\xbchl \xe2\x82\xac \xf0\x9f\x94\x8b",
		 "\"K\xc3\xbchl \xe2\x82\xac \xf0\x9f\x94\x8b\""},
		{"a byte that begins nothing",
		 "a\xff"
		 "b",
		 "\"a\\ufffdb\""},
		{"a character that is cut off", "a\xe2\x82", "\"a\\ufffd\\ufffd\""},
		{"a slash that is written longer than it is", "\xc0\xaf", "\"\\ufffd\\ufffd\""},
		{"half of a surrogate pair", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
		{"beyond the last character", "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct json json = begin();

		json_string(&json, cases[i].string);
		fclose(json.out);
		cr_expect_str_eq(text, cases[i].expected, "%s: %s", cases[i].label, text);
		free(text);
	}
}

Test(json, puts_commas_between_items_and_nowhere_else)
{
	struct json json = begin();

	json_object(&json, false);
	json_key(&json, "none");
	json_array(&json, false);
	json_end_array(&json);
	json_key(&json, "some");
	json_array(&json, false);
	json_integer(&json, -1);
	json_unsigned(&json, UINT64_MAX);
	json_bool(&json, true);
	json_null(&json);
	json_end_array(&json);
	json_key(&json, "text");
	json_string(&json, NULL);
	json_end_object(&json);
	finish(&json, "{\"none\": [], \"some\": [-1, 18446744073709551615, true, null], \"text\": null}\n");
}

Test(json, puts_each_item_of_a_list_on_a_line_of_its_own)
{
	struct json json = begin();

	json_array(&json, true);
	for (int i = 0; i < 2; i++) {
		json_object(&json, false);
		json_key(&json, "i");
		json_integer(&json, i);
		json_end_object(&json);
	}
	json_end_array(&json);
	finish(&json, "[\n{\"i\": 0},\n{\"i\": 1}\n]\n");
}

Test(json, prints_an_empty_list_as_one)
{
	struct json json = begin();

	json_array(&json, true);
	json_end_array(&json);
	finish(&json, "[]\n");
}

Test(json, prints_fixed_point_numbers_exactly)
{
	static const struct {
		int64_t value;
		unsigned decimals;
		const char *expected;
	} cases[] = {
		{2301, 1, "230.1"},
		{-5, 2, "-0.05"},
		{INT64_MIN, 0, "-9223372036854775808"},
		{INT64_MAX, 18, "9.223372036854775807"},
		{1, 99, "0.000000000000000001"}, /* no peer can make us print more decimals than there are */
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct json json = begin();

		json_decimal(&json, cases[i].value, cases[i].decimals);
		finish(&json, cases[i].expected);
	}
}
