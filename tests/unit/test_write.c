/* SPDX-License-Identifier: Apache-2.0
 *
 * test_write.c - writes to devices: checked, in a row with polls, told to who asked and kept as events.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "configuration.h"
#include "device.h"
#include "events.h"
#include "link.h"
#include "link_queue.h"
#include "options.h"
#include "registry.h"

static struct bb_loop *loop;
static struct link_table *links;
static struct bb_registry *registry;
static struct bb_device *device;
static struct bb_config *config;

/* What the plugin was asked, and what it will say. */
static struct {
	atomic_int writes;
	int result, sleep_ms;
	size_t index;
	struct bb_value value;
	bool open_when_written;
} plugin;

static bool plugin_is_open;

static const struct bb_member modes[] = {{0, "normal"}, {2, "eco"}};
static const struct bb_member bits[] = {{0, "lamp"}, {3, "horn"}};
static const struct bb_point_spec points[] = {
	{.name = "vendor.limit", .kind = BB_KIND_NUMBER, .unit = BB_AMPERE, .decimals = 1, .writable = true},
	{.name = "vendor.fixed", .kind = BB_KIND_NUMBER},
	{.name = "vendor.relay", .kind = BB_KIND_BOOL, .writable = true},
	{.name = "vendor.mode", .kind = BB_KIND_ENUM, .members = modes, .member_count = 2, .writable = true},
	{.name = "vendor.outputs", .kind = BB_KIND_FLAGS, .members = bits, .member_count = 2, .writable = true},
	{.name = "vendor.label", .kind = BB_KIND_STRING, .writable = true},
	{.name = "ups.command.off", .writable = true},
	{.name = "ups.start.auto"},
};

static int test_open(struct bb_builder *builder, const struct bb_config *section, void *state)
{
	(void)section;
	(void)state;
	plugin_is_open = true;
	return bb_builder_add_points(builder, points, BB_LENGTH(points));
}

static int test_poll(void *state, struct bb_reading *reading)
{
	(void)state;
	return bb_reading_set(reading, 0, 5);
}

static int test_write(void *state, size_t index, const struct bb_value *value)
{
	(void)state;
	usleep((useconds_t)plugin.sleep_ms * 1000);
	plugin.index = index;
	plugin.value = *value;
	plugin.open_when_written = plugin_is_open;
	plugin.writes++;
	return plugin.result;
}

static void test_close(void *state)
{
	(void)state;
	plugin_is_open = false;
}

static const struct bb_plugin writing_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "writing",
	.device = {.open = test_open, .poll = test_poll, .write = test_write, .close = test_close},
};

static const struct bb_plugin reading_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "reading",
	.device = {.open = test_open, .poll = test_poll, .close = test_close},
};

static void open_device(const struct bb_plugin *of)
{
	static const char *const options[] = {"interval=1s", NULL};
	struct configuration_section section;

	cr_assert_eq(configuration_make_device(of, "ups-a", options, &section), 0);
	config = section.config;
	cr_assert_eq(device_create(registry, of, config, &device), 0);
	cr_assert_eq(device_open(device, links), 0);
	cr_assert_eq(device_ensure_link(device, links), 0);
}

static void start(void)
{
	memset(&plugin, 0, sizeof(plugin));
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(events_start(loop, 1), 0);
	cr_assert_eq(link_table_create(loop, &links), 0);
	cr_assert_eq(registry_create(loop, &registry), 0);
	open_device(&writing_plugin);
}

static void close_device(void)
{
	if (plugin_is_open)
		device_close(device);
	bb_device_unref(device);
	options_free(config);
}

static void stop(void)
{
	close_device();
	registry_destroy(registry);
	cr_assert(link_table_destroy(links, 5000));
	events_stop();
	bb_loop_destroy(loop);
}

TestSuite(write, .init = start, .fini = stop);

/* What done() was told. */
static struct {
	int calls, result;
} told;

static void on_done(void *context, int result)
{
	cr_assert_eq(context, &told);
	cr_assert(bb_loop_is_current(loop));
	told.calls++;
	told.result = result;
	bb_loop_stop(loop);
}

