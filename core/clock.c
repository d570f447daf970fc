/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c - the clocks of the agent, see busbar/clock.h. The rest of the core takes `now` as an argument wherever
 * it can, so that tests run on a time of their own; this is where `now` comes from.
 */
#include <assert.h>
#include <time.h>

#include <busbar/clock.h>

static struct timespec clock_read(clockid_t clock)
{
	struct timespec now;
	int r = clock_gettime(clock, &now);

	/* Linux has had all three clocks since 2.6.39; only a wrong id can fail. */
	assert(r == 0);
	(void)r;
	return now;
}

static int64_t clock_read_ms(clockid_t clock)
{
	const struct timespec now = clock_read(clock);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t bb_clock_ms(void)
{
	return clock_read_ms(CLOCK_BOOTTIME);
}

int64_t bb_clock_wall_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

int64_t bb_clock_us(void)
{
	const struct timespec now = clock_read(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
