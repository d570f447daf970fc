/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl.h - what the files of busbarctl share: what was asked for, and the table of commands.
 */
#ifndef BUSBARCTL_CTL_H
#define BUSBARCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Exit statuses, and what commands return. */
enum ctl_result {
	CTL_FINE = 0,
	CTL_ALARM = 1, /* an alarm, something not found, something refused */
	CTL_USAGE = 2,
	CTL_NO_AGENT = 3,
};

/** Options that only some commands take, as bits. */
enum ctl_option {
	CTL_ALL = 1,
	CTL_FOLLOW = 2,
	CTL_SINCE = 4,
	CTL_LAST = 8,
	CTL_COUNT = 16,
	CTL_CSV = 32,
	CTL_DEVICE = 64,
	CTL_CHECK = 128,
	CTL_MAPS_DIR = 256,
	CTL_LIST = 512,
};

/** What was asked for. */
struct ctl {
	const char *socket;
	bool json;
	bool colour;
	bool quiet; /* say nothing when there is no agent: completion */
	bool all, follow, csv, check, list;
	const char *device;          /* NULL: not said */
	const char *maps_dir;        /* the same */
	uint64_t since, last, count; /* 0: not said */
	int64_t since_wall_ms;       /* the same */
};

struct command {
	const char *name;
	const char *arguments;                              /* as usage shows them */
	const char *summary;                                /* half a line, for the list of commands */
	const char *help;                                   /* the rest of --help; whole lines */
	unsigned options;                                   /* bits of enum ctl_option it takes */
	int least, most;                                    /* arguments */
	int (*run)(struct ctl *ctl, int argc, char **argv); /* enum ctl_result */
	bool hidden;                                        /* for scripts of ours */
};

/** All commands, ended by one without a name. */
extern const struct command commands[];

/** The command of that name, or NULL. */
const struct command *command_find(const char *name);

/** Complain on stderr: "busbarctl: " and a line. Returns @result. */
int ctl_fail(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The commands, in show_*.c (those that only ask), manage.c, admin.c, trap_test.c and complete.c. */
int status_run(struct ctl *ctl, int argc, char **argv);
int version_run(struct ctl *ctl, int argc, char **argv);
int points_run(struct ctl *ctl, int argc, char **argv);
int get_run(struct ctl *ctl, int argc, char **argv);
int watch_run(struct ctl *ctl, int argc, char **argv);
int alarms_run(struct ctl *ctl, int argc, char **argv);
int ack_run(struct ctl *ctl, int argc, char **argv);
int inhibit_run(struct ctl *ctl, int argc, char **argv);
int release_run(struct ctl *ctl, int argc, char **argv);
int events_run(struct ctl *ctl, int argc, char **argv);
int log_run(struct ctl *ctl, int argc, char **argv);
int journal_run(struct ctl *ctl, int argc, char **argv);
int plugins_run(struct ctl *ctl, int argc, char **argv);
int plugin_run(struct ctl *ctl, int argc, char **argv);
int maps_run(struct ctl *ctl, int argc, char **argv);
int map_run(struct ctl *ctl, int argc, char **argv);
int probe_run(struct ctl *ctl, int argc, char **argv);
int reload_run(struct ctl *ctl, int argc, char **argv);
int log_level_run(struct ctl *ctl, int argc, char **argv);
int trap_test_run(struct ctl *ctl, int argc, char **argv);
int complete_run(struct ctl *ctl, int argc, char **argv);

#endif
