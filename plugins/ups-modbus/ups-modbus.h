/* SPDX-License-Identifier: Apache-2.0
 *
 * ups-modbus.h - a device of the plugin, and the way from its registers to points (points.c).
 */
#ifndef UPS_MODBUS_H
#define UPS_MODBUS_H

#include <busbar/plugin.h>
#include <busbar/regmap.h>

#include "survey.h"

struct ups_modbus {
	const struct bb_log *log;
	struct bb_link *link;
	const struct bb_regmap *map;
	const struct bb_config *config;
	uint8_t unit;
	bool is_unidentified; /* which map it has is to be found out at first contact */
	struct survey survey;
	int *points; /* for each register of the map: its point in readings, −1: none, or told by another register */
	int *parts;  /* for each: the register with the next part of its point, −1: none */
	bool was_lost;    /* a poll has failed since the last survey: what is known may be of another device */
	bool postponed;   /* some registers were */
	int64_t retry_ms; /* when registers that were postponed are asked for again */
	struct bb_backoff backoff;

	/* A poll in steps: the blocks it reads, and which is asked for now; @asking_count: none. */
	const struct bb_block *asking;
	size_t asking_count, next;
};

/** Prepare for the device's map. 0 or -ENOMEM. */
int points_init(struct ups_modbus *device);
void points_finish(struct ups_modbus *device);

/** Add the points of what the survey has found. 0 or a negative errno. */
int points_describe(struct ups_modbus *device, struct bb_builder *builder);

/** Fill @reading with what the survey has read; only what is urgent with @urgent. */
void points_decode(const struct ups_modbus *device, struct bb_reading *reading, bool urgent);

/** The register that @point is read from, or NULL. */
const struct bb_register *points_register(const struct ups_modbus *device, size_t point);

#endif
