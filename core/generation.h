/* SPDX-License-Identifier: Apache-2.0
 *
 * generation.h - the points of a device for as long as their set stays the same.
 *
 * Made of a draft (draft.h), immutable and counted.
 */
#ifndef CORE_GENERATION_H
#define CORE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/reading.h>

struct derive_plan;
struct draft;
struct generation;

/** Make a generation of what was drafted; takes @take_plan, also on failure. Returns 0 or -ENOMEM. */
int generation_create(const struct draft *draft, struct derive_plan *take_plan, struct generation **ret_generation);
struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation);

/** Have both the same points, described the same way, in the same order? */
bool generation_equal(const struct generation *a, const struct generation *b);

/** All there is to a generation. Its members are for the core to read. */
struct generation {
	uint64_t number;                /* never repeats in a process */
	size_t count;                   /* points, derived ones included; those come last */
	size_t delivered;               /* how many the device delivers */
	size_t text_count;              /* how many are strings */
	size_t alarm_count;             /* how many are alarms */
	const struct bb_point **points; /* count */
	uint32_t *by_name;              /* count; indexes sorted by name */
	uint32_t *text_places;          /* count; of a string its place among the texts of a reading */
	uint32_t *alarms;               /* alarm_count; indexes of alarm points */
	struct derive_plan *plan;       /* what the core fills, and from what */
};

/** Place of the point named @name, or -ENOENT. */
int generation_find(const struct generation *generation, const char *name);

/** The group a point belongs to. */
static inline enum bb_group point_group(const struct bb_point *point)
{
	return point->urgent ? BB_GROUP_URGENT : BB_GROUP_REST;
}

#endif
