/* SPDX-License-Identifier: Apache-2.0
 *
 * test_scheduler.c - polls on workers and in steps on the main loop, of a device that answers over a socket pair.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "configuration.h"
#include "device.h"
#include "events.h"
#include "link.h"
#include "monitor.h"
#include "options.h"
#include "registry.h"
#include "scheduler.h"

static struct bb_loop *loop;
static struct link_table *links;
static struct bb_registry *registry;
static struct scheduler *scheduler;
static struct bb_device *device;
static struct bb_config *config;
static pthread_t main_thread;

/* What the plugin does, and what was done. */
static struct {
	int ends[2];   /* the plugin's and the peer's */
	int first, on; /* what a first step and a further one say */
	bool mute;     /* the peer does not answer */
	int steps, polls, watches;
	bool wrong_thread, stepping;
} plugin;

static int test_open(struct bb_builder *builder, const struct bb_config *section, void *state)
{
	(void)section;
	(void)state;
	return bb_builder_add(builder, "battery.charge");
}

static int test_poll(void *state, struct bb_reading *reading)
{
	(void)state;
	plugin.wrong_thread = plugin.wrong_thread || pthread_equal(pthread_self(), main_thread);
	plugin.polls++;
	return bb_reading_set(reading, 0, 970);
}

static int test_step(void *state, struct bb_reading *reading, enum bb_group group, bool again, int *ret_fd)
{
	char answer;

	(void)state;
	(void)group;
	plugin.wrong_thread = plugin.wrong_thread || !pthread_equal(pthread_self(), main_thread);
	plugin.steps++;
	*ret_fd = plugin.ends[0];
	if (!again) {
		plugin.stepping = true;
		if (plugin.first == BB_WAIT && !plugin.mute)
			cr_assert_eq(write(plugin.ends[1], "x", 1), 1);
		return plugin.first;
	}
	cr_assert_eq(read(plugin.ends[0], &answer, 1), 1);
	plugin.stepping = false;
	return plugin.on == 0 ? bb_reading_set(reading, 0, 550) : plugin.on;
}

static void test_close(void *state)
{
	(void)state;
}

static const struct bb_plugin stepping_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "stepping",
	.device = {.open = test_open, .poll = test_poll, .step = test_step, .close = test_close},
};

static void start_with(const char *interval)
{
	const char *const options[] = {interval, "timeout=200ms", NULL};
	struct configuration_section section;

	memset(&plugin, 0, sizeof(plugin));
	plugin.first = BB_WAIT;
	main_thread = pthread_self();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, plugin.ends), 0);
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(events_start(loop, 1), 0);
	cr_assert_eq(link_table_create(loop, &links), 0);
	cr_assert_eq(registry_create(loop, &registry), 0);
	cr_assert_eq(scheduler_create(loop, &scheduler), 0);
	cr_assert_eq(configuration_make_device(&stepping_plugin, "ups-a", options, &section), 0);
	config = section.config;
	cr_assert_eq(device_create(registry, &stepping_plugin, config, &device), 0);
	cr_assert_eq(device_open(device, links), 0);
	cr_assert_eq(device_ensure_link(device, links), 0);
	cr_assert_eq(scheduler_add(scheduler, device, 0), 0);
}

static void start(void)
{
	start_with("interval=100ms");
}

static void start_slow(void)
{
	start_with("interval=1h");
}

static void on_removed(void *context, struct bb_device *removed)
{
	(void)context;
	device_close(removed);
	bb_loop_stop(loop);
}

static bool is_removed;

static void stop(void)
{
	if (!is_removed) {
		scheduler_remove(scheduler, device, on_removed, NULL);
		cr_assert_eq(bb_loop_run(loop), 0);
	}
	bb_device_unref(device);
	options_free(config);
	scheduler_destroy(scheduler);
	registry_destroy(registry);
	cr_assert(link_table_destroy(links, 5000));
	events_stop();
	bb_loop_destroy(loop);
	close(plugin.ends[0]);
	close(plugin.ends[1]);
	cr_assert(!plugin.wrong_thread, "polls belong to workers, steps to the main loop");
}

TestSuite(scheduler, .init = start, .fini = stop);
TestSuite(scheduler_slow, .init = start_slow, .fini = stop);

/* Look every millisecond whether the test has seen enough; fail after ten seconds. */
static bool (*enough)(void);
static int looks;

static void look(void *context)
{
	(void)context;
	cr_assert_lt(++looks, 10000, "it does not come about");
	if (enough())
		bb_loop_stop(loop);
}

static void run_until(bool (*condition)(void))
{
	struct bb_timer *timer = bb_timer_create(loop, look, NULL);

	enough = condition;
	looks = 0;
	bb_timer_start(timer, 1, 1);
	cr_assert_eq(bb_loop_run(loop), 0);
	bb_timer_destroy(timer);
}

static int64_t charge(void)
{
	struct bb_snapshot snapshot;
	int64_t value;

	bb_device_snapshot(device, bb_clock_ms(), &snapshot);
	value = snapshot.reading ? bb_reading_values(snapshot.reading)[0] : -1;
	bb_snapshot_release(&snapshot);
	return value;
}

