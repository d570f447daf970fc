/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_store.c - see journal_store.h: opening the database, its schema, transactions, cursors and facts.
 *
 * SQLite with a write-ahead log: a commit is one append and one fdatasync (synchronous=FULL). The connection locks the
 * database for as long as it is open (locking_mode=EXCLUSIVE), which saves the shared memory that other readers would
 * need, and keeps everybody else out: all reading goes through the agent.
 *
 * Words stand in the tables as words ("alarm-raised"), not as the numbers of an enum, so that a later version reads
 * them as they were meant. How many rows there are is kept in the table count, by the same transactions that change
 * it, because counting a million rows takes seconds.
 */
#include "journal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Of the tables; a database with a larger one was made by a later busbar.
 *	1  the first
 *	2  event.raised
 */
#define SCHEMA_VERSION "2"

static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA journal_size_limit=4194304;"
			       "PRAGMA cache_size=-4096;"
			       "PRAGMA trusted_schema=OFF;";

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE event(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, severity TEXT NOT NULL,"
	" wall_ms INTEGER NOT NULL, boot_id TEXT NOT NULL, device TEXT NOT NULL, subject TEXT NOT NULL,"
	" point TEXT NOT NULL, value TEXT NOT NULL, unit TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL,"
	" raised INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE cursor(name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE fact(key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE count(name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
	/* What the values of a sample mean; the same device has another layout when it has other points. */
	"CREATE TABLE layout(id INTEGER PRIMARY KEY, device TEXT NOT NULL, points TEXT NOT NULL,"
	" UNIQUE(device, points));"
	"CREATE TABLE sample(layout INTEGER NOT NULL, wall_ms INTEGER NOT NULL, samples BLOB NOT NULL,"
	" PRIMARY KEY(layout, wall_ms)) WITHOUT ROWID;"
	"PRAGMA user_version=" SCHEMA_VERSION ";"
	"COMMIT;";

/* From version 1. Rows are not touched, however many there are. */
static const char upgrade[] = "BEGIN IMMEDIATE;"
			      "ALTER TABLE event ADD COLUMN raised INTEGER NOT NULL DEFAULT 0;"
			      "PRAGMA user_version=" SCHEMA_VERSION ";"
			      "COMMIT;";

#define EVENT_COLUMNS                                                                                                  \
	"number, kind, severity, wall_ms, boot_id, device, subject, point, value, unit, source, text, raised FROM "    \
	"event "

static const char *const statements[STORE_STATEMENTS] = {
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
	[STORE_ROLLBACK] = "ROLLBACK",
	[STORE_PUT_EVENT] =
		"INSERT OR IGNORE INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[STORE_READ_UP] = "SELECT " EVENT_COLUMNS "WHERE number > ?1 AND number < ?2 ORDER BY number LIMIT ?3",
	[STORE_READ_DOWN] = "SELECT " EVENT_COLUMNS "WHERE number > ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3",
	[STORE_DROP_EVENTS] = "DELETE FROM event WHERE number <= ?1",
	[STORE_PUT_CURSOR] = "INSERT OR REPLACE INTO cursor VALUES(?1, ?2)",
	[STORE_GET_CURSOR] = "SELECT number FROM cursor WHERE name = ?1",
	[STORE_PUT_FACT] = "INSERT OR REPLACE INTO fact VALUES(?1, ?2)",
	[STORE_DROP_FACT] = "DELETE FROM fact WHERE key = ?1",
	[STORE_EACH_FACT] = "SELECT key, text FROM fact ORDER BY key",
	[STORE_PUT_COUNT] = "INSERT OR REPLACE INTO count VALUES(?1, ?2)",
	[STORE_EACH_COUNT] = "SELECT name, number FROM count",
	[STORE_FIND_LAYOUT] = "SELECT id FROM layout WHERE device = ?1 AND points = ?2",
	[STORE_PUT_LAYOUT] = "INSERT INTO layout(device, points) VALUES(?1, ?2)",
	[STORE_EACH_LAYOUT] = "SELECT id, device, points FROM layout WHERE id > ?1 ORDER BY id LIMIT 1",
	[STORE_PUT_SAMPLE] = "INSERT OR IGNORE INTO sample VALUES(?1, ?2, ?3)",
	[STORE_READ_SAMPLES] = "SELECT wall_ms, samples FROM sample WHERE layout = ?1 AND wall_ms >= ?2 AND"
			       " wall_ms < ?3 ORDER BY wall_ms LIMIT ?4",
	[STORE_CHECK_SAMPLES] = "SELECT layout, wall_ms, samples FROM sample WHERE (layout, wall_ms) > (?1, ?2)"
				" ORDER BY layout, wall_ms LIMIT ?3",
	[STORE_DROP_SAMPLES] = "DELETE FROM sample WHERE layout = ?1 AND wall_ms IN (SELECT wall_ms FROM sample"
			       " WHERE layout = ?1 AND wall_ms < ?2 ORDER BY wall_ms LIMIT ?3)",
};

/* ---- errors ---- */

static int or_else(int error, int otherwise)
{
	return error > 0 ? -error : -otherwise;
}

int store_error(struct sqlite3 *database, int result)
{
	const int extended = database ? sqlite3_extended_errcode(database) : result;

	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return or_else(sqlite3_system_errno(database), EACCES);
	case SQLITE_IOERR:
		if (extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_CORRUPTFS)
			return -EUCLEAN;
		return or_else(sqlite3_system_errno(database), EIO);
	default: /* not a database, malformed, a table is missing: it is not what we have written */
		return -EUCLEAN;
	}
}

