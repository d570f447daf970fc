/* SPDX-License-Identifier: Apache-2.0
 *
 * player.h - plays a scenario on a model: time passes, and what the scenario says happens at its moment.
 *
 * Pure, as the model is: it is told what time it is.
 */
#ifndef SIMULATOR_PLAYER_H
#define SIMULATOR_PLAYER_H

#include "physics.h"
#include "scenario.h"

struct player {
	const struct scenario *scenario; /* NULL: nothing happens */
	struct physics physics;
	struct physics_world normal; /* how the world is while nothing has happened */
	int64_t now_ms;              /* since player_init() */
	int64_t round_ms;            /* when the scenario (last) started over */
	size_t next;                 /* the entry that comes next */
	int64_t silent_until_ms;     /* it does not answer before that */
	bool sensor_failed;          /* at the battery */
};

/** Start at time 0; @scenario is borrowed and may be NULL. */
void player_init(struct player *player, const struct physics_setup *setup, const struct physics_world *world,
		 const struct scenario *scenario);

/** It is @now_ms now; a time before the last one changes nothing. */
void player_advance(struct player *player, int64_t now_ms);

/** Does it answer at all? */
bool player_is_silent(const struct player *player);

#endif
