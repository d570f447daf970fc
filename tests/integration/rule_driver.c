/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_driver - runs the monitor and the rules of a configuration over facts from a file, on simulated time.
 *
 * usage: rule_driver CONFIG < FACTS. It prints every alarm that is raised or cleared, for test_rules_year.py to compare
 * with what rules_twin.py makes of the same files. Everything is the agent's own code but the clocks, which the linker
 * puts in place of the real ones (--wrap), and the plugin, whose polls come from the facts:
 *
 *   points NAME…          what every device has, first line
 *   device NAME STALE_MS  a device and when its values are too old
 *   T poll DEVICE VALUE…  at T (ms of the boot clock) it answers; "-": that value cannot be read
 *   T sleep MS            the machine sleeps at T, for so long
 *   T wall MS             somebody moves the wall clock
 *   T end
 *
 * The monitor looks every LOOK_MS, after the facts of that moment. T are multiples of that, and grow.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configuration.h"
#include "device.h"
#include "events.h"
#include "log.h"
#include "monitor.h"
#include "options.h"
#include "registry.h"
#include "rule_config.h"

#define LOOK_MS     5000
#define DEVICES_MAX 16
#define POINTS_MAX  32
#define LINE_MAX    1024
#define BAD         INT64_MIN

static int64_t boot_ms, awake_ms, wall_ms = INT64_C(1750000000000);
static const char *points[POINTS_MAX];
static size_t point_count;
static int64_t answer[POINTS_MAX]; /* of the device that is polled now */

int64_t __wrap_bb_clock_ms(void);
int64_t __wrap_bb_clock_wall_ms(void);

int64_t __wrap_bb_clock_ms(void)
{
	return boot_ms;
}

int64_t __wrap_bb_clock_wall_ms(void)
{
	return wall_ms + boot_ms;
}

static void fail(const char *what, const char *about)
{
	fprintf(stderr, "rule_driver: %s: %s\n", what, about);
	exit(2);
}

/* ---- the plugin ---- */

static int facts_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	(void)config;
	(void)state;
	for (size_t i = 0; i < point_count; i++)
		if (bb_builder_add(builder, points[i]) < 0)
			fail("no such point", points[i]);
	return 0;
}

static int facts_poll(void *state, struct bb_reading *reading)
{
	(void)state;
	for (size_t i = 0; i < point_count; i++) {
		if (answer[i] == BAD)
			bb_reading_set_quality(reading, i, BB_QUALITY_BAD);
		else if (bb_reading_set(reading, i, answer[i]) < 0)
			fail("out of range", points[i]);
	}
	return 0;
}

static const struct bb_plugin facts_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "facts",
	.state_size = 1,
	.device = {.open = facts_open, .poll = facts_poll},
};

/* ---- the agent, as far as it is needed ---- */

static struct bb_loop *loop;
static struct bb_registry *registry;
static struct bb_device *devices[DEVICES_MAX];
static const char *names[DEVICES_MAX];
static char stale[DEVICES_MAX][40];
static size_t device_count;

static void print_event(void *context, const struct bb_event *event)
{
	(void)context;
	if (event->kind == BB_EVENT_ALARM_RAISED || event->kind == BB_EVENT_ALARM_CLEARED)
		printf("%" PRId64 " %s %s %s %s\n", boot_ms, event->device,
		       event->kind == BB_EVENT_ALARM_RAISED ? "raised" : "cleared", event->subject, event->value);
}

static struct event_subscriber subscriber = {.event = print_event};

static void start_device(size_t index)
{
	const char *const options[] = {"interval=1s", stale[index], NULL};
	struct configuration_section section;

	if (configuration_make_device(&facts_plugin, names[index], options, &section) < 0 ||
	    device_create(registry, &facts_plugin, section.config, &devices[index]) < 0 ||
	    device_open(devices[index], NULL) < 0 || registry_add(registry, devices[index]) < 0)
		fail("cannot open", names[index]);
}

