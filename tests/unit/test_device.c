/* SPDX-License-Identifier: Apache-2.0
 *
 * test_device.c - describing, polling and publishing, and what readers on other threads see of it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "fake_device.h"
#include "reading.h"

static struct bb_registry *registry;

static void start(void)
{
	script = (struct fake_script){0};
	cr_assert_eq(registry_create(NULL, &registry), 0);
}

static void stop(void)
{
	registry_destroy(registry);
}

TestSuite(device, .init = start, .fini = stop);

static enum bb_device_state state_at(struct bb_device *device, int64_t now_ms)
{
	struct bb_snapshot snapshot;

	bb_device_snapshot(device, now_ms, &snapshot);
	const enum bb_device_state state = snapshot.state;

	bb_snapshot_release(&snapshot);
	return state;
}

Test(device, an_open_device_has_alarms_but_no_reading)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_snapshot snapshot;

	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	cr_assert_null(snapshot.reading);
	cr_assert_eq(snapshot.age_ms, -1);
	cr_assert_eq(snapshot.alarms->count, 2, "on-battery and communications-lost");
	cr_assert_eq(snapshot.state, BB_DEVICE_UNKNOWN);
	cr_assert(snapshot.stale[BB_GROUP_REST] && snapshot.stale[BB_GROUP_URGENT]);
	bb_snapshot_release(&snapshot);
	cr_assert_str_eq(bb_device_name(device), "ups-a");
	cr_assert_str_eq(bb_device_plugin(device), "fake");
	cr_assert_str_eq(bb_device_address(device), "");
	cr_assert_eq(bb_device_interval(device), 1000);
	fake_free(device);
}

Test(device, the_first_poll_describes_and_publishes)
{
	static const char *const more[] = {"input.L1.voltage", NULL};
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_snapshot snapshot;
	struct bb_device_stats stats;

	script.describe_points = more;
	cr_assert_eq(device_poll(device, BB_GROUP_URGENT), 0, "an urgent poll before all else is a full one");
	cr_assert(script.describes == 1 && script.polls == 1 && script.watches == 0);
	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	cr_assert_eq(snapshot.state, BB_DEVICE_UP);
	cr_assert_eq(bb_reading_find(snapshot.reading, "battery.charge"), 1);
	cr_assert_eq(bb_reading_find(snapshot.reading, "input.L1.voltage"), 3, "describe() counts on from open()");
	cr_assert_eq(bb_snapshot_quality(&snapshot, 1), BB_QUALITY_GOOD);
	cr_assert_eq(bb_snapshot_quality(&snapshot, 2), BB_QUALITY_UNKNOWN);
	cr_assert(bb_reading_find(snapshot.reading, "ups.status") > 3);
	bb_snapshot_release(&snapshot);
	bb_device_stats(device, &stats);
	cr_assert(stats.polls == 1 && stats.errors == 0);
	fake_free(device);
}

Test(device, a_watch_poll_refreshes_urgent_points_only)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_snapshot snapshot;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	script.on_battery = true;
	cr_assert_eq(device_poll(device, BB_GROUP_URGENT), 0);
	cr_assert_eq(script.watches, 1);
	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	cr_assert_eq(bb_reading_values(snapshot.reading)[0], 1);
	cr_assert_eq(bb_reading_values(snapshot.reading)[1], 970);
	cr_assert_leq(bb_reading_time(snapshot.reading, BB_GROUP_REST),
		      bb_reading_time(snapshot.reading, BB_GROUP_URGENT));
	bb_snapshot_release(&snapshot);
	fake_free(device);
}

Test(device, a_failed_poll_keeps_the_last_reading_and_is_counted)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_device_stats stats;
	struct bb_snapshot snapshot;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	script.poll_result = -ETIMEDOUT;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), -ETIMEDOUT);
	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	cr_assert_eq(bb_reading_values(snapshot.reading)[1], 970);
	bb_snapshot_release(&snapshot);
	bb_device_stats(device, &stats);
	cr_assert(stats.polls == 2 && stats.errors == 1);
	script.poll_result = 0;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	fake_free(device);
}

Test(device, a_failed_describe_is_tried_again)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);

	script.describe_result = -ETIMEDOUT;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), -ETIMEDOUT);
	cr_assert_eq(script.polls, 0);
	script.describe_result = 0;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert(script.describes == 2 && script.polls == 2);
	fake_free(device);
}

static uint64_t generation_of(struct bb_device *device)
{
	struct bb_snapshot snapshot;

	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	const uint64_t number = bb_reading_generation(snapshot.reading);

	bb_snapshot_release(&snapshot);
	return number;
}

Test(device, learning_again_changes_the_generation_only_with_the_points)
{
	static const char *const more[] = {"input.L1.voltage", NULL};
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_snapshot before;
	uint64_t generation;

	cr_assert_eq(registry_add(registry, device), 0);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	generation = generation_of(device);
	bb_device_snapshot(device, bb_clock_ms(), &before);

	const uint64_t version = bb_registry_version(registry);

	script.relearns = 1;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(script.describes, 2);
	cr_assert_eq(generation_of(device), generation);
	cr_assert_eq(bb_registry_version(registry), version);

	script.describe_points = more;
	cr_assert_eq(bb_device_relearn(device), 0);
	cr_assert_eq(device_poll(device, BB_GROUP_URGENT), 0);
	cr_assert_eq(script.watches, 0, "the new points need a full poll first");
	cr_assert_neq(generation_of(device), generation);
	cr_assert_gt(bb_registry_version(registry), version);

	cr_assert_eq(bb_reading_generation(before.reading), generation);
	cr_assert_str_eq(bb_reading_point(before.reading, 0)->name, "alarm.on-battery");
	bb_snapshot_release(&before);
	registry_remove(registry, device);
	fake_free(device);
}

Test(device, a_device_that_never_stops_changing_fails)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);

	script.relearns = 5;
	cr_assert_eq(device_poll(device, BB_GROUP_REST), -EAGAIN);
	cr_assert_eq(state_at(device, bb_clock_ms()), BB_DEVICE_UNKNOWN);
	fake_free(device);
}

Test(device, a_failed_open_closes_once)
{
	struct bb_device *device = fake_create(registry, "ups-a");
	struct bb_config *config = (struct bb_config *)(uintptr_t)device_config(device);

	script.open_result = -EINVAL;
	cr_assert_eq(device_open(device, NULL), -EINVAL);
	cr_assert_eq(script.closes, 1);
	bb_device_unref(device);
	options_free(config);
}

Test(device, states_follow_from_ages)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	const int64_t now = bb_clock_ms();
	struct bb_snapshot snapshot;

	cr_assert_eq(state_at(device, now + 9000), BB_DEVICE_UNKNOWN);
	cr_assert_eq(state_at(device, now + 11000), BB_DEVICE_NEVER);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(state_at(device, now + 9000), BB_DEVICE_UP);

	bb_device_snapshot(device, now + 60000, &snapshot);
	cr_assert_eq(snapshot.state, BB_DEVICE_LOST);
	cr_assert(snapshot.stale[BB_GROUP_REST] && snapshot.stale[BB_GROUP_URGENT]);
	cr_assert_eq(bb_snapshot_quality(&snapshot, 1), BB_QUALITY_STALE);
	cr_assert_eq(bb_snapshot_quality(&snapshot, 2), BB_QUALITY_UNKNOWN, "what was not good does not become stale");
	cr_assert_geq(snapshot.age_ms, 59000);
	bb_snapshot_release(&snapshot);
	fake_free(device);
}

Test(device, after_a_clock_gap_it_has_stale_after_to_answer_again)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	const int64_t gap = bb_clock_ms() + 1;
	struct bb_snapshot snapshot;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	registry_set_gap(registry, gap + 100000);
	bb_device_snapshot(device, gap + 100001, &snapshot);
	cr_assert_eq(snapshot.state, BB_DEVICE_UNKNOWN);
	cr_assert(snapshot.stale[BB_GROUP_URGENT]);
	bb_snapshot_release(&snapshot);
	cr_assert_eq(state_at(device, gap + 109000), BB_DEVICE_UNKNOWN);
	cr_assert_eq(state_at(device, gap + 111000), BB_DEVICE_LOST);

	registry_set_gap(registry, gap - 1000); /* a poll after the gap ends it */
	cr_assert_eq(state_at(device, gap + 1), BB_DEVICE_UP);
	fake_free(device);
}

