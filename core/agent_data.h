/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_data.h - what the agent is made of, for the two sources that make it live (agent.c) and bring it in line with a
 * configuration (agent_apply.c). Nobody else includes this.
 */
#ifndef CORE_AGENT_DATA_H
#define CORE_AGENT_DATA_H

#include <busbar/backoff.h>

#include "agent.h"

struct data_log;
struct link_table;
struct scheduler;

/* A device on its way out, or one that is only being probed. */
struct departure {
	struct agent *agent;
	struct bb_device *device;
	struct bb_config *config;
	struct departure *next;
};

struct agent {
	struct bb_loop *loop;
	char *config_path;
	struct bb_registry *registry;
	struct link_table *links;
	struct scheduler *scheduler;
	struct loader *loader;
	struct data_log *data_log;
	struct configuration *configuration;
	struct bb_exporter **exporters; /* one for each section of the configuration, in its order; may be NULL */
	size_t exporter_count;
	struct bb_timer *retry; /* of exporters that did not start */
	struct bb_backoff backoff;
	struct departure *departures;
	unsigned probes;    /* under way: they cannot be stopped */
	bool device_failed; /* a device of the configuration could not be opened */
	bool stopping;
};

/* ---- agent_apply.c; all on the main loop ---- */

/**
 * Make what runs what @next says, which the agent owns from here on. Returns 0, or a negative errno when something did
 * not start: it has been said, and the rest runs.
 */
int agent_apply(struct agent *agent, struct configuration *take_next);

/** Stop @device, and close it when that is possible; takes the reference and @take_config. 0 or -ENOMEM. */
int agent_dismiss(struct agent *agent, struct bb_device *take_device, struct bb_config *take_config);

/** Start those exporters that do not run. For the timer, too. */
void agent_retry_exporters(void *agent);

/** Raise or clear plugin-failed, by what runs and which plugins were refused. */
void agent_update_plugin_alarm(struct agent *agent);

#endif
