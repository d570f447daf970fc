/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_recover.c - from a damaged database to a sound one with everything that can still be read.
 *
 * A table is read from its smallest key up until the first error, and then from its largest key down until the next
 * one, so that the newest events are not lost because an old page is. Rows go into a new file, journal.new, in small
 * transactions; the damaged database is not touched. When all is copied, the damaged one is renamed, then its log, then
 * the new one takes its name. A crash at any moment leaves either the damaged database in place, and everything begins
 * again, or the complete copy without a database, and recovery_resume() finishes the renaming.
 *
 * Reading a truncated database needs writable_schema: SQLite else refuses a file that is shorter than it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <busbar/macros.h>

#include "journal_data.h"
#include "journal_step.h"

/* Rows of one step. */
#define CHUNK 2000

/* What is copied, the small and urgent first. Keys are one or two columns, which come first in the row. */
static const struct table {
	const char *name;
	int columns;
	int keys;
	const char *up, *down; /* the rest of a SELECT *: behind a key, and before one */
} tables[] = {
	{"count", 2, 1, "name > ?1 ORDER BY name", "name < ?1 ORDER BY name DESC"},
	{"fact", 2, 1, "key > ?1 ORDER BY key", "key < ?1 ORDER BY key DESC"},
	{"cursor", 2, 1, "name > ?1 ORDER BY name", "name < ?1 ORDER BY name DESC"},
	{"layout", 3, 1, "id > ?1 ORDER BY id", "id < ?1 ORDER BY id DESC"},
	{"event", 12, 1, "number > ?1 ORDER BY number", "number < ?1 ORDER BY number DESC"},
	{"sample", 3, 2, "(layout, wall_ms) > (?1, ?2) ORDER BY layout, wall_ms",
	 "(layout, wall_ms) < (?1, ?2) ORDER BY layout DESC, wall_ms DESC"},
};

#define TABLE_COUNT BB_LENGTH(tables)
#define TABLE_EVENT 4

struct recovery {
	char *folder;
	struct sqlite3 *from, *to;
	size_t table;
	bool down;  /* going down after an error on the way up */
	bool begun; /* @keys are those of the last row copied */
	sqlite3_value *keys[2];
	uint64_t copied; /* rows of this table */
	struct recovered recovered;
};

static char *path_of(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int rename_in(const char *folder, const char *from, const char *to)
{
	char *old = path_of(folder, from), *new = path_of(folder, to);
	int r = old && new ? 0 : -ENOMEM;

	if (r == 0 && rename(old, new) < 0)
		r = -errno;
	free(old);
	free(new);
	return r;
}

static bool exists(const char *folder, const char *name)
{
	char *path = path_of(folder, name);
	const bool there = path && access(path, F_OK) == 0;

	free(path);
	return there;
}

static void remove_file(const char *folder, const char *name)
{
	char *path = path_of(folder, name);

	if (path)
		(void)unlink(path); /* most often there is none */
	free(path);
}

/* Renames must be on disk before what is done in reliance on them. */
static int sync_folder(const char *path)
{
	const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (folder < 0)
		return -errno;
	if (fsync(folder) < 0)
		r = -errno;
	close(folder);
	return r;
}

/* ---- beginning ---- */

static int open_damaged(struct recovery *recovery)
{
	char *path = path_of(recovery->folder, "journal.db");
	int r;

	if (!path)
		return -ENOMEM;
	r = sqlite3_open_v2(path, &recovery->from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	free(path);
	if (r == SQLITE_OK) {
		(void)sqlite3_db_config(recovery->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		(void)sqlite3_db_config(recovery->from, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
		/* Whatever of it works: the copy shows what can be read. */
		(void)sqlite3_exec(recovery->from, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA writable_schema=ON;", NULL,
				   NULL, NULL);
	}
	return r == SQLITE_NOMEM ? -ENOMEM : 0;
}

int recovery_begin(const char *folder, struct recovery **ret_recovery)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));
	char *path;
	int r;

	if (!recovery)
		return -ENOMEM;
	recovery->folder = strdup(folder);
	path = path_of(folder, "journal.new");
	r = recovery->folder && path ? 0 : -ENOMEM;
	if (r == 0) {
		remove_file(folder, "journal.new"); /* of an attempt that was cut short */
		remove_file(folder, "journal.new-wal");
		r = store_create(path, &recovery->to);
	}
	if (r == 0)
		r = open_damaged(recovery);
	free(path);
	if (r < 0) {
		recovery_cancel(recovery);
		return r;
	}
	*ret_recovery = recovery;
	return 0;
}

static void forget_keys(struct recovery *recovery)
{
	for (int i = 0; i < 2; i++) {
		sqlite3_value_free(recovery->keys[i]);
		recovery->keys[i] = NULL;
	}
	recovery->begun = false;
}

void recovery_cancel(struct recovery *recovery)
{
	if (!recovery)
		return;
	forget_keys(recovery);
	(void)sqlite3_close(recovery->from); /* accepts NULL; no statement is open */
	(void)sqlite3_close(recovery->to);
	free(recovery->folder);
	free(recovery);
}

/* ---- copying ---- */

static int prepare_reading(struct recovery *recovery, struct sqlite3_stmt **ret_statement)
{
	const struct table *table = &tables[recovery->table];
	char sql[256];
	int r;

	/* Before the first key there is nothing to compare with. */
	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s %s%s LIMIT %d", table->name, recovery->begun ? "WHERE " : "",
		       recovery->begun ? (recovery->down ? table->down : table->up)
				       : strstr(recovery->down ? table->down : table->up, "ORDER"),
		       CHUNK);
	r = sqlite3_prepare_v2(recovery->from, sql, -1, ret_statement, NULL);
	for (int i = 0; r == SQLITE_OK && recovery->begun && i < table->keys; i++)
		r = sqlite3_bind_value(*ret_statement, i + 1, recovery->keys[i]);
	return r;
}

