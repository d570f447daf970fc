/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots: what a device looks like at one moment, judged by the age of what it said last.
 *
 * Whether a device is up is not stored anywhere: it follows from its newest reading, the last clock gap and the
 * time, so an exporter that asks between two looks of the monitor never shows old values as fresh.
 */
#include <busbar/macros.h>

#include "device_data.h"
#include "reading.h"
#include "registry.h"

const char *bb_device_state_name(enum bb_device_state state)
{
	static const char *const names[] = {"unknown", "never-connected", "up", "lost"};

	return (size_t)state < BB_LENGTH(names) ? names[state] : "unknown";
}

/*
 * What a device is, as of @now_ms. @gap_ms: when the clock jumped last; what was read before counts as nothing, and
 * the device has stale-after from then on to answer again.
 */
static enum bb_device_state judge(const struct bb_reading *reading, int64_t opened_ms, int64_t gap_ms,
				  int64_t stale_after_ms, int64_t now_ms)
{
	int64_t asked_ms = reading ? reading_newest(reading) : opened_ms;
	const bool before_gap = asked_ms < gap_ms;

	if (before_gap)
		asked_ms = gap_ms;
	if (now_ms - asked_ms > stale_after_ms)
		return reading ? BB_DEVICE_LOST : BB_DEVICE_NEVER;
	return reading && !before_gap ? BB_DEVICE_UP : BB_DEVICE_UNKNOWN;
}

/* A reading that was begun after the caller looked at its clock is new, not from the future. */
static int64_t age_of(const struct bb_reading *reading, int64_t now_ms)
{
	const int64_t age_ms = now_ms - reading_newest(reading);

	return age_ms > 0 ? age_ms : 0;
}

void bb_device_snapshot(struct bb_device *device, int64_t now_ms, struct bb_snapshot *ret_snapshot)
{
	const int64_t gap_ms = registry_gap(device->registry);
	struct bb_snapshot snapshot = {.age_ms = -1};
	const int64_t stale_after_ms = device->stale_after_ms;
	int64_t opened_ms;

	pthread_mutex_lock(&device->lock);
	if (device->reading)
		snapshot.reading = bb_reading_ref(device->reading);
	if (device->alarms)
		snapshot.alarms = bb_alarm_set_ref(device->alarms);
	opened_ms = device->opened_ms;
	pthread_mutex_unlock(&device->lock);

	snapshot.state = judge(snapshot.reading, opened_ms, gap_ms, stale_after_ms, now_ms);
	for (int group = 0; group < BB_GROUP_COUNT; group++) {
		const int64_t time_ms = snapshot.reading ? snapshot.reading->times[group] : 0;

		snapshot.stale[group] = time_ms == 0 || time_ms < gap_ms || now_ms - time_ms > stale_after_ms;
	}
	if (snapshot.reading)
		snapshot.age_ms = age_of(snapshot.reading, now_ms);
	*ret_snapshot = snapshot;
}

void bb_snapshot_release(struct bb_snapshot *snapshot)
{
	bb_reading_unref(snapshot->reading);
	bb_alarm_set_unref(snapshot->alarms);
	snapshot->reading = NULL;
	snapshot->alarms = NULL;
}

enum bb_quality bb_snapshot_quality(const struct bb_snapshot *snapshot, size_t index)
{
	const enum bb_quality quality = snapshot->reading->qualities[index];

	if (quality == BB_QUALITY_GOOD && snapshot->stale[bb_reading_group(snapshot->reading, index)])
		return BB_QUALITY_STALE;
	return quality;
}
