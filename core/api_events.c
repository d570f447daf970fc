/* SPDX-License-Identifier: Apache-2.0
 *
 * api_events.c - answers with the events that are kept, and follows new ones.
 *
 * Where an answer is in the journal is one number, so nothing is queued for a client that follows: it is woken by an
 * event and fetches whatever is above its number. One that does not read for so long that events are forgotten
 * meanwhile sees a gap in the numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "events.h"

struct events_answer {
	struct api_answer answer;
	struct event_subscriber subscriber;
	bool follow;
	uint64_t cursor; /* everything up to this number is done with */
	char *device;    /* "": all */
	int64_t since_wall_ms;
};

static void events_wake(void *context, const struct bb_event *event)
{
	struct events_answer *events = context;

	(void)event; /* it is fetched by number */
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

/* Moves the cursor so that @newest events are left. */
static void events_skip(struct events_answer *events, uint32_t newest)
{
	const uint64_t since = events->cursor;
	const struct bb_event *event;
	uint64_t count = 0;

	for (uint64_t at = since; (event = events_next(at)) != NULL; at = event->number)
		count += event_fits(events, event);
	while (count > newest && (event = events_next(events->cursor)) != NULL) {
		events->cursor = event->number;
		count -= event_fits(events, event);
	}
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
	if (request->events->newest > 0)
		events_skip(events, request->events->newest);
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

static int events_more(struct api_answer *answer)
{
	struct events_answer *events = (struct events_answer *)answer;
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
	response.last = event == NULL && !events->follow;
	r = response.n_events > 0 || response.last ? api_send(answer->client, &response) : 0;
	if (r < 0)
		return r;
	if (response.last)
		return API_LAST;
	return event == NULL ? API_WAIT : API_MORE;
}

static void events_end(struct api_answer *answer)
{
	struct events_answer *events = (struct events_answer *)answer;

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
