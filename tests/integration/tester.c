/* SPDX-License-Identifier: Apache-2.0
 *
 * tester.c - an exporter for test_trap_test.py that can send messages as a test, in so far as it says so in its log.
 *
 * Option `refuse` keeps it from starting.
 */
#include <errno.h>

#include <busbar/plugin.h>

struct tester {
	const struct bb_log *log;
};

static const struct bb_option tester_options[] = {
	{.name = "refuse", .type = BB_OPTION_BOOL, .preset = "false", .help = "do not start"},
	{0},
};

static int tester_start(struct bb_exporter *exporter, const struct bb_config *config, void *state)
{
	struct tester *tester = state;

	tester->log = bb_exporter_log(exporter);
	return bb_config_bool(config, "refuse") ? bb_log_error(tester->log, -EADDRINUSE, "as it was told") : 0;
}

static void tester_stop(void *state)
{
	(void)state; /* it holds nothing */
}

static void tester_event(void *state, const struct bb_event *event)
{
	const struct tester *tester = state;

	if (event->kind == BB_EVENT_TEST)
		bb_log_notice(tester->log, "test '%s' from '%s' by '%s': %s", event->subject, event->device,
			      event->source, event->text);
}

static const char *const tester_tests[] = {"hello", "world", NULL};

BB_PLUGIN(tester) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "tester",
	.summary = "says which tests it would send",
	.options = tester_options,
	.state_size = sizeof(struct tester),
	.exporter = {.start = tester_start, .stop = tester_stop, .event = tester_event, .tests = tester_tests},
};
