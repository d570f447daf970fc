/* SPDX-License-Identifier: Apache-2.0
 *
 * api_events.c - answers with the events that are kept, and follows new ones.
 *
 * Old events come from the journal, piece by piece, and new ones from the ring in memory, which has them before any
 * disk. Where an answer is in all of them is one number, so nothing is queued for a client that follows: it is woken by
 * an event and fetches whatever is above its number. One that does not read for so long that the ring has forgotten
 * events meanwhile goes back to the journal for them.
 *
 * "The newest so many" is found backwards first, by number only; then the answer goes forwards as any other. When the
 * journal cannot be read, the answer is what the ring has, and says so at its end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "events.h"
#include "journal.h"

#define EVENTS_A_READ 256  /* one frame; texts of events have some 100 bytes */
#define EVENTS_A_SKIP 1000 /* only their numbers are looked at */

struct events_answer {
	struct api_answer answer;
	struct event_subscriber subscriber;
	bool follow;
	char *device; /* "": all */
	int64_t since_wall_ms;
	uint64_t cursor;                 /* everything up to this number is done with */
	uint64_t newest;                 /* so many are still to be found backwards, 0: that is done */
	uint64_t before;                 /* of those that were found, the smallest number; 0: none was */
	uint64_t in_ring;                /* the oldest number the ring had when @request began */
	int result;                      /* of the journal */
	struct journal_request *request; /* NULL: none under way */
};

static void events_wake(void *context, const struct bb_event *event)
{
	struct events_answer *events = context;

	(void)event; /* it is fetched by number */
	if (events->request == NULL)
		api_client_wake(events->answer.client);
}

static bool event_fits(const struct events_answer *events, const struct bb_event *event)
{
	if (event->wall_ms < events->since_wall_ms)
		return false;
	if (strcmp(events->device, API_AGENT) == 0)
		return event->device[0] == '\0';
	return events->device[0] == '\0' || strcmp(events->device, event->device) == 0;
}

static int events_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct events_answer *events = (struct events_answer *)answer;

	/* A device that is configured no more may still have events, so any name will do. */
	events->device = api_copy(request->events->device);
	if (events->device == NULL)
		return -ENOMEM;
	events->cursor = request->events->since;
	events->since_wall_ms = request->events->since_wall_ms;
	events->newest = request->events->newest;
	if (request->events->follow) {
		events->follow = true;
		events->subscriber.event = events_wake;
		events->subscriber.context = events;
		events_subscribe(&events->subscriber);
	}
	return API_MORE;
}

static void event_fill(Busbar__Event *row, const struct bb_event *event)
{
	busbar__event__init(row);
	row->number = event->number;
	row->raised = event->raised;
	row->kind = api_text(bb_event_kind_name(event->kind));
	row->severity = api_severity(event->severity);
	row->device = api_text(event->device);
	row->subject = api_text(event->subject);
	row->point = api_text(event->point);
	row->value = api_text(event->value);
	row->unit = api_text(event->unit);
	row->source = api_text(event->source);
	row->text = api_text(event->text);
	row->wall_ms = event->wall_ms;
}

/* The oldest number in the ring; without any event there, the next one that comes. */
static uint64_t oldest_in_ring(void)
{
	const struct bb_event *event = events_next(0);

	return event != NULL ? event->number : events_newest() + 1;
}

/* ---- from the journal ---- */

/* One read is over: what it has told is up to the caller, this goes on with the answer. */
static void events_read(struct events_answer *events, int result)
{
	events->request = NULL;
	if (result < 0)
		events->result = result;
	api_client_wake(events->answer.client);
}

static void events_take(void *context, int result, const struct bb_event *found, size_t count)
{
	struct events_answer *events = context;
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Event rows[EVENTS_A_READ], *pointers[EVENTS_A_READ];

	for (size_t i = 0; result >= 0 && i < count; i++) {
		pointers[i] = &rows[i];
		event_fill(&rows[i], &found[i]);
		events->cursor = found[i].number;
	}
	if ((result < 0 || count < EVENTS_A_READ) && events->cursor + 1 < events->in_ring)
		events->cursor = events->in_ring - 1; /* there is nothing else before the ring */
	response.events = pointers;
	response.n_events = count;
	response.protocol = API_PROTOCOL;
	if (result >= 0 && count > 0)
		result = api_send(events->answer.client, &response);
	events_read(events, result);
}

static void events_skipped(void *context, int result, const struct bb_event *found, size_t count)
{
	struct events_answer *events = context;

	if (result >= 0 && count > 0)
		events->before = found[0].number;
	events->newest -= count < events->newest ? count : events->newest;
	if (result < 0 || count < EVENTS_A_SKIP)
		events->newest = 0;
	if (events->newest == 0 && events->before > events->cursor + 1)
		events->cursor = events->before - 1;
	events_read(events, result);
}

static int events_ask(struct events_answer *events, journal_events_fn *take)
{
	const struct journal_filter filter = {
		.after = events->cursor,
		.before = events->newest > 0 ? events->before : 0,
		.since_wall_ms = events->since_wall_ms,
		.device = events->device[0] == '\0'                ? NULL
			  : strcmp(events->device, API_AGENT) == 0 ? ""
								   : events->device,
		.newest = events->newest > 0,
	};
	const size_t skip = events->newest < EVENTS_A_SKIP ? (size_t)events->newest : EVENTS_A_SKIP;
	int r;

	events->in_ring = oldest_in_ring();
	r = journal_read_events(&filter, events->newest > 0 ? skip : EVENTS_A_READ, take, events, &events->request);
	return r < 0 ? r : API_WAIT;
}

/* ---- from the ring ---- */

static int events_send_ring(struct events_answer *events)
{
	Busbar__Event rows[API_BATCH], *pointers[API_BATCH];
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	const struct bb_event *event = NULL;
	int r;

	/* New events come through the loop, so what events_next() returns stays for as long as we are in here. */
	while (response.n_events < API_BATCH && (event = events_next(events->cursor)) != NULL) {
		events->cursor = event->number;
		if (!event_fits(events, event))
			continue;
		pointers[response.n_events] = &rows[response.n_events];
		event_fill(&rows[response.n_events++], event);
	}
	response.events = pointers;
	response.protocol = API_PROTOCOL;
	response.last = event == NULL && !events->follow && events->result >= 0;
	r = response.n_events > 0 || response.last ? api_send(events->answer.client, &response) : 0;
	if (r < 0)
		return r;
	if (response.last)
		return API_LAST;
	if (event == NULL && !events->follow)
		return api_refuse(events->answer.client, BUSBAR__ERROR__CODE__FAILED, NULL,
				  "the journal cannot be read (%s): older events are missing",
				  strerror(-events->result));
	return event == NULL ? API_WAIT : API_MORE;
}

static int events_more(struct api_answer *answer)
{
	struct events_answer *events = (struct events_answer *)answer;

	if (events->request != NULL)
		return API_WAIT; /* woken by a new event, which will still be there */
	if (events->newest > 0)
		return events_ask(events, events_skipped);
	if (events->cursor + 1 < oldest_in_ring())
		return events_ask(events, events_take);
	return events_send_ring(events);
}

static void events_end(struct api_answer *answer)
{
	struct events_answer *events = (struct events_answer *)answer;

	journal_cancel(events->request);
	if (events->follow)
		events_unsubscribe(&events->subscriber);
	free(events->device);
}

const struct api_answer_type api_events = {
	.size = sizeof(struct events_answer),
	.begin = events_begin,
	.more = events_more,
	.end = events_end,
};
