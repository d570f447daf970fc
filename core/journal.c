/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c - the main loop's side of the journal: its life, the events it takes, and what the writer reports.
 *
 * The journal subscribes to events like anybody else, copies each into a queue, and wakes the writer
 * (journal_writer.c). What the writer has to say comes back as notes (journal_notes.c). Questions are requests that go
 * to the writer and come back through the loop (journal_read.c and others); cursors of exporters are in cursor.c.
 */
#include "journal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "journal_data.h"
#include "log.h"
#include "options.h"
#include "thread.h"

const struct bb_option journal_options[] = {
	{.name = "keep-events",
	 .type = BB_OPTION_DURATION,
	 .preset = "730d",
	 .min = 3600000,
	 .max = 36500LL * 86400000,
	 .help = "how long events are kept"},
	{.name = "max-events",
	 .type = BB_OPTION_INT,
	 .preset = "1000000",
	 .min = 1000,
	 .max = 20000000,
	 .help = "how many events are kept at most; the oldest go first"},
	{.name = "reserve",
	 .type = BB_OPTION_SIZE,
	 .preset = "1MiB",
	 .min = 4096,
	 .max = 256 << 20,
	 .help = "room on disk that is set aside for events when the disk is full"},
	{.name = "log-points",
	 .type = BB_OPTION_LIST,
	 .preset = "battery.charge battery.runtime battery.voltage battery.temperature output.L?.load"
		   " input.L?.voltage output.L?.voltage",
	 .help = "points of every device that the data log samples: names, or patterns with * and ?"},
	{.name = "log-interval",
	 .type = BB_OPTION_DURATION,
	 .preset = "3m",
	 .min = 1000,
	 .max = 86400000,
	 .help = "how often the data log samples"},
	{.name = "keep-log",
	 .type = BB_OPTION_DURATION,
	 .preset = "168d",
	 .min = 60000,
	 .max = 36500LL * 86400000,
	 .help = "how long samples are kept"},
	{0},
};

/* One in a process, see journal.h. The lock outlives the journal: cursors may be closed after it. */
static struct journal the_journal = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.writer = {.folder = -1, .numbers.fd = -1, .reserve.fd = -1},
};

struct journal *journal_get(void)
{
	return &the_journal;
}

/* ---- what the main loop gives ---- */

static void journal_event(void *context, const struct bb_event *event)
{
	struct journal *journal = context;
	struct event_copy *copy = event_copy_create(event);

	if (!copy) { /* the ring has it, and those who do not wait for the disk were told */
		(void)bb_log_error(NULL, -ENOMEM, "an event is not in the journal");
		return;
	}
	pthread_mutex_lock(&journal->lock);
	journal->status.newest = event->number;
	event_list_append(&journal->queue, copy);
	pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->lock);
}

struct change *change_create(const char *key, const char *text, bool is_cursor, uint64_t number)
{
	const size_t key_size = strlen(key) + 1, text_size = text ? strlen(text) + 1 : 0;
	struct change *change = malloc(sizeof(*change) + key_size + text_size);

	if (!change)
		return NULL;
	*change = (struct change){.is_cursor = is_cursor, .number = number};
	memcpy(change->key, key, key_size);
	if (text)
		change->text = memcpy(change->key + key_size, text, text_size);
	return change;
}

void journal_queue_change(struct journal *journal, struct change *take_change)
{
	take_change->next = NULL;
	*journal->changes_last = take_change;
	journal->changes_last = &take_change->next;
	pthread_cond_signal(&journal->wake);
}

int journal_put_state(const char *key, const char *text)
{
	struct journal *journal = &the_journal;
	struct change *change = change_create(key, text, false, 0);

	if (!change)
		return -ENOMEM;
	if (facts_put(&journal->facts, key, text) < 0) {
		free(change);
		return -ENOMEM;
	}
	pthread_mutex_lock(&journal->lock);
	if (journal->open) {
		journal_queue_change(journal, change);
		change = NULL;
	}
	pthread_mutex_unlock(&journal->lock);
	free(change);
	return 0;
}

void journal_put_samples(struct sample *take_samples)
{
	struct journal *journal = &the_journal;

	pthread_mutex_lock(&journal->lock);
	while (take_samples) {
		struct sample *next = take_samples->next;

		take_samples->next = NULL;
		if (journal->open) {
			*journal->samples_last = take_samples;
			journal->samples_last = &take_samples->next;
		} else {
			free(take_samples);
		}
		take_samples = next;
	}
	pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->lock);
}

/* ---- requests ---- */

static void request_arrived(struct bb_task *task)
{
	struct journal_request *request = BB_CONTAINER(task, struct journal_request, task);

	if (!atomic_load(&request->cancelled))
		request->deliver(request);
	request->destroy(request);
}

int journal_ask(struct journal_request *request)
{
	struct journal *journal = &the_journal;
	bool open;

	request->task.run = request_arrived;
	pthread_mutex_lock(&journal->lock);
	open = journal->open;
	if (open) {
		*journal->requests_last = request;
		journal->requests_last = &request->next;
		pthread_cond_signal(&journal->wake);
	}
	pthread_mutex_unlock(&journal->lock);
	if (!open)
		request->destroy(request);
	return open ? 0 : -ENXIO;
}

void journal_cancel(struct journal_request *request)
{
	if (request)
		atomic_store(&request->cancelled, true);
}

/* ---- life ---- */

