/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_data.h - what the files of the journal share: the journal itself, its writer, and requests to it.
 *
 * Three kinds of threads meet here. The main loop gives events, facts and samples; loops of exporters ask through
 * cursors; the writer's thread does everything that touches the disk. What passes between them is under the journal's
 * lock, which nobody holds while the disk works. The struct writer is the writer's own and needs none.
 */
#ifndef CORE_JOURNAL_DATA_H
#define CORE_JOURNAL_DATA_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include <busbar/backoff.h>

#include "event_copy.h"
#include "events.h"
#include "journal.h"
#include "journal_numbers.h"
#include "journal_reserve.h"
#include "journal_samples.h"
#include "journal_store.h"

/** Events of one commit at most: those waiting for theirs behind a storm shall hear of it soon. */
#define JOURNAL_BATCH 512

/** Events kept in memory while the disk does not take them, beside those in the reserve file. */
#define JOURNAL_PENDING_MAX 20000

struct recovery;
struct writer;

/** A fact or the position of a cursor on its way to the database, in one piece. */
struct change {
	struct change *next;
	bool is_cursor;
	uint64_t number;  /* of a cursor */
	const char *text; /* of a fact, NULL: forget it */
	char key[];       /* the text follows it */
};

/** A task for the writer that is answered on the main loop. Embed it first. */
struct journal_request {
	struct journal_request *next;
	/** Writer: do a piece. True when there is more to do, false when it is finished. */
	bool (*serve)(struct journal_request *request, struct writer *writer);
	/** Main loop: give the answer. Not when it was cancelled. */
	void (*deliver)(struct journal_request *request);
	/** Free it. Any thread. */
	void (*destroy)(struct journal_request *request);
	struct bb_task task;
	atomic_bool cancelled;
	int result;
};

/** What the writer tells the main loop. */
enum note_kind {
	NOTE_TROUBLE,
	NOTE_WELL,
	NOTE_GAP,
};

struct note {
	struct note *next;
	enum note_kind kind;
	enum bb_severity severity; /* of a gap */
	char text[256];
};

/** What the options say. */
struct journal_limits {
	int64_t keep_events_ms;
	uint64_t max_events;
	int64_t keep_log_ms;
	size_t reserve_size;
};

/** The writer's own. */
struct writer {
	struct journal *journal;
	char state_dir[PATH_MAX];
	char path[PATH_MAX + 16];     /* of the database */
	int folder;                   /* descriptor of the state folder, locked; −1: it cannot be used */
	struct journal_limits limits; /* as of this round */
	struct numbers numbers;
	struct numbers_found found; /* what journal.next said when it was opened */
	uint64_t first;             /* number of the first event of this life */
	struct reserve reserve;
	struct store *store;       /* NULL: not open */
	struct recovery *recovery; /* not NULL: under way */

	struct event_list pending;   /* not in the database yet */
	struct event_copy *reserved; /* the last of them that is in the reserve file, too */
	size_t reserved_count;
	struct change *changes;          /* not in the database yet */
	struct sample *samples;          /* the same of the data log */
	struct journal_request *request; /* of this round, with every event that was emitted before it */
	uint64_t newest;                 /* number of the newest event seen */
	uint64_t durable;                /* up to this number events are on disk */
	uint64_t committed;              /* the newest in the database; UINT64_MAX: nobody knows */
	uint64_t told;                   /* the newest that cursors were woken for in trouble */
	uint64_t lost_from, lost_to;     /* the range that was dropped from memory and not reported yet */

	bool trouble; /* and everybody knows */
	int error;    /* why */
	int64_t retry_ms;
	struct bb_backoff backoff;
	int64_t keep_ms;     /* when to look for what is too old */
	int64_t keep_layout; /* where that has come to in the data log */
	bool stop;

	/* For journal_status(), since the start. */
	uint64_t lost, samples_lost, commits;
	int64_t commit_us;
};

struct journal {
	pthread_mutex_t lock;
	pthread_cond_t wake;  /* the writer waits */
	pthread_cond_t ended; /* journal_close() waits */

	/* Set by journal_open(). */
	bool open;
	struct journal_setup setup;
	pthread_t thread;
	struct event_subscriber subscriber;
	struct writer writer;

	/* For the writer, under the lock. */
	struct event_list queue;
	struct change *changes, **changes_last;
	struct sample *samples, **samples_last;
	struct journal_request *requests, **requests_last;
	struct bb_cursor *cursors;
	bool cursors_ask;       /* some cursor waits for the writer */
	int64_t cursors_due_ms; /* when positions have to be written; 0: none is dirty */
	struct journal_limits limits;
	bool stop, stopped;