static struct bb_device_stats stats(void)
{
	struct bb_device_stats now;

	bb_device_stats(device, &now);
	return now;
}

static bool five_polls(void)
{
	return stats().polls >= 5;
}

Test(scheduler, after_first_contact_polls_go_in_steps)
{
	run_until(five_polls);
	cr_assert_eq(plugin.polls, 1, "first contact is a worker's, not %d", plugin.polls);
	cr_assert_geq(plugin.steps, 8, "two steps a poll, not %d", plugin.steps);
	cr_assert_eq(charge(), 550);
	cr_assert_eq(stats().errors, 0);
}

Test(scheduler, a_poll_that_may_block_goes_to_a_worker)
{
	plugin.first = BB_BLOCKS;
	run_until(five_polls);
	cr_assert_geq(plugin.polls, 5);
	cr_assert_eq(charge(), 970);
	cr_assert_eq(stats().errors, 0);
}

Test(scheduler, a_poll_that_comes_to_block_goes_to_a_worker)
{
	plugin.on = BB_BLOCKS;
	run_until(five_polls);
	cr_assert_geq(plugin.polls, 5);
	cr_assert_geq(plugin.steps, 8);
	cr_assert_eq(charge(), 970);
}

Test(scheduler, a_step_may_have_the_answer_at_once)
{
	plugin.first = 0;
	run_until(five_polls);
	cr_assert_eq(plugin.polls, 1);
	cr_assert_eq(stats().errors, 0);
}

static bool one_error(void)
{
	return stats().errors >= 1;
}

Test(scheduler, a_step_that_fails_fails_the_poll)
{
	plugin.on = -EIO;
	run_until(one_error);
	cr_assert_eq(charge(), 970, "the reading before stays");
}

Test(scheduler, steps_end_at_the_deadline)
{
	int64_t began;

	plugin.mute = true;
	began = bb_clock_ms();
	run_until(one_error);
	cr_assert_geq(bb_clock_ms() - began, 200);
	cr_assert_leq(bb_clock_ms() - began, 5000);
	plugin.mute = false;
	plugin.stepping = false;
	run_until(five_polls);
}

static bool is_stepping(void)
{
	return plugin.stepping;
}

Test(scheduler, a_device_can_be_removed_amid_its_steps)
{
	plugin.mute = true;
	run_until(is_stepping);
	scheduler_remove(scheduler, device, on_removed, NULL); /* at once, so stop() has nothing to wait for */
	is_removed = true;
	cr_assert_null(device_link(device));
}

/* Work that waits for the link. */
static struct link_work work;
static bool work_done, stepping_when_run;

static int work_run(struct link_work *one)
{
	(void)one;
	stepping_when_run = plugin.stepping;
	return 0;
}

static void work_over(struct link_work *one, int result)
{
	(void)one;
	cr_assert_eq(result, 0);
	work_done = true;
}

static bool is_work_done(void)
{
	return work_done;
}

Test(scheduler, work_for_the_link_waits_until_the_steps_are_over)
{
	plugin.mute = true;
	run_until(is_stepping);
	work = (struct link_work){.run = work_run, .done = work_over, .timeout_ms = 1000};
	link_submit(device_link(device), &work);
	plugin.mute = false;
	cr_assert_eq(write(plugin.ends[1], "x", 1), 1);
	run_until(is_work_done);
	cr_assert(!stepping_when_run, "one at a time on a link");
	run_until(five_polls);
}

static bool ten_polls(void)
{
	return stats().polls >= 10;
}

Test(scheduler, a_peer_that_speaks_unasked_wakes_nobody_for_long)
{
	run_until(five_polls);
	cr_assert_eq(write(plugin.ends[1], "y", 1), 1); /* stays unread until the next poll takes it for its answer */
	run_until(ten_polls);
	cr_assert_eq(stats().errors, 0);
}

static bool one_poll(void)
{
	return stats().polls >= 1;
}

static bool two_polls(void)
{
	return stats().polls >= 2;
}

static bool three_polls(void)
{
	return stats().polls >= 3;
}

Test(scheduler_slow, after_a_gap_in_time_a_device_is_polled_at_once)
{
	const int64_t now = bb_clock_ms();

	run_until(one_poll);
	cr_assert_eq(monitor_start(registry), 0);
	cr_assert_eq(registry_add(registry, device), 0);
	monitor_check(registry, now, now);
	monitor_check(registry, now + 600000, now + 1000); /* it slept for ten minutes */
	run_until(two_polls);
	registry_remove(registry, device);
	monitor_stop(registry);
}

Test(scheduler_slow, a_poll_that_was_begun_before_a_gap_is_followed_by_another)
{
	plugin.mute = true; /* so that steps are under way */
	run_until(one_poll);
	scheduler_begin_anew(device, 0);
	run_until(is_stepping);
	scheduler_begin_anew(device, 0);
	plugin.mute = false;
	cr_assert_eq(write(plugin.ends[1], "x", 1), 1);
	run_until(three_polls);
}
