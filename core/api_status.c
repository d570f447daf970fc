/* SPDX-License-Identifier: Apache-2.0
 *
 * api_status.c - answers how things are: the agent, a traffic light for every device, alarms.
 *
 * The light is decided here and nowhere else, so that every local program shows the same one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/exporter.h>
#include <busbar/registry.h>

#include "api_internal.h"
#include "loader.h"

#define DEVICES_A_FRAME 8
#define NAMES_MAX       512 /* alarm names a frame can carry */

/* What the status line of a device shows, as far as the device has it. */
static const char *const status_points[] = {
	"ups.status", "battery.charge", "battery.runtime", "output.L1.load", "output.L2.load", "output.L3.load",
};
#define STATUS_POINTS (sizeof(status_points) / sizeof(status_points[0]))

_Static_assert(DEVICES_A_FRAME *STATUS_POINTS <= API_BATCH, "one batch holds the points of all devices of a frame");

static Busbar__Severity severity_of(enum bb_severity severity)
{
	return (Busbar__Severity)((int)severity + 1); /* the message's 0 is "none" */
}

static Busbar__Severity worst_of(const struct bb_alarm_set *set)
{
	enum bb_severity worst;

	if (set == NULL || !bb_alarm_set_worst(set, &worst))
		return BUSBAR__SEVERITY__NO_SEVERITY;
	return severity_of(worst);
}

static Busbar__Device__Light light_of(enum bb_device_state state, Busbar__Severity worst)
{
	if (state == BB_DEVICE_UNKNOWN)
		return BUSBAR__DEVICE__LIGHT__GREY;
	if (state == BB_DEVICE_NEVER)
		return BUSBAR__DEVICE__LIGHT__BLUE;
	if (state == BB_DEVICE_LOST || worst == BUSBAR__SEVERITY__ALARM)
		return BUSBAR__DEVICE__LIGHT__RED;
	return worst == BUSBAR__SEVERITY__WARNING ? BUSBAR__DEVICE__LIGHT__YELLOW : BUSBAR__DEVICE__LIGHT__GREEN;
}

/* Names of the active alarms of @set into @names, at most @room. Returns how many. */
static size_t name_active(const struct bb_alarm_set *set, char **names, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; set != NULL && i < set->count && count < room; i++) {
		if (set->alarms[i].active)
			names[count++] = api_text(set->alarms[i].type->name);
	}
	return count;
}

struct status_answer {
	struct api_answer answer;
	struct bb_device_list *list;
	size_t next;
};

/* The frame about the agent itself. */
static int status_send_agent(struct api_client *client, bool last)
{
	struct agent *agent = client->api->agent;
	const struct configuration *configuration = agent_configuration(agent);
	struct bb_alarm_set *alarms = bb_registry_agent_alarms(agent_registry(agent));
	struct bb_device_list *devices = bb_registry_devices(agent_registry(agent));
	size_t entry_count;
	const struct loader_entry *entries = loader_entries(agent_loader(agent), &entry_count);
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Agent message = BUSBAR__AGENT__INIT;
	char *names[NAMES_MAX];
	int r = -ENOMEM;

	message.version = api_text(bb_version());
	message.uptime_ms = bb_clock_ms() - client->api->started_ms;
	message.pid = (uint32_t)getpid();
	for (size_t i = 0; i < entry_count; i++) {
		message.plugins += entries[i].plugin != NULL;
		message.plugins_refused += entries[i].plugin == NULL;
	}
	message.log_level = api_text(log_level_name(log_level()));
	message.devices = devices != NULL ? (uint32_t)devices->count : 0;
	message.alarms = names;
	message.n_alarms = name_active(alarms, names, NAMES_MAX);
	message.worst = worst_of(alarms);
	message.exporters = calloc(configuration->exporter_count + 1, sizeof(*message.exporters));
	if (message.exporters != NULL) {
		for (size_t i = 0; i < configuration->exporter_count; i++)
			message.exporters[i] = api_text(configuration->exporters[i].plugin->name);
		message.n_exporters = configuration->exporter_count;
		response.protocol = API_PROTOCOL;
		response.agent = &message;
		response.last = last;
		r = api_send(client, &response);
	}
	free(message.exporters);
	bb_device_list_unref(devices);
	bb_alarm_set_unref(alarms);
	if (r < 0)
		return r;
	return last ? API_LAST : API_MORE;
}

static int status_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct status_answer *status = (struct status_answer *)answer;

	if (!request->status->agent_only) {
		status->list = bb_registry_devices(agent_registry(answer->client->api->agent));
		if (status->list == NULL)
			return -ENOMEM;
	}
	return status_send_agent(answer->client, request->status->agent_only);
}

