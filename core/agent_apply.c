/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_apply.c - from one configuration to the next.
 *
 * A configuration is read and checked whole first (configuration.c); only then does anything change. What runs is
 * compared with it section by section: what says the same goes on undisturbed, the rest is stopped and started anew.
 *
 * The current configuration owns the bb_config of everything that runs. A section that goes on keeps its old bb_config,
 * because the plugin borrowed it at open(): the new configuration takes it over in exchange for its own copy.
 *
 * Stopping a device takes time when a poll is in flight on a worker. It leaves the registry at once and lives on in
 * the list of leaving devices, with its bb_config, until the poll has come back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent_data.h"
#include "alarm_told.h"
#include "device.h"
#include "exporter.h"
#include "link.h"
#include "log.h"
#include "monitor.h"
#include "options.h"
#include "registry.h"
#include "rule_config.h"
#include "scheduler.h"

/* First polls of many devices are this far apart, so that a start does not fire them all in one millisecond. */
#define AGENT_SPREAD_PER_DEVICE_MS 2

/* An exporter that did not start (its port was taken) is tried again after this long, then less and less often. */
#define AGENT_RETRY_FIRST_MS 1000
#define AGENT_RETRY_MOST_MS  60000

/* ---- devices leaving ---- */

static void departure_finish(struct departure *departure)
{
	struct agent *agent = departure->agent;

	for (struct departure **place = &agent->departures; *place; place = &(*place)->next)
		if (*place == departure) {
			*place = departure->next;
			break;
		}
	device_close(departure->device);
	bb_device_unref(departure->device);
	options_free(departure->config);
	free(departure);
	if (agent->stopping && !agent->departures)
		bb_loop_stop(agent->loop);
}

static void agent_device_idle(void *context, struct bb_device *device)
{
	(void)device; /* the departure knows it */
	departure_finish(context);
}

static void agent_device_removed(void *context, struct bb_device *device)
{
	device_when_idle(device, agent_device_idle, context);
}

int agent_dismiss(struct agent *agent, struct bb_device *device, struct bb_config *config)
{
	struct departure *departure = calloc(1, sizeof(*departure));

	if (!departure)
		return -ENOMEM;
	*departure = (struct departure){.agent = agent, .device = device, .config = config, .next = agent->departures};
	agent->departures = departure;

	if (device_is_event_driven(device)) {
		device_stop(device);
		departure_finish(departure);
	} else {
		scheduler_remove(agent->scheduler, device, agent_device_removed, departure);
	}
	return 0;
}

static int agent_remove_device(struct agent *agent, const char *name, struct bb_config *config)
{
	struct bb_device *device = bb_registry_find(agent->registry, name);

	if (!device) { /* it could not be opened in the first place */
		options_free(config);
		return 0;
	}
	registry_remove(agent->registry, device);
	return agent_dismiss(agent, device, config);
}

/* ---- devices coming ---- */

static int agent_run_device(struct agent *agent, struct bb_device *device, int64_t spread_ms)
{
	if (device_is_event_driven(device))
		return device_start(device);
	return scheduler_add(agent->scheduler, device, spread_ms);
}

static int agent_open_device(struct agent *agent, struct bb_device *device, int64_t spread_ms)
{
	int r = device_open(device, agent->links);

	if (r < 0)
		return r;
	r = device_ensure_link(device, agent->links);
	if (r >= 0)
		r = registry_add(agent->registry, device);
	if (r >= 0) {
		monitor_look(device); /* alarms of before a restart show at once */
		r = agent_run_device(agent, device, spread_ms);
		if (r < 0)
			registry_remove(agent->registry, device);
	}
	if (r < 0)
		device_close(device);
	return r;
}

static int agent_add_device(struct agent *agent, const struct configuration_section *section, int64_t spread_ms)
{
	struct bb_device *device;
	int r = device_create(agent->registry, section->plugin, section->config, &device);

	if (r < 0)
		return r;
	r = agent_open_device(agent, device, spread_ms);
	bb_device_unref(device); /* the registry has its own */
	return r;
}

/* ---- from one configuration to the next ---- */

static bool sections_equal(const struct configuration_section *a, const struct configuration_section *b)
{
	return a->plugin == b->plugin && options_equal(a->config, b->config);
}

static struct configuration_section *find_section(struct configuration_section *sections, size_t count,
						  const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(bb_config_name(sections[i].config), name) == 0)
			return &sections[i];
	return NULL;
}

static void swap_configs(struct configuration_section *a, struct configuration_section *b)
{
	struct bb_config *config = a->config;

	a->config = b->config;
	b->config = config;
}

