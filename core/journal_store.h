/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_store.h - the database of the journal: events, cursors, facts, and the data log.
 *
 * One connection, used by one thread at a time. Every function returns 0 (or what it says), or a negative errno:
 * -EUCLEAN when the database is damaged, -ENOSPC when the disk is full, and so on.
 */
#ifndef CORE_JOURNAL_STORE_H
#define CORE_JOURNAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/event.h>

struct sqlite3;
struct sqlite3_stmt;

/** Statements that are kept prepared. */
enum store_statement {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_PUT_EVENT,
	STORE_READ_UP,   /* events in order of number */
	STORE_READ_DOWN, /* the newest first */
	STORE_DROP_EVENTS,
	STORE_PUT_CURSOR,
	STORE_GET_CURSOR,
	STORE_PUT_FACT,
	STORE_DROP_FACT,
	STORE_EACH_FACT,
	STORE_PUT_COUNT,
	STORE_EACH_COUNT,
	STORE_FIND_LAYOUT,
	STORE_PUT_LAYOUT,
	STORE_EACH_LAYOUT,
	STORE_PUT_SAMPLE,
	STORE_READ_SAMPLES,
	STORE_CHECK_SAMPLES,
	STORE_DROP_SAMPLES,
	STORE_STATEMENTS,
};

/** What is kept beside the rows, in the same transactions. */
struct store_counts {
	uint64_t oldest, newest; /* numbers of events that are there, 0: none */
	uint64_t dropped_to;     /* events up to this number are kept no more */
	uint64_t events;         /* rows */
	uint64_t samples;        /* rows of the data log */
};

struct store {
	struct sqlite3 *database;
	struct sqlite3_stmt *statements[STORE_STATEMENTS];
	struct store_counts counts;
	struct store_counts committed;
};

/** Open the database at @path, make it when it is not there. -EPROTO: a newer version of busbar has made it. */
int store_open(const char *path, struct store **ret_store);

/** Close; accepts NULL. */
void store_close(struct store *store);

int store_begin(struct store *store);

/** After this the rows are durable. When it fails, nothing was written, and store_rollback() has been called. */
int store_commit(struct store *store);
void store_rollback(struct store *store);

/** An event that is there already is left as it is. */
int store_put_event(struct store *store, const struct bb_event *event);

/**
 * Call @each for at most @most events with numbers between @after and @before (both exclusive), from the smallest up, or
 * with @down from the largest down. Returns how many there were, or a negative errno. Texts are valid during the call.
 */
int store_read_events(struct store *store, uint64_t after, uint64_t before, size_t most, bool down,
		      void (*each)(void *context, const struct bb_event *event), void *context);

/** Forget at most @most of the oldest events, from before @before_wall_ms, or any when @any. Returns how many. */
int store_drop_events(struct store *store, int64_t before_wall_ms, bool any, size_t most);

int store_put_cursor(struct store *store, const char *name, uint64_t number);

/** -ENOENT: there is no such cursor. */
int store_get_cursor(struct store *store, const char *name, uint64_t *ret_number);

/** @text NULL forgets. */
int store_put_fact(struct store *store, const char *key, const char *text);
int store_each_fact(struct store *store, void (*each)(void *context, const char *key, const char *text), void *context);

/* ---- for the files that know the data log and recovery (store_samples.c, journal_recover.c) ---- */

/** The negative errno that says the same as @result of @database (may be NULL). */
int store_error(struct sqlite3 *database, int result);

/** Make an empty database at @path ready to be filled: schema and settings. */
int store_create(const char *path, struct sqlite3 **ret_database);

/**
 * Does the row look like one of ours, which have neither NULLs nor texts with a NUL? SQLite reads what is missing of a
 * truncated page as zeros, and has no checksums to notice.
 */
bool store_row_is_whole(struct sqlite3_stmt *row);

/** Run a prepared statement that returns no rows, and reset it. */
int store_run(struct store *store, enum store_statement statement);

#endif
