/* SPDX-License-Identifier: Apache-2.0
 *
 * list.c - see list.h.
 *
 * A list that is followed has no end, so as JSON it is no array but one object a line.
 */
#include "list.h"

void list_begin(struct list *list)
{
	if (list->begun)
		return;
	list->begun = true;
	if (list->ctl->csv)
		csv_header(&list->csv, list->layout->names, list->layout->name_count);
	else if (!list->ctl->json)
		list->table = table_open(stdout, list->ctl->colour, list->layout->columns, list->layout->column_count);
	else if (!list->ctl->follow)
		json_array(&list->json, true);
}

bool list_row(struct list *list)
{
	list->count++;
	return list->count != list->ctl->count;
}

bool list_show(struct list *list)
{
	if (!list->ctl->follow)
		return true;
	if (list->table != NULL)
		table_flush(list->table);
	return fflush(stdout) == 0;
}

void list_end(struct list *list, bool whole)
{
	table_close(list->table);
	list->table = NULL;
	if (whole && list->begun && list->ctl->json && !list->ctl->follow)
		json_end_array(&list->json);
}
