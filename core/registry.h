/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.h - the core's side of the registry.
 */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include <busbar/loop.h>
#include <busbar/registry.h>

struct link_table;

/** Make the registry; @main_loop runs the monitor (monitor.h). Returns 0 or -ENOMEM. */
int registry_create(struct bb_loop *main_loop, struct bb_registry **ret_registry);
void registry_destroy(struct bb_registry *registry);

/** Add a device (a reference is taken) or take it out. -EEXIST when the name is there. Thread: main loop. */
int registry_add(struct bb_registry *registry, struct bb_device *device);
void registry_remove(struct bb_registry *registry, struct bb_device *device);

/** Grow the version; from device.c when a generation changes. Any thread. */
void registry_touch(struct bb_registry *registry);

/** Called on the main loop after the version has grown (posts are merged). One listener: the agent. */
void registry_on_change(struct bb_registry *registry, void (*changed)(void *context), void *context);

/** Raise or clear an alarm of the agent itself; emits the event. Thread: main loop. */
void registry_agent_alarm(struct bb_registry *registry, const char *type_name, bool active, const char *text);

/** The link table whose counters bb_registry_links() shows; set once by the agent. */
void registry_set_links(struct bb_registry *registry, struct link_table *links);

#endif