/* All of one device into @message; borrows from @snapshot. */
static void status_fill(struct bb_device *device, const struct bb_snapshot *snapshot, int64_t now_ms,
			struct api_batch *batch, Busbar__Device *message)
{
	struct bb_device_stats stats;

	message->name = api_text(bb_device_name(device));
	message->plugin = api_text(bb_device_plugin(device));
	message->address = api_text(bb_device_address(device));
	message->state = api_text(bb_device_state_name(snapshot->state));
	message->worst = worst_of(snapshot->alarms);
	message->light = light_of(snapshot->state, message->worst);
	message->age_ms = snapshot->age_ms;
	bb_device_stats(device, &stats);
	message->polls = stats.polls;
	message->errors = stats.errors;
	message->last_poll_us = stats.last_poll_us;

	message->points = &batch->pointers[batch->count];
	for (size_t i = 0; i < STATUS_POINTS && snapshot->reading != NULL; i++) {
		const int index = bb_reading_find(snapshot->reading, status_points[i]);

		if (index < 0 || !api_batch_has_room(batch))
			continue;
		api_batch_add(batch, message->name, snapshot, (size_t)index, now_ms);
		message->n_points++;
	}
}

static int status_more(struct api_answer *answer)
{
	struct status_answer *status = (struct status_answer *)answer;
	const int64_t now_ms = bb_clock_ms();
	struct bb_snapshot snapshots[DEVICES_A_FRAME] = {{.reading = NULL}};
	Busbar__Device messages[DEVICES_A_FRAME], *pointers[DEVICES_A_FRAME];
	struct api_batch batch = {.count = 0};
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	char *names[NAMES_MAX];
	size_t name_count = 0;
	int r;

	response.devices = pointers;
	while (response.n_devices < DEVICES_A_FRAME && status->next < status->list->count) {
		const size_t i = response.n_devices++;
		struct bb_device *device = status->list->devices[status->next++];

		bb_device_snapshot(device, now_ms, &snapshots[i]);
		busbar__device__init(&messages[i]);
		pointers[i] = &messages[i];
		status_fill(device, &snapshots[i], now_ms, &batch, &messages[i]);
		messages[i].alarms = &names[name_count];
		messages[i].n_alarms = name_active(snapshots[i].alarms, messages[i].alarms,
						   (NAMES_MAX - name_count) / (DEVICES_A_FRAME - i));
		name_count += messages[i].n_alarms;
	}
	response.protocol = API_PROTOCOL;
	response.last = status->next == status->list->count;
	r = api_send(answer->client, &response);
	for (size_t i = 0; i < response.n_devices; i++)
		bb_snapshot_release(&snapshots[i]);
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

static void status_end(struct api_answer *answer)
{
	struct status_answer *status = (struct status_answer *)answer;

	if (status->list != NULL)
		bb_device_list_unref(status->list);
}

const struct api_answer_type api_status = {
	.size = sizeof(struct status_answer),
	.begin = status_begin,
	.more = status_more,
	.end = status_end,
};

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
	if (alarms->device[0] == '\0')
		alarms->set = bb_registry_agent_alarms(registry);
	return api_check_device(answer->client, alarms->device);
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

static void alarm_fill(Busbar__Alarm *row, const char *device, const struct bb_alarm *alarm)
{
	busbar__alarm__init(row);
	row->device = api_text(device);
	row->name = api_text(alarm->type->name);
	row->title = api_text(alarm->type->title);
	row->severity = severity_of(alarm->type->severity);
	row->active = alarm->active;
	row->since_wall_ms = alarm->since_wall_ms;
	row->event = alarm->event;
}

static int alarms_more(struct api_answer *answer)
{
	struct alarms_answer *alarms = (struct alarms_answer *)answer;
	Busbar__Alarm rows[API_BATCH], *pointers[API_BATCH];
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	int r;

	/* Names and types are static or live as long as @list: a frame may hold rows of several sets. */
	while (response.n_alarms < API_BATCH && alarms_next_set(alarms)) {
		const struct bb_alarm_set *set = alarms->set;

		for (; alarms->next_alarm < set->count && response.n_alarms < API_BATCH; alarms->next_alarm++) {
			if (!alarms->all && !set->alarms[alarms->next_alarm].active)
				continue;
			pointers[response.n_alarms] = &rows[response.n_alarms];
			alarm_fill(&rows[response.n_alarms++], alarms->name, &set->alarms[alarms->next_alarm]);
		}
		if (alarms->next_alarm == set->count) {
			bb_alarm_set_unref(alarms->set);
			alarms->set = NULL;
		}
	}
	response.alarms = pointers;
	response.protocol = API_PROTOCOL;
	response.last = response.n_alarms < API_BATCH;
	r = api_send(answer->client, &response);
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
