/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c - busbarctl's tables: aligned by characters, coloured only when asked, harmless whatever is in a cell.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const struct table_column columns[] = {{"NAME", false}, {"VALUE", true}, {"NOTE", false}};

static char *text;
static size_t length;
static FILE *out;

static struct table *begin(bool colour)
{
	out = open_memstream(&text, &length);
	cr_assert_not_null(out);
	return table_open(out, colour, columns, 3);
}

static void row(struct table *table, const char *name, const char *value, const char *note)
{
	table_cell(table, STYLE_PLAIN, name);
	table_cell(table, STYLE_RED, value);
	table_cell(table, STYLE_PLAIN, note);
}

static void finish(struct table *table)
{
	table_close(table);
	fclose(out);
}

Test(table, aligns_columns_and_leaves_no_blanks_at_the_end)
{
	struct table *table = begin(false);

	row(table, "a", "230.1", "x");
	row(table, "longer", "7", "");
	finish(table);
	cr_expect_str_eq(text, "NAME    VALUE  NOTE\n"
			       "a       230.1  x\n"
			       "longer      7  \n");
	free(text);
}

Test(table, counts_characters_rather_than_bytes)
{
	struct table *table = begin(false);

	row(table, "K\xc3\xbchl", "1", "x");
	row(table, "Kuehle", "2", "x");
	finish(table);
	cr_expect_str_eq(text, "NAME    VALUE  NOTE\n"
			       "K\xc3\xbchl        1  x\n"
			       "Kuehle      2  x\n");
	free(text);
}

Test(table, lets_no_escape_sequence_through)
{
	struct table *table = begin(false);

	row(table, "\033[31mred\033[0m", "1\n2", "\xff");
	finish(table);
	cr_expect_null(strchr(text, '\033'));
	cr_expect_null(strchr(text, '\xff'));
	cr_expect_str_eq(text, "NAME          VALUE  NOTE\n"
			       "?[31mred?[0m    1?2  ?\n");
	free(text);
}

Test(table, colours_cells_without_disturbing_their_columns)
{
	struct table *table = begin(true);

	row(table, "a", "1", "x");
	finish(table);
	cr_expect_str_eq(text, "\033[1mNAME\033[0m  \033[1mVALUE\033[0m  \033[1mNOTE\033[0m\n"
			       "a         \033[31m1\033[0m  x\n");
	free(text);
}

Test(table, prints_nothing_without_rows)
{
	finish(begin(false));
	cr_expect_str_eq(text, "");
	free(text);
}

Test(table, prints_long_lists_in_chunks_that_keep_their_widths)
{
	struct table *table = begin(false);
	size_t lines = 0;

	row(table, "wide-enough", "1", "x");
	for (size_t i = 1; i < TABLE_CHUNK; i++)
		row(table, "a", "1", "x");
	fflush(out);
	cr_expect_gt(length, 0, "a full chunk must be out before the table is closed");
	row(table, "b", "1", "x");
	finish(table);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	cr_expect_eq(lines, TABLE_CHUNK + 2, "a title and all rows, not %zu lines", lines);
	cr_expect_not_null(strstr(text, "\nb                1  x\n"));
	free(text);
}
