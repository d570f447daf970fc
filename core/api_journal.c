/* SPDX-License-Identifier: Apache-2.0
 *
 * api_journal.c - answers with the data log, and with how the journal is.
 *
 * The data log is read device by device, a piece at a time. A line of it has a value for each of a device's logged
 * points, and how many those are is known from the first line only; so the first piece is one line, and the following
 * ones are as long as a frame may be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "journal.h"

#define SAMPLES_A_READ 4096
#define ROWS_A_READ    256

#define CURSORS_MAX      64
#define CURSOR_NAME_SIZE 65 /* 64 characters, see busbar/journal.h */

struct log_answer {
	struct api_answer answer;
	char **points; /* names or globs, ended by NULL */
	char *device;  /* glob, or the one name there is */
	int64_t since_wall_ms;
	struct bb_device_list *list; /* NULL: @device is asked for, whether it exists or not */
	size_t next_device;
	const char *current; /* device being read, NULL: take the next one */
	int64_t from_wall_ms;
	size_t most; /* lines the next read may have */
	bool found;  /* something that was asked for is logged */
	int result;  /* of the journal, or of the socket */
	struct journal_request *request;
};

static int log_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct log_answer *log = (struct log_answer *)answer;
	const Busbar__LogRequest *message = request->log;

	if (message->n_points == 0)
		return api_refuse(answer->client, BUSBAR__ERROR__CODE__REQUEST, NULL, "of which point?");
	log->points = calloc(message->n_points + 1, sizeof(*log->points));
	log->device = api_copy(message->device);
	if (log->points == NULL || log->device == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_points; i++) {
		log->points[i] = api_copy(message->points[i]);
		if (log->points[i] == NULL)
			return -ENOMEM;
	}
	log->since_wall_ms = message->since_wall_ms;
	/* A device that is configured no more may still have values, so any name will do. */
	if (log->device[0] == '\0' || strpbrk(log->device, "*?[") != NULL)
		log->list = bb_registry_devices(agent_registry(answer->client->api->agent));
	return API_MORE;
}

/* Chooses the device that comes next. False: there is none. */
static bool log_next_device(struct log_answer *log)
{
	if (log->list == NULL && log->next_device++ == 0)
		log->current = log->device;
	while (log->list != NULL && log->current == NULL && log->next_device < log->list->count) {
		const char *name = bb_device_name(log->list->devices[log->next_device++]);

		if (api_fits(log->device, name))
			log->current = name;
	}
	log->from_wall_ms = log->since_wall_ms;
	log->most = 1;
	return log->current != NULL;
}

