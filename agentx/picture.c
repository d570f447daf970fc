/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.c - counting the references of pictures, and times on the master's clock, see picture.h.
 */
#include "picture.h"

#include <assert.h>

/* A wall clock that is off by so much was set; less is how clocks are read, and how they are steered. */
#define PLAINLY_MS 500

/* The master counts hundredths of a second, we thousandths: less than this is no difference. */
#define ROUNDING_MS 20

/* Times come from devices, too, and may be anything. */
static int64_t difference(int64_t a, int64_t b)
{
	int64_t difference;

	if (!__builtin_sub_overflow(a, b, &difference))
		return difference;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

uint32_t moment_uptime(const struct moment *moment, int64_t at_ms)
{
	const int64_t uptime_ms = difference(at_ms, moment->master_ms);

	return uptime_ms <= 0 ? 0 : (uint32_t)(uptime_ms / 10); /* it wraps, as TimeTicks do */
}

uint32_t moment_uptime_of_wall(const struct moment *moment, int64_t wall_ms)
{
	return moment_uptime(moment, difference(wall_ms, moment->lead_ms));
}

int64_t moment_lead(int64_t before_ms, int64_t now_ms, int64_t wall_ms)
{
	const int64_t lead_ms = wall_ms - now_ms;

	return lead_ms > before_ms - PLAINLY_MS && lead_ms < before_ms + PLAINLY_MS ? before_ms : lead_ms;
}

int64_t moment_master(int64_t before_ms, int64_t asked_ms, int64_t heard_ms, uint32_t uptime)
{
	const int64_t earliest_ms = asked_ms - (int64_t)uptime * 10, latest_ms = heard_ms - (int64_t)uptime * 10;

	return before_ms > earliest_ms - ROUNDING_MS && before_ms < latest_ms + ROUNDING_MS ? before_ms : latest_ms;
}

struct picture *picture_ref(struct picture *picture)
{
	picture->references++;
	return picture;
}

void picture_unref(struct picture *picture)
{
	if (!picture)
		return;
	assert(picture->references > 0);
	if (--picture->references == 0)
		picture->ops->destroy(picture);
}
