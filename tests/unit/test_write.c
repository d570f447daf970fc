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