/* All values of one line, a batch a frame. */
static int log_send_row(struct log_answer *log, const struct journal_log *read, const struct journal_row *row)
{
	Busbar__Sample samples[API_BATCH], *pointers[API_BATCH];
	size_t column = 0;

	while (column < read->column_count) {
		Busbar__Response response = BUSBAR__RESPONSE__INIT;
		int r;

		for (; column < read->column_count && response.n_samples < API_BATCH; column++) {
			Busbar__Sample *sample = &samples[response.n_samples];

			if (row->values[column] == JOURNAL_NO_VALUE)
				continue;
			busbar__sample__init(sample);
			sample->device = api_text(log->current);
			sample->point = api_text(read->columns[column].point);
			sample->wall_ms = row->wall_ms;
			sample->number = row->values[column];
			sample->decimals = read->columns[column].decimals;
			sample->unit = api_text(bb_unit_name(read->columns[column].unit));
			pointers[response.n_samples++] = sample;
		}
		response.samples = pointers;
		response.protocol = API_PROTOCOL;
		r = response.n_samples > 0 ? api_send(log->answer.client, &response) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static void log_take(void *context, int result, const struct journal_log *read)
{
	struct log_answer *log = context;

	log->request = NULL;
	if (result == -ENOENT) {
		log->current = NULL;
	} else if (result < 0) {
		log->result = result;
	} else {
		log->found = true;
		for (size_t i = 0; i < read->row_count && log->result >= 0; i++) {
			log->result = log_send_row(log, read, &read->rows[i]);
			log->from_wall_ms = read->rows[i].wall_ms + 1;
		}
		if (read->row_count < log->most)
			log->current = NULL;
		log->most = SAMPLES_A_READ / (read->column_count + 1) + 1;
		if (log->most > ROWS_A_READ)
			log->most = ROWS_A_READ;
	}
	api_client_wake(log->answer.client);
}

static int log_more(struct api_answer *answer)
{
	struct log_answer *log = (struct log_answer *)answer;
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	int r;

	if (log->request != NULL)
		return API_WAIT;
	if (log->result < 0)
		return api_refuse(answer->client, BUSBAR__ERROR__CODE__FAILED, NULL, "the data log cannot be read: %s",
				  strerror(-log->result));
	if (log->current != NULL || log_next_device(log)) {
		r = journal_read_log(log->current, (const char *const *)log->points, log->from_wall_ms, 0, log->most,
				     log_take, log, &log->request);
		return r < 0 ? r : API_WAIT;
	}
	if (!log->found)
		return api_refuse(answer->client, BUSBAR__ERROR__CODE__NOT_FOUND, NULL,
				  "nothing in the data log fits '%s'%s%s", log->points[0],
				  log->device[0] != '\0' ? " of " : "", log->device);
	response.last = true;
	response.protocol = API_PROTOCOL;
	r = api_send(answer->client, &response);
	return r < 0 ? r : API_LAST;
}

static void log_end(struct api_answer *answer)
{
	struct log_answer *log = (struct log_answer *)answer;

	journal_cancel(log->request);
	if (log->list != NULL)
		bb_device_list_unref(log->list);
	for (size_t i = 0; log->points != NULL && log->points[i] != NULL; i++)
		free(log->points[i]);
	free(log->points);
	free(log->device);
}

const struct api_answer_type api_log = {
	.size = sizeof(struct log_answer),
	.begin = log_begin,
	.more = log_more,
	.end = log_end,
};

struct check_answer {
	struct api_answer answer;
	struct journal_request *request; /* NULL: over */
};

/* Cursors on their way into the message; their names are only lent during the walk. */
struct cursors {
	size_t count;
	Busbar__Cursor rows[CURSORS_MAX];
	Busbar__Cursor *pointers[CURSORS_MAX];
	char names[CURSORS_MAX][CURSOR_NAME_SIZE];
};

static void take_cursor(void *context, const char *name, uint64_t delivered, uint64_t backlog)
{
	struct cursors *cursors = context;
	Busbar__Cursor *row = &cursors->rows[cursors->count];

	if (cursors->count == CURSORS_MAX)
		return;
	busbar__cursor__init(row);
	(void)snprintf(cursors->names[cursors->count], CURSOR_NAME_SIZE, "%s", name); /* has room for any name */
	row->name = cursors->names[cursors->count];
	row->delivered = delivered;
	row->backlog = backlog;
	cursors->pointers[cursors->count++] = row;
}

static void check_done(void *context, const struct journal_report *report)
{
	struct check_answer *check = context;
	struct api_client *client = check->answer.client;
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Journal message = BUSBAR__JOURNAL__INIT;
	struct journal_status status;
	struct cursors cursors = {.count = 0};

	journal_status(&status);
	journal_each_cursor(take_cursor, &cursors);
	check->request = NULL;
	client->api->checking = false;
	message.sound = report->sound;
	message.text = api_text(report->text);
	message.path = status.path;
	message.trouble = status.trouble;
	message.trouble_text = status.text;
	message.events = report->events;
	message.samples = report->samples;
	message.oldest = status.oldest;
	message.durable = status.durable;
	message.newest = status.newest;
	message.pending = status.pending;
	message.lost = status.lost;
	message.samples_lost = status.samples_lost;
	message.database_bytes = status.database_bytes;
	message.reserve_bytes = status.reserve_bytes;
	message.commit_us = status.commit_us;
	message.cursors = cursors.pointers;
	message.n_cursors = cursors.count;
	response.journal = &message;
	response.protocol = API_PROTOCOL;
	client->closing |= api_send(client, &response) < 0;
	api_client_wake(client);
}

static int check_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct check_answer *check = (struct check_answer *)answer;
	int r;

	(void)request; /* it has no arguments */
	if (answer->client->api->checking)
		return api_refuse(answer->client, BUSBAR__ERROR__CODE__BUSY, NULL,
				  "the journal is being checked already");
	r = journal_check(check_done, check, &check->request);
	if (r < 0)
		return r;
	answer->client->api->checking = true;
	return API_WAIT;
}

static int check_more(struct api_answer *answer)
{
	const struct check_answer *check = (const struct check_answer *)answer;
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	int r;

	if (check->request != NULL)
		return API_WAIT;
	response.last = true;
	response.protocol = API_PROTOCOL;
	r = api_send(answer->client, &response);
	return r < 0 ? r : API_LAST;
}

static void check_end(struct api_answer *answer)
{
	struct check_answer *check = (struct check_answer *)answer;

	if (check->request == NULL)
		return;
	journal_cancel(check->request);
	answer->client->api->checking = false;
}

const struct api_answer_type api_journal = {
	.size = sizeof(struct check_answer),
	.begin = check_begin,
	.more = check_more,
	.end = check_end,
};
