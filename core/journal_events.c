/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_events.c - events in the database: from struct to row and back, and forgetting old ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include "journal_store.h"

/* The order of columns in STORE_PUT_EVENT and EVENT_COLUMNS. */
enum column {
	COLUMN_NUMBER,
	COLUMN_KIND,
	COLUMN_SEVERITY,
	COLUMN_WALL,
	COLUMN_BOOT,
	COLUMN_DEVICE,
	COLUMN_SUBJECT,
	COLUMN_POINT,
	COLUMN_VALUE,
	COLUMN_UNIT,
	COLUMN_SOURCE,
	COLUMN_TEXT,
	COLUMN_RAISED,
};

static void bind_text(struct sqlite3_stmt *statement, enum column column, const char *text)
{
	sqlite3_bind_text(statement, (int)column + 1, text, -1, SQLITE_TRANSIENT); /* lacking memory shows in step */
}

static const char *text_at(struct sqlite3_stmt *statement, enum column column)
{
	const unsigned char *text = sqlite3_column_text(statement, (int)column);

	return text ? (const char *)text : "";
}

static enum bb_event_kind kind_named(const char *name)
{
	enum bb_event_kind kind = BB_EVENT_ALARM_RAISED;

	while (strcmp(bb_event_kind_name(kind), "unknown") != 0 && strcmp(bb_event_kind_name(kind), name) != 0)
		kind++;
	return kind; /* one that this version does not know is past the end, and its name "unknown" */
}

static enum bb_severity severity_named(const char *name)
{
	for (enum bb_severity severity = BB_SEVERITY_INFO; severity < BB_SEVERITY_ALARM; severity++)
		if (strcmp(bb_severity_name(severity), name) == 0)
			return severity;
	return BB_SEVERITY_ALARM;
}

int store_put_event(struct store *store, const struct bb_event *event)
{
	struct sqlite3_stmt *statement = store->statements[STORE_PUT_EVENT];
	int r;

	sqlite3_bind_int64(statement, COLUMN_NUMBER + 1, (sqlite3_int64)event->number);
	bind_text(statement, COLUMN_KIND, bb_event_kind_name(event->kind));
	bind_text(statement, COLUMN_SEVERITY, bb_severity_name(event->severity));
	sqlite3_bind_int64(statement, COLUMN_WALL + 1, event->wall_ms);
	bind_text(statement, COLUMN_BOOT, event->boot_id);
	bind_text(statement, COLUMN_DEVICE, event->device);
	bind_text(statement, COLUMN_SUBJECT, event->subject);
	bind_text(statement, COLUMN_POINT, event->point);
	bind_text(statement, COLUMN_VALUE, event->value);
	bind_text(statement, COLUMN_UNIT, event->unit);
	bind_text(statement, COLUMN_SOURCE, event->source);
	bind_text(statement, COLUMN_TEXT, event->text);
	sqlite3_bind_int64(statement, COLUMN_RAISED + 1, (sqlite3_int64)event->raised);
	r = store_run(store, STORE_PUT_EVENT);
	if (r < 0 || sqlite3_changes(store->database) == 0)
		return r;
	store->counts.events++;
	if (event->number > store->counts.newest)
		store->counts.newest = event->number;
	if (store->counts.oldest == 0 || event->number < store->counts.oldest)
		store->counts.oldest = event->number;
	return 0;
}

/* Texts are SQLite's, valid until the next step. */
static struct bb_event event_at(struct sqlite3_stmt *row)
{
	struct bb_event event = {
		.number = (uint64_t)sqlite3_column_int64(row, COLUMN_NUMBER),
		.raised = (uint64_t)sqlite3_column_int64(row, COLUMN_RAISED),
		.kind = kind_named(text_at(row, COLUMN_KIND)),
		.severity = severity_named(text_at(row, COLUMN_SEVERITY)),
		.wall_ms = sqlite3_column_int64(row, COLUMN_WALL),
		.boot_id = text_at(row, COLUMN_BOOT),
		.device = text_at(row, COLUMN_DEVICE),
		.subject = text_at(row, COLUMN_SUBJECT),
		.point = text_at(row, COLUMN_POINT),
		.value = text_at(row, COLUMN_VALUE),
		.unit = text_at(row, COLUMN_UNIT),
		.source = text_at(row, COLUMN_SOURCE),
		.text = text_at(row, COLUMN_TEXT),
	};

	if (event.kind == BB_EVENT_ALARM_RAISED)
		event.raised = event.number; /* rows of older versions do not say so */
	return event;
}

int store_read_events(struct store *store, uint64_t after, uint64_t before, size_t most, bool down,
		      void (*each)(void *context, const struct bb_event *event), void *context)
{
	struct sqlite3_stmt *statement = store->statements[down ? STORE_READ_DOWN : STORE_READ_UP];
	int r, count = 0;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)(after < INT64_MAX ? after : INT64_MAX));
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)(before < INT64_MAX ? before : INT64_MAX));
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)most);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		if (!store_row_is_whole(statement)) {
			(void)sqlite3_reset(statement); /* there is nothing it could say */
			return -EUCLEAN;
		}
		const struct bb_event event = event_at(statement);

		count++;
		each(context, &event);
	}
	r = store_error(store->database, r);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return r < 0 ? r : count;
}

/* ---- forgetting ---- */

struct old {
	int64_t before_wall_ms;
	bool any;
	bool over; /* one is not old: those behind it stay, too */
	uint64_t last;
	uint64_t next; /* that stays, 0: none seen */
	int count;
};

static void old_look(void *context, const struct bb_event *event)
{
	struct old *old = context;

	if (!old->over && (old->any || event->wall_ms < old->before_wall_ms)) {
		old->last = event->number;
		old->count++;
		return;
	}
	if (!old->over)
		old->next = event->number;
	old->over = true;
}

static void old_next(void *context, const struct bb_event *event)
{
	((struct old *)context)->next = event->number;
}

/* Only ever from the oldest on, so that what is gone can be said with one number. */
int store_drop_events(struct store *store, int64_t before_wall_ms, bool any, size_t most)
{
	struct old old = {.before_wall_ms = before_wall_ms, .any = any};
	int r = store_read_events(store, 0, UINT64_MAX, most, false, old_look, &old);

	if (r < 0 || old.count == 0)
		return r < 0 ? r : 0;
	if (!old.over) {
		r = store_read_events(store, old.last, UINT64_MAX, 1, false, old_next, &old);
		if (r < 0)
			return r;
	}
	sqlite3_bind_int64(store->statements[STORE_DROP_EVENTS], 1, (sqlite3_int64)old.last);
	r = store_run(store, STORE_DROP_EVENTS);
	if (r < 0)
		return r;
	store->counts.oldest = old.next;
	store->counts.dropped_to = old.last;
	store->counts.events -= (uint64_t)old.count <= store->counts.events ? (uint64_t)old.count : 0;
	return old.count;
}