/* ---- opening ---- */

static int read_version(struct sqlite3 *database, int *ret_version, bool *ret_empty)
{
	struct sqlite3_stmt *statement;
	int r = sqlite3_prepare_v2(database,
				   "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version",
				   -1, &statement, NULL);

	if (r != SQLITE_OK)
		return store_error(database, r);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW) {
		*ret_version = sqlite3_column_int(statement, 0);
		*ret_empty = sqlite3_column_int(statement, 1) == 0;
	}
	(void)sqlite3_finalize(statement); /* repeats the error of the step */
	return store_error(database, r);
}

static int prepare_schema(struct sqlite3 *database)
{
	bool empty = false;
	int version = 0;
	int r = read_version(database, &version, &empty);

	if (r < 0)
		return r;
	if (version > atoi(SCHEMA_VERSION))
		return -EPROTO;
	if (version == atoi(SCHEMA_VERSION))
		return 0;
	if (version != 1 && !empty)
		return -EUCLEAN;
	return store_error(database, sqlite3_exec(database, version == 1 ? upgrade : schema, NULL, NULL, NULL));
}

int store_create(const char *path, struct sqlite3 **ret_database)
{
	/* SQLite itself would let everybody read it. */
	const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	struct sqlite3 *database;
	int r;

	if (file < 0)
		return -errno;
	close(file);
	r = sqlite3_open_v2(path, &database,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(database, settings, NULL, NULL, NULL);
	r = store_error(database, r);
	if (r == 0)
		r = prepare_schema(database);
	if (r < 0) {
		(void)sqlite3_close(database); /* no statement is open */
		return r;
	}
	*ret_database = database;
	return 0;
}

static int prepare_statements(struct store *store)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		int r = sqlite3_prepare_v3(store->database, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
					   &store->statements[i], NULL);

		if (r != SQLITE_OK)
			return store_error(store->database, r);
	}
	return 0;
}

static void note_oldest(void *context, const struct bb_event *event)
{
	((struct store *)context)->counts.oldest = event->number;
}

static void note_newest(void *context, const struct bb_event *event)
{
	((struct store *)context)->counts.newest = event->number;
}

/* The counts that are stored, by name. */
static uint64_t *count_named(struct store_counts *counts, const char *name)
{
	if (strcmp(name, "dropped-to") == 0)
		return &counts->dropped_to;
	if (strcmp(name, "events") == 0)
		return &counts->events;
	return strcmp(name, "samples") == 0 ? &counts->samples : NULL;
}