/* All devices are known: check the rules, and begin. */
static void start(const char *config)
{
	struct rule_set *rules = NULL;
	struct sources sources;

	log_set_level(BB_LOG_ERROR);
	if (sources_load(config, &sources) < 0 || rule_config_check(&sources, names, device_count, &rules) < 0)
		fail("faulty", config);
	sources_free(&sources);
	if (bb_loop_create(&loop) < 0 || events_start(loop, 1) < 0 || registry_create(NULL, &registry) < 0 ||
	    monitor_start(registry) < 0)
		fail("no memory", config);
	registry_set_rules(registry, rules);
	rule_set_unref(rules);
	events_subscribe(&subscriber);
	for (size_t i = 0; i < device_count; i++)
		start_device(i);
}

static void stop(void)
{
	events_unsubscribe(&subscriber);
	for (size_t i = 0; i < device_count; i++) {
		struct bb_config *config = (struct bb_config *)(uintptr_t)device_config(devices[i]);

		registry_remove(registry, devices[i]);
		device_close(devices[i]);
		bb_device_unref(devices[i]);
		options_free(config);
		free((char *)(uintptr_t)names[i]);
	}
	monitor_stop(registry);
	registry_destroy(registry);
	events_stop();
	bb_loop_destroy(loop);
	for (size_t i = 0; i < point_count; i++)
		free((char *)(uintptr_t)points[i]);
}

/* ---- time and facts ---- */

/* Look every LOOK_MS until @until_ms, which itself is looked at only when @included. */
static void pass(int64_t until_ms, bool included)
{
	while (boot_ms + LOOK_MS < until_ms || (included && boot_ms + LOOK_MS <= until_ms)) {
		boot_ms += LOOK_MS;
		awake_ms += LOOK_MS;
		monitor_check(registry, boot_ms, awake_ms);
	}
}

static void poll_device(char *words)
{
	const char *name = strsep(&words, " \n"), *word;
	size_t place = 0, i = 0;

	while (place < device_count && strcmp(names[place], name) != 0)
		place++;
	if (place == device_count)
		fail("no such device", name);
	for (; i < point_count && (word = strsep(&words, " \n")) != NULL; i++)
		answer[i] = strcmp(word, "-") == 0 ? BAD : strtoll(word, NULL, 10);
	if (i < point_count || device_poll(devices[place], BB_GROUP_REST) < 0)
		fail("a poll failed", name);
}

/* A fact at @at_ms. False: it was the last. */
static bool happen(int64_t at_ms, const char *what, char *words)
{
	const bool after_look = strcmp(what, "poll") != 0;

	pass(at_ms, after_look);
	if (strcmp(what, "poll") == 0) {
		/* The moment of the next look, before it. */
		boot_ms += LOOK_MS;
		poll_device(words);
		boot_ms -= LOOK_MS;
	} else if (strcmp(what, "sleep") == 0) {
		boot_ms += strtoll(words, NULL, 10);
	} else if (strcmp(what, "wall") == 0) {
		wall_ms += strtoll(words, NULL, 10);
	}
	return strcmp(what, "end") != 0;
}

int main(int argc, char **argv)
{
	char line[LINE_MAX];
	bool started = false;

	if (argc != 2)
		fail("usage", "rule_driver CONFIG < FACTS");
	while (fgets(line, sizeof(line), stdin)) {
		char *words = line, *first = strsep(&words, " \n"), *word;

		if (strcmp(first, "points") == 0) {
			while ((word = strsep(&words, " \n")) != NULL && word[0] != '\0' && point_count < POINTS_MAX)
				points[point_count++] = strdup(word);
		} else if (strcmp(first, "device") == 0 && device_count < DEVICES_MAX) {
			names[device_count] = strdup(strsep(&words, " \n"));
			snprintf(stale[device_count++], sizeof(stale[0]), "stale-after=%sms", strsep(&words, " \n"));
		} else {
			if (!started)
				start(argv[1]);
			started = true;
			word = strsep(&words, " \n");
			if (!happen(strtoll(first, NULL, 10), word, words))
				break;
		}
	}
	if (started)
		stop();
	return started ? 0 : 2;
}
