/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.h - finds, checks and loads plugins.
 */
#ifndef CORE_LOADER_H
#define CORE_LOADER_H

#include <stddef.h>

#include "configuration.h"

struct loader;

/** A file of the plugin folder, or the folder itself when it is refused, and what became of it. */
struct loader_entry {
	const char *file;               /* its path */
	const struct bb_plugin *plugin; /* NULL when it was refused */
	const char *error;              /* why, one line; NULL when it was loaded */
};

/**
 * Load every *.so of @directory (sorted). A file that is refused is one error line; the others go on.
 * A folder that is refused or missing has an entry of its own, which says why. Returns 0 or -ENOMEM.
 */
int loader_create(const char *directory, struct loader **ret_loader);
void loader_destroy(struct loader *loader);

/**
 * Look again: load files that are new, give those that were refused another chance. What is loaded stays as it is;
 * a plugin that was replaced on disk takes a restart. 0 or -ENOMEM.
 */
int loader_scan(struct loader *loader);

/** What there is; valid until the next loader_scan(). */
const struct loader_entry *loader_entries(const struct loader *loader, size_t *ret_count);
const char *loader_directory(const struct loader *loader);

/** Find plugins by kind and name, for configuration_load(). */
struct plugin_finder loader_finder(struct loader *loader);

/** The device plugin that understands addresses of @scheme, or NULL. */
const struct bb_plugin *loader_find_scheme(const struct loader *loader, const char *scheme);

/** The plugin folder of this installation: ../lib/busbar/plugins beside the binary, else the compiled-in one. */
int loader_default_directory(char *buffer, size_t size);

#endif