/* With @options NULL the presets of the table. */
static int limits_load(const struct bb_config *options, struct journal_limits *ret_limits)
{
	static const struct bb_option *const tables[] = {journal_options, NULL};
	struct bb_config *presets = NULL;
	int r = options ? 0 : options_parse(NULL, "journal", tables, &presets);

	if (r < 0)
		return r;
	options = options ? options : presets;
	*ret_limits = (struct journal_limits){
		.keep_events_ms = bb_config_int(options, "keep-events"),
		.max_events = (uint64_t)bb_config_int(options, "max-events"),
		.keep_log_ms = bb_config_int(options, "keep-log"),
		.reserve_size = (size_t)bb_config_int(options, "reserve"),
	};
	options_free(presets);
	return 0;
}

void journal_configure(const struct bb_config *options)
{
	struct journal *journal = &the_journal;
	struct journal_limits limits;

	if (limits_load(options, &limits) < 0)
		return; /* only presets need memory; what held before goes on to hold */
	pthread_mutex_lock(&journal->lock);
	journal->limits = limits;
	pthread_mutex_unlock(&journal->lock);
}

static void load_fact(void *context, const char *key, const char *text)
{
	(void)facts_put(context, key, text); /* without memory it is as if it had never been said */
}

static void journal_prepare(struct journal *journal, const struct journal_setup *setup)
{
	struct writer *writer = &journal->writer;

	thread_cond_init(&journal->wake);
	thread_cond_init(&journal->ended);
	journal->setup = *setup;
	journal->setup.options = NULL; /* borrowed for the call only, as the next */
	journal->setup.state_dir = NULL;
	journal->changes_last = &journal->changes;
	journal->samples_last = &journal->samples;
	journal->requests_last = &journal->requests;
	journal->notes_last = &journal->notes;
	journal->notes_task.run = notes_arrived;
	journal->stop = journal->stopped = false;
	journal->status = (struct journal_status){.open = true};
	*writer = (struct writer){
		.journal = journal,
		.folder = -1,
		.numbers.fd = -1,
		.reserve.fd = -1,
		.committed = UINT64_MAX,
		.keep_ms = bb_clock_ms(),
		.limits = journal->limits,
	};
	(void)snprintf(writer->state_dir, sizeof(writer->state_dir), "%s", setup->state_dir);
	(void)snprintf(writer->path, sizeof(writer->path), "%s/journal.db", writer->state_dir);
	(void)snprintf(journal->status.path, sizeof(journal->status.path), "%.255s", writer->path);
}

int journal_open(const struct journal_setup *setup, uint64_t *ret_first_number)
{
	struct journal *journal = &the_journal;
	int r = limits_load(setup->options, &journal->limits);

	if (r == 0 && strlen(setup->state_dir) + sizeof("/journal-damaged-20260101T000000Z999.db-wal") > PATH_MAX)
		r = -ENAMETOOLONG;
	if (r < 0)
		return r;
	journal_prepare(journal, setup);
	writer_open(&journal->writer, ret_first_number);
	if (journal->writer.store)
		r = store_each_fact(journal->writer.store, load_fact, &journal->facts);
	if (r < 0)
		writer_failed(&journal->writer, r);
	journal->status.durable = journal->writer.durable; /* from here on the writer says so */
	r = thread_start(&journal->thread, writer_run, journal);
	if (r < 0) {
		writer_close(&journal->writer, false);
		return r;
	}
	pthread_mutex_lock(&journal->lock);
	journal->open = true;
	pthread_mutex_unlock(&journal->lock);
	journal->subscriber = (struct event_subscriber){.event = journal_event, .context = journal};
	events_subscribe(&journal->subscriber);
	return 0;
}

/* What nobody will write or answer any more. */
static void journal_drop(struct journal *journal)
{
	notes_drop(journal);
	while (journal->requests) {
		struct journal_request *request = journal->requests;

		journal->requests = request->next;
		request->destroy(request);
	}
	journal->requests_last = &journal->requests;
	facts_clear(&journal->facts);
}

void journal_close(int64_t patience_ms)
{
	struct journal *journal = &the_journal;
	const struct timespec deadline = thread_deadline(patience_ms);
	bool stopped;

	if (!journal->open)
		return;
	events_unsubscribe(&journal->subscriber);
	pthread_mutex_lock(&journal->lock);
	journal->stop = true;
	journal->open = false;
	journal->status.open = false;
	pthread_cond_signal(&journal->wake);
	while (!journal->stopped && pthread_cond_timedwait(&journal->ended, &journal->lock, &deadline) != ETIMEDOUT)
		continue;
	stopped = journal->stopped;
	if (!stopped)
		journal->setup.loop = NULL; /* it will be gone when the disk answers at last */
	pthread_mutex_unlock(&journal->lock);
	if (!stopped) {
		(void)bb_log_warning(NULL, 0, "the disk does not take the last events in time, stopping without it");
		pthread_detach(journal->thread); /* it uses the journal, which is not freed before the process ends */
		return;
	}
	pthread_join(journal->thread, NULL);
	journal_drop(journal);
	pthread_cond_destroy(&journal->wake);
	pthread_cond_destroy(&journal->ended);
}

void journal_status(struct journal_status *ret_status)
{
	struct journal *journal = &the_journal;

	pthread_mutex_lock(&journal->lock);
	*ret_status = journal->status;
	ret_status->pending += journal->queue.count;
	ret_status->cursors = cursors_count(journal);
	pthread_mutex_unlock(&journal->lock);
}
