/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/backoff.h - how long to wait before something that has failed is tried again. Pure: no clock, no I/O.
 *
 * The wait doubles with each failure in a row, up to a limit, so that a peer that comes back soon is found soon and one
 * that stays away costs little. Up to a quarter of each wait is left out by chance: those that lost the same peer in the
 * same moment should not all come back to it in the same moment. Polls of devices have a rhythm of their own, see
 * busbar/pace.h.
 */
#ifndef BUSBAR_BACKOFF_H
#define BUSBAR_BACKOFF_H

#include <stdint.h>

/** One thing that may fail. Zeroed is a good start; a @random that others do not have keeps apart from them. */
struct bb_backoff {
	uint32_t failures; /* in a row: set it to 0 when it has worked */
	uint32_t random;   /* state of the jitter: any number at first */
};

/**
 * It has failed (again): how many milliseconds to wait. @first_ms after the first failure, twice as long after each
 * further one, never more than @most_ms; less a random part, a quarter at most. Both are above 0. Thread: the one that
 * owns @backoff.
 */
int64_t bb_backoff_next(struct bb_backoff *backoff, int64_t first_ms, int64_t most_ms);

#endif
