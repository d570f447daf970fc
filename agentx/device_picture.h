/* SPDX-License-Identifier: Apache-2.0
 *
 * device_picture.h - what a device shows of the UPS-MIB at one moment: those of its instances that have a value.
 */
#ifndef AGENTX_DEVICE_PICTURE_H
#define AGENTX_DEVICE_PICTURE_H

#include <busbar/device.h>

#include "alarm_rows.h"
#include "layout.h"
#include "picture.h"

struct device_picture {
	struct picture head;
	struct bb_snapshot snapshot;
	struct layout *layout; /* NULL: it never answered */
	struct alarm_rows alarms;
	uint32_t lock;    /* value of its spin lock */
	uint32_t *places; /* of what has a value: in the layout's items, or in the rows of alarms */
	uint32_t first[]; /* where the places of each object begin; one more at the end */
};

/**
 * The picture of @take_snapshot (given back with the picture, at once on failure), whose reading is of @layout's
 * generation. NULL when memory lacks.
 */
struct device_picture *device_picture_create(struct bb_snapshot *take_snapshot, struct layout *layout, uint32_t lock);

/** The place of that row among what has a value, or -1. */
int64_t device_picture_find(const struct device_picture *picture, size_t object, uint32_t row);

/** Append the variable binding of the instance at @place of @object, which is called @name. */
void device_picture_put(const struct device_picture *picture, const struct moment *moment, size_t object,
			uint32_t place, const struct oid *name, struct codec_buffer *answer);

#endif
