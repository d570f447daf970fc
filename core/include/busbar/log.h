/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/log.h - one line per message, on stderr, with the priority that journald understands.
 *
 * A line starts with the name of what speaks ("ups-a"), then says what failed and what was asked,
 * then the text of the error number. Whoever knows the story logs it once and returns the code in
 * the same breath:
 *
 *	return bb_log_error(log, -errno, "no answer to input registers 0 to 1");
 *
 * Foreign text is cleaned of control characters before it reaches a line. Secrets are never logged.
 */
#ifndef BUSBAR_LOG_H
#define BUSBAR_LOG_H

#include <stdarg.h>
#include <stdint.h>

/** How bad it is; the numbers are syslog's (RFC 5424, 6.2.1). */
enum bb_log_level {
	BB_LOG_ERROR = 3,   /* someone must act */
	BB_LOG_WARNING = 4, /* degraded, going on; the line says with what */
	BB_LOG_NOTICE = 5,  /* a device came up, a configuration was loaded */
	BB_LOG_INFO = 6,    /* one line per unusual thing */
	BB_LOG_DEBUG = 7,   /* free */
};

/** Who speaks: a name to begin lines with. Opaque, immutable, made by the core for each device and exporter. */
struct bb_log;

/**
 * Write a line of @level. A negative @error (a negative errno value) adds ": " and its text; 0 adds nothing.
 * @log NULL speaks for the agent itself. Any thread; never fails, a line that stderr does not take is lost.
 * Returns @error, so that a caller can log and return in one statement.
 */
int bb_log(const struct bb_log *log, enum bb_log_level level, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** As bb_log(), for callers that have a va_list. */
int bb_log_va(const struct bb_log *log, enum bb_log_level level, int error, const char *format, va_list arguments)
	__attribute__((format(printf, 4, 0)));

#define bb_log_error(log, error, ...)   bb_log(log, BB_LOG_ERROR, error, __VA_ARGS__)
#define bb_log_warning(log, error, ...) bb_log(log, BB_LOG_WARNING, error, __VA_ARGS__)
#define bb_log_notice(log, ...)         ((void)bb_log(log, BB_LOG_NOTICE, 0, __VA_ARGS__))
#define bb_log_info(log, ...)           ((void)bb_log(log, BB_LOG_INFO, 0, __VA_ARGS__))
#define bb_log_debug(log, ...)          ((void)bb_log(log, BB_LOG_DEBUG, 0, __VA_ARGS__))

/**
 * A trouble that repeats: the first time is logged, then the count at growing intervals (1 min, doubling to
 * 1 h), then the recovery with its duration. Zero-initialise it; it needs no clean-up. Not shared between threads.
 */
struct bb_complaint {
	int64_t since_ms; /* bb_clock_ms() of the first time, 0 when all is well */
	int64_t next_ms;  /* when the next line is due */
	uint64_t count;   /* how often since then */
};

/** The trouble happened (again): logs a warning when one is due. Returns @error. Thread: the complaint's owner. */
int bb_complain(const struct bb_log *log, struct bb_complaint *complaint, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** The trouble is over: logs a notice with count and duration, once. Thread: the complaint's owner. */
void bb_complaint_over(const struct bb_log *log, struct bb_complaint *complaint, const char *what);

#endif
