/* SPDX-License-Identifier: Apache-2.0
 *
 * drafts.h - the first half of making a plan: which series a page has, sorted by family.
 */
#ifndef PROMETHEUS_DRAFTS_H
#define PROMETHEUS_DRAFTS_H

#include "plan.h"

/** A series-to-be, or several that differ in their member only. */
struct draft {
	uint32_t family;
	uint32_t device; /* device_count stands for the agent */
	uint32_t index;
	uint32_t source; /* enum plan_source */
};

/** Zero-initialise. */
struct drafts {
	struct families families;
	struct draft *list; /* sorted by family; devices and points in order within one */
	size_t count, capacity;
};

/**
 * Draft everything @facts holds, and note the shape of each device (and, last, of the agent) in @devices.
 * Returns 0 or -ENOMEM; drafts_finish() follows in any case.
 */
int drafts_collect(struct drafts *drafts, const struct facts *facts, struct plan_device *devices);

void drafts_finish(struct drafts *drafts);

/** Decimals of a value of the source PLAN_OWN. */
unsigned drafts_own_decimals(enum plan_own which);

#endif
