/* SPDX-License-Identifier: Apache-2.0
 *
 * player.c - see player.h.
 *
 * The model is advanced to the very moment of each entry before the entry changes its world, so that what comes of a
 * scenario depends little on how often the device is polled.
 */
#include "player.h"

/* After a long sleep a repeated scenario goes on with its last rounds; the ones before do not show any more. */
#define ROUNDS_MAX 8

static void move(struct player *player, int64_t to_ms)
{
	physics_advance(&player->physics, to_ms - player->now_ms);
	player->now_ms = to_ms;
}

static void start_over(struct player *player, int64_t at_ms)
{
	player->round_ms = at_ms;
	player->next = 0;
	player->physics.world = player->normal;
	player->sensor_failed = false;
}

static void apply(struct player *player, const struct scenario_entry *entry)
{
	struct physics_world *world = &player->physics.world;

	switch (entry->action) {
	case SCENARIO_MAINS:
		world->mains_mv = entry->value < 0 ? player->normal.mains_mv : entry->value;
		break;
	case SCENARIO_LOAD:
		world->load_mpct = entry->value < 0 ? player->normal.load_mpct : entry->value;
		break;
	case SCENARIO_SENSOR:
		player->sensor_failed = entry->value == 0;
		break;
	case SCENARIO_SILENCE:
		player->silent_until_ms = player->now_ms + entry->value;
		break;
	case SCENARIO_TEMPERATURE:
		world->ambient_mdeg = entry->value;
		break;
	case SCENARIO_BATTERY:
		world->condition = (enum physics_condition)entry->value;
		break;
	case SCENARIO_TEST:
		physics_test(&player->physics);
		break;
	case SCENARIO_BYPASS:
		world->bypass = entry->value != 0;
		break;
	case SCENARIO_ALARM:
		world->forced[entry->alarm] = entry->value != 0;
		break;
	}
}

static void skip_rounds(struct player *player, int64_t now_ms)
{
	const int64_t rounds = (now_ms - player->round_ms) / player->scenario->repeat_ms;

	if (rounds <= ROUNDS_MAX)
		return;
	start_over(player, player->round_ms + (rounds - ROUNDS_MAX) * player->scenario->repeat_ms);
	move(player, player->round_ms);
}

void player_advance(struct player *player, int64_t now_ms)
{
	const struct scenario *scenario = player->scenario;

	if (now_ms < player->now_ms)
		return;
	if (scenario && scenario->repeat_ms > 0)
		skip_rounds(player, now_ms);
	while (scenario) {
		const bool more = player->next < scenario->count;

		if (more && player->round_ms + scenario->entries[player->next].at_ms <= now_ms) {
			move(player, player->round_ms + scenario->entries[player->next].at_ms);
			apply(player, &scenario->entries[player->next++]);
		} else if (!more && scenario->repeat_ms > 0 && player->round_ms + scenario->repeat_ms <= now_ms) {
			move(player, player->round_ms + scenario->repeat_ms);
			start_over(player, player->now_ms);
		} else {
			break;
		}
	}
	move(player, now_ms);
}

bool player_is_silent(const struct player *player)
{
	return player->now_ms < player->silent_until_ms;
}

void player_init(struct player *player, const struct physics_setup *setup, const struct physics_world *world,
		 const struct scenario *scenario)
{
	*player = (struct player){.scenario = scenario, .normal = *world};
	physics_init(&player->physics, setup, world);
	player_advance(player, 0);
}
