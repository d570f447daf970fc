/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log.c - what lines look like, that threads do not mix theirs, and how often a lasting trouble is mentioned.
 *
 * Criterion runs each test in a process of its own, so each may turn its stderr into a file and never turn it back.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "log.h"

static int capture = -1;

static void capture_start(void)
{
	capture = memfd_create("stderr", 0);
	cr_assert_geq(capture, 0);
	cr_assert_geq(fcntl(capture, F_SETFL, O_APPEND), 0);
	cr_assert_geq(dup2(capture, STDERR_FILENO), 0);
}

/* All that has been written since the last call; the caller frees. */
static char *captured(void)
{
	off_t size = lseek(capture, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	cr_assert_eq(pread(capture, text, (size_t)size, 0), size);
	cr_assert_eq(ftruncate(capture, 0), 0);
	return text;
}

#define expect_captured(expected)                                                                                      \
	do {                                                                                                           \
		char *text_ = captured();                                                                              \
		cr_expect_str_eq(text_, expected);                                                                     \
		free(text_);                                                                                           \
	} while (0)

static void start_journal(void)
{
	capture_start();
	log_set_journal(true);
}

Test(log, journald_gets_priority_name_message_and_errno_text, .init = start_journal)
{
	struct bb_log *log = log_create("ups-a");

	cr_expect_eq(bb_log_error(log, -ETIMEDOUT, "no answer to input registers %d to %d", 0, 1), -ETIMEDOUT);
	expect_captured("<3>ups-a: no answer to input registers 0 to 1: Connection timed out\n");
	cr_expect_eq(bb_log_warning(log, 0, "keeping last values"), 0);
	expect_captured("<4>ups-a: keeping last values\n");
	bb_log_notice(NULL, "configuration loaded");
	expect_captured("<5>configuration loaded\n");
	log_free(log);
	log_free(NULL);
}

Test(log, people_get_time_and_level, .init = capture_start)
{
	struct bb_log *log = log_create("ups-a");
	regex_t pattern;
	char *text;

	log_set_journal(false);
	(void)bb_log_warning(log, 0, "hot");
	text = captured();
	cr_assert_eq(regcomp(&pattern,
			     "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z "
			     "warning ups-a: hot\n$",
			     REG_EXTENDED | REG_NOSUB),
		     0);
	cr_expect_eq(regexec(&pattern, text, 0, NULL, 0), 0, "%s", text);
	regfree(&pattern);
	free(text);
	log_free(log);
}

Test(log, journal_stream_in_the_environment_chooses_the_form, .init = capture_start)
{
	setenv("JOURNAL_STREAM", "8:12345", 1);
	bb_log_notice(NULL, "hello");
	expect_captured("<5>hello\n");
}

Test(log, lines_above_the_level_are_dropped, .init = start_journal)
{
	bb_log_info(NULL, "not by default");
	cr_expect_eq(bb_log(NULL, BB_LOG_DEBUG, -EIO, "nor this"), -EIO, "the error is returned all the same");
	expect_captured("");
	log_set_level(BB_LOG_DEBUG);
	cr_expect_eq(log_level(), BB_LOG_DEBUG);
	bb_log_debug(NULL, "now");
	expect_captured("<7>now\n");
	log_set_level(BB_LOG_ERROR);
	(void)bb_log_warning(NULL, 0, "no more");
	expect_captured("");
}

Test(log, foreign_text_cannot_forge_a_line, .init = start_journal)
{
	(void)bb_log_warning(NULL, 0, "model '%s'", "x'\n<0>kernel: panic\r\033[2J\xff");
	expect_captured("<4>model 'x'?<0>kernel: panic??[2J?'\n");
}

Test(log, a_long_line_is_cut_and_still_one_line, .init = start_journal)
{
	char *text, *long_text = malloc(100001);

	memset(long_text, 'x', 100000);
	long_text[100000] = '\0';
	(void)bb_log_warning(NULL, -EIO, "%s", long_text);
	text = captured();
	cr_expect_lt(strlen(text), 2100);
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
	free(long_text);
}

static void remember(void *context, enum bb_log_level level, const char *line)
{
	snprintf(context, 200, "%d %s", (int)level, line);
}

Test(log, a_sink_sees_lines_until_it_is_taken_away, .init = start_journal)
{
	char seen[200] = "";

	log_set_sink(remember, seen);
	(void)bb_log_error(NULL, -ENOENT, "busbar.yaml:1:1: plugin: is missing");
	cr_expect_str_eq(seen, "3 busbar.yaml:1:1: plugin: is missing: No such file or directory");
	log_set_sink(NULL, NULL);
	(void)bb_log_error(NULL, 0, "another");
	cr_expect_str_eq(seen, "3 busbar.yaml:1:1: plugin: is missing: No such file or directory");
}

Test(log, levels_have_names_both_ways)
{
	for (int level = BB_LOG_ERROR; level <= BB_LOG_DEBUG; level++) {
		enum bb_log_level parsed = BB_LOG_ERROR;

		cr_expect_eq(log_level_parse(log_level_name((enum bb_log_level)level), &parsed), 0);
		cr_expect_eq((int)parsed, level);
	}
	enum bb_log_level untouched = BB_LOG_INFO;

	cr_expect_eq(log_level_parse("loud", &untouched), -EINVAL);
	cr_expect_eq(untouched, BB_LOG_INFO);
}

#define LINES 500

static void *chatter(void *argument)
{
	for (int i = 0; i < LINES; i++)
		bb_log_notice(argument, "a line that should stay in one piece");
	return NULL;
}

Test(log, lines_of_different_threads_do_not_mix, .init = start_journal)
{
	struct bb_log *logs[4];
	pthread_t threads[4];
	char *text, *line, *rest;
	int count = 0;

	for (size_t i = 0; i < 4; i++) {
		const char name[] = {(char)('a' + i), '\0'};

		logs[i] = log_create(name);
		pthread_create(&threads[i], NULL, chatter, logs[i]);
	}
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	text = captured();
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), count++)
		cr_assert(line[0] == '<' && strcmp(line + 4, ": a line that should stay in one piece") == 0, "'%s'",
			  line);
	cr_expect_eq(count, 4 * LINES);
	free(text);
	for (size_t i = 0; i < 4; i++)
		log_free(logs[i]);
}