static struct bb_write *begin(const char *point, struct bb_value value)
{
	const struct bb_write_request request = {
		.point = point, .value = value, .source = "test peer", .loop = loop, .done = on_done, .context = &told};
	struct bb_write *write;

	told.calls = 0;
	cr_assert_eq(bb_device_write(device, &request, &write), 0);
	return write;
}

static int write_value(const char *point, struct bb_value value)
{
	(void)begin(point, value); /* it is gone when done() is called */
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.calls, 1);
	return told.result;
}

static int write_number(const char *point, int64_t number)
{
	return write_value(point, (struct bb_value){.number = number});
}

static void poll_once(void)
{
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
}

static void expect_event(enum bb_severity severity, const char *point, const char *value, const char *unit,
			 const char *text)
{
	const struct bb_event *event = events_next(events_newest() - 1);

	cr_assert_not_null(event);
	cr_assert_eq(event->kind, BB_EVENT_WRITE);
	cr_assert_eq(event->severity, severity);
	cr_assert_str_eq(event->device, "ups-a");
	cr_assert_str_eq(event->point, point);
	cr_assert_str_eq(event->value, value);
	cr_assert_str_eq(event->unit, unit);
	cr_assert_str_eq(event->source, "test peer");
	cr_assert_str_eq(event->text, text);
}

Test(write, a_value_reaches_the_plugin_and_the_journal)
{
	poll_once();
	cr_assert_eq(write_number("vendor.limit", 125), 0);
	cr_assert_eq(plugin.writes, 1);
	cr_assert_eq(plugin.index, 0);
	cr_assert_eq(plugin.value.number, 125);
	expect_event(BB_SEVERITY_INFO, "vendor.limit", "12.5", "A", "written");
}

Test(write, a_member_is_named_in_the_event)
{
	poll_once();
	cr_assert_eq(write_number("vendor.mode", 2), 0);
	expect_event(BB_SEVERITY_INFO, "vendor.mode", "eco", "", "written");
}

Test(write, a_command_is_written_with_its_arguments)
{
	poll_once();
	cr_assert_eq(write_value("ups.command.off", (struct bb_value){.argument_count = 3}), -EINVAL);
	cr_assert_eq(write_value("ups.command.off", (struct bb_value){.arguments = {20, -1}, .argument_count = 2}), 0);
	cr_assert_eq(plugin.value.arguments[0], 20);
	expect_event(BB_SEVERITY_INFO, "ups.command.off", "20 -1", "", "written");
	cr_assert_eq(write_value("ups.command.off", (struct bb_value){.argument_count = 0}), 0);
	expect_event(BB_SEVERITY_INFO, "ups.command.off", "", "", "written");
}

Test(write, text_is_copied)
{
	char text[] = "rack 7";

	poll_once();
	(void)begin("vendor.label", (struct bb_value){.text = text});
	text[0] = 'x';
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.result, 0);
	expect_event(BB_SEVERITY_INFO, "vendor.label", "rack 7", "", "written");
}

Test(write, what_the_point_cannot_be_never_reaches_the_plugin)
{
	poll_once();
	cr_assert_eq(write_number("vendor.relay", 2), -EINVAL);
	cr_assert_eq(write_number("vendor.mode", 1), -EINVAL);
	cr_assert_eq(write_number("vendor.outputs", 2), -EINVAL);
	cr_assert_eq(write_number("vendor.outputs", -1), -EINVAL);
	cr_assert_eq(write_number("vendor.label", 0), -EINVAL);
	cr_assert_eq(write_number("vendor.fixed", 1), -EACCES);
	cr_assert_eq(write_number("ups.start.auto", 1), -EACCES, "the plugin does not take it");
	cr_assert_eq(write_number("alarm.count", 1), -EACCES);
	cr_assert_eq(write_number("vendor.other", 1), -ENOENT);
	cr_assert_eq(plugin.writes, 0);
	expect_event(BB_SEVERITY_WARNING, "vendor.other", "1", "", "not written: No such file or directory");
	cr_assert_eq(write_number("vendor.outputs", 9), 0);
	cr_assert_eq(plugin.writes, 1);
}