static int prepare_writing(struct recovery *recovery, struct sqlite3_stmt **ret_statement)
{
	const struct table *table = &tables[recovery->table];
	char sql[128];
	int length = snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(?", table->name);

	for (int i = 1; i < table->columns; i++)
		length += snprintf(sql + length, sizeof(sql) - (size_t)length, ", ?");
	(void)snprintf(sql + length, sizeof(sql) - (size_t)length, ")");
	return sqlite3_prepare_v2(recovery->to, sql, -1, ret_statement, NULL);
}

static int remember_keys(struct recovery *recovery, struct sqlite3_stmt *row)
{
	forget_keys(recovery);
	for (int i = 0; i < tables[recovery->table].keys; i++) {
		recovery->keys[i] = sqlite3_value_dup(sqlite3_column_value(row, i));
		if (!recovery->keys[i])
			return SQLITE_NOMEM;
	}
	recovery->begun = true;
	return SQLITE_OK;
}

static int write_row(struct recovery *recovery, struct sqlite3_stmt *row, struct sqlite3_stmt *writing)
{
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < tables[recovery->table].columns; i++)
		r = sqlite3_bind_value(writing, i + 1, sqlite3_column_value(row, i));
	if (r == SQLITE_OK)
		r = sqlite3_step(writing);
	(void)sqlite3_reset(writing); /* repeats the error of the step */
	if (r == SQLITE_CONSTRAINT)
		return SQLITE_OK; /* what no table of ours can have held is no row */
	if (r != SQLITE_DONE)
		return r;
	recovery->copied += (uint64_t)sqlite3_changes(recovery->to);
	return SQLITE_OK;
}

/* Copies a chunk. What went wrong while reading is in @ret_read: SQLITE_DONE at the end, SQLITE_ROW: there is more. */
static int copy_rows(struct recovery *recovery, int *ret_read)
{
	struct sqlite3_stmt *reading = NULL, *writing = NULL;
	int rows = 0, read = prepare_reading(recovery, &reading);
	int r = prepare_writing(recovery, &writing);

	while (r == SQLITE_OK && read == SQLITE_OK) {
		read = sqlite3_step(reading);
		if (read != SQLITE_ROW)
			break;
		rows++;
		r = write_row(recovery, reading, writing);
		if (r == SQLITE_OK)
			r = remember_keys(recovery, reading);
		read = SQLITE_OK;
	}
	*ret_read = read == SQLITE_DONE && rows == CHUNK ? SQLITE_ROW : read;
	(void)sqlite3_finalize(reading); /* both repeat the error of the step */
	(void)sqlite3_finalize(writing);
	return r;
}

/* Where the way up, or down, has come to in the events. */
static void note_hole(struct recovery *recovery)
{
	const uint64_t number = recovery->begun ? (uint64_t)sqlite3_value_int64(recovery->keys[0]) : 0;

	if (recovery->table != TABLE_EVENT)
		return;
	if (!recovery->down)
		recovery->recovered.from = number;
	else
		recovery->recovered.to = recovery->begun ? number : UINT64_MAX;
}