/* ---- many readers, one writer ---- */

#define READERS 4
#define ROUNDS  3000

/* All values of a reading of this device are the same number, so a torn reading shows. */
static const char *const equal_points[] = {"input.L1.voltage",
					   "input.L2.voltage",
					   "input.L3.voltage",
					   "output.L1.voltage",
					   "output.L2.voltage",
					   "device.model",
					   NULL};

static atomic_bool writing;

static void *look_all_the_time(void *context)
{
	struct bb_device *device = context;
	uintptr_t seen = 0;

	while (atomic_load(&writing)) {
		struct bb_snapshot snapshot;

		bb_device_snapshot(device, bb_clock_ms(), &snapshot);
		if (snapshot.reading != NULL) {
			const int64_t *values = bb_reading_values(snapshot.reading);
			char text[24];

			for (size_t i = 1; i < 5; i++)
				cr_assert_eq(values[i], values[0]);
			bb_decimal_print(text, values[0], 0);
			cr_assert_str_eq(bb_reading_text(snapshot.reading, 5), text);
			cr_assert_eq(snapshot.alarms->count, 1);
			seen++;
		}
		bb_snapshot_release(&snapshot);
	}
	return (void *)seen;
}

Test(device, readers_see_whole_readings_while_a_writer_publishes)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", equal_points);
	pthread_t readers[READERS];

	atomic_store(&writing, true);
	for (int i = 0; i < READERS; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, look_all_the_time, device), 0);
	for (int round = 0; round < ROUNDS; round++) {
		struct bb_reading *reading = bb_device_begin(device, BB_GROUP_REST);
		char text[24];
		const size_t length = bb_decimal_print(text, round, 0);

		for (size_t i = 0; i < 5; i++)
			cr_assert_eq(bb_reading_set(reading, i, round), 0);
		cr_assert_eq(bb_reading_set_text(reading, 5, text, length), 0);
		if (round % 7 == 0)
			bb_device_abandon(device, reading);
		else
			bb_device_publish(device, reading);
	}
	atomic_store(&writing, false);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	fake_free(device);
}

