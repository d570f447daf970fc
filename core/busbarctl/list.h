/* SPDX-License-Identifier: Apache-2.0
 *
 * list.h - rows on their way out, as a table for people, as JSON or as CSV. What each row says is the command's.
 */
#ifndef BUSBARCTL_LIST_H
#define BUSBARCTL_LIST_H

#include "csv.h"
#include "ctl.h"
#include "json.h"
#include "table.h"

/** How a list looks: columns of the table, names in the CSV header (NULL: the command makes no CSV). */
struct list_layout {
	const struct table_column *columns;
	size_t column_count;
	const char *const *names;
	size_t name_count;
};

/** A list. Initialise with { .ctl = …, .layout = …, .json.out = stdout, .csv.out = stdout }. */
struct list {
	const struct ctl *ctl;
	const struct list_layout *layout;
	struct json json;
	struct csv csv;
	struct table *table; /* unless JSON or CSV is wanted */
	bool begun;
	bool alarm; /* for the command: a row says so */
	uint64_t count;
};

/** Before the first row, or again: writes what stands before rows. */
void list_begin(struct list *list);

/** A row is complete. False: there are as many as --count wants. */
bool list_row(struct list *list);

/** Rows that are followed must be seen when they happen. False: nobody reads any more. */
bool list_show(struct list *list);

/** After the last row. @whole: the answer has come to its end, so that a JSON array may be closed. */
void list_end(struct list *list, bool whole);

#endif
