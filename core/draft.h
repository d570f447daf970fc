/* SPDX-License-Identifier: Apache-2.0
 *
 * draft.h - points under construction, while open() or describe() of a plugin runs.
 */
#ifndef CORE_DRAFT_H
#define CORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/alarm.h>
#include <busbar/log.h>
#include <busbar/point.h>

struct generation;

/** How the name of every alarm point begins. */
#define ALARM_PREFIX "alarm."

/** A point made for one device: descriptor and its texts in one piece. */
struct own_point {
	struct bb_point point;
	struct bb_alarm_type alarm; /* of an alarm that alarms.csv does not list */
	char texts[];               /* name, labels */
};

/** Make @own, whose name and labels are set, like @from in everything else. */
void own_copy(struct own_point *own, const struct bb_point *from);

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

#endif
