/* SPDX-License-Identifier: Apache-2.0
 *
 * test_csv.c - busbarctl's CSV: what RFC 4180 says, and what spreadsheets would make of device texts.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

static char *written;
static size_t written_size;
static struct csv csv;

static void begin(void)
{
	csv = (struct csv){.out = open_memstream(&written, &written_size)};
	cr_assert(csv.out != NULL);
}

static const char *result(void)
{
	(void)fflush(csv.out);
	return written;
}

static void end(void)
{
	(void)fclose(csv.out);
	free(written);
}

TestSuite(csv, .init = begin, .fini = end);

Test(csv, separates_fields_by_commas_and_ends_records_with_cr_lf)
{
	static const char *const names[] = {"a", "b c"};

	csv_header(&csv, names, 2);
	csv_text(&csv, "x");
	csv_text(&csv, "");
	csv_unsigned(&csv, UINT64_MAX);
	csv_decimal(&csv, -5, 1);
	csv_end(&csv);
	cr_expect_str_eq(result(), "a,b c\r\nx,,18446744073709551615,-0.5\r\n");
}

Test(csv, quotes_what_would_end_a_field)
{
	csv_text(&csv, "a,b");
	csv_text(&csv, "say \"hello\"");
	csv_text(&csv, "\"");
	cr_expect_str_eq(result(), "\"a,b\",\"say \"\"hello\"\"\",\"\"\"\"");
}

/* One field, on its own. */
static void expect_field(const char *text, const char *field)
{
	end();
	begin();
	csv_text(&csv, text);
	cr_expect_str_eq(result(), field, "'%s' becomes %s", text, result());
}

Test(csv, makes_no_formula_of_a_text)
{
	expect_field("=1+1", "\"'=1+1\"");
	expect_field("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"");
	expect_field("@SUM(A1,A2)", "\"'@SUM(A1,A2)\"");
	expect_field("+49 30 1234", "\"'+49 30 1234\"");
	expect_field("+1", "\"'+1\"");
	expect_field("-", "\"'-\"");
	expect_field("-1-1", "\"'-1-1\"");
	expect_field("-1.", "\"'-1.\"");
	expect_field("-.5", "\"'-.5\"");
	expect_field("-1e5", "\"'-1e5\"");
	expect_field("=\"x\"", "\"'=\"\"x\"\"\"");
	expect_field("a=1", "a=1");
}

Test(csv, leaves_numbers_numbers)
{
	expect_field("-5.0", "-5.0");
	expect_field("-17", "-17");
	expect_field("0", "0");
	expect_field("230.1", "230.1");
}

Test(csv, lets_no_byte_of_a_device_break_a_record)
{
	expect_field("two\r\nlines", "two??lines");
	expect_field("\t=1", "?=1");
	expect_field("\xff\xfe", "??");
	expect_field("\033[31mred", "?[31mred");
	expect_field("Batterie zu hei\xc3\x9f", "Batterie zu hei\xc3\x9f");
}

Test(csv, takes_a_text_of_any_length)
{
	const size_t length = 100000;
	char *text = malloc(length + 1);

	memset(text, ',', length);
	text[length] = '\0';
	csv_text(&csv, text);
	cr_expect_eq(strlen(result()), length + 2);
	free(text);
}

Test(csv, survives_more_decimals_than_there_can_be)
{
	csv_decimal(&csv, 1, 4000000000U);
	cr_expect_str_eq(result(), "0.000000000000000001");
}
