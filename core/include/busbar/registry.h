/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/registry.h - all devices there are, for those who publish them.
 */
#ifndef BUSBAR_REGISTRY_H
#define BUSBAR_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include <busbar/device.h>

struct bb_registry; /* opaque; one per process */

/** The devices at one moment, sorted by name. Immutable and counted; it holds a reference to each device. */
struct bb_device_list {
	uint64_t version; /* bb_registry_version() when it was made */
	size_t count;
	struct bb_device *devices[];
};

/** Take the current list, never NULL. Any thread, never blocks on I/O. Give it back with bb_device_list_unref(). */
struct bb_device_list *bb_registry_devices(struct bb_registry *registry);

/** Give a list back; accepts NULL. Any thread. */
void bb_device_list_unref(struct bb_device_list *list);

/**
 * Grows whenever a device comes, goes, or gets a new generation: an exporter that prepared something from
 * descriptors prepares it again when this number is another. Any thread.
 */
uint64_t bb_registry_version(struct bb_registry *registry);

/** The device of that name with a reference taken, or NULL. Any thread. */
struct bb_device *bb_registry_find(struct bb_registry *registry, const char *name);

/** Alarms of the agent itself (plugin-failed, config-rejected), never NULL; a reference is taken. Any thread. */
struct bb_alarm_set *bb_registry_agent_alarms(struct bb_registry *registry);

/**
 * Counters of the links that have an address, for exporters that publish the agent's own health: calls @each once a
 * link with its name (bb_link_name()) and the polls and errors since it was made. A lock is held meanwhile, so @each
 * must not call back into the core. Any thread.
 */
void bb_registry_links(struct bb_registry *registry,
		       void (*each)(void *context, const char *name, uint64_t polls, uint64_t errors), void *context);

#endif