	/* From the writer, under the lock. */
	struct journal_status status;
	struct note *notes, **notes_last;
	struct bb_task notes_task;
	bool notes_posted;

	/* The main loop's. */
	struct fact *facts;
};

/** The one there is. */
struct journal *journal_get(void);

/* ---- journal.c ---- */

/** Give a request to the writer. -ENXIO when the journal is not open: the request was destroyed then. */
int journal_ask(struct journal_request *request);

/** Give a list of samples to the writer. Thread: main loop. */
void journal_put_samples(struct sample *take_samples);

/** A change; @text NULL for a cursor, and for a fact to forget. NULL when memory lacks. */
struct change *change_create(const char *key, const char *text, bool is_cursor, uint64_t number);

/** Put @take_change at the end of the queue. With the lock held. */
void journal_queue_change(struct journal *journal, struct change *take_change);

/* ---- journal_notes.c ---- */

/** Tell the main loop. Thread: the writer, or who opens the journal. */
void journal_note(struct journal *journal, enum note_kind kind, enum bb_severity severity, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** The task that takes notes to the main loop. */
void notes_arrived(struct bb_task *task);

/** Forget what was not told. */
void notes_drop(struct journal *journal);

/* ---- journal_facts.c ---- */

/** Remember; @text NULL forgets. 0 or -ENOMEM. */
int facts_put(struct fact **facts, const char *key, const char *text);
void facts_clear(struct fact **facts);

/* ---- journal_files.c ---- */

/** Open whatever can be opened; what cannot is trouble. Says which number the first event shall have. */
void writer_open(struct writer *writer, uint64_t *ret_first_number);

/** Open the files that are not open. 0, or the negative errno of what could not be. */
int writer_open_files(struct writer *writer);

/** Close and free everything. @clean: nothing is pending, and the numbers may go on without a break. */
void writer_close(struct writer *writer, bool clean);

/* ---- journal_writer.c ---- */

/** Put what is pending into the database, a batch of it. 0 or a negative errno: then nothing was. */
int writer_commit(struct writer *writer);

/** The writer's thread. @journal is a struct journal. */
void *writer_run(void *journal);

/* ---- journal_trouble.c ---- */

/** The disk does not work: say so, and when to try again. @what failed, with @error. */
void writer_enter_trouble(struct writer *writer, int error, const char *what);

/** The database is damaged: close it and begin to copy what can be read. */
void writer_begin_recovery(struct writer *writer);

/** Something did not work: recovers a damaged database, or keeps events where there is room until it works again. */
void writer_failed(struct writer *writer, int error);

/** Put what is new into the reserve, keep within memory, and try again when it is time. */
void writer_endure(struct writer *writer);

/* ---- journal_recover.c ---- */

/** What a damaged database still had, and had not. */
struct recovered {
	uint64_t events, samples; /* rows copied */
	uint64_t from,
		to; /* events between these numbers could not be read, exclusive; to is 0: none, UINT64_MAX: all behind */
	char aside[256]; /* where the damaged database is now */
};

/** Begin to copy the database in @folder into a new one. Returns 0 or a negative errno. */
int recovery_begin(const char *folder, struct recovery **ret_recovery);

/** Copy some more rows. 1: not finished; 0: all are copied; or a negative errno. */
int recovery_step(struct recovery *recovery);

/** Put the copy in place of the damaged database. 0 or a negative errno. Frees @recovery. */
int recovery_finish(struct recovery *recovery, struct recovered *ret_recovered);

/** Give up; the damaged database stays where it is. Accepts NULL. */
void recovery_cancel(struct recovery *recovery);

/** Finish what a crash has interrupted in recovery_finish(). 0 or a negative errno. */
int recovery_resume(const char *folder);

/* ---- journal_keep.c ---- */

/** Forget a little of what is too old. Returns 1 when there may be more, 0 when not, or a negative errno. */
int writer_forget(struct writer *writer, int64_t now_wall_ms);

/** Write some samples. 0 or a negative errno. */
int writer_put_samples(struct writer *writer);

/* ---- cursor.c, for the writer ---- */

/** How many are open; with the lock held. */
size_t cursors_count(const struct journal *journal);

/** Answer cursors that ask, find positions of new ones. */
void cursors_serve(struct writer *writer);

/** There may be something new: wake those who fetch. */
void cursors_tell(struct writer *writer);

/** Positions that are not in the database yet, as changes in a list; with the lock held. */
struct change *cursors_collect(struct journal *journal);

#endif
