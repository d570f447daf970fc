/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter.c - what an exporter plugin sees of the core, and the core of it.
 */
#include "exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "registry.h"

struct bb_exporter {
	const struct bb_plugin *plugin;
	const struct bb_config *config;
	struct bb_registry *registry;
	struct bb_loop *loop;
	struct bb_log *log;
	struct event_subscriber subscriber;
	bool running;
	const char *alarms[BB_EXPORTER_ALARMS]; /* of the agent, that it says to hold; NULL: a free place */
	max_align_t state[];                    /* plugin->state_size bytes */
};

int exporter_create(const struct bb_plugin *plugin, const struct bb_config *config, struct bb_registry *registry,
		    struct bb_loop *main_loop, struct bb_exporter **ret_exporter)
{
	struct bb_exporter *exporter = calloc(1, sizeof(*exporter) + plugin->state_size);

	if (!exporter)
		return -ENOMEM;
	exporter->log = log_create(bb_config_name(config));
	if (!exporter->log) {
		free(exporter);
		return -ENOMEM;
	}
	exporter->plugin = plugin;
	exporter->config = config;
	exporter->registry = registry;
	exporter->loop = main_loop;
	*ret_exporter = exporter;
	return 0;
}

static void exporter_event(void *context, const struct bb_event *event)
{
	struct bb_exporter *exporter = context;

	exporter->plugin->exporter.event(exporter->state, event);
}

/* What it said ends with it. */
static void exporter_release_alarms(struct bb_exporter *exporter)
{
	for (size_t i = 0; i < BB_EXPORTER_ALARMS; i++)
		if (exporter->alarms[i]) {
			(void)registry_hold_agent_alarm(exporter->registry, exporter->alarms[i], false,
							NULL); /* known: it was held */
			exporter->alarms[i] = NULL;
		}
}

int exporter_start(struct bb_exporter *exporter)
{
	const struct bb_exporter_ops *ops = &exporter->plugin->exporter;
	int r;

	memset(exporter->state, 0, exporter->plugin->state_size);
	r = ops->start(exporter, exporter->config, exporter->state);
	if (r < 0) {
		ops->stop(exporter->state);
		exporter_release_alarms(exporter);
		return r;
	}
	if (ops->event) {
		exporter->subscriber = (struct event_subscriber){.event = exporter_event, .context = exporter};
		events_subscribe(&exporter->subscriber);
	}
	exporter->running = true;
	return 0;
}

void exporter_destroy(struct bb_exporter *exporter)
{
	if (!exporter)
		return;
	if (exporter->running) {
		if (exporter->plugin->exporter.event)
			events_unsubscribe(&exporter->subscriber);
		exporter->plugin->exporter.stop(exporter->state);
		exporter_release_alarms(exporter);
	}
	log_free(exporter->log);
	free(exporter);
}

bool exporter_is_running(const struct bb_exporter *exporter)
{
	return exporter->running;
}

const struct bb_plugin *exporter_plugin(const struct bb_exporter *exporter)
{
	return exporter->plugin;
}

const struct bb_config *exporter_config(const struct bb_exporter *exporter)
{
	return exporter->config;
}

void exporter_devices_changed(struct bb_exporter *exporter)
{
	if (exporter->running && exporter->plugin->exporter.devices_changed)
		exporter->plugin->exporter.devices_changed(exporter->state);
}

const struct bb_log *bb_exporter_log(struct bb_exporter *exporter)
{
	return exporter->log;
}

struct bb_registry *bb_exporter_registry(struct bb_exporter *exporter)
{
	return exporter->registry;
}

struct bb_loop *bb_exporter_loop(struct bb_exporter *exporter)
{
	return exporter->loop;
}

int bb_exporter_alarm(struct bb_exporter *exporter, const char *type, bool active, const char *text)
{
	const struct bb_alarm_type *known = bb_alarm_type_find(type);
	const char **place = NULL;

	if (!known)
		return -ENOENT;
	for (size_t i = 0; i < BB_EXPORTER_ALARMS; i++)
		if (exporter->alarms[i] == known->name)
			place = &exporter->alarms[i];
	if ((place != NULL) == active)
		return 0;
	for (size_t i = 0; i < BB_EXPORTER_ALARMS && !place; i++)
		if (!exporter->alarms[i])
			place = &exporter->alarms[i];
	if (!place)
		return -ENOSPC;
	if (!registry_hold_agent_alarm(exporter->registry, known->name, active, text))
		return -ENOENT;
	*place = active ? known->name : NULL;
	return 0;
}

const char *bb_version(void)
{
	return BUSBAR_VERSION;
}
