/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - the core's side of the log: levels, and voices for devices and exporters.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

#include <busbar/log.h>

/** Lines above this level are dropped; the default is BB_LOG_NOTICE. Any thread. */
void log_set_level(enum bb_log_level level);
enum bb_log_level log_level(void);

/** "error", "warning" …; log_level_parse() returns 0 or -EINVAL. */
const char *log_level_name(enum bb_log_level level);
int log_level_parse(const char *name, enum bb_log_level *ret_level);

/** Lines begin with "<3>" and have no time stamp, as journald wants it; by default when JOURNAL_STREAM is set. */
void log_set_journal(bool journal);

/**
 * Every line also goes to @sink (without priority and newline) until it is set to NULL: errors for the API's clients.
 * It is called on the thread that logs, under a lock: it must not log, and no call is in flight once this returns.
 */
void log_set_sink(void (*sink)(void *context, enum bb_log_level level, const char *line), void *context);

/** A voice named @name (copied). NULL when memory lacks, which is the agent's own voice. log_free() accepts NULL. */
struct bb_log *log_create(const char *name);
void log_free(struct bb_log *log);

#endif
