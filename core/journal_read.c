/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_read.c - journal_read_events(): events that fit a filter, from the database and from what is pending.
 *
 * The database is walked by number, a piece at a time, from one end: the rows of a piece are looked at one by one, since
 * an index for every filter would cost each commit more than it saves the few readers. What is pending has larger
 * numbers than what is in the database and is looked at in one go: last when the oldest are wanted, first when the
 * newest are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal_data.h"

/* Rows that are looked at in a piece. */
#define PIECE 2000

struct reading {
	struct journal_request request; /* first */
	struct journal_filter filter;
	char *device; /* the filter's, copied */
	size_t most;
	journal_events_fn *take;
	void *context;

	/* The writer's. */
	bool pending_done;
	uint64_t at;             /* the next row is behind, or with filter.newest before it */
	struct event_list found; /* in order of number */
	int result;
};

static bool fits(const struct reading *reading, const struct bb_event *event)
{
	const struct journal_filter *filter = &reading->filter;

	return event->number > filter->after && (filter->before == 0 || event->number < filter->before) &&
	       (filter->since_wall_ms == 0 || event->wall_ms >= filter->since_wall_ms) &&
	       (filter->until_wall_ms == 0 || event->wall_ms < filter->until_wall_ms) &&
	       (!reading->device || strcmp(reading->device, event->device) == 0);
}

/* Keep a copy, at the end; with filter.newest rows come the newest first, so at the beginning. */
static void keep(struct reading *reading, const struct bb_event *event)
{
	struct event_copy *copy = event_copy_create(event);

	if (!copy) {
		reading->result = -ENOMEM;
	} else if (reading->filter.newest) {
		copy->next = reading->found.first;
		reading->found.first = copy;
		if (!reading->found.last)
			reading->found.last = copy;
		reading->found.count++;
	} else {
		event_list_append(&reading->found, copy);
	}
}

static void look_at_row(void *context, const struct bb_event *event)
{
	struct reading *reading = context;

	reading->at = event->number;
	if (reading->found.count < reading->most && fits(reading, event))
		keep(reading, event);
}

/* What is pending and not in the database: the oldest that fit, or the newest. */
static void look_at_pending(struct reading *reading, const struct writer *writer)
{
	const uint64_t stored = writer->store ? writer->store->counts.newest : 0;
	struct event_list fitting = {0};

	for (const struct event_copy *copy = writer->pending.first; copy; copy = copy->next) {
		struct event_copy *own;

		if (copy->event.number <= stored || !fits(reading, &copy->event))
			continue;
		if (!reading->filter.newest && reading->found.count + fitting.count >= reading->most)
			break;
		own = event_copy_create(&copy->event);
		if (!own) {
			reading->result = -ENOMEM;
			break;
		}
		event_list_append(&fitting, own);
		if (fitting.count > reading->most)
			free(event_list_take(&fitting));
	}
	event_list_join(&reading->found, &fitting);
	reading->pending_done = true;
}

/* A piece of the database. False at its end. */
static bool look_at_store(struct reading *reading, struct writer *writer)
{
	const struct journal_filter *filter = &reading->filter;
	const bool down = filter->newest;
	int r;

	if (!writer->store)
		return false;
	r = store_read_events(writer->store, down ? filter->after : reading->at,
			      down                  ? reading->at
			      : filter->before == 0 ? UINT64_MAX
						    : filter->before,
			      PIECE, down, look_at_row, reading);
	if (r < 0) {
		reading->result = r;
		writer_failed(writer, r);
	}
	return r == PIECE;
}

static bool reading_serve(struct journal_request *request, struct writer *writer)
{
	struct reading *reading = (struct reading *)request;

	if (writer->recovery)
		return true; /* it will be there soon */
	if (reading->filter.newest && !reading->pending_done)
		look_at_pending(reading, writer);
	if (reading->found.count < reading->most && look_at_store(reading, writer) && reading->result == 0 &&
	    reading->found.count < reading->most)
		return true;
	if (!reading->pending_done && reading->found.count < reading->most)
		look_at_pending(reading, writer);
	return false;
}

static void reading_deliver(struct journal_request *request)
{
	struct reading *reading = (struct reading *)request;
	struct bb_event *events = NULL;
	int r = reading->result;

	if (r == 0)
		r = event_list_array(&reading->found, &events);
	reading->take(reading->context, r, events, r == 0 ? reading->found.count : 0);
	free(events);
}

static void reading_destroy(struct journal_request *request)
{
	struct reading *reading = (struct reading *)request;

	event_list_clear(&reading->found);
	free(reading->device);
	free(reading);
}

int journal_read_events(const struct journal_filter *filter, size_t most, journal_events_fn *take, void *context,
			struct journal_request **ret_request)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return -ENOMEM;
	*reading = (struct reading){
		.request = {.serve = reading_serve, .deliver = reading_deliver, .destroy = reading_destroy},
		.filter = *filter,
		.device = filter->device ? strdup(filter->device) : NULL,
		.most = most < JOURNAL_READ_MAX ? most : JOURNAL_READ_MAX,
		.take = take,
		.context = context,
		.at = !filter->newest       ? filter->after
		      : filter->before == 0 ? UINT64_MAX
					    : filter->before,
	};
	if (filter->device && !reading->device) {
		free(reading);
		return -ENOMEM;
	}
	r = journal_ask(&reading->request);
	if (r == 0 && ret_request)
		*ret_request = &reading->request;
	return r;
}
