/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/pace.h - when to poll a device next. Pure: it takes `now` and what happened, and does no I/O.
 *
 * Devices are spread over the interval by a phase made from their name, so that a thousand of them do not
 * ask in the same millisecond. Urgent points are asked every `watch`, everything every `interval`. A device
 * that does not answer is asked once per back-off step: 1, 2, then 4 intervals (never more), each with a
 * jitter of a tenth, and its watch polls rest until it answers. One whose poll took long rests as long, but
 * no longer than an interval, so that many devices behind one slow peer leave it time to answer.
 *
 * The core's scheduler uses it for polls on workers; a plugin that polls from a thread of its own uses it too.
 */
#ifndef BUSBAR_PACE_H
#define BUSBAR_PACE_H

#include <stdint.h>

#include <busbar/reading.h>

/** Pacing state of one device. Its fields are the pace functions' own. Not shared between threads. */
struct bb_pace {
	int64_t interval_ms, watch_ms;
	int64_t next_rest_ms;   /* when everything is due */
	int64_t next_urgent_ms; /* when the urgent points are due; never before the first success */
	int64_t phase_ms;       /* its place in the interval, from its name */
	uint32_t failures;      /* in a row */
	uint32_t random;        /* state of the jitter, seeded by the name */
};

/**
 * Start: the first poll is due within @spread_ms after @now_ms (0: at once). @interval_ms is above 0; @watch_ms 0: no
 * watch polls. All times are bb_clock_ms(). Thread, here and below: the one that owns @pace.
 */
void bb_pace_init(struct bb_pace *pace, const char *name, int64_t interval_ms, int64_t watch_ms, int64_t now_ms,
		  int64_t spread_ms);

/** When the next poll is due, and of which group (REST polls everything). May lie in the past. */
int64_t bb_pace_next(const struct bb_pace *pace, enum bb_group *ret_group);

/** A poll of @group, begun at @started_ms, has ended at @now_ms with @result (0 or a negative errno). */
void bb_pace_done(struct bb_pace *pace, enum bb_group group, int64_t started_ms, int64_t now_ms, int result);

#endif