/* Both lists are sorted by name: one pass finds what goes, what comes and what stays. */
static int agent_apply_devices(struct agent *agent, struct configuration *old, struct configuration *next)
{
	const int64_t spread_ms = (int64_t)next->device_count * AGENT_SPREAD_PER_DEVICE_MS;
	const size_t old_count = old ? old->device_count : 0;
	size_t i = 0, j = 0;
	int first_error = 0;
	int r = 0;

	agent->device_failed = false;
	while (i < old_count || j < next->device_count) {
		struct configuration_section *was = i < old_count ? &old->devices[i] : NULL;
		struct configuration_section *will = j < next->device_count ? &next->devices[j] : NULL;
		const int order = !was    ? 1
				  : !will ? -1
					  : strcmp(bb_config_name(was->config), bb_config_name(will->config));
		struct bb_device *running =
			order == 0 ? bb_registry_find(agent->registry, bb_config_name(was->config)) : NULL;

		bb_device_unref(running); /* the registry's reference keeps it */
		i += order <= 0;
		j += order >= 0;
		if (running && sections_equal(was, will)) {
			swap_configs(was, will);
			continue;
		}
		if (order <= 0) {
			r = agent_remove_device(agent, bb_config_name(was->config), was->config);
			was->config = NULL; /* the departure's now */
			if (r < 0)
				first_error = r;
		}
		if (order >= 0) {
			r = agent_add_device(agent, will, spread_ms);
			if (r < 0) {
				agent->device_failed = true;
				first_error = bb_log_error(NULL, r, "device %s could not be opened",
							   bb_config_name(will->config));
			}
		}
	}
	return first_error;
}

/* plugin-failed is active while a plugin file is refused, or something the configuration names does not run. */
void agent_update_plugin_alarm(struct agent *agent)
{
	size_t count;
	const struct loader_entry *entries = loader_entries(agent->loader, &count);
	const char *text = NULL;

	for (size_t i = 0; i < count; i++)
		if (entries[i].error)
			text = entries[i].error;
	for (size_t i = 0; i < agent->exporter_count; i++)
		if (!agent_exporter_runs(agent, i))
			text = "an exporter could not be started";
	if (agent->device_failed)
		text = "a device could not be opened";
	registry_agent_alarm(agent->registry, "plugin-failed", text != NULL, text ? text : "");
}

void agent_retry_exporters(void *context)
{
	struct agent *agent = context;
	bool all_run = true;

	for (size_t i = 0; i < agent->exporter_count; i++)
		if (agent->exporters[i] && !exporter_is_running(agent->exporters[i]) &&
		    exporter_start(agent->exporters[i]) < 0)
			all_run = false;
	if (!all_run)
		bb_timer_start(agent->retry,
			       bb_backoff_next(&agent->backoff, AGENT_RETRY_FIRST_MS, AGENT_RETRY_MOST_MS), 0);
	agent_update_plugin_alarm(agent);
}

/* Those that go on are carried over; then the rest of the old is stopped, then the new is started: a port that moves
 * from one exporter to another is free in between. */
static int agent_apply_exporters(struct agent *agent, struct configuration *old, struct configuration *next)
{
	struct bb_exporter **exporters = calloc(next->exporter_count + 1, sizeof(struct bb_exporter *));
	const size_t count = exporters ? next->exporter_count : 0; /* without memory none goes on */
	int r = exporters ? 0 : -ENOMEM;

	for (size_t i = 0; old && i < old->exporter_count; i++) {
		struct configuration_section *was = &old->exporters[i];
		struct configuration_section *will = find_section(next->exporters, count, bb_config_name(was->config));

		if (will && agent->exporters[i] && sections_equal(was, will)) {
			swap_configs(was, will);
			exporters[will - next->exporters] = agent->exporters[i];
		} else {
			exporter_destroy(agent->exporters[i]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct configuration_section *section = &next->exporters[i];

		if (!exporters[i] &&
		    exporter_create(section->plugin, section->config, agent->registry, agent->loop, &exporters[i]) < 0)
			r = -ENOMEM;
	}
	free(agent->exporters);
	agent->exporters = exporters;
	agent->exporter_count = count;
	bb_timer_stop(agent->retry);
	agent->backoff.failures = 0;
	agent_retry_exporters(agent);
	return r < 0 ? bb_log_error(NULL, r, "cannot make all exporters") : 0;
}

/* Devices that are opened from now on get the new rules by themselves; those that go on are told. */
static void agent_apply_rules(struct agent *agent, const struct configuration *next)
{
	struct bb_device_list *devices;

	if (rule_set_equal(registry_rules(agent->registry), next->rules))
		return;
	registry_set_rules(agent->registry, next->rules);
	devices = bb_registry_devices(agent->registry);
	for (size_t i = 0; i < devices->count; i++) {
		int r = device_set_rules(devices->devices[i], next->rules);

		if (r < 0)
			(void)bb_log_error(NULL, r, "%s keeps its old rules", bb_device_name(devices->devices[i]));
		monitor_look(devices->devices[i]);
	}
	bb_device_list_unref(devices);
}

/* Alarms of the agent itself are watched by itself. */
static bool is_configured(void *context, const char *device, const char *alarm)
{
	struct configuration *configuration = context;

	(void)alarm; /* if there is such a device, it decides */
	return device[0] == '\0' || find_section(configuration->devices, configuration->device_count, device);
}

int agent_apply(struct agent *agent, struct configuration *next)
{
	struct configuration *old = agent->configuration;
	int device_error, exporter_error;

	agent_apply_rules(agent, next);
	device_error = agent_apply_devices(agent, old, next);
	exporter_error = agent_apply_exporters(agent, old, next);

	agent->configuration = next;
	configuration_free(old);
	alarm_told_sweep(registry_alarm_told(agent->registry), is_configured, next, "the device is configured no more");
	agent_update_plugin_alarm(agent);
	return device_error < 0 ? device_error : exporter_error;
}
