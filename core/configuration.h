/* SPDX-License-Identifier: Apache-2.0
 *
 * configuration.h - the whole configuration: busbar.yaml and conf.d/ *.yaml beside it, read and checked before
 * anything changes.
 */
#ifndef CORE_CONFIGURATION_H
#define CORE_CONFIGURATION_H

#include <stddef.h>

#include <busbar/plugin.h>

struct rule_set;

/** One device or exporter as configured. */
struct configuration_section {
	const struct bb_plugin *plugin;
	struct bb_config *config; /* options of the plugin, and the core's common ones (see configuration.c) */
};

/** Owns everything below it. */
struct configuration {
	struct bb_config *agent;   /* top-level keys: log-level, socket, plugin-dir, maps-dir, state-dir … */
	struct bb_config *journal; /* `journal:`, see journal.c */
	struct configuration_section *devices; /* sorted by name */
	size_t device_count;
	struct configuration_section *exporters; /* sorted by name, which is the plugin's where no `plugin:` says it */
	size_t exporter_count;
	struct rule_set *rules; /* of `alarms:`; see rule_config.h */
};

/** How the configuration finds plugins: implemented by loader.c, and by tests. */
struct plugin_finder {
	const struct bb_plugin *(*find)(void *context, enum bb_plugin_kind kind, const char *name);
	/** Names of that kind, ended by NULL, for suggestions; owned by the finder. */
	const char *const *(*names)(void *context, enum bb_plugin_kind kind);
	void *context;
};

/**
 * Read and check @path and conf.d/ *.yaml beside it (sorted). Two files may both have `devices:`; a device named
 * twice is an error at the second place. The plugins' check() operations run too. Every fault is logged as
 * "file:line:column: key: what is wrong". Returns 0, -EINVAL, -ENOENT and the like, or -ENOMEM; @ret is untouched then.
 */
int configuration_load(const char *path, const struct plugin_finder *plugins, struct configuration **ret);

/**
 * Only the agent's own options: what it must know before it can load plugins (plugin-dir, log-level). Faults of the
 * YAML and of these options are logged; all others are left for configuration_load(). Errors as there.
 */
int configuration_load_agent(const char *path, struct bb_config **ret_agent);

/**
 * Check a single device section that is not in a file: `busbarctl probe`. @options is "key=value" texts, ended by
 * NULL; the texts of a list are separated by commas. Errors name the option. Free ret_section->config with
 * options_free(). Returns 0, -EINVAL or -ENOMEM.
 */
int configuration_make_device(const struct bb_plugin *plugin, const char *name, const char *const *options,
			      struct configuration_section *ret_section);

/** Free; accepts NULL. */
void configuration_free(struct configuration *configuration);

/** The option table that every device has, besides its plugin's: interval, watch, stale-after, timeout … */
extern const struct bb_option configuration_device_options[];

#endif
