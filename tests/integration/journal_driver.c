/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_driver - the core's journal without an agent around it, to be killed.
 *
 * It opens the journal in a folder, says what it holds, and then emits events while a cursor fetches them. Everything
 * becomes a line on stdout, written at once:
 *
 *	f NUMBER          the first number of this life
 *	d NUMBER TEXT     an event that the journal held at the start
 *	e NUMBER TEXT     an event was emitted: from now on others may have seen its number
 *	a NUMBER TEXT     the cursor handed it out: it must never be lost
 *	g NUMBER TEXT     the cursor says that events up to this number are not kept
 *	t 0|1 TEXT        trouble, or no more
 *	l TEXT            a row of the data log at the start
 *	ready             everything that was there has been said
 *
 * Options: --step NAME COUNT kills the process when the writer comes to that step for the COUNTth time (it is linked
 * with --wrap=journal_step). --fail FROM TO lets the commits of these numbers fail as on a full disk
 * (--wrap=store_commit), --fail-until-lost all of them until an event was lost. --every MS emits that often, --burst N so many at once and no more, --options YAML are those of
 * `journal:`. --dump leaves after "ready". SIGTERM ends it in order.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "events.h"
#include "journal.h"
#include "journal_step.h"
#include "journal_store.h"
#include "options.h"

int __real_store_commit(struct store *store);
int __wrap_store_commit(struct store *store);
void __wrap_journal_step(const char *name);

static struct {
	struct bb_loop *loop;
	struct bb_cursor *cursor;
	const char *step;
	int step_count;
	int fail_from, fail_to, commits;
	bool fail_until_lost;
	int every_ms, burst;
	bool dump;
	bool fetching;
	uint64_t dumped; /* number of the last event said */
	unsigned emitted;
} driver = {.every_ms = 5};

/* ---- what is put in place of the core's ---- */

void __wrap_journal_step(const char *name)
{
	if (driver.step && strcmp(driver.step, name) == 0 && --driver.step_count == 0)
		(void)kill(getpid(), SIGKILL);
}

int __wrap_store_commit(struct store *store)
{
	const int number = driver.commits++;
	struct journal_status status;

	journal_status(&status);
	if (driver.fail_until_lost ? status.lost > 0 : number < driver.fail_from || number >= driver.fail_to)
		return __real_store_commit(store);
	store_rollback(store);
	return -ENOSPC;
}

/* ---- lines ---- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length <= 0 || write(STDOUT_FILENO, line, (size_t)length) != length)
		_exit(3); /* nobody listens any more */
}

/* ---- events ---- */

static void emit(void *context)
{
	char text[64];
	uint64_t number;
	int count = driver.burst > 0 ? driver.burst : 1;

	(void)context;
	for (; count > 0; count--) {
		(void)snprintf(text, sizeof(text), "%d-%u", (int)getpid(), ++driver.emitted);
		number =
			events_emit(&(struct bb_event){.kind = BB_EVENT_ALARM_RAISED, .device = "ups-a", .text = text});
		say("e %" PRIu64 " %s\n", number, text);
	}
}

static void cursor_fetch(void);

static void cursor_take(void *context, const struct bb_event *events, size_t count)
{
	(void)context;
	driver.fetching = false;
	for (size_t i = 0; i < count; i++)
		say("%c %" PRIu64 " %s\n", events[i].boot_id[0] == '\0' ? 'g' : 'a', events[i].number, events[i].text);
	if (count > 0) {
		bb_cursor_delivered(driver.cursor, events[count - 1].number);
		cursor_fetch();
	}
}

static void cursor_fetch(void)
{
	if (!driver.fetching)
		driver.fetching = bb_cursor_fetch(driver.cursor, 100, cursor_take, NULL) == 0;
}

static void cursor_ready(void *context)
{
	(void)context;
	cursor_fetch();
}

static void begin(void)
{
	struct bb_timer *timer;

	say("ready\n");
	if (driver.dump) {
		bb_loop_stop(driver.loop);
		return;
	}
	timer = bb_timer_create(driver.loop, emit, NULL);
	if (!timer || bb_cursor_open("driver", driver.loop, cursor_ready, NULL, &driver.cursor) < 0)
		_exit(3);
	bb_timer_start(timer, 0, driver.burst > 0 ? 0 : driver.every_ms);
}

