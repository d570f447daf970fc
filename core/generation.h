/* SPDX-License-Identifier: Apache-2.0
 *
 * generation.h - the points of a device for as long as their set stays the same.
 *
 * A draft collects points while open() or describe() runs; a generation is made of it, immutable and counted, in
 * one piece of memory. Rows of the dictionary are referred to, not copied: a thousand UPSs share them.
 */
#ifndef CORE_GENERATION_H
#define CORE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/device.h>

struct derive_plan;
struct generation;

/** A point under construction; the texts that are its own are freed with the draft. */
struct draft_point {
	const struct bb_point *row; /* in the dictionary, or in the generation it was taken over from */
	struct bb_point *own;       /* made for this device; then row is NULL */
	bool derived;
};

/** Points under construction. Zero-initialise it. */
struct draft {
	struct draft_point *points;
	size_t count, room;
	uint32_t *hash; /* places of points by name, for finding doubles: index plus 1, 0 is empty */
	size_t hash_room;
	const struct bb_log *log;
};

/** Begin with the points of @base (delivered ones only; NULL: none), which must outlive the draft. 0 or -ENOMEM. */
int draft_init(struct draft *draft, const struct bb_log *log, const struct generation *base);
void draft_finish(struct draft *draft);

/** As bb_builder_add_points(). */
int draft_add(struct draft *draft, const struct bb_point_spec *specs, size_t count);

/** Add a point the core fills, by its dictionary name. As bb_builder_add(). */
int draft_add_derived(struct draft *draft, const char *name);

/** Place of the point named @name, or -ENOENT. */
int draft_find(const struct draft *draft, const char *name);

/** Descriptor of the point at @index. */
const struct bb_point *draft_point(const struct draft *draft, size_t index);

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
