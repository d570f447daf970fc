/* SPDX-License-Identifier: Apache-2.0
 *
 * backoff.c - see busbar/backoff.h.
 */
#include <busbar/backoff.h>

#include <assert.h>

int64_t bb_backoff_next(struct bb_backoff *backoff, int64_t first_ms, int64_t most_ms)
{
	int64_t delay_ms = first_ms < most_ms ? first_ms : most_ms, quarter_ms, part;

	assert(first_ms > 0 && most_ms > 0);
	for (uint32_t i = 0; i < backoff->failures && delay_ms < most_ms; i++) /* 63 times at most: it doubles */
		delay_ms = delay_ms <= most_ms / 2 ? delay_ms * 2 : most_ms;
	if (backoff->failures < UINT32_MAX)
		backoff->failures++;
	backoff->random = backoff->random * 1103515245U + 12345U; /* differs between agents; need not be a secret */
	quarter_ms = delay_ms / 4;
	part = backoff->random >> 16 & 0xff; /* of 256 */
	return delay_ms - quarter_ms / 256 * part - quarter_ms % 256 * part / 256;
}
