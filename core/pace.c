/* SPDX-License-Identifier: Apache-2.0
 *
 * pace.c - when to poll a device next. See busbar/pace.h for the rules.
 *
 * The first poll comes early, so that an operator who just started the agent sees values; from the second on a
 * device keeps to its own phase of the interval, made from its name, so that polls of many devices spread evenly
 * however they were started.
 */
#include <string.h>

#include <busbar/pace.h>
#include <busbar/text.h>

/* Spreads names that differ in one digit; the generator below must not start at 0. */
static uint32_t pace_hash(const char *name)
{
	const uint32_t hash = bb_text_hash(name, strlen(name));

	return hash ? hash : 1;
}

/* xorshift32 (Marsaglia): jitter needs to differ between devices, not to be unpredictable. */
static uint32_t pace_random(struct bb_pace *pace)
{
	pace->random ^= pace->random << 13;
	pace->random ^= pace->random >> 17;
	pace->random ^= pace->random << 5;
	return pace->random;
}

/* The first time at or after @from_ms that lies at @phase of the interval. */
static int64_t pace_grid(int64_t from_ms, int64_t interval_ms, int64_t phase)
{
	const int64_t behind = (from_ms - phase) % interval_ms;

	return behind ? from_ms + interval_ms - behind : from_ms;
}

void bb_pace_init(struct bb_pace *pace, const char *name, int64_t interval_ms, int64_t watch_ms, int64_t now_ms,
		  int64_t spread_ms)
{
	const uint32_t hash = pace_hash(name);

	*pace = (struct bb_pace){
		.interval_ms = interval_ms,
		.watch_ms = watch_ms < interval_ms ? watch_ms : 0, /* the interval is enough then */
		.next_rest_ms = now_ms + (spread_ms > 0 ? (int64_t)hash % spread_ms : 0),
		.next_urgent_ms = INT64_MAX,
		.phase_ms = (int64_t)(hash % (uint64_t)interval_ms),
		.random = hash,
	};
}

int64_t bb_pace_next(const struct bb_pace *pace, enum bb_group *ret_group)
{
	if (pace->next_urgent_ms < pace->next_rest_ms) {
		*ret_group = BB_GROUP_URGENT;
		return pace->next_urgent_ms;
	}
	*ret_group = BB_GROUP_REST;
	return pace->next_rest_ms;
}

static void pace_failed(struct bb_pace *pace, int64_t now_ms)
{
	const unsigned doublings = pace->failures < 2 ? pace->failures : 2;
	const int64_t delay = pace->interval_ms << doublings;
	const int64_t jitter = delay / 10 + 1;

	pace->failures++;
	pace->next_rest_ms = now_ms + delay - (int64_t)(pace_random(pace) % (uint64_t)jitter);
	pace->next_urgent_ms = INT64_MAX;
}

static int64_t largest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void bb_pace_done(struct bb_pace *pace, enum bb_group group, int64_t started_ms, int64_t now_ms, int result)
{
	const int64_t took_ms = now_ms - started_ms;
	const int64_t rest_ms = took_ms < pace->interval_ms ? took_ms : pace->interval_ms;

	if (result < 0) {
		pace_failed(pace, now_ms);
		return;
	}
	pace->failures = 0;
	if (group == BB_GROUP_REST) /* half an interval on, so that the first step onto the grid is no double poll */
		pace->next_rest_ms =
			pace_grid(now_ms + largest(pace->interval_ms / 2, rest_ms), pace->interval_ms, pace->phase_ms);
	else
		pace->next_rest_ms = largest(pace->next_rest_ms, now_ms + rest_ms);
	if (pace->watch_ms > 0)
		pace->next_urgent_ms = largest(started_ms + pace->watch_ms, now_ms + rest_ms);
}
