/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_support.h - a journal in a temporary folder, for unit tests.
 */
#ifndef TESTS_JOURNAL_SUPPORT_H
#define TESTS_JOURNAL_SUPPORT_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "events.h"
#include "journal.h"
#include "options.h"
#include "yaml_tree.h"

/* Real disks may be slow; what hangs for longer is a bug. */
#define JOURNAL_PATIENCE_MS 20000

static struct bb_loop *loop;
static char folder[64];
static bool trouble;           /* what the journal said last */
static unsigned trouble_count; /* how often it said so */

static inline void journal_said(void *context, bool active, const char *text)
{
	(void)context;
	(void)text;
	trouble = active;
	trouble_count += active;
}

/* The options of `journal:` as @text says; for options_free(). */
static inline struct bb_config *parse_options(const char *text)
{
	static const struct bb_option *const tables[] = {journal_options, NULL};
	struct yaml_document *document;
	struct bb_config *options;

	cr_assert_eq(yaml_parse(NULL, text, strlen(text), &document), 0);
	cr_assert_eq(options_parse(document->root, JOURNAL_KEY, tables, &options), 0);
	yaml_unload(document);
	return options;
}

static const struct bb_config *journal_config; /* that the next journal is opened with; NULL: by default */

/* Open the journal in @state_dir and begin events; returns the first number. */
static inline uint64_t open_journal_in(const char *state_dir)
{
	const struct journal_setup setup = {
		.options = journal_config, .state_dir = state_dir, .loop = loop, .trouble = journal_said};
	uint64_t first = 0;

	trouble = false;
	trouble_count = 0;
	cr_assert_eq(journal_open(&setup, &first), 0);
	cr_assert_eq(events_start(loop, first), 0);
	return first;
}

static inline uint64_t open_journal(void)
{
	return open_journal_in(folder);
}

static inline void close_journal(void)
{
	events_stop();
	journal_close(JOURNAL_PATIENCE_MS);
}

static inline void journal_start(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/busbar-journal-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(bb_loop_create(&loop), 0);
}

static inline void path_in(const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", folder, name);
}

static inline void journal_finish(void)
{
	char path[512];
	struct dirent *entry;
	DIR *directory = opendir(folder);

	close_journal();
	bb_loop_destroy(loop);
	while (directory && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.') {
			path_in(entry->d_name, path, sizeof(path));
			(void)unlink(path);
		}
	if (directory)
		closedir(directory);
	(void)rmdir(folder);
}

static inline void stop_loop(void *context)
{
	(void)context;
	bb_loop_stop(loop);
}

/* Run the loop for a moment. */
static inline void run_briefly(void)
{
	struct bb_timer *timer = bb_timer_create(loop, stop_loop, NULL);

	bb_timer_start(timer, 2, 0);
	cr_assert_eq(bb_loop_run(loop), 0);
	bb_timer_destroy(timer);
}

#define pass_time_until(condition, pass)                                                                               \
	do {                                                                                                           \
		const int64_t deadline_ms = bb_clock_ms() + JOURNAL_PATIENCE_MS;                                       \
		while (!(condition)) {                                                                                 \
			cr_assert_lt(bb_clock_ms(), deadline_ms, "waited in vain for " #condition);                    \
			pass;                                                                                          \
		}                                                                                                      \
	} while (0)

/* Run the loop until @condition holds. */
#define run_until(condition) pass_time_until(condition, run_briefly())

/* The same while the loop stands still: only other threads bring it about. */
#define wait_until(condition) pass_time_until(condition, usleep(1000))

static inline uint64_t durable(void)
{
	struct journal_status status;

	journal_status(&status);
	return status.durable;
}

/* Emit an event with @text; returns its number. */
static inline uint64_t emit(const char *device, const char *text)
{
	return events_emit(&(struct bb_event){.kind = BB_EVENT_ALARM_RAISED,
					      .severity = BB_SEVERITY_WARNING,
					      .device = device,
					      .subject = "on-battery",
					      .point = "alarm.on-battery",
					      .value = "1",
					      .unit = "V",
					      .source = "test",
					      .text = text});
}

/* What a read has brought. */
struct answer {
	bool came;
	int result;
	size_t count;
	struct bb_event events[64]; /* numbers, kinds and severities; of the texts only @texts */
	char texts[64][64];
};

static inline void answer_take(void *context, int result, const struct bb_event *events, size_t count)
{
	struct answer *answer = context;

	answer->came = true;
	answer->result = result;
	answer->count = count;
	for (size_t i = 0; i < count && i < 64; i++) {
		answer->events[i] = events[i];
		(void)snprintf(answer->texts[i], sizeof(answer->texts[i]), "%s", events[i].text);
	}
}

/* Read events that fit @filter. */
static inline struct answer read_events(const struct journal_filter *filter, size_t most)
{
	struct answer answer = {0};

	cr_assert_eq(journal_read_events(filter, most, answer_take, &answer, NULL), 0);
	run_until(answer.came);
	return answer;
}

#endif
