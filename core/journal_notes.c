/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_notes.c - what the journal's writer has to say to the main loop: that the disk is in trouble, or no more, and
 * what is missing. There it becomes a line of the log, the alarm journal-trouble, an event of kind journal-gap.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <busbar/macros.h>

#include "journal_data.h"
#include "log.h"

static void note_tell(struct journal *journal, const struct note *note)
{
	const struct bb_event gap = {.kind = BB_EVENT_JOURNAL_GAP, .severity = note->severity, .text = note->text};

	switch (note->kind) {
	case NOTE_TROUBLE:
		(void)bb_log_error(NULL, 0, "journal: %s", note->text);
		break;
	case NOTE_WELL:
		bb_log_notice(NULL, "journal: %s", note->text);
		break;
	case NOTE_GAP:
		if (note->severity == BB_SEVERITY_INFO)
			bb_log_notice(NULL, "journal: %s", note->text);
		else
			(void)bb_log_warning(NULL, 0, "journal: %s", note->text);
		(void)bb_event_emit(&gap); /* without memory the line above is what there is */
		return;
	}
	pthread_mutex_lock(&journal->lock);
	journal->status.trouble = note->kind == NOTE_TROUBLE;
	(void)snprintf(journal->status.text, sizeof(journal->status.text), "%s",
		       journal->status.trouble ? note->text : "");
	pthread_mutex_unlock(&journal->lock);
	if (journal->setup.trouble)
		journal->setup.trouble(journal->setup.context, note->kind == NOTE_TROUBLE, note->text);
}

static struct note *take_notes(struct journal *journal)
{
	struct note *notes;

	pthread_mutex_lock(&journal->lock);
	notes = journal->notes;
	journal->notes = NULL;
	journal->notes_last = &journal->notes;
	pthread_mutex_unlock(&journal->lock);
	return notes;
}

void notes_arrived(struct bb_task *task)
{
	struct journal *journal = BB_CONTAINER(task, struct journal, notes_task);
	struct note *note;

	pthread_mutex_lock(&journal->lock);
	journal->notes_posted = false;
	pthread_mutex_unlock(&journal->lock);
	note = take_notes(journal);
	while (note) {
		struct note *next = note->next;

		note_tell(journal, note);
		free(note);
		note = next;
	}
}

void journal_note(struct journal *journal, enum note_kind kind, enum bb_severity severity, const char *format, ...)
{
	struct note *note = calloc(1, sizeof(*note));
	va_list arguments;

	if (!note) {
		(void)bb_log_error(NULL, -ENOMEM, "the journal has something to say");
		return;
	}
	note->kind = kind;
	note->severity = severity;
	va_start(arguments, format);
	(void)vsnprintf(note->text, sizeof(note->text), format, arguments); /* a cut text will do */
	va_end(arguments);
	pthread_mutex_lock(&journal->lock);
	*journal->notes_last = note;
	journal->notes_last = &note->next;
	if (!journal->notes_posted && journal->setup.loop) {
		journal->notes_posted = true;
		bb_loop_post(journal->setup.loop, &journal->notes_task);
	}
	pthread_mutex_unlock(&journal->lock);
}

void notes_drop(struct journal *journal)
{
	struct note *note = take_notes(journal);

	while (note) {
		struct note *next = note->next;

		free(note);
		note = next;
	}
}
