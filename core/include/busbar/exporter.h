/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/exporter.h - what an exporter plugin may ask the core for.
 */
#ifndef BUSBAR_EXPORTER_H
#define BUSBAR_EXPORTER_H

#include <stdbool.h>

#include <busbar/event.h>
#include <busbar/log.h>
#include <busbar/loop.h>
#include <busbar/registry.h>
#include <busbar/write.h>

struct bb_exporter; /* opaque; lives from start() to the end of stop() */

/** The exporter's voice in the log. Any thread. */
const struct bb_log *bb_exporter_log(struct bb_exporter *exporter);

/** The registry it publishes. Any thread. */
struct bb_registry *bb_exporter_registry(struct bb_exporter *exporter);

/** The main loop, for exporters without a thread of their own. Any thread. */
struct bb_loop *bb_exporter_loop(struct bb_exporter *exporter);

/**
 * Say that an alarm of the agent itself holds as far as this exporter is concerned, or no longer does: @type is a row of
 * config/alarms.csv that the agent knows as its own, such as "tls-not-verified". It is active while any exporter says
 * so; what an exporter still says when it ends is taken back by the core. @text says it to people; NULL: the alarm's
 * title. Returns 0, -ENOENT when the agent has no such alarm, or -ENOSPC after BB_EXPORTER_ALARMS others.
 * Thread: main loop.
 */
int bb_exporter_alarm(struct bb_exporter *exporter, const char *type, bool active, const char *text);

/** Most alarms of the agent that one exporter says to hold at a time. */
#define BB_EXPORTER_ALARMS 8

/** Version of the agent, "0.1.0". Any thread. */
const char *bb_version(void);

#endif
