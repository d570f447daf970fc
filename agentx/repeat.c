/* SPDX-License-Identifier: Apache-2.0
 *
 * repeat.c - when upsTrapOnBattery is due again, see repeat.h.
 */
#include "repeat.h"

#include <string.h>

#define PERIOD_MS 60000

/* Whole periods from @since_ms to @at_ms, 0 before that. */
static int64_t periods(int64_t since_ms, int64_t at_ms)
{
	return at_ms > since_ms ? (at_ms - since_ms) / PERIOD_MS : 0;
}

bool repeat_is_due(int64_t since_ms, int64_t before_ms, int64_t now_ms)
{
	return periods(since_ms, now_ms) > periods(since_ms, before_ms);
}

const struct bb_alarm *repeat_alarm(const struct bb_snapshot *snapshot)
{
	const struct bb_alarm_set *alarms = snapshot->alarms;

	if (snapshot->state != BB_DEVICE_UP || snapshot->stale[BB_GROUP_URGENT] || !alarms || alarms->active == 0)
		return NULL;
	for (size_t i = 0; i < alarms->count; i++) {
		const struct bb_alarm *alarm = &alarms->alarms[i];

		if (strcmp(alarm->type->name, "on-battery") == 0)
			return alarm->active && alarm->event != 0 && alarm->inhibited_until_wall_ms == 0 ? alarm : NULL;
	}
	return NULL;
}
