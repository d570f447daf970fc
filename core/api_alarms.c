/* SPDX-License-Identifier: Apache-2.0
 *
 * api_alarms.c - answers which alarms there are, and takes what people say about them: seen, keep quiet.
 *
 * Who says so is known from the socket (SO_PEERCRED), and stands in the event.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/registry.h>

#include "alarm_admin.h"
#include "api_internal.h"
#include "events.h"
#include "text.h"

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
	bb_device_list_unref(alarms->list);
	free(alarms->device);
}

const struct api_answer_type api_alarms = {
	.size = sizeof(struct alarms_answer),
	.begin = alarms_begin,
	.more = alarms_more,
	.end = alarms_end,
};

/* Refuses an alarm that @device does not have, with what was probably meant. */
static int refuse_alarm(struct api_client *client, const char *device, const char *alarm,
			const struct bb_alarm_set *set)
{
	static const char prefix[] = "alarm."; /* what its point is called */
	const char **names = calloc(set != NULL ? set->count + 1 : 1, sizeof(*names));
	int step;

	if (names == NULL)
		return -ENOMEM;
	if (strncmp(alarm, prefix, strlen(prefix)) == 0)
		alarm += strlen(prefix);
	for (size_t i = 0; set != NULL && i < set->count; i++)
		names[i] = set->alarms[i].type->name;
	step = api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, bb_text_suggest(alarm, names), "%s has no alarm '%s'",
			  device[0] != '\0' ? device : "the agent", alarm);
	free(names);
	return step;
}

static int refuse_unknown_alarm(struct api_client *client, const char *device, const char *alarm)
{
	struct bb_registry *registry = agent_registry(client->api->agent);
	struct bb_device *found = device[0] != '\0' ? bb_registry_find(registry, device) : NULL;
	struct bb_snapshot snapshot = {.reading = NULL};
	int step;

	if (device[0] == '\0')
		snapshot.alarms = bb_registry_agent_alarms(registry);
	else if (found != NULL)
		bb_device_snapshot(found, bb_clock_ms(), &snapshot);
	step = refuse_alarm(client, device, alarm, snapshot.alarms);
	bb_snapshot_release(&snapshot);
	bb_device_unref(found);
	return step;
}

/* Says what came of it: @r from alarm_admin, @invalid what -EINVAL means. */
static int admin_answer(struct api_client *client, const char *device, const char *alarm, int r, const char *invalid)
{
	Busbar__Response response = BUSBAR__RESPONSE__INIT;

	switch (r) {
	case -ENODEV:
		r = api_check_device(client, device); /* it knows names that are similar */
		return r != API_MORE
			       ? r
			       : api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, NULL, "no device '%s'", device);
	case -ENOENT:
		return refuse_unknown_alarm(client, device, alarm);
	case -EINVAL:
		return api_refuse(client, BUSBAR__ERROR__CODE__REFUSED, NULL, "%s of %s %s", alarm,
				  device[0] != '\0' ? device : "the agent", invalid);
	case -ERANGE:
		return api_refuse(client, BUSBAR__ERROR__CODE__REQUEST, NULL,
				  "an alarm can be inhibited for %d days at most",
				  (int)(ALARM_INHIBIT_MAX_MS / (24 * 60 * 60 * 1000)));
	default:
		break;
	}
	if (r < 0)
		return api_refuse(client, BUSBAR__ERROR__CODE__FAILED, NULL, "%s", strerror(-r));
	response.last = true;
	response.protocol = API_PROTOCOL;
	r = api_send(client, &response);
	return r < 0 ? r : API_LAST;
}

/* The agent's own device has no name inside. */
static const char *device_inside(const char *device)
{
	return strcmp(device, API_AGENT) == 0 ? "" : device;
}

static int acknowledge_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct api_client *client = answer->client;
	const char *device = device_inside(request->acknowledge->device);
	char source[API_SOURCE_SIZE];
	const int r = alarm_acknowledge(agent_registry(client->api->agent), device, request->acknowledge->alarm,
					api_source(client, source));

	return admin_answer(client, device, request->acknowledge->alarm, r, "is not active");
}

const struct api_answer_type api_acknowledge = {
	.size = sizeof(struct api_answer),
	.begin = acknowledge_begin,
};

static int inhibit_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct api_client *client = answer->client;
	const char *device = device_inside(request->inhibit->device);
	char source[API_SOURCE_SIZE];
	const int r = alarm_inhibit(agent_registry(client->api->agent), device, request->inhibit->alarm,
				    request->inhibit->duration_ms, api_source(client, source));

	return admin_answer(client, device, request->inhibit->alarm, r, "is not inhibited");
}

const struct api_answer_type api_inhibit = {
	.size = sizeof(struct api_answer),
	.begin = inhibit_begin,
};