static void next_table(struct recovery *recovery)
{
	if (strcmp(tables[recovery->table].name, "event") == 0)
		recovery->recovered.events = recovery->copied;
	if (strcmp(tables[recovery->table].name, "sample") == 0)
		recovery->recovered.samples = recovery->copied;
	forget_keys(recovery);
	recovery->copied = 0;
	recovery->down = false;
	recovery->table++;
}

int recovery_step(struct recovery *recovery)
{
	int r, read;

	if (recovery->table == TABLE_COUNT)
		return 0;
	r = sqlite3_exec(recovery->to, "BEGIN", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = copy_rows(recovery, &read);
	if (r == SQLITE_OK)
		r = sqlite3_exec(recovery->to, "COMMIT", NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return store_error(recovery->to, r);
	if (read == SQLITE_ROW)
		return 1;
	if (read != SQLITE_DONE) {
		note_hole(recovery);
		if (!recovery->down) { /* the first error: now from the other end */
			forget_keys(recovery);
			recovery->down = true;
			return 1;
		}
	}
	next_table(recovery);
	return recovery->table < TABLE_COUNT;
}

/* ---- putting the copy in place ---- */

/* Counts are those of what was copied; and what is older than the oldest event is known to be gone. */
static int recount(struct recovery *recovery)
{
	char sql[640];

	(void)snprintf(sql, sizeof(sql),
		       "BEGIN;"
		       "INSERT OR REPLACE INTO count VALUES('events', %" PRIu64 ");"
		       "INSERT OR REPLACE INTO count VALUES('samples', %" PRIu64 ");"
		       "INSERT OR REPLACE INTO count SELECT 'dropped-to', max(coalesce((SELECT min(number) - 1 FROM"
		       " event), 0), coalesce((SELECT number FROM count WHERE name = 'dropped-to'), 0));"
		       "COMMIT;",
		       recovery->recovered.events, recovery->recovered.samples);
	return store_error(recovery->to, sqlite3_exec(recovery->to, sql, NULL, NULL, NULL));
}

static void name_aside(struct recovery *recovery)
{
	struct recovered *recovered = &recovery->recovered;
	const time_t now = time(NULL);
	struct tm utc;
	char stamp[32] = "";

	if (gmtime_r(&now, &utc))
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(recovered->aside, sizeof(recovered->aside), "journal-damaged-%s%.0d.db", stamp, i);
		if (!exists(recovery->folder, recovered->aside))
			return;
	}
}

/* The damaged database and its log get the name @aside, the copy gets theirs. */
static int change_places(const char *folder, const char *aside)
{
	char log[300];
	int r = rename_in(folder, "journal.db", aside);

	if (r < 0)
		return r;
	journal_step("recovery-aside");
	(void)snprintf(log, sizeof(log), "%s-wal", aside);
	r = rename_in(folder, "journal.db-wal", log);
	if (r < 0 && r != -ENOENT)
		return r;
	r = rename_in(folder, "journal.new", "journal.db");
	if (r < 0)
		return r;
	journal_step("recovery-replaced");
	return sync_folder(folder);
}

int recovery_finish(struct recovery *recovery, struct recovered *ret_recovered)
{
	struct recovered *recovered = &recovery->recovered;
	int r = recount(recovery);

	if (recovered->to == UINT64_MAX && recovered->events == 0)
		recovered->from = recovered->to = 0; /* nothing was there to say between what */
	if (r == 0) {
		/* The last close moves everything from the log into the file; else the copy would be in two pieces. */
		r = store_error(recovery->to,
				sqlite3_exec(recovery->to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL));
	}
	(void)sqlite3_close(recovery->from);
	(void)sqlite3_close(recovery->to);
	recovery->from = recovery->to = NULL;
	if (r == 0)
		r = sync_folder(recovery->folder);
	if (r == 0) {
		journal_step("recovery-copied");
		name_aside(recovery);
		r = change_places(recovery->folder, recovered->aside);
	}
	if (r == 0)
		*ret_recovered = *recovered;
	recovery_cancel(recovery);
	return r;
}

int recovery_resume(const char *folder)
{
	int r;

	if (exists(folder, "journal.db"))
		return 0;
	/* A log without its database belongs to one that is gone. */
	r = rename_in(folder, "journal.db-wal", "journal-damaged.db-wal");
	if (r == -ENOENT)
		r = 0;
	if (r == 0 && exists(folder, "journal.new") && !exists(folder, "journal.new-wal")) {
		r = rename_in(folder, "journal.new", "journal.db");
		if (r == 0)
			r = sync_folder(folder);
	}
	return r;
}
