/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_device.h - a device whose plugin does what a test says, for the tests of device, registry and monitor.
 */
#ifndef TESTS_FAKE_DEVICE_H
#define TESTS_FAKE_DEVICE_H

#include <criterion/criterion.h>

#include "configuration.h"
#include "device.h"
#include "options.h"
#include "registry.h"

/** What the plugin will do next; one script for all devices of a test. */
struct fake_script {
	const char *const *open_points;     /* ended by NULL */
	const char *const *describe_points; /* ended by NULL */
	int open_result, describe_result, poll_result;
	int relearns;    /* so many polls answer BB_RELEARN first */
	bool on_battery; /* what the alarm says, where point 0 is alarm.on-battery */
	int opens, describes, polls, watches, closes;
};

static struct fake_script script;

static const char *const fake_ups_points[] = {"alarm.on-battery", "battery.charge", "device.model", NULL};

static int fake_add(struct bb_builder *builder, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++) {
		const int place = bb_builder_add(builder, *names);

		if (place < 0)
			return place;
	}
	return 0;
}

static int fake_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	(void)config;
	*(struct bb_device **)state = bb_builder_device(builder);
	script.opens++;
	return script.open_result < 0 ? script.open_result : fake_add(builder, script.open_points);
}

static int fake_describe(struct bb_builder *builder, void *state)
{
	(void)state;
	script.describes++;
	return script.describe_result < 0 ? script.describe_result : fake_add(builder, script.describe_points);
}

static int fake_fill(struct bb_reading *reading)
{
	if (script.poll_result < 0)
		return script.poll_result;
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);

		if (!bb_reading_is_derived(reading, i) && point->kind == BB_KIND_NUMBER)
			cr_assert_eq(bb_reading_set(reading, i, 970), 0);
		if (!bb_reading_is_derived(reading, i) && point->kind == BB_KIND_ALARM)
			cr_assert_eq(bb_reading_set(reading, i, script.on_battery), 0);
	}
	return 0;
}

static int fake_poll(void *state, struct bb_reading *reading)
{
	(void)state;
	script.polls++;
	return script.relearns-- > 0 ? BB_RELEARN : fake_fill(reading);
}

static int fake_watch(void *state, struct bb_reading *reading)
{
	(void)state;
	script.watches++;
	return bb_reading_set(reading, 0, script.on_battery);
}

static void fake_close(void *state)
{
	(void)state;
	script.closes++;
}

static const struct bb_plugin fake_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "fake",
	.state_size = sizeof(struct bb_device *),
	.device = {.open = fake_open,
		   .describe = fake_describe,
		   .poll = fake_poll,
		   .watch = fake_watch,
		   .close = fake_close},
};

/** Make a device; its config is freed by fake_free(). */
static struct bb_device *fake_create(struct bb_registry *registry, const char *name)
{
	static const char *const options[] = {"interval=1s", "stale-after=10s", NULL};
	struct configuration_section section;
	struct bb_device *device;

	cr_assert_eq(configuration_make_device(&fake_plugin, name, options, &section), 0);
	cr_assert_eq(device_create(registry, &fake_plugin, section.config, &device), 0);
	return device;
}

/** Make a device with @points from open(), and open it. */
static inline struct bb_device *fake_open_device(struct bb_registry *registry, const char *name,
						 const char *const *points)
{
	struct bb_device *device = fake_create(registry, name);

	script.open_points = points;
	cr_assert_eq(device_open(device, NULL), 0);
	return device;
}

/** Close and free, with its config. */
static void fake_free(struct bb_device *device)
{
	struct bb_config *config = (struct bb_config *)(uintptr_t)device_config(device);

	device_close(device);
	bb_device_unref(device);
	options_free(config);
}

#endif
