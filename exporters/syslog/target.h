/* SPDX-License-Identifier: Apache-2.0
 *
 * target.h - where messages go: the addresses of an exporter's receivers.
 */
#ifndef SYSLOG_TARGET_H
#define SYSLOG_TARGET_H

#include <stdbool.h>

#include <busbar/config.h>

enum target_kind {
	TARGET_UDP,
	TARGET_TCP,
	TARGET_TLS,
	TARGET_JOURNALD,
};

/** The longest name of a cursor, see busbar/journal.h. */
#define TARGET_CURSOR_SIZE 65

struct target {
	enum target_kind kind;
	char *name;                      /* as in logs: "tls://logs.example:6514" */
	char *host;                      /* name or number; "" for journald */
	char *path;                      /* of journald's socket; "" for others */
	unsigned short port;             /* 0 for journald */
	char cursor[TARGET_CURSOR_SIZE]; /* under which the journal keeps how far its receiver is */
};

/** The targets of a section, in the order written. */
struct target_list {
	size_t count;
	struct target *targets;
};

/**
 * Read the options `server` and `servers` of @config. Returns 0, -ENOMEM, or -EINVAL after bb_config_error() has said
 * what is wrong. Free the list with targets_free(). Thread: main loop, in check() and start().
 */
int targets_read(const struct bb_config *config, struct target_list *ret_list);

/** Free what the list holds. Accepts one that is all zero. */
void targets_free(struct target_list *list);

/** Has @target a duty of delivery, and so a connection and a cursor? */
bool target_is_stream(const struct target *target);

#endif