/* ---- what is there ---- */

static void log_take(void *context, int result, const struct journal_log *log)
{
	(void)context;
	for (size_t i = 0; result == 0 && i < log->row_count; i++)
		say("l %" PRId64 " %" PRId64 "\n", log->rows[i].wall_ms, log->rows[i].values[0]);
	begin();
}

static void dump_take(void *context, int result, const struct bb_event *events, size_t count)
{
	static const char *const all[] = {"*", NULL};
	struct journal_filter filter = {0};

	(void)context;
	for (size_t i = 0; result == 0 && i < count; i++) {
		say("d %" PRIu64 " %s\n", events[i].number, events[i].text);
		driver.dumped = events[i].number;
	}
	filter.after = driver.dumped;
	if (result == 0 && count == JOURNAL_READ_MAX)
		(void)journal_read_events(&filter, JOURNAL_READ_MAX, dump_take, NULL, NULL);
	else
		(void)journal_read_log("ups-a", all, 0, 0, JOURNAL_READ_MAX, log_take, NULL, NULL);
}

/* ---- life ---- */

static void said(void *context, bool active, const char *text)
{
	(void)context;
	say("t %d %s\n", active, text);
}

static void terminated(void *context, unsigned events)
{
	(void)context;
	(void)events;
	bb_loop_stop(driver.loop);
}

static int take_signals(void)
{
	struct bb_watch *watch;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	return bb_watch_create(driver.loop, signalfd(-1, &signals, SFD_CLOEXEC), BB_WATCH_READ, terminated, NULL,
			       &watch);
}

static const struct bb_config *parse_journal_options(const char *text)
{
	static const struct bb_option *const tables[] = {journal_options, NULL};
	struct yaml_document *document;
	struct bb_config *config;

	if (yaml_parse(NULL, text, strlen(text), &document) < 0 ||
	    options_parse(document->root, "journal", tables, &config) < 0)
		exit(2);
	yaml_unload(document);
	return config;
}

static const struct bb_config *parse_arguments(int argc, char **argv)
{
	const struct bb_config *options = NULL;

	for (int i = 2; i < argc; i++) {
		const char *option = argv[i];
		const int left = argc - i - 1;

		if (strcmp(option, "--dump") == 0) {
			driver.dump = true;
		} else if (strcmp(option, "--step") == 0 && left >= 2) {
			driver.step = argv[++i];
			driver.step_count = atoi(argv[++i]);
		} else if (strcmp(option, "--fail") == 0 && left >= 2) {
			driver.fail_from = atoi(argv[++i]);
			driver.fail_to = atoi(argv[++i]);
		} else if (strcmp(option, "--fail-until-lost") == 0) {
			driver.fail_until_lost = true;
		} else if (strcmp(option, "--every") == 0 && left >= 1) {
			driver.every_ms = atoi(argv[++i]);
		} else if (strcmp(option, "--burst") == 0 && left >= 1) {
			driver.burst = atoi(argv[++i]);
		} else if (strcmp(option, "--options") == 0 && left >= 1) {
			options = parse_journal_options(argv[++i]);
		} else {
			(void)fprintf(stderr, "journal_driver: '%s' is not understood\n", option);
			exit(2);
		}
	}
	return options;
}

int main(int argc, char **argv)
{
	struct journal_setup setup = {.trouble = said};
	uint64_t first;

	if (argc < 2 || bb_loop_create(&driver.loop) < 0)
		return 2;
	setup.options = parse_arguments(argc, argv);
	setup.state_dir = argv[1];
	setup.loop = driver.loop;
	if (take_signals() < 0 || journal_open(&setup, &first) < 0 || events_start(driver.loop, first) < 0)
		return 2;
	say("f %" PRIu64 "\n", first);
	if (journal_read_events(&(struct journal_filter){0}, JOURNAL_READ_MAX, dump_take, NULL, NULL) < 0)
		return 2;
	(void)bb_loop_run(driver.loop);
	bb_cursor_close(driver.cursor);
	events_stop();
	journal_close(10000);
	bb_loop_destroy(driver.loop);
	options_free((struct bb_config *)setup.options);
	return 0;
}
