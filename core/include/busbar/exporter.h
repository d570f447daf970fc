/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/exporter.h - what an exporter plugin may ask the core for.
 */
#ifndef BUSBAR_EXPORTER_H
#define BUSBAR_EXPORTER_H

#include <busbar/event.h>
#include <busbar/log.h>
#include <busbar/loop.h>
#include <busbar/registry.h>

struct bb_exporter; /* opaque; lives from start() to the end of stop() */

/** The exporter's voice in the log. Any thread. */
const struct bb_log *bb_exporter_log(struct bb_exporter *exporter);

/** The registry it publishes. Any thread. */
struct bb_registry *bb_exporter_registry(struct bb_exporter *exporter);

/** The main loop, for exporters without a thread of their own. Any thread. */
struct bb_loop *bb_exporter_loop(struct bb_exporter *exporter);

/** Version of the agent, "0.1.0". Any thread. */
const char *bb_version(void);

/**
 * Counters of all links, for exporters that publish the agent's own health. Calls @each once per link with its
 * name, the polls and errors so far and whether it is backing off. Any thread.
 */
void bb_registry_links(struct bb_registry *registry,
		       void (*each)(void *context, const char *name, uint64_t polls, uint64_t errors), void *context);

#endif