Test(write, a_device_that_was_never_described_is_not_written_to)
{
	cr_assert_eq(write_number("vendor.limit", 1), -EAGAIN);
	cr_assert_eq(plugin.writes, 0);
}

Test(write, what_the_device_says_is_passed_on)
{
	poll_once();
	plugin.result = -EREMOTEIO;
	cr_assert_eq(write_number("vendor.limit", 1), -EREMOTEIO);
	expect_event(BB_SEVERITY_WARNING, "vendor.limit", "0.1", "A", "not written: Remote I/O error");
}

Test(write, a_plugin_that_does_not_write_says_so)
{
	close_device();
	open_device(&reading_plugin);
	poll_once();
	cr_assert_eq(write_number("vendor.limit", 1), -EOPNOTSUPP);
}

Test(write, a_closed_device_is_not_written_to)
{
	poll_once();
	device_close(device);
	cr_assert_eq(write_number("vendor.limit", 1), -ENODEV);
	cr_assert_eq(plugin.writes, 0);
}

static void on_idle(void *context, struct bb_device *idle)
{
	*(bool *)context = true;
	device_close(idle);
}

/* Runs after what was posted before it. */
static void stop_loop(struct bb_task *task)
{
	(void)task;
	bb_loop_stop(loop);
}

Test(write, closing_waits_for_a_write_under_way_and_later_ones_are_refused)
{
	struct bb_task task = {.run = stop_loop};
	bool idle = false;

	poll_once();
	plugin.sleep_ms = 100;
	(void)begin("vendor.limit", (struct bb_value){.number = 1});
	bb_loop_post(loop, &task);
	cr_assert_eq(bb_loop_run(loop), 0);
	device_when_idle(device, on_idle, &idle);
	cr_assert(!idle, "the write is under way");
	cr_assert_eq(write_number("vendor.limit", 2), -ENODEV);
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.result, 0, "the first one");
	cr_assert(idle);
	cr_assert(plugin.open_when_written);
	cr_assert_eq(plugin.writes, 1);
}

Test(write, a_forgotten_write_happens_and_tells_nobody_but_the_journal)
{
	struct bb_task task = {.run = stop_loop};
	bool idle = false;

	poll_once();
	bb_write_forget(begin("vendor.limit", (struct bb_value){.number = 7}));
	while (plugin.writes == 0) {
		bb_loop_post(loop, &task);
		cr_assert_eq(bb_loop_run(loop), 0);
	}
	device_when_idle(device, on_idle, &idle);
	while (!idle) {
		bb_loop_post(loop, &task);
		cr_assert_eq(bb_loop_run(loop), 0);
	}
	cr_assert_eq(told.calls, 0);
	expect_event(BB_SEVERITY_INFO, "vendor.limit", "0.7", "A", "written");
	bb_write_forget(NULL);
}

/* ---- before polls, behind writes ---- */

/* Something that has the device's link for a while, as a poll does. */
struct occupant {
	struct link_work work;
	int sleep_ms;
	atomic_bool running;
	int writes_before; /* how many writes had run when it began */
	bool done;
};

static int occupant_run(struct link_work *work)
{
	struct occupant *occupant = BB_CONTAINER(work, struct occupant, work);

	occupant->writes_before = plugin.writes;
	occupant->running = true;
	usleep((useconds_t)occupant->sleep_ms * 1000);
	return 0;
}

static void occupant_done(struct link_work *work, int result)
{
	(void)result;
	BB_CONTAINER(work, struct occupant, work)->done = true;
	bb_loop_stop(loop);
}

/* Let @occupant wait for the link; with @now until it has it. */
static void occupy(struct occupant *occupant, bool now)
{
	occupant->work = (struct link_work){.run = occupant_run, .done = occupant_done, .timeout_ms = 1000};
	link_submit(device_link(device), &occupant->work);
	while (now && !occupant->running)
		usleep(1000);
}

static void run_until_free(struct occupant *occupant)
{
	while (!occupant->done)
		cr_assert_eq(bb_loop_run(loop), 0);
}

