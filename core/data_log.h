/* SPDX-License-Identifier: Apache-2.0
 *
 * data_log.h - samples chosen points of every device from time to time, for the journal.
 */
#ifndef CORE_DATA_LOG_H
#define CORE_DATA_LOG_H

#include <stddef.h>

#include <busbar/config.h>
#include <busbar/loop.h>
#include <busbar/registry.h>

/** Rows the data log may come to by configuration. */
#define DATA_LOG_ROWS_MAX 20000000

struct data_log;

/**
 * Would @devices devices, sampled as @options of `journal:` say, fill more than DATA_LOG_ROWS_MAX rows? Then -EINVAL,
 * with the arithmetic in the log; else 0. Any thread.
 */
int data_log_check(const struct bb_config *options, size_t devices);

/**
 * Begin to sample the devices of @registry as @options say (NULL: by default). Returns 0 or -ENOMEM. Thread: main loop,
 * as all of these.
 */
int data_log_start(struct bb_loop *loop, struct bb_registry *registry, const struct bb_config *options,
		   struct data_log **ret_log);

/** Other options from now on. 0 or -ENOMEM: then the old ones stay. */
int data_log_configure(struct data_log *log, const struct bb_config *options);

/** Stop; accepts NULL. */
void data_log_stop(struct data_log *log);

/** Sample all devices once, as the timer does. */
void data_log_sample(struct data_log *log);

#endif
