/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - one line per message on stderr.
 *
 * A line is put together on the stack and leaves in one write(2), so lines of different threads never mix and no
 * lock is held while writing. The only lock guards the sink, which shows the lines of a reload or probe to the
 * client that asked for it. Lines are cleaned as a whole: what a foreign device said may stand anywhere in them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "log.h"
#include "text.h"

/* Longer lines are cut. Far below what a pipe takes at once (PIPE_BUF, 4096), so writes to one stay whole. */
#define LOG_LINE 2048

/* A trouble that lasts is mentioned again after a minute, then after twice as long each time, at last hourly. */
#define COMPLAINT_FIRST_MS INT64_C(60000)
#define COMPLAINT_LAST_MS  INT64_C(3600000)

struct bb_log {
	char *name;
};

/* Process-wide like stderr itself. */
static atomic_int level_limit = BB_LOG_NOTICE;
static atomic_int journal_mode = -1; /* -1: nobody decided yet */
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*sink_function)(void *context, enum bb_log_level level, const char *line);
static void *sink_context;

static const char *const level_names[] = {
	[BB_LOG_ERROR] = "error", [BB_LOG_WARNING] = "warning", [BB_LOG_NOTICE] = "notice",
	[BB_LOG_INFO] = "info",   [BB_LOG_DEBUG] = "debug",
};

void log_set_level(enum bb_log_level level)
{
	atomic_store(&level_limit, (int)level);
}

enum bb_log_level log_level(void)
{
	return (enum bb_log_level)atomic_load(&level_limit);
}

const char *log_level_name(enum bb_log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *name, enum bb_log_level *ret_level)
{
	for (int level = BB_LOG_ERROR; level <= BB_LOG_DEBUG; level++) {
		if (strcmp(name, level_names[level]) == 0) {
			*ret_level = (enum bb_log_level)level;
			return 0;
		}
	}
	return -EINVAL;
}

void log_set_journal(bool journal)
{
	atomic_store(&journal_mode, journal);
}

void log_set_sink(void (*sink)(void *context, enum bb_log_level level, const char *line), void *context)
{
	pthread_mutex_lock(&sink_lock);
	sink_function = sink;
	sink_context = context;
	pthread_mutex_unlock(&sink_lock);
}

struct bb_log *log_create(const char *name)
{
	struct bb_log *log = malloc(sizeof(*log));

	if (!log)
		return NULL;
	log->name = strdup(name);
	if (!log->name) {
		free(log);
		return NULL;
	}
	return log;
}

void log_free(struct bb_log *log)
{
	if (!log)
		return;
	free(log->name);
	free(log);
}

/* systemd sets JOURNAL_STREAM for services whose stderr it reads (systemd.exec(5)). */
static bool log_to_journal(void)
{
	int mode = atomic_load(&journal_mode);

	if (mode < 0) {
		mode = getenv("JOURNAL_STREAM") != NULL;
		atomic_store(&journal_mode, mode);
	}
	return mode;
}

/* What stands before the line proper: "<4>" or "2026-11-20T10:00:00.123Z warning ". */
static size_t log_print_head(char *buffer, size_t size, enum bb_log_level level)
{
	int64_t now_ms = bb_clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	int length;

	if (log_to_journal()) {
		length = snprintf(buffer, size, "<%d>", (int)level);
	} else {
		gmtime_r(&seconds, &utc);
		length = snprintf(buffer, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ", utc.tm_year + 1900,
				  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
				  (int)(now_ms % 1000), level_names[level]);
	}
	return length > 0 ? (size_t)length : 0;
}

/* Append to @buffer as printf does; @length never passes @size - 1. */
static size_t log_append_va(char *buffer, size_t size, size_t length, const char *format, va_list arguments)
	__attribute__((format(printf, 4, 0)));

