/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_recover.c - from a damaged database to a sound one with everything that can still be read.
 *
 * A table is read from its smallest key up until the first error, and then from its largest key down until the next
 * one (in one statement each: to look for a key in a damaged table again might leave some out unseen), so that the newest events are not lost because an old page is. Rows go into a new file, journal.new, in small
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

/* What is copied, the small and urgent first. */
static const struct table {
	const char *name;
	int columns;
	const char *up, *down; /* in order of the key */
} tables[] = {
	{"count", 2, "name", "name DESC"},      {"fact", 2, "key", "key DESC"},
	{"cursor", 2, "name", "name DESC"},     {"layout", 3, "id", "id DESC"},
	{"event", 13, "number", "number DESC"}, {"sample", 3, "layout, wall_ms", "layout DESC, wall_ms DESC"},
};

#define TABLE_COUNT BB_LENGTH(tables)

struct recovery {
	char *folder;
	struct sqlite3 *from, *to;
	struct sqlite3_stmt *reading, *writing; /* this table, in this direction; NULL: not begun */
	size_t table;
	bool down;       /* going down after an error on the way up */
	uint64_t copied; /* rows of this table */
	uint64_t last;   /* the first column of the last row that was copied in this direction */
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

static void end_reading(struct recovery *recovery)
{
	(void)sqlite3_finalize(recovery->reading); /* both repeat the error of the last step */
	(void)sqlite3_finalize(recovery->writing);
	recovery->reading = recovery->writing = NULL;
}

void recovery_cancel(struct recovery *recovery)
{
	if (!recovery)
		return;
	end_reading(recovery);
	(void)sqlite3_close(recovery->from); /* accepts NULL; no statement is open */
	(void)sqlite3_close(recovery->to);
	free(recovery->folder);
	free(recovery);
}

/* ---- copying ---- */

static int begin_reading(struct recovery *recovery)
{
	const struct table *table = &tables[recovery->table];
	char sql[128];

	recovery->last = 0;
	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY %s", table->name,
		       recovery->down ? table->down : table->up);
	return sqlite3_prepare_v2(recovery->from, sql, -1, &recovery->reading, NULL);
}

static int begin_writing(struct recovery *recovery)
{
	const struct table *table = &tables[recovery->table];
	char sql[128];
	int length = snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(?", table->name);

	for (int i = 1; i < table->columns; i++)
		length += snprintf(sql + length, sizeof(sql) - (size_t)length, ", ?");
	(void)snprintf(sql + length, sizeof(sql) - (size_t)length, ")");
	return sqlite3_prepare_v2(recovery->to, sql, -1, &recovery->writing, NULL);
}

/* The row that was just read goes into the copy. SQLITE_DONE, or what went wrong. */
static int write_row(struct recovery *recovery)
{
	const int there = sqlite3_column_count(recovery->reading);
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < tables[recovery->table].columns; i++)
		if (i < there)
			r = sqlite3_bind_value(recovery->writing, i + 1, sqlite3_column_value(recovery->reading, i));
		else
			r = sqlite3_bind_int(recovery->writing, i + 1, 0); /* an older version knew fewer */
	if (r == SQLITE_OK)
		r = sqlite3_step(recovery->writing);
	(void)sqlite3_reset(recovery->writing); /* repeats the error of the step */
	return r;
}

/*
 * Copies a chunk. Returns what went wrong while writing, else SQLITE_OK; @ret_read is SQLITE_DONE at the end of the
 * table (going down: where the way up has been), SQLITE_ROW when there is more, or what went wrong while reading. That
 * also is a row that no table of ours can hold.
 */
static int copy_rows(struct recovery *recovery, int *ret_read)
{
	int r = recovery->writing ? SQLITE_OK : begin_writing(recovery);
	int read = SQLITE_ROW;

	if (r == SQLITE_OK && !recovery->reading && begin_reading(recovery) != SQLITE_OK)
		read = SQLITE_CORRUPT; /* there is no such table */
	for (int i = 0; i < CHUNK && r == SQLITE_OK && read == SQLITE_ROW; i++) {
		read = sqlite3_step(recovery->reading);
		if (read == SQLITE_ROW && !store_row_is_whole(recovery->reading))
			read = SQLITE_CORRUPT;
		if (read != SQLITE_ROW)
			break;
		r = write_row(recovery);
		if (r == SQLITE_CONSTRAINT) {
			read = SQLITE_CORRUPT;
		} else if (r == SQLITE_DONE && recovery->down && sqlite3_changes(recovery->to) == 0) {
			read = SQLITE_DONE;
		} else if (r == SQLITE_DONE) {
			recovery->copied++;
			recovery->last = (uint64_t)sqlite3_column_int64(recovery->reading, 0);
		}
		r = r == SQLITE_DONE || r == SQLITE_CONSTRAINT ? SQLITE_OK : r;
	}
	*ret_read = read;
	return r;
}

static bool is_table(const struct recovery *recovery, const char *name)
{
	return strcmp(tables[recovery->table].name, name) == 0;
}

/* Where the way up, or down, has come to in the events. */
static void note_hole(struct recovery *recovery)
{
	if (!is_table(recovery, "event"))
		return;
	if (!recovery->down)
		recovery->recovered.from = recovery->last;
	else
		recovery->recovered.to = recovery->last != 0 ? recovery->last : UINT64_MAX;
}

static void next_table(struct recovery *recovery)
{
	if (is_table(recovery, "event"))
		recovery->recovered.events = recovery->copied;
	if (is_table(recovery, "sample"))
		recovery->recovered.samples = recovery->copied;
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
	end_reading(recovery);
	if (read != SQLITE_DONE)
		note_hole(recovery);
	if (read != SQLITE_DONE && !recovery->down) /* the first error: now from the other end */
		recovery->down = true;
	else
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
