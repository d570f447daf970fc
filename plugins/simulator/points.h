/* SPDX-License-Identifier: Apache-2.0
 *
 * points.h - which point shows which value of the model.
 */
#ifndef SIMULATOR_POINTS_H
#define SIMULATOR_POINTS_H

#include <busbar/plugin.h>

#include "player.h"

/** Texts of a simulated UPS. Borrowed. */
struct points_identity {
	const char *model, *serial;
};

/** Add the points that a UPS with @lines lines has, as the first ones. Returns 0 or a negative errno. */
int points_add(struct bb_builder *builder, int64_t lines);

/**
 * Fill them from @player, all or only the urgent ones. @test_wall_ms is when the last test began, by the wall clock;
 * it counts only where there was one.
 */
void points_fill(const struct player *player, const struct points_identity *identity, int64_t test_wall_ms,
		 enum bb_group group, struct bb_reading *reading);

#endif
