/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.h - tries a device that is in no configuration, for `busbarctl probe`.
 */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include "link.h"
#include "loader.h"

/** What a probe works with; borrowed until it is done. */
struct probe_surroundings {
	struct bb_loop *loop;
	struct bb_registry *registry; /* the device is never added to it */
	struct link_table *links;
	const struct loader *loader;
	unsigned *running; /* how many are under way: counted up and down; must outlive them */
};

/** See agent_probe() in agent.h. Thread: main loop. */
int probe_start(const struct probe_surroundings *surroundings, const char *address, const char *const *options,
		void (*done)(void *context, struct bb_device *device, int result), void *context, char **ret_error);

#endif
