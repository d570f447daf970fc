/* SPDX-License-Identifier: Apache-2.0
 *
 * api_status.c - answers how things are: the agent, a traffic light for every device.
 *
 * The light is decided here and nowhere else, so that every local program shows the same one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/exporter.h>
#include <busbar/macros.h>
#include <busbar/registry.h>

#include "api_internal.h"
#include "loader.h"

#define DEVICES_A_FRAME 8
#define NAMES_MAX       512 /* alarm names a frame can carry */
#define OWN_MAX         32  /* alarms of the agent itself that it tells about */

/* What the status line of a device shows, as far as the device has it. */
static const char *const status_points[] = {
	"ups.status", "battery.charge", "battery.runtime", "output.L1.load", "output.L2.load", "output.L3.load",
};
#define STATUS_POINTS BB_LENGTH(status_points)

_Static_assert(DEVICES_A_FRAME *STATUS_POINTS <= API_BATCH, "one batch holds the points of all devices of a frame");

static Busbar__Severity worst_of(const struct bb_alarm_set *set)
{
	enum bb_severity worst;

	if (set == NULL || !bb_alarm_set_worst(set, &worst))
		return BUSBAR__SEVERITY__NO_SEVERITY;
	return api_severity(worst);
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

/* How many of the active alarms has nobody answered for? */
static uint32_t count_open(const struct bb_alarm_set *set)
{
	uint32_t count = 0;

	for (size_t i = 0; set != NULL && i < set->count; i++) {
		const struct bb_alarm *alarm = &set->alarms[i];

		count += alarm->active && !alarm->acknowledged && alarm->inhibited_until_wall_ms == 0;
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
	Busbar__Alarm own[OWN_MAX], *own_pointers[OWN_MAX];
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
	message.devices = (uint32_t)devices->count;
	message.alarms = names;
	message.n_alarms = name_active(alarms, names, NAMES_MAX);
	message.worst = worst_of(alarms);
	message.active = own_pointers;
	for (size_t i = 0; i < alarms->count && message.n_active < OWN_MAX; i++) {
		if (!alarms->alarms[i].active)
			continue;
		api_alarm_fill(&own[message.n_active], "", &alarms->alarms[i]);
		own_pointers[message.n_active] = &own[message.n_active];
		message.n_active++;
	}
	message.exporters = calloc(configuration->exporter_count + 1, sizeof(*message.exporters));
	if (message.exporters != NULL) {
		for (size_t i = 0; i < configuration->exporter_count; i++)
			if (agent_exporter_runs(agent, i))
				message.exporters[message.n_exporters++] =
					api_text(bb_config_name(configuration->exporters[i].config));
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

	if (!request->status->agent_only)
		status->list = bb_registry_devices(agent_registry(answer->client->api->agent));
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
	message->open = count_open(snapshot->alarms);
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

	bb_device_list_unref(status->list);
}

const struct api_answer_type api_status = {
	.size = sizeof(struct status_answer),
	.begin = status_begin,
	.more = status_more,
	.end = status_end,
};
