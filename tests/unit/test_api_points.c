/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api_points.c - rows about points. What busbarctl makes of them is tested from outside, in
 * tests/integration/test_api.py.
 */
#include "api_internal.h"
#include "fake_device.h"

Test(api_points, a_value_that_came_while_the_row_was_being_made_is_new_not_from_the_future)
{
	struct api_batch batch = {.count = 0};
	struct bb_registry *registry;
	struct bb_snapshot snapshot;
	struct bb_device *device;

	script = (struct fake_script){0};
	cr_assert_eq(registry_create(NULL, &registry), 0);
	device = fake_open_device(registry, "ups-a", fake_ups_points);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	bb_device_snapshot(device, bb_clock_ms(), &snapshot);

	api_batch_add(&batch, "ups-a", &snapshot, 0, bb_reading_time(snapshot.reading, BB_GROUP_URGENT) - 1);
	api_batch_add(&batch, "ups-a", &snapshot, 0, bb_reading_time(snapshot.reading, BB_GROUP_URGENT) + 7);
	cr_expect_eq(batch.rows[0].age_ms, 0, "-1 would mean that it never came");
	cr_expect_eq(batch.rows[1].age_ms, 7);
	bb_snapshot_release(&snapshot);
	fake_free(device);
	registry_destroy(registry);
}
