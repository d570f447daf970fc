/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/journal.h - for exporters that owe their receivers every event: events that are durable, from a cursor on.
 *
 * The journal keeps events on disk (core/journal.c). An exporter with a delivery duty opens a cursor by name for each of
 * its receivers. It is told when there is something to fetch, fetches events in order of their numbers, and says which
 * were delivered. The cursor is kept on disk too: after a restart, or a crash, everything behind it comes again, so a
 * receiver gets each event at least once and in order, and can tell repeats by the event number.
 *
 * An event is handed out only when it is durable. When the disk cannot take events it is handed out from memory, and
 * the alarm journal-trouble says so.
 *
 * Everything about a cursor happens on the thread of the loop it was opened for.
 */
#ifndef BUSBAR_JOURNAL_H
#define BUSBAR_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include <busbar/event.h>
#include <busbar/loop.h>

struct bb_cursor; /* opaque */

/**
 * Open the cursor @name ([a-z0-9:._-], 64 characters at most; "syslog:tls:logs.example:6514"). @ready is called on @loop
 * when there may be events to fetch, first when the cursor has been found. A name that is new starts at the oldest kept
 * event; when events before it are known to be lost, the first event fetched is a BB_EVENT_JOURNAL_GAP that says so.
 * Returns 0 or a negative errno. Thread: main loop, or @loop's.
 */
int bb_cursor_open(const char *name, struct bb_loop *loop, void (*ready)(void *context), void *context,
		   struct bb_cursor **ret_cursor);

/** Close; nothing of it is called any more. The kept position stays. Accepts NULL. Thread: @loop's. */
void bb_cursor_close(struct bb_cursor *cursor);

/**
 * Fetch up to @most durable events after the last one fetched: @take is called once, later, on the loop, with an array
 * that is valid during the call; @count 0: nothing new, @ready will tell. One fetch at a time (-EBUSY).
 */
int bb_cursor_fetch(struct bb_cursor *cursor, size_t most,
		    void (*take)(void *context, const struct bb_event *events, size_t count), void *context);

/** Everything up to event @number was delivered. Kept on disk soon, not at once: a crash repeats a few. */
void bb_cursor_delivered(struct bb_cursor *cursor, uint64_t number);

/** Fetch again from what was delivered last: after a connection broke. */
void bb_cursor_rewind(struct bb_cursor *cursor);

/** How many events wait behind the cursor, as far as known. */
uint64_t bb_cursor_backlog(const struct bb_cursor *cursor);

#endif
