/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - the core's side of the journal: opening it, reading it, and keeping small facts in it.
 *
 * There is one journal in a process, as there is one ring of events: exporters open cursors (busbar/journal.h) without
 * having anything in hand to say where. Everything here is for the main loop, and every answer comes on it. What the
 * disk does happens on the journal's own thread: no call waits for it but journal_open() and journal_close().
 *
 * The journal cannot fail to open: without a usable state folder it keeps events in memory, says so with the alarm
 * journal-trouble, and tries again by itself.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/config.h>
#include <busbar/event.h>
#include <busbar/journal.h>
#include <busbar/loop.h>
#include <busbar/point.h>

/** The section of the configuration, and its options. */
#define JOURNAL_KEY "journal"
extern const struct bb_option journal_options[];

/** A value that is not there, in the rows of the data log. */
#define JOURNAL_NO_VALUE INT64_MIN

/* ---- life ---- */

struct journal_setup {
	const struct bb_config *options; /* of `journal:`, must outlive journal_open() only; NULL: all defaults */
	const char *state_dir;
	struct bb_loop *loop; /* the main loop */
	/** The journal has got into trouble, got into another, or out of it; on the main loop. May be NULL. */
	void (*trouble)(void *context, bool active, const char *text);
	void *context;
};

/**
 * Open the journal, before events_start(), and take every event from then on. @ret_first_number is for
 * events_start(): no event has ever had it or a larger one. Returns 0 or -ENOMEM.
 */
int journal_open(const struct journal_setup *setup, uint64_t *ret_first_number);

/** Other options from now on, after a reload. */
void journal_configure(const struct bb_config *options);

/**
 * Write what is queued and close, after events_stop(); waits at most @patience_ms for the disk. Requests that were not
 * answered are dropped. Harmless when the journal is not open.
 */
void journal_close(int64_t patience_ms);

/* ---- reading ---- */

/** A read on its way, to be cancelled. */
struct journal_request;

/** The caller has lost interest: its callback is not called any more. Not after it was called. Accepts NULL. */
void journal_cancel(struct journal_request *request);

/** Which events. All zero: every event. */
struct journal_filter {
	uint64_t after;        /* numbers above this one */
	uint64_t before;       /* numbers below this one; 0: no limit */
	int64_t since_wall_ms; /* emitted then or later; 0: no limit */
	int64_t until_wall_ms; /* emitted before; 0: no limit */
	const char *device;    /* of this device; NULL: of all, "": of the agent itself */
	bool newest;           /* the newest @most of those that fit rather than the oldest */
};

/** What was read, always in order of number, valid during the call. @result: 0 or a negative errno. */
typedef void journal_events_fn(void *context, int result, const struct bb_event *events, size_t count);

/**
 * Read up to @most (at most JOURNAL_READ_MAX) events that fit. Fewer than that came: there are no more. Events that are
 * not durable yet are among them. 0 or -ENOMEM; @ret_request may be NULL.
 */
#define JOURNAL_READ_MAX 10000
int journal_read_events(const struct journal_filter *filter, size_t most, journal_events_fn *take, void *context,
			struct journal_request **ret_request);

/** A column of the data log: one point of a device. */
struct journal_column {
	const char *point;
	enum bb_unit unit;
	uint8_t decimals;
};

/** A line of the data log: the values of all columns at one moment. */
struct journal_row {
	int64_t wall_ms;
	const int64_t *values; /* JOURNAL_NO_VALUE: none */
};

/** What was read of one device, rows in order of time. */
struct journal_log {
	const struct journal_column *columns;
	size_t column_count;
	const struct journal_row *rows;
	size_t row_count;
};

/** @log is valid during the call; NULL when @result is a negative errno. */
typedef void journal_log_fn(void *context, int result, const struct journal_log *log);

/**
 * Read up to @most (at most JOURNAL_READ_MAX) rows of @device between @since_wall_ms and @until_wall_ms (0: no limit),
 * oldest first, with the columns that one of @points (names or globs, ended by NULL) fits. -ENOENT as result: nothing
 * was ever logged that fits. 0 or -ENOMEM.
 */
int journal_read_log(const char *device, const char *const *points, int64_t since_wall_ms, int64_t until_wall_ms,
		     size_t most, journal_log_fn *take, void *context, struct journal_request **ret_request);

/** What journal_check() found. */
struct journal_report {
	bool sound;
	uint64_t events;  /* rows that could be read */
	uint64_t samples; /* the same of the data log */
	const char *text; /* one line for people; valid during the call */
};

/**
 * Read everything once, in small pieces between other work. What is damaged is set aside as if a reader had come across
 * it. 0 or -ENOMEM.
 */
int journal_check(void (*done)(void *context, const struct journal_report *report), void *context,
		  struct journal_request **ret_request);

/* ---- small facts that survive a restart ---- */

/**
 * Keep @text under @key, NULL forgets it. Durable with the next commit; while the disk is in trouble it is remembered
 * until then. 0 or -ENOMEM.
 */
int journal_put_state(const char *key, const char *text);

/** Every fact whose key begins with @prefix, sorted by key, as put last. @each must not put. Ready at once after open. */
void journal_each_state(const char *prefix, void (*each)(void *context, const char *key, const char *text),
			void *context);

/* ---- how it is doing ---- */

struct journal_status {
	bool open;              /* journal_open() was called */
	bool trouble;           /* the alarm journal-trouble is active */
	char text[256];         /* what the trouble is; "" for none */
	char path[256];         /* of the database */
	uint64_t newest;        /* number of the newest event there is */
	uint64_t oldest;        /* number of the oldest event on disk, 0: none */
	uint64_t durable;       /* every event up to this number is on disk */
	uint64_t pending;       /* events in memory that are not in the database yet */
	uint64_t lost;          /* events that found room neither on disk nor in memory, since the start */
	uint64_t events;        /* events in the database */
	uint64_t samples;       /* rows of the data log, as far as counted */
	uint64_t samples_lost;  /* rows of the data log that were dropped, since the start */
	uint64_t commits;       /* since the start */
	int64_t commit_us;      /* how long the last commit took */
	int64_t database_bytes; /* the database and its write-ahead log */
	int64_t reserve_bytes;  /* in use in the reserve file */
	size_t cursors;         /* open ones */
};

/**
 * Call @each with every open cursor: up to which number it was delivered, and how many events wait behind it. @each must
 * not call the journal.
 */
void journal_each_cursor(void (*each)(void *context, const char *name, uint64_t delivered, uint64_t backlog),
			 void *context);

/** As of now. Never waits for the disk. */
void journal_status(struct journal_status *ret_status);

#endif
