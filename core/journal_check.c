/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_check.c - journal_check(): reads every row once, so that every page of the tables is looked at.
 *
 * SQLite's own integrity check would keep the writer for as long as it takes; this goes in pieces. What it cannot read
 * is damage like any other: the database is recovered (journal_recover.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_data.h"

/* Rows of a piece. */
#define PIECE 2000

struct check {
	struct journal_request request; /* first */
	void (*done)(void *context, const struct journal_report *report);
	void *context;

	/* The writer's. */
	bool events_done;
	uint64_t number; /* of the last event read */
	int64_t layout, wall_ms;
	struct journal_report report;
	char text[256];
};

static void check_event(void *context, const struct bb_event *event)
{
	((struct check *)context)->number = event->number;
}

/* Reads a piece: how many rows, or a negative errno. */
static int check_piece(struct check *check, struct store *store)
{
	int r;

	if (!check->events_done) {
		r = store_read_events(store, check->number, UINT64_MAX, PIECE, false, check_event, check);
		check->report.events += r > 0 ? (uint64_t)r : 0;
		check->events_done = r < PIECE;
		return r < 0 ? r : 1;
	}
	r = store_check_samples(store, &check->layout, &check->wall_ms, PIECE);
	check->report.samples += r > 0 ? (uint64_t)r : 0;
	return r;
}

static bool check_serve(struct journal_request *request, struct writer *writer)
{
	struct check *check = (struct check *)request;
	int r = writer->store ? check_piece(check, writer->store) : -EAGAIN;

	if (r > 0)
		return true;
	check->report.sound = r == 0;
	if (r == 0)
		(void)snprintf(check->text, sizeof(check->text),
			       "all %" PRIu64 " events and %" PRIu64 " samples can be read", check->report.events,
			       check->report.samples);
	else if (r == -EAGAIN)
		(void)snprintf(check->text, sizeof(check->text), "the journal cannot be read now: %s",
			       writer->recovery ? "it is being recovered" : strerror(-writer->error));
	else
		(void)snprintf(check->text, sizeof(check->text),
			       "after %" PRIu64 " events and %" PRIu64 " samples: %s%s", check->report.events,
			       check->report.samples, strerror(-r),
			       r == -EUCLEAN ? "; the journal is damaged and is recovered now" : "");
	if (r < 0 && r != -EAGAIN)
		writer_failed(writer, r);
	return false;
}

static void check_deliver(struct journal_request *request)
{
	struct check *check = (struct check *)request;

	check->report.text = check->text;
	check->done(check->context, &check->report);
}

static void check_destroy(struct journal_request *request)
{
	free(request);
}

int journal_check(void (*done)(void *context, const struct journal_report *report), void *context,
		  struct journal_request **ret_request)
{
	struct check *check = calloc(1, sizeof(*check));
	int r;

	if (!check)
		return -ENOMEM;
	*check = (struct check){
		.request = {.serve = check_serve, .deliver = check_deliver, .destroy = check_destroy},
		.done = done,
		.context = context,
	};
	r = journal_ask(&check->request);
	if (r == 0 && ret_request)
		*ret_request = &check->request;
	return r;
}
