/* SPDX-License-Identifier: Apache-2.0
 *
 * test_registry.c - the list of devices, its version, and the agent's own alarms.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "events.h"
#include "fake_device.h"

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

TestSuite(registry, .init = start, .fini = stop);

Test(registry, devices_are_listed_by_name_and_found)
{
	static const char *const names[] = {"m", "b", "z", "a"};
	static const char *const sorted[] = {"a", "b", "m", "z"};
	struct bb_device *devices[4], *found;
	struct bb_device_list *list;

	for (int i = 0; i < 4; i++) {
		devices[i] = fake_open_device(registry, names[i], fake_ups_points);
		cr_assert_eq(registry_add(registry, devices[i]), 0);
	}
	list = bb_registry_devices(registry);
	cr_assert_eq(list->count, 4);
	cr_assert_eq(list->version, bb_registry_version(registry));
	for (int i = 0; i < 4; i++)
		cr_assert_str_eq(bb_device_name(list->devices[i]), sorted[i]);
	found = bb_registry_find(registry, "m");
	cr_assert_eq(found, devices[0]);
	bb_device_unref(found);
	cr_assert_null(bb_registry_find(registry, "mm"));
	cr_assert_null(bb_registry_find(registry, ""));
	cr_assert_eq(registry_add(registry, devices[2]), -EEXIST);

	registry_remove(registry, devices[1]);
	cr_assert_null(bb_registry_find(registry, "b"));
	cr_assert_eq(list->count, 4, "who holds a list keeps it");
	bb_device_list_unref(list);
	list = bb_registry_devices(registry);
	cr_assert_eq(list->count, 3);
	bb_device_list_unref(list);
	for (int i = 0; i < 4; i++) {
		if (i != 1)
			registry_remove(registry, devices[i]);
		fake_free(devices[i]);
	}
}

Test(registry, a_touched_registry_has_the_same_devices_under_a_new_number)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct bb_device_list *before, *after;

	cr_assert_eq(registry_add(registry, device), 0);
	before = bb_registry_devices(registry);
	registry_touch(registry);
	cr_assert_gt(bb_registry_version(registry), before->version);
	after = bb_registry_devices(registry);
	cr_assert_eq(after->version, bb_registry_version(registry));
	cr_assert(after->count == 1 && after->devices[0] == device);
	bb_device_list_unref(after);
	bb_device_list_unref(before);
	registry_remove(registry, device);
	fake_free(device);
}

/* Takes lists while devices come and go. */
struct reader {
	atomic_bool stop;
	size_t lists, contradictions;
};

static void *read_lists(void *argument)
{
	struct reader *reader = argument;
	uint64_t version = UINT64_MAX;
	size_t count = 0;

	while (!atomic_load(&reader->stop)) {
		struct bb_device_list *list = bb_registry_devices(registry);

		reader->lists++;
		reader->contradictions += list->version == version && list->count != count;
		version = list->version;
		count = list->count;
		bb_device_list_unref(list);
	}
	return NULL;
}

Test(registry, two_lists_of_one_version_have_the_same_devices)
{
	struct bb_device *device = fake_open_device(registry, "ups-a", fake_ups_points);
	struct reader reader = {0};
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, read_lists, &reader), 0);
	for (int i = 0; i < 20000; i++) {
		cr_assert_eq(registry_add(registry, device), 0);
		registry_remove(registry, device);
	}
	atomic_store(&reader.stop, true);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_gt(reader.lists, 0);
	cr_assert_eq(reader.contradictions, 0, "an exporter would show devices that have gone: %zu of %zu lists",
		     reader.contradictions, reader.lists);
	fake_free(device);
}

