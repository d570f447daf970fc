/* SPDX-License-Identifier: Apache-2.0
 *
 * api_alarms.c - answers which alarms there are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/registry.h>

#include "api_internal.h"
#include "events.h"

struct alarms_answer {
	struct api_answer answer;
	char *device; /* glob */
	bool all;
	struct bb_device_list *list;
	size_t next_device;       /* after the one of @set */
	const char *name;         /* whose set it is, "" for the agent */
	struct bb_alarm_set *set; /* NULL: take the next device's */
	size_t next_alarm;
};

static int alarms_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct alarms_answer *alarms = (struct alarms_answer *)answer;
	struct bb_registry *registry = agent_registry(answer->client->api->agent);

	alarms->device = api_copy(request->alarms->device);
	if (alarms->device == NULL)
		return -ENOMEM;
	alarms->all = request->alarms->all;
	alarms->list = bb_registry_devices(registry);
	if (alarms->list == NULL)
		return -ENOMEM;
	alarms->name = "";
	if (alarms->device[0] == '\0' || strcmp(alarms->device, API_AGENT) == 0)
		alarms->set = bb_registry_agent_alarms(registry);
	if (strcmp(alarms->device, API_AGENT) == 0)
		return API_MORE;
	return api_check_device(answer->client, alarms->device);
}

static void alarms_drop_set(struct alarms_answer *alarms)
{
	bb_alarm_set_unref(alarms->set);
	alarms->set = NULL;
}

/* Makes @set the next one there is. False: there is none. */
static bool alarms_next_set(struct alarms_answer *alarms)
{
	while (alarms->set == NULL && alarms->next_device < alarms->list->count) {
		struct bb_device *device = alarms->list->devices[alarms->next_device++];
		struct bb_snapshot snapshot;

		alarms->name = bb_device_name(device);
		if (!api_fits(alarms->device, alarms->name))
			continue;
		bb_device_snapshot(device, bb_clock_ms(), &snapshot);
		alarms->set = snapshot.alarms != NULL ? bb_alarm_set_ref(snapshot.alarms) : NULL;
		alarms->next_alarm = 0;
		bb_snapshot_release(&snapshot);
	}
	return alarms->set != NULL;
}

Busbar__Severity api_severity(enum bb_severity severity)
{
	return (Busbar__Severity)((int)severity + 1); /* the message's 0 is "none" */
}

/* What the event that raised an alarm said, as long as it is in memory; NULL: it is not. */
static const char *alarm_text(const struct bb_alarm *alarm)
{
	const struct bb_event *event = alarm->event > 0 ? events_next(alarm->event - 1) : NULL;

	return event != NULL && event->number == alarm->event ? event->text : NULL;
}

void api_alarm_fill(Busbar__Alarm *row, const char *device, const struct bb_alarm *alarm)
{
	busbar__alarm__init(row);
	row->device = api_text(device);
	row->name = api_text(alarm->type->name);
	row->title = api_text(alarm->type->title);
	row->severity = api_severity(alarm->type->severity);
	row->active = alarm->active;
	row->since_wall_ms = alarm->since_wall_ms;
	row->event = alarm->event;
	row->acknowledged = alarm->acknowledged;
	row->inhibited_until_wall_ms = alarm->inhibited_until_wall_ms;
	row->text = api_text(alarm_text(alarm));
	if (alarm->point == NULL)
		return;
	row->point = api_text(alarm->point->name);
	row->valued = alarm->since_wall_ms != 0;
	row->number = alarm->value;
	row->decimals = alarm->point->decimals;
	row->unit = api_text(bb_unit_name(alarm->point->unit));
}

static int alarms_more(struct api_answer *answer)
{
	struct alarms_answer *alarms = (struct alarms_answer *)answer;
	Busbar__Alarm rows[API_BATCH], *pointers[API_BATCH];
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	bool more;
	int r;

	/* Rows borrow from their set, so a frame is of one set; sets that have nothing to tell cost no frame. */
	while ((more = alarms_next_set(alarms)) && response.n_alarms == 0) {
		const struct bb_alarm_set *set = alarms->set;

		for (; alarms->next_alarm < set->count && response.n_alarms < API_BATCH; alarms->next_alarm++) {
			const struct bb_alarm *alarm = &set->alarms[alarms->next_alarm];

			if (!alarms->all && !alarm->active)
				continue;
			pointers[response.n_alarms] = &rows[response.n_alarms];
			api_alarm_fill(&rows[response.n_alarms++], alarms->name, alarm);
		}
		if (alarms->next_alarm == set->count && response.n_alarms == 0)
			alarms_drop_set(alarms);
	}
	response.alarms = pointers;
	response.protocol = API_PROTOCOL;
	response.last = !more;
	r = api_send(answer->client, &response);
	if (alarms->set != NULL && alarms->next_alarm == alarms->set->count)
		alarms_drop_set(alarms);
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

static void alarms_end(struct api_answer *answer)
{
	struct alarms_answer *alarms = (struct alarms_answer *)answer;

	bb_alarm_set_unref(alarms->set);
	if (alarms->list != NULL)
		bb_device_list_unref(alarms->list);
	free(alarms->device);
}

const struct api_answer_type api_alarms = {
	.size = sizeof(struct alarms_answer),
	.begin = alarms_begin,
	.more = alarms_more,
	.end = alarms_end,
};
