/* SPDX-License-Identifier: Apache-2.0
 *
 * section.h - the sections of `devices:` and `exporters:`, each the work of a plugin.
 */
#ifndef CORE_SECTION_H
#define CORE_SECTION_H

#include "configuration.h"
#include "sources.h"

/** What the sections under one top-level key have in common. */
struct section_rules {
	const char *key;  /* the top-level key */
	const char *what; /* a word for errors */
	enum bb_plugin_kind kind;
	const struct bb_option *options; /* that every section has besides its plugin's */
};

extern const struct section_rules section_devices, section_exporters;

/**
 * Check all sections of one kind in @sources. Faults are logged in the order of the files. Returns 0, -EINVAL or
 * -ENOMEM; the sections are sorted by name, their configs are for options_free().
 */
int sections_check(const struct sources *sources, const struct section_rules *rules,
		   const struct plugin_finder *plugins, struct configuration_section **ret_sections, size_t *ret_count);

/** Check one section (@node may be nothing) of @plugin. As sections_check(). */
int section_check(const struct section_rules *rules, const char *name, const struct yaml_node *node,
		  const struct bb_plugin *plugin, struct configuration_section *ret_section);

#endif
