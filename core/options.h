/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - from a mapping in a YAML document to a checked bb_config, by option tables.
 */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <busbar/config.h>

#include "yaml_tree.h"

/**
 * Check @section against @tables (option tables, the list ended by NULL; an option of an earlier table hides one of
 * the same name in a later one). Every fault is logged with its place; all faults of a section are reported, not
 * just the first. Returns 0, -EINVAL or -ENOMEM.
 * @section may be NULL or an empty scalar: then all options have their defaults.
 */
int options_parse(const struct yaml_node *section, const char *name, const struct bb_option *const *tables,
		  struct bb_config **ret_config);

/** Free; accepts NULL. */
void options_free(struct bb_config *config);

/** Do two sections say the same? Reload restarts only what does not. */
bool options_equal(const struct bb_config *a, const struct bb_config *b);

/** "string", "duration" …: what `busbarctl plugin NAME` prints. */
const char *options_type_name(enum bb_option_type type);

#endif