Test(write, a_write_runs_before_polls_that_wait)
{
	struct occupant running = {.sleep_ms = 50}, waiting[3] = {0};

	poll_once();
	occupy(&running, true);
	for (int i = 0; i < 3; i++)
		occupy(&waiting[i], false);
	(void)begin("vendor.limit", (struct bb_value){.number = 1});
	for (int i = 0; i < 3; i++)
		run_until_free(&waiting[i]);
	cr_assert_eq(running.writes_before, 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(waiting[i].writes_before, 1, "poll %d", i);
}

/* The last to be told ends the run. */
struct teller {
	int number;
	int *next; /* whose turn it is */
};

static void on_in_turn(void *context, int result)
{
	struct teller *teller = context;

	cr_assert_eq(result, 0);
	cr_assert_eq(teller->number, (*teller->next)++, "in the order they were asked for");
	cr_assert_eq(plugin.writes, LINK_OVERTAKES * 2);
	bb_loop_stop(loop);
}

Test(write, writes_stay_in_order_and_do_not_keep_a_device_from_being_polled)
{
	struct teller tellers[LINK_OVERTAKES * 2];
	struct occupant running = {.sleep_ms = 50}, waiting[2] = {0};
	int next = 0;

	poll_once();
	occupy(&running, true);
	for (int i = 0; i < 2; i++)
		occupy(&waiting[i], false);
	for (int i = 0; i < LINK_OVERTAKES * 2; i++) {
		struct bb_write *write;

		tellers[i] = (struct teller){.number = i, .next = &next};
		cr_assert_eq(bb_device_write(device,
					     &(struct bb_write_request){.point = "vendor.limit",
									.value.number = i,
									.source = "test peer",
									.loop = loop,
									.done = on_in_turn,
									.context = &tellers[i]},
					     &write),
			     0);
	}
	/* All results wait until the main loop gets to them, so that all writes have run by then. */
	while (!waiting[0].running || !waiting[1].running || plugin.writes < LINK_OVERTAKES * 2) {
		struct bb_task task = {.run = stop_loop};

		if (plugin.writes == 0) { /* they have not arrived yet */
			bb_loop_post(loop, &task);
			cr_assert_eq(bb_loop_run(loop), 0);
		}
		usleep(1000);
	}
	while (next < LINK_OVERTAKES * 2)
		cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(plugin.value.number, LINK_OVERTAKES * 2 - 1);
	cr_assert_eq(waiting[0].writes_before, LINK_OVERTAKES);
	cr_assert_eq(waiting[1].writes_before, LINK_OVERTAKES * 2);
	run_until_free(&waiting[1]);
}

/* ---- within a time ---- */

static struct bb_write *begin_within(int64_t ms, int64_t number)
{
	const struct bb_write_request request = {.point = "vendor.limit",
						 .value.number = number,
						 .source = "test peer",
						 .start_within_ms = ms,
						 .loop = loop,
						 .done = on_done,
						 .context = &told};
	struct bb_write *write;

	told.calls = 0;
	cr_assert_eq(bb_device_write(device, &request, &write), 0);
	return write;
}

static void expect_withdrawn(const char *value)
{
	expect_event(BB_SEVERITY_WARNING, "vendor.limit", value, "",
		     "not written: withdrawn, it had not begun in time");
}

Test(write, what_cannot_begin_in_time_is_withdrawn_at_that_time_and_never_runs)
{
	struct occupant slow = {.sleep_ms = 600};
	const int64_t began_ms = bb_clock_ms();

	poll_once();
	occupy(&slow, true);
	(void)begin_within(100, 1);
	while (told.calls == 0)
		cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.result, -ECANCELED);
	cr_assert_geq(bb_clock_ms() - began_ms, 99);
	cr_assert_not(slow.done, "told while the link is busy");
	expect_withdrawn("1");
	run_until_free(&slow);
	cr_assert_eq(write_number("vendor.limit", 2), 0, "the next one runs");
	cr_assert_eq(plugin.writes, 1, "the first one never did");
	cr_assert_eq(plugin.value.number, 2);
}

Test(write, what_has_begun_in_time_may_take_longer)
{
	poll_once();
	plugin.sleep_ms = 700;
	(void)begin_within(500, 1);
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.calls, 1);
	cr_assert_eq(told.result, 0);
	cr_assert_eq(plugin.writes, 1);
}

