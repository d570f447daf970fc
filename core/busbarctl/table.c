/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - aligned columns for people.
 *
 * Widths are known only when all rows are, but a list can be endless; so rows are held back in chunks, and columns
 * keep the width that the chunks before needed. Widths count characters, not bytes.
 */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define COLUMNS_MAX 16
#define CELL_MAX    1024 /* bytes shown of a cell */
#define GAP         "  "

struct cell {
	char *text;
	enum style style;
};

struct table {
	FILE *out;
	bool colour, titled;
	const struct table_column *columns;
	size_t column_count, cell_count;
	size_t widths[COLUMNS_MAX];
	struct cell cells[TABLE_CHUNK * COLUMNS_MAX];
};

const char *style_begin(enum style style, bool colour)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = "",        [STYLE_BOLD] = "\033[1m",   [STYLE_GREY] = "\033[90m",
		[STYLE_BLUE] = "\033[34m", [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m",
		[STYLE_RED] = "\033[31m",
	};

	return colour ? sequences[style] : "";
}

const char *style_end(enum style style, bool colour)
{
	return colour && style != STYLE_PLAIN ? "\033[0m" : "";
}

static void *table_memory(void *memory)
{
	if (memory == NULL) {
		(void)fputs("busbarctl: no memory left\n", stderr);
		exit(EXIT_FAILURE);
	}
	return memory;
}

/* Characters in a text that has been cleaned: continuation bytes do not count. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

struct table *table_open(FILE *out, bool colour, const struct table_column *columns, size_t column_count)
{
	struct table *table = table_memory(calloc(1, sizeof(*table)));

	table->out = out;
	table->colour = colour;
	table->columns = columns;
	table->column_count = column_count;
	for (size_t i = 0; i < column_count; i++)
		table->widths[i] = text_width(columns[i].title);
	return table;
}

/* Blanks after the last column would only be in the way of those who copy or cut. */
static void table_print_cell(struct table *table, size_t column, enum style style, const char *text)
{
	const size_t width = text_width(text);
	const int padding = (int)(table->widths[column] - width);
	const bool right = table->columns[column].right;
	const bool last = column + 1 == table->column_count;

	(void)fprintf(table->out, "%s%*s%s%s%s", column > 0 ? GAP : "", right ? padding : 0, "",
		      style_begin(style, table->colour), text, style_end(style, table->colour));
	if (!right && !last)
		(void)fprintf(table->out, "%*s", padding, "");
	if (last)
		(void)fputc('\n', table->out);
}

void table_flush(struct table *table)
{
	if (!table->titled && table->cell_count > 0) {
		for (size_t i = 0; i < table->column_count; i++)
			table_print_cell(table, i, STYLE_BOLD, table->columns[i].title);
		table->titled = true;
	}
	for (size_t i = 0; i < table->cell_count; i++) {
		table_print_cell(table, i % table->column_count, table->cells[i].style, table->cells[i].text);
		free(table->cells[i].text);
	}
	table->cell_count = 0;
}

void table_cell(struct table *table, enum style style, const char *text)
{
	const size_t column = table->cell_count % table->column_count;
	char clean[CELL_MAX];
	size_t width;

	(void)bb_text_clean(clean, sizeof(clean), text, strlen(text));
	width = text_width(clean);
	if (width > table->widths[column])
		table->widths[column] = width;
	table->cells[table->cell_count].style = style;
	table->cells[table->cell_count++].text = table_memory(strdup(clean));
	if (table->cell_count == TABLE_CHUNK * table->column_count)
		table_flush(table);
}

void table_cell_format(struct table *table, enum style style, const char *format, ...)
{
	char text[CELL_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* what is too long is cut */
	va_end(arguments);
	table_cell(table, style, text);
}

void table_close(struct table *table)
{
	if (table == NULL)
		return;
	table_flush(table);
	free(table);
}