Test(registry, alarms_of_the_agent_are_raised_and_cleared_with_events)
{
	struct bb_alarm_set *before = bb_registry_agent_alarms(registry), *raised, *cleared;
	struct bb_loop *loop;

	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(events_start(loop, 1), 0);
	cr_assert_eq(before->active, 0);
	registry_agent_alarm(registry, "plugin-failed", true, "x.so: wrong ABI");
	registry_agent_alarm(registry, "plugin-failed", true, "again");
	raised = bb_registry_agent_alarms(registry);
	cr_assert_eq(raised->active, 1);
	cr_assert_eq(before->active, 0, "who holds a set keeps it");
	cr_assert_eq(events_newest(), 1);
	cr_assert_str_eq(events_next(0)->text, "x.so: wrong ABI");
	cr_assert_str_eq(events_next(0)->subject, "plugin-failed");
	cr_assert_str_eq(events_next(0)->device, "");
	for (size_t i = 0; i < raised->count; i++)
		if (raised->alarms[i].active)
			cr_assert(raised->alarms[i].event == 1 && raised->alarms[i].since_ms > 0);
	registry_agent_alarm(registry, "plugin-failed", false, NULL);
	cleared = bb_registry_agent_alarms(registry);
	cr_assert_eq(cleared->active, 0);
	cr_assert_eq(events_next(1)->kind, BB_EVENT_ALARM_CLEARED);
	cr_assert_eq(events_next(0)->raised, 1);
	cr_assert_eq(events_next(1)->raised, 1);
	bb_alarm_set_unref(before);
	bb_alarm_set_unref(raised);
	bb_alarm_set_unref(cleared);
	events_stop();
	bb_loop_destroy(loop);
}

Test(registry, an_alarm_of_several_holders_is_active_while_one_holds_it)
{
	struct bb_alarm_set *set;

	cr_assert(registry_hold_agent_alarm(registry, "tls-not-verified", true, "a"));
	cr_assert(registry_hold_agent_alarm(registry, "tls-not-verified", true, "b"));
	cr_assert(registry_hold_agent_alarm(registry, "tls-not-verified", false, NULL));
	set = bb_registry_agent_alarms(registry);
	cr_assert_eq(set->active, 1);
	bb_alarm_set_unref(set);
	cr_assert(registry_hold_agent_alarm(registry, "tls-not-verified", false, NULL));
	set = bb_registry_agent_alarms(registry);
	cr_assert_eq(set->active, 0);
	bb_alarm_set_unref(set);
	cr_assert_not(registry_hold_agent_alarm(registry, "on-battery", true, NULL), "no alarm of the agent");
}

struct listener {
	struct bb_loop *loop;
	int calls;
};

static void count_call(void *context)
{
	struct listener *listener = context;

	listener->calls++;
	bb_loop_stop(listener->loop);
}

Test(registry, changes_are_told_once_on_the_loop)
{
	struct bb_registry *looped;
	struct listener listener = {0};

	cr_assert_eq(bb_loop_create(&listener.loop), 0);
	cr_assert_eq(registry_create(listener.loop, &looped), 0);
	registry_on_change(looped, count_call, &listener);
	registry_touch(looped);
	registry_touch(looped);
	cr_assert_eq(listener.calls, 0);
	cr_assert_eq(bb_loop_run(listener.loop), 0);
	cr_assert_eq(listener.calls, 1);
	registry_touch(looped);
	cr_assert_eq(bb_loop_run(listener.loop), 0);
	cr_assert_eq(listener.calls, 2);
	registry_destroy(looped);
	bb_loop_destroy(listener.loop);
}

static atomic_bool changing;

static void *list_all_the_time(void *context)
{
	uint64_t newest = 0;

	(void)context;
	while (atomic_load(&changing)) {
		struct bb_device_list *list = bb_registry_devices(registry);

		cr_assert_geq(list->version, newest);
		newest = list->version;
		for (size_t i = 1; i < list->count; i++)
			cr_assert_lt(strcmp(bb_device_name(list->devices[i - 1]), bb_device_name(list->devices[i])), 0);
		bb_device_list_unref(list);
		bb_device_unref(bb_registry_find(registry, "b"));
	}
	return NULL;
}

Test(registry, lists_are_whole_while_devices_come_and_go)
{
	static const char *const names[] = {"a", "b", "c"};
	struct bb_device *devices[3];
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		devices[i] = fake_open_device(registry, names[i], fake_ups_points);
	atomic_store(&changing, true);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, list_all_the_time, NULL), 0);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 3; i++)
			cr_assert_eq(registry_add(registry, devices[i]), 0);
		registry_touch(registry);
		for (int i = 0; i < 3; i++)
			registry_remove(registry, devices[i]);
	}
	atomic_store(&changing, false);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 3; i++)
		fake_free(devices[i]);
}