Test(write, what_is_late_because_the_main_loop_is_never_runs)
{
	struct bb_task task = {.run = stop_loop};
	struct occupant slow = {.sleep_ms = 300};

	poll_once();
	(void)begin_within(20, 1);
	usleep(40000);
	cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.result, -ECANCELED, "it arrives too late");

	occupy(&slow, true);
	(void)begin_within(200, 2);
	bb_loop_post(loop, &task);
	cr_assert_eq(bb_loop_run(loop), 0); /* it has arrived, and waits for the link */
	usleep(500000);
	cr_assert_eq(told.calls, 0);
	while (told.calls == 0)
		cr_assert_eq(bb_loop_run(loop), 0);
	cr_assert_eq(told.result, -ECANCELED, "the worker looks at the clock");
	run_until_free(&slow);
	cr_assert_eq(plugin.writes, 0);
}

Test(write, a_forgotten_write_that_is_withdrawn_is_told_to_the_journal)
{
	struct occupant slow = {.sleep_ms = 100};

	poll_once();
	occupy(&slow, true);
	bb_write_forget(begin_within(20, 3));
	run_until_free(&slow);
	cr_assert_eq(told.calls, 0);
	expect_withdrawn("3");
	cr_assert_eq(plugin.writes, 0);
}

Test(write, the_event_of_a_write_that_was_given_up_says_how_it_ended)
{
	struct bb_task task = {.run = stop_loop};
	struct bb_write *write;

	poll_once();
	plugin.sleep_ms = 100;
	plugin.result = -EREMOTEIO;
	write = begin_within(5000, 4);
	bb_loop_post(loop, &task);
	cr_assert_eq(bb_loop_run(loop), 0); /* it has arrived, and begins */
	usleep(60000);
	bb_write_forget(write);
	while (events_newest() == 0) {
		bb_loop_post(loop, &task);
		cr_assert_eq(bb_loop_run(loop), 0);
		usleep(1000);
	}
	cr_assert_eq(told.calls, 0);
	expect_event(BB_SEVERITY_WARNING, "vendor.limit", "0.4", "A", "not written: Remote I/O error");
}

/* ---- either withdrawn or run ---- */

#define RACES 300

static struct {
	atomic_int ran[RACES];
	int withdrawn[RACES], done;
} race;

static int race_write(void *state, size_t index, const struct bb_value *value)
{
	(void)state;
	(void)index;
	race.ran[value->number]++;
	usleep(500);
	return 0;
}

static const struct bb_plugin racing_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "racing",
	.device = {.open = test_open, .poll = test_poll, .write = race_write, .close = test_close},
};

static void on_raced(void *context, int result)
{
	const size_t number = (size_t)(uintptr_t)context;

	cr_assert(result == 0 || result == -ECANCELED, "%d", result);
	race.withdrawn[number] = result == -ECANCELED;
	if (++race.done == RACES)
		bb_loop_stop(loop);
}

Test(write, every_write_is_either_withdrawn_or_run)
{
	int ran = 0, withdrawn = 0;

	close_device();
	open_device(&racing_plugin);
	poll_once();
	/* A write takes a little more than half a millisecond: some of these begin in time, some just so, some do not. */
	for (size_t i = 0; i < RACES; i++) {
		const struct bb_write_request request = {.point = "vendor.limit",
							 .value.number = (int64_t)i,
							 .source = "test peer",
							 .start_within_ms = i > 0 ? 1 + (int64_t)i * 7 / 8 % 200 : 0,
							 .loop = loop,
							 .done = on_raced,
							 .context = (void *)(uintptr_t)i};
		struct bb_write *write;

		cr_assert_eq(bb_device_write(device, &request, &write), 0);
	}
	cr_assert_eq(bb_loop_run(loop), 0);
	for (size_t i = 0; i < RACES; i++) {
		cr_assert_eq(race.ran[i] + race.withdrawn[i], 1, "write %zu ran %d times, withdrawn %d", i, race.ran[i],
			     race.withdrawn[i]);
		ran += race.ran[i];
		withdrawn += race.withdrawn[i];
	}
	cr_assert_gt(ran, 0);
	cr_assert_gt(withdrawn, 0);
}