/* Let @ms pass for the complaint: its clock is bb_clock_ms(), so its times move back instead. The real clock goes on
 * meanwhile, which counts in one pause and not in the next, so lines are due half a second early. */
static void age(struct bb_complaint *complaint, int64_t ms)
{
	complaint->since_ms -= ms;
	complaint->next_ms -= ms + 500;
}

Test(log, a_lasting_trouble_is_mentioned_at_growing_intervals, .init = start_journal)
{
	struct bb_complaint complaint = {0};
	char *text;
	int lines = 0;

	cr_expect_eq(bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer"), -ETIMEDOUT);
	expect_captured("<4>no answer: Connection timed out\n");
	cr_expect_eq(bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer"), -ETIMEDOUT);
	expect_captured("");
	age(&complaint, 60000);
	(void)bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer");
	expect_captured("<4>no answer (3 times in 1 min 0 s): Connection timed out\n");
	age(&complaint, 60000);
	(void)bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer");
	expect_captured("");
	age(&complaint, 60000);
	(void)bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer");
	expect_captured("<4>no answer (5 times in 3 min 0 s): Connection timed out\n");

	/* A day of one failure a minute: 0, 1, 3, 7, 15, 31, 63 min, and from 123 on every hour. */
	for (int minute = 4; minute <= 24 * 60; minute++) {
		age(&complaint, 60000);
		(void)bb_complain(NULL, &complaint, -ETIMEDOUT, "no answer");
	}
	text = captured();
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	cr_expect_eq(lines, 4 + (24 * 60 - 63) / 60, "%d lines:\n%s", lines, text);
	free(text);
}

Test(log, the_end_of_a_trouble_is_said_once, .init = start_journal)
{
	struct bb_complaint complaint = {0};

	bb_complaint_over(NULL, &complaint, "answers again");
	expect_captured("");
	(void)bb_complain(NULL, &complaint, -EIO, "no answer");
	(void)bb_complain(NULL, &complaint, -EIO, "no answer");
	free(captured());
	age(&complaint, 3 * 3600000 + 120000);
	bb_complaint_over(NULL, &complaint, "answers again");
	expect_captured("<5>answers again after 3 h 2 min (2 times)\n");
	bb_complaint_over(NULL, &complaint, "answers again");
	expect_captured("");
	(void)bb_complain(NULL, &complaint, -EIO, "no answer");
	expect_captured("<4>no answer: Input/output error\n");
}

Test(log, the_clocks_run_forward)
{
	int64_t before = bb_clock_ms();

	usleep(2000);
	cr_expect_gt(bb_clock_ms(), before);
	cr_expect_gt(bb_clock_wall_ms(), INT64_C(1700000000000), "milliseconds since 1970");
}
