/* SPDX-License-Identifier: Apache-2.0
 *
 * agent.h - the running whole: registry, links, scheduler, exporters, and how a configuration becomes them.
 */
#ifndef CORE_AGENT_H
#define CORE_AGENT_H

#include <stdbool.h>

#include <busbar/loop.h>
#include <busbar/registry.h>

#include "configuration.h"
#include "loader.h"

struct agent;

/** Make an agent for the configuration at @config_path on @loop; nothing runs yet. */
int agent_create(struct bb_loop *loop, const char *config_path, struct agent **ret_agent);

/** Load plugins, read and check the configuration; nothing is opened. A bad one is -EINVAL, already said. */
int agent_load(struct agent *agent);

/** Open devices and start exporters, after agent_load(). What cannot be opened or started is said and an alarm. */
int agent_start(struct agent *agent);

/**
 * Read the configuration again and apply the difference: devices and exporters whose section is the same go on
 * undisturbed. A bad one changes nothing, raises the alarm config-rejected, and is -EINVAL or whatever kept it from
 * being read. Returns 0 when the new one is in force, even when something of it did not start: that is said and an alarm.
 */
int agent_reload(struct agent *agent);

/** Stop everything in order. False when a plugin call still hangs: leave the process without freeing. */
bool agent_stop(struct agent *agent);
void agent_destroy(struct agent *agent);

struct bb_registry *agent_registry(struct agent *agent);
struct loader *agent_loader(struct agent *agent);
const struct configuration *agent_configuration(struct agent *agent);

/** Does the exporter of section @index of the configuration run? One that did not start is tried again. */
bool agent_exporter_runs(const struct agent *agent, size_t index);

/**
 * Open a device that is in no registry, poll it once, and call @done on the main loop with what came of it; the
 * device is closed after @done. @address chooses the plugin by its scheme, @options are "key=value" texts ended by
 * NULL. Returns 0, or a negative errno with @ret_error filled (caller frees): then @done is not called.
 */
int agent_probe(struct agent *agent, const char *address, const char *const *options,
		void (*done)(void *context, struct bb_device *device, int result), void *context, char **ret_error);

#endif
