/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.h - the files that a configuration is written in: one named by the user, and conf.d/ *.yaml beside it.
 */
#ifndef CORE_SOURCES_H
#define CORE_SOURCES_H

#include "yaml_tree.h"

struct sources {
	struct yaml_document **documents; /* the main file first, the others in order of their names */
	size_t count;
};

/**
 * Load @path and conf.d/ *.yaml beside it. All files are looked at even when one is faulty; what is wrong has been
 * logged. The root of each document is a mapping, or nothing. Returns 0 or a negative errno.
 */
int sources_load(const char *path, struct sources *ret_sources);
void sources_free(struct sources *sources);

#endif
