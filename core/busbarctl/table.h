/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - rows of cells in aligned columns, with colours on a terminal.
 */
#ifndef BUSBARCTL_TABLE_H
#define BUSBARCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** How a cell looks where there are colours. */
enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_GREY,
	STYLE_BLUE,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_RED,
};

/** The escape sequence that begins @style, "" for plain or without @colour; style_end() ends it. */
const char *style_begin(enum style style, bool colour);
const char *style_end(enum style style, bool colour);

struct table_column {
	const char *title;
	bool right; /* numbers */
};

/** Rows a table holds before it prints them; columns only ever get wider. */
#define TABLE_CHUNK 256

struct table; /* opaque */

/** Begin a table on @out. @columns must outlive it. Ends the program when memory lacks. */
struct table *table_open(FILE *out, bool colour, const struct table_column *columns, size_t column_count);

/** The next cell; the text is copied and cleaned. The row is complete with its last column's cell. */
void table_cell(struct table *table, enum style style, const char *text);
void table_cell_format(struct table *table, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Print the rows that are there; the next ones keep the widths. */
void table_flush(struct table *table);

/** Print what is left and free. Accepts NULL. A table without rows prints nothing. */
void table_close(struct table *table);

#endif
