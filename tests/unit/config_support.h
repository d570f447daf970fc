/* SPDX-License-Identifier: Apache-2.0
 *
 * config_support.h - what the tests of the configuration share: files in a folder of their own, and the lines that
 * were logged. Criterion runs each test in a process of its own, so one of each is enough.
 */
#ifndef TESTS_CONFIG_SUPPORT_H
#define TESTS_CONFIG_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static char said[65536]; /* every line since the test began, each with its newline */
static char folder[64];  /* of the test */

static inline void remember_line(void *context, enum bb_log_level level, const char *line)
{
	size_t length = strlen(said);

	(void)context;
	(void)level;
	snprintf(said + length, sizeof(said) - length, "%s\n", line);
}

/* For .init: listen, and go to an empty folder, so that paths in errors are short. */
static inline void config_start(void)
{
	strcpy(folder, "/tmp/busbar-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	cr_assert_not_null(freopen("/dev/null", "w", stderr)); /* what is said is looked at, not shown */
	log_set_sink(remember_line, NULL);
}

/* For .fini. */
static inline void config_finish(void)
{
	char command[128];

	log_set_sink(NULL, NULL);
	cr_assert_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file;

	(void)unlink(path); /* one that is there may be closed even to its owner */
	file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	fputs(text, file);
	fclose(file);
	cr_assert_eq(chmod(path, mode), 0);
}

/* Were exactly these lines said since the last look? */
#define expect_said(expected)                                                                                          \
	do {                                                                                                           \
		cr_expect_str_eq(said, expected);                                                                      \
		said[0] = '\0';                                                                                        \
	} while (0)

#endif