static int load_counts(struct store *store)
{
	struct sqlite3_stmt *statement = store->statements[STORE_EACH_COUNT];
	int r;

	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		uint64_t *place = name ? count_named(&store->counts, name) : NULL;

		if (place)
			*place = (uint64_t)sqlite3_column_int64(statement, 1);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	r = store_error(store->database, r);
	if (r == 0)
		r = store_read_events(store, 0, UINT64_MAX, 1, false, note_oldest, store);
	if (r >= 0)
		r = store_read_events(store, 0, UINT64_MAX, 1, true, note_newest, store);
	store->committed = store->counts;
	return r < 0 ? r : 0;
}

int store_open(const char *path, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	r = store_create(path, &store->database);
	if (r == 0)
		r = prepare_statements(store);
	if (r == 0)
		r = load_counts(store);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		(void)sqlite3_finalize(store->statements[i]); /* repeats the error of the last step */
	(void)sqlite3_close(store->database); /* without memory of a failed checkpoint: the next one does it */
	free(store);
}

bool store_row_is_whole(struct sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const int type = sqlite3_column_type(row, i);
		const char *text = type == SQLITE_TEXT ? (const char *)sqlite3_column_text(row, i) : NULL;

		if (type == SQLITE_NULL || (text && memchr(text, '\0', (size_t)sqlite3_column_bytes(row, i))))
			return false;
	}
	return true;
}

/* ---- transactions ---- */

int store_run(struct store *store, enum store_statement statement)
{
	int r = sqlite3_step(store->statements[statement]);

	r = store_error(store->database, r);
	(void)sqlite3_reset(store->statements[statement]); /* repeats the error of the step */
	return r;
}

int store_begin(struct store *store)
{
	return store_run(store, STORE_BEGIN);
}

static int put_count(struct store *store, const char *name, uint64_t number, uint64_t before)
{
	struct sqlite3_stmt *statement = store->statements[STORE_PUT_COUNT];

	if (number == before)
		return 0;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)number);
	return store_run(store, STORE_PUT_COUNT);
}

int store_commit(struct store *store)
{
	int r = put_count(store, "dropped-to", store->counts.dropped_to, store->committed.dropped_to);

	if (r == 0)
		r = put_count(store, "events", store->counts.events, store->committed.events);
	if (r == 0)
		r = put_count(store, "samples", store->counts.samples, store->committed.samples);
	if (r == 0)
		r = store_run(store, STORE_COMMIT);
	if (r < 0)
		store_rollback(store);
	else
		store->committed = store->counts;
	return r;
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->database))
		(void)store_run(store, STORE_ROLLBACK); /* what it was for has failed already */
	store->counts = store->committed;
}

/* ---- cursors and facts ---- */

int store_put_cursor(struct store *store, const char *name, uint64_t number)
{
	struct sqlite3_stmt *statement = store->statements[STORE_PUT_CURSOR];

	sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)number);
	return store_run(store, STORE_PUT_CURSOR);
}

int store_get_cursor(struct store *store, const char *name, uint64_t *ret_number)
{
	struct sqlite3_stmt *statement = store->statements[STORE_GET_CURSOR];
	int r;

	sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW)
		*ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return r == SQLITE_DONE ? -ENOENT : store_error(store->database, r);
}

int store_put_fact(struct store *store, const char *key, const char *text)
{
	const enum store_statement which = text ? STORE_PUT_FACT : STORE_DROP_FACT;
	struct sqlite3_stmt *statement = store->statements[which];

	sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT);
	if (text)
		sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
	return store_run(store, which);
}

int store_each_fact(struct store *store, void (*each)(void *context, const char *key, const char *text), void *context)
{
	struct sqlite3_stmt *statement = store->statements[STORE_EACH_FACT];
	int r;

	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(statement, 0);
		const char *text = (const char *)sqlite3_column_text(statement, 1);

		if (key && text)
			each(context, key, text);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return store_error(store->database, r);
}