static size_t log_append_va(char *buffer, size_t size, size_t length, const char *format, va_list arguments)
{
	int more = vsnprintf(buffer + length, size - length, format, arguments);

	if (more < 0)
		return length;
	return (size_t)more < size - length ? length + (size_t)more : size - 1;
}

static size_t log_append(char *buffer, size_t size, size_t length, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static size_t log_append(char *buffer, size_t size, size_t length, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	length = log_append_va(buffer, size, length, format, arguments);
	va_end(arguments);
	return length;
}

int bb_log_va(const struct bb_log *log, enum bb_log_level level, int error, const char *format, va_list arguments)
{
	char raw[LOG_LINE - 64], line[LOG_LINE];
	size_t head, length = 0;

	if ((int)level > atomic_load(&level_limit))
		return error;

	raw[0] = '\0';
	if (log)
		length = log_append(raw, sizeof(raw), length, "%s: ", log->name);
	length = log_append_va(raw, sizeof(raw), length, format, arguments);
	if (error < 0) {
		char text[128];

		length = log_append(raw, sizeof(raw), length, ": %s", strerror_r(-error, text, sizeof(text)));
	}

	head = log_print_head(line, sizeof(line), level);
	length = bb_text_clean(line + head, sizeof(line) - head - 1, raw, length);

	pthread_mutex_lock(&sink_lock);
	if (sink_function)
		sink_function(sink_context, level, line + head);
	pthread_mutex_unlock(&sink_lock);

	line[head + length] = '\n';
	while (write(STDERR_FILENO, line, head + length + 1) < 0 && errno == EINTR)
		continue; /* any other failure: there is nobody to tell */
	return error;
}

int bb_log(const struct bb_log *log, enum bb_log_level level, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	bb_log_va(log, level, error, format, arguments);
	va_end(arguments);
	return error;
}

/* "3 min 20 s": how long a trouble has lasted, in the two largest units. */
static void log_print_duration(char *buffer, size_t size, int64_t ms)
{
	long long seconds = ms / 1000;

	if (seconds >= 86400)
		snprintf(buffer, size, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
	else if (seconds >= 3600)
		snprintf(buffer, size, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else if (seconds >= 60)
		snprintf(buffer, size, "%lld min %lld s", seconds / 60, seconds % 60);
	else
		snprintf(buffer, size, "%lld s", seconds);
}

int bb_complain(const struct bb_log *log, struct bb_complaint *complaint, int error, const char *format, ...)
{
	int64_t now_ms = bb_clock_ms();
	char text[LOG_LINE / 2], duration[64];
	va_list arguments;

	if (complaint->count == 0) {
		complaint->since_ms = now_ms;
		complaint->next_ms = now_ms;
	}
	complaint->count++;
	if (now_ms < complaint->next_ms)
		return error;

	va_start(arguments, format);
	(void)log_append_va(text, sizeof(text), 0, format, arguments);
	va_end(arguments);

	/* Due after 1, 3, 7, 15 … minutes: the next pause is as long as all before it, and a minute. */
	int64_t lasted_ms = now_ms - complaint->since_ms;
	int64_t pause_ms = lasted_ms + COMPLAINT_FIRST_MS;

	complaint->next_ms = now_ms + (pause_ms < COMPLAINT_LAST_MS ? pause_ms : COMPLAINT_LAST_MS);
	if (complaint->count == 1)
		return bb_log_warning(log, error, "%s", text);
	log_print_duration(duration, sizeof(duration), lasted_ms);
	return bb_log_warning(log, error, "%s (%llu times in %s)", text, (unsigned long long)complaint->count,
			      duration);
}

void bb_complaint_over(const struct bb_log *log, struct bb_complaint *complaint, const char *what)
{
	char duration[64];

	if (complaint->count == 0)
		return;
	log_print_duration(duration, sizeof(duration), bb_clock_ms() - complaint->since_ms);
	bb_log_notice(log, "%s after %s (%llu times)", what, duration, (unsigned long long)complaint->count);
	*complaint = (struct bb_complaint){0};
}
