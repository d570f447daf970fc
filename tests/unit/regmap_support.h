/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_support.h - maps for unit tests: from a text, with the faults that were told.
 */
#ifndef REGMAP_SUPPORT_H
#define REGMAP_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regmap.h"

/** What a file was told: "4: unknown point …" and so on, one a line. */
struct told {
	char text[4096];
	unsigned count;
};

static inline void told_fault(void *context, const char *file, unsigned line, const char *text)
{
	struct told *told = context;
	const size_t used = strlen(told->text);

	(void)file;
	(void)snprintf(told->text + used, sizeof(told->text) - used, "%u: %s\n", line, text);
	told->count++;
}

/** Load @text as a file would be; NULL when it is faulty. @told may be NULL. */
static inline struct bb_regmap *map_of_text(const char *id, const char *text, struct told *told)
{
	struct told ignored = {.text = ""};
	const struct regmap_listener listener = {.fault = told_fault, .context = told ? told : &ignored};
	char path[] = "/tmp/busbar-map-XXXXXX";
	const int file = mkstemp(path);
	struct bb_regmap *map = NULL;

	cr_assert_geq(file, 0);
	cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	(void)regmap_load(path, id, &listener, &map);
	unlink(path);
	if (!map && !told)
		(void)fprintf(stderr, "%s", ignored.text);
	return map;
}

/** A map of @rows under a plain head; it must be a good one. */
static inline struct bb_regmap *map_of_rows(const char *head, const char *rows)
{
	char text[8192];
	struct bb_regmap *map;

	(void)snprintf(text, sizeof(text),
		       "# id: test\n%saddress,count,type,functions,symbol,point,scale,offset,values,note\n%s", head,
		       rows);
	map = map_of_text(NULL, text, NULL);
	cr_assert_not_null(map);
	return map;
}

#endif
