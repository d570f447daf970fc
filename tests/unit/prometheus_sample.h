/* SPDX-License-Identifier: Apache-2.0
 *
 * prometheus_sample.h - facts for pages without a registry: devices with points, readings and alarms that a test or
 * a benchmark fills as it likes.
 */
#ifndef TESTS_PROMETHEUS_SAMPLE_H
#define TESTS_PROMETHEUS_SAMPLE_H

#include <assert.h>
#include <stdlib.h>

#include <busbar/clock.h>

#include "alarm.h"
#include "derive.h"
#include "draft.h"
#include "facts.h"
#include "generation.h"
#include "reading.h"

/* A generation with @count points as a plugin would add them, and what the core derives from them. */
static inline struct generation *sample_generation(const struct bb_point_spec *specs, size_t count)
{
	struct draft draft = {0};
	struct derive_plan *plan;
	struct generation *generation;
	int r = draft_init(&draft, NULL, NULL);

	if (r >= 0)
		r = draft_add(&draft, specs, count);
	if (r >= 0)
		r = derive_extend(&draft, NULL, &plan);
	if (r >= 0)
		r = generation_create(&draft, plan, &generation);
	draft_finish(&draft);
	return r < 0 ? NULL : generation;
}

/* An empty reading of @generation and the alarms it can raise, for device number @index of @facts. */
static inline struct bb_reading *sample_renew(struct facts *facts, size_t index, struct generation *generation)
{
	struct bb_snapshot *snapshot = &facts->devices[index].snapshot;

	bb_snapshot_release(snapshot);
	*snapshot = (struct bb_snapshot){.state = BB_DEVICE_UP, .age_ms = 250};
	snapshot->reading = reading_create(generation, NULL, BB_GROUP_REST, bb_clock_ms());
	reading_finish(snapshot->reading);
	snapshot->alarms = alarm_set_create(generation->alarm_count, generation);
	for (size_t i = 0; i < generation->alarm_count; i++)
		snapshot->alarms->alarms[i].type = generation->points[generation->alarms[i]]->alarm;
	return snapshot->reading;
}

/* Room for @count devices that never answered; @names live as long as the facts. */
static inline void sample_devices(struct facts *facts, const char *const *names, size_t count)
{
	*facts = (struct facts){.agent_version = "1.2.3", .version = 1};
	facts->devices = calloc(count, sizeof(*facts->devices));
	facts->device_count = facts->device_capacity = count;
	for (size_t i = 0; i < count; i++) {
		facts->devices[i].name = names[i];
		facts->devices[i].plugin = "sample";
		facts->devices[i].snapshot.age_ms = -1;
	}
}

/* Set a numeric point by its name. */
static inline void sample_set(struct bb_reading *reading, const char *name, int64_t value)
{
	const int index = bb_reading_find(reading, name);

	assert(index >= 0);
	(void)bb_reading_set(reading, (size_t)index, value); /* a value that cannot be is what some tests want */
}

#endif
