/* SPDX-License-Identifier: Apache-2.0
 *
 * show_journal.c - journal check: what busbard found when it read its journal, and how the journal is doing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "connection.h"
#include "format.h"
#include "json.h"
#include "table.h"

struct check {
	const struct ctl *ctl;
	bool wrong;
};

static void number_json(struct json *json, const char *key, uint64_t number)
{
	json_key(json, key);
	json_unsigned(json, number);
}

static void text_json(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_string(json, text[0] != '\0' ? text : NULL);
}

static void journal_json(const Busbar__Journal *journal)
{
	struct json json = {.out = stdout};

	json_object(&json, false);
	json_key(&json, "sound");
	json_bool(&json, journal->sound);
	text_json(&json, "text", journal->text);
	text_json(&json, "path", journal->path);
	text_json(&json, "trouble", journal->trouble ? journal->trouble_text : "");
	number_json(&json, "events", journal->events);
	number_json(&json, "samples", journal->samples);
	number_json(&json, "oldest", journal->oldest);
	number_json(&json, "durable", journal->durable);
	number_json(&json, "newest", journal->newest);
	number_json(&json, "pending", journal->pending);
	number_json(&json, "lost", journal->lost);
	number_json(&json, "samples_lost", journal->samples_lost);
	json_key(&json, "database_bytes");
	json_integer(&json, journal->database_bytes);
	json_key(&json, "reserve_bytes");
	json_integer(&json, journal->reserve_bytes);
	json_key(&json, "commit_duration");
	json_decimal(&json, journal->commit_us, 6);
	json_key(&json, "cursors");
	json_array(&json, false);
	for (size_t i = 0; i < journal->n_cursors; i++) {
		json_object(&json, false);
		json_key(&json, "cursor");
		json_string(&json, journal->cursors[i]->name);
		number_json(&json, "delivered", journal->cursors[i]->delivered);
		number_json(&json, "backlog", journal->cursors[i]->backlog);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
}

static void row(struct table *table, enum style style, const char *name, const char *text)
{
	table_cell(table, STYLE_PLAIN, name);
	table_cell(table, style, text);
}

static void number_row(struct table *table, const char *name, uint64_t number)
{
	table_cell(table, STYLE_PLAIN, name);
	table_cell_format(table, STYLE_PLAIN, "%" PRIu64, number);
}

/* A number that should be 0. */
static void loss_row(struct table *table, const char *name, uint64_t number)
{
	table_cell(table, STYLE_PLAIN, name);
	table_cell_format(table, number > 0 ? STYLE_RED : STYLE_PLAIN, "%" PRIu64, number);
}

static void journal_table(const struct ctl *ctl, const Busbar__Journal *journal)
{
	static const struct table_column columns[] = {{"JOURNAL", false}, {"", false}};
	static const struct table_column cursor_columns[] = {{"CURSOR", false}, {"DELIVERED", true}, {"BACKLOG", true}};
	struct table *table = table_open(stdout, ctl->colour, columns, BB_LENGTH(columns));
	char text[FORMAT_TIME_SIZE];

	row(table, journal->sound ? STYLE_GREEN : STYLE_RED, "database", journal->sound ? "sound" : "damaged");
	row(table, STYLE_PLAIN, "found", journal->text);
	row(table, STYLE_PLAIN, "path", journal->path[0] != '\0' ? journal->path : "-");
	row(table, journal->trouble ? STYLE_YELLOW : STYLE_PLAIN, "trouble",
	    journal->trouble ? journal->trouble_text : "none");
	number_row(table, "events", journal->events);
	number_row(table, "oldest event", journal->oldest);
	number_row(table, "newest event", journal->newest);
	number_row(table, "on disk up to", journal->durable);
	number_row(table, "waiting for the disk", journal->pending);
	loss_row(table, "events lost", journal->lost);
	number_row(table, "samples", journal->samples);
	loss_row(table, "samples lost", journal->samples_lost);
	row(table, STYLE_PLAIN, "size", format_bytes(text, journal->database_bytes));
	row(table, STYLE_PLAIN, "reserve in use", format_bytes(text, journal->reserve_bytes));
	table_cell(table, STYLE_PLAIN, "last commit took");
	table_cell_format(table, STYLE_PLAIN, "%s s", format_number(text, journal->commit_us, 6));
	table_close(table);
	if (journal->n_cursors == 0)
		return;
	(void)putchar('\n');
	table = table_open(stdout, ctl->colour, cursor_columns, BB_LENGTH(cursor_columns));
	for (size_t i = 0; i < journal->n_cursors; i++) {
		table_cell(table, STYLE_BOLD, journal->cursors[i]->name);
		table_cell_format(table, STYLE_PLAIN, "%" PRIu64, journal->cursors[i]->delivered);
		table_cell_format(table, STYLE_PLAIN, "%" PRIu64, journal->cursors[i]->backlog);
	}
	table_close(table);
}

static int journal_frame(void *context, const Busbar__Response *response)
{
	struct check *check = context;

	if (response->journal == NULL)
		return CONNECTION_GO_ON;
	check->wrong = !response->journal->sound || response->journal->trouble;
	if (check->ctl->json)
		journal_json(response->journal);
	else
		journal_table(check->ctl, response->journal);
	return CONNECTION_GO_ON;
}

int journal_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__JournalRequest message = BUSBAR__JOURNAL_REQUEST__INIT;
	struct check check = {.ctl = ctl};
	int result;

	(void)argc; /* the table of commands says how many */
	if (strcmp(argv[0], "check") != 0)
		return ctl_fail(CTL_USAGE, "usage: busbarctl journal check");
	request.command_case = BUSBAR__REQUEST__COMMAND_JOURNAL;
	request.journal = &message;
	/* Reading millions of rows takes its time. */
	result = connection_ask(ctl, &request, true, journal_frame, &check);
	return result == CTL_FINE && check.wrong ? CTL_ALARM : result;
}
