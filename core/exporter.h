/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter.h - the core's side of an exporter: starting and stopping one, and passing on what it wants to hear.
 */
#ifndef CORE_EXPORTER_H
#define CORE_EXPORTER_H

#include <busbar/plugin.h>

/**
 * Make an exporter from its section; @config must outlive it. 0 or -ENOMEM. Thread of all functions: main loop.
 */
int exporter_create(const struct bb_plugin *plugin, const struct bb_config *config, struct bb_registry *registry,
		    struct bb_loop *main_loop, struct bb_exporter **ret_exporter);

/** Stop it when it runs, and free. Accepts NULL. */
void exporter_destroy(struct bb_exporter *exporter);

/** Run the plugin's start(); after a failure stop() has run and it may be started again. 0 or a negative errno. */
int exporter_start(struct bb_exporter *exporter);

bool exporter_is_running(const struct bb_exporter *exporter);
const struct bb_plugin *exporter_plugin(const struct bb_exporter *exporter);
const struct bb_config *exporter_config(const struct bb_exporter *exporter);

/** Devices came, went or changed. */
void exporter_devices_changed(struct bb_exporter *exporter);

#endif