/* An event-driven plugin that does not get up. */
static int lame_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	(void)config;
	(void)state;
	return fake_add(builder, fake_ups_points);
}

static int lame_start(void *state)
{
	*(char *)state = 1; /* something that stop() has to undo */
	return -EIO;
}

static void lame_stop(void *state)
{
	cr_expect_eq(*(char *)state, 1);
	*(char *)state = 2;
}

static void lame_close(void *state)
{
	cr_expect_eq(*(char *)state, 2, "stopped before it is closed");
}

Test(device, that_fails_to_start_is_stopped_before_it_is_closed)
{
	static const struct bb_plugin plugin = {
		.abi = BB_PLUGIN_ABI,
		.kind = BB_PLUGIN_DEVICE,
		.name = "lame",
		.state_size = 1,
		.device = {.open = lame_open, .start = lame_start, .stop = lame_stop, .close = lame_close},
	};
	static const char *const no_options[] = {NULL};
	struct configuration_section section;
	struct bb_registry *empty;
	struct bb_device *device;

	cr_assert_eq(registry_create(NULL, &empty), 0);
	cr_assert_eq(configuration_make_device(&plugin, "lame", no_options, &section), 0);
	cr_assert_eq(device_create(empty, &plugin, section.config, &device), 0);
	cr_assert_eq(device_open(device, NULL), 0);
	cr_assert_eq(device_start(device), -EIO);
	fake_free(device);
	registry_destroy(empty);
}
