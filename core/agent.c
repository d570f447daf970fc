/* SPDX-License-Identifier: Apache-2.0
 *
 * agent.c - the running whole: registry, links, scheduler, exporters.
 *
 * This file is its life: made, loaded, started, reloaded, stopped. How it becomes what a configuration says is in
 * agent_apply.c.
 */
#include "agent_data.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/event.h>

#include "data_log.h"
#include "events.h"
#include "exporter.h"
#include "journal.h"
#include "link.h"
#include "log.h"
#include "maps.h"
#include "monitor.h"
#include "options.h"
#include "probe.h"
#include "registry.h"
#include "regmap.h"
#include "scheduler.h"

/* The agent promises to stop within two seconds; this much of it is for polls in flight. */
#define AGENT_STOP_PATIENCE_MS 1200

/* And this much for the disk to take the last events. */
#define AGENT_JOURNAL_PATIENCE_MS 600

/* ---- events of the agent itself ---- */

static void agent_tell(enum bb_event_kind kind, enum bb_severity severity, const char *subject, const char *text)
{
	const struct bb_event event = {.kind = kind, .severity = severity, .subject = subject, .text = text};

	/* Without memory for an event there is none to say so either. */
	(void)bb_event_emit(&event);
}

static void agent_report_refused_plugins(const struct agent *agent)
{
	size_t count;
	const struct loader_entry *entries = loader_entries(agent->loader, &count);

	for (size_t i = 0; i < count; i++)
		if (entries[i].error)
			agent_tell(BB_EVENT_PLUGIN_FAILED, BB_SEVERITY_WARNING, entries[i].file, entries[i].error);
}

/* Does @config say the log level? Then it holds from now on. */
static void agent_apply_log_level(const struct bb_config *config)
{
	enum bb_log_level level;

	if (log_level_parse(bb_config_string(config, "log-level"), &level) == 0)
		log_set_level(level);
}

static void agent_devices_changed(void *context)
{
	struct agent *agent = context;

	for (size_t i = 0; i < agent->exporter_count; i++)
		if (agent->exporters[i])
			exporter_devices_changed(agent->exporters[i]);
}

/* ---- life of the agent ---- */

int agent_create(struct bb_loop *loop, const char *config_path, struct agent **ret_agent)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int r = -ENOMEM;

	if (!agent)
		return -ENOMEM;
	agent->loop = loop;
	agent->config_path = strdup(config_path);
	agent->retry = bb_timer_create(loop, agent_retry_exporters, agent);
	if (!agent->config_path || !agent->retry)
		goto fail;
	r = registry_create(loop, &agent->registry);
	if (r >= 0)
		r = link_table_create(loop, &agent->links);
	if (r >= 0)
		r = scheduler_create(loop, &agent->scheduler);
	if (r < 0)
		goto fail;
	registry_set_links(agent->registry, agent->links);
	registry_on_change(agent->registry, agent_devices_changed, agent);
	*ret_agent = agent;
	return 0;
fail:
	agent_destroy(agent);
	return r;
}

static int agent_load_plugins(struct agent *agent, const struct bb_config *config)
{
	char directory[PATH_MAX];
	const char *said = bb_config_string(config, "plugin-dir");

	if (!said) {
		int r = loader_default_directory(directory, sizeof(directory));

		if (r < 0)
			return bb_log_error(NULL, r, "cannot tell where the plugins are");
		said = directory;
	}
	return loader_create(said, &agent->loader);
}

int agent_load(struct agent *agent)
{
	struct plugin_finder finder;
	struct bb_config *config;
	int r = configuration_load_agent(agent->config_path, &config);

	if (r < 0)
		return r;
	agent_apply_log_level(config);
	r = agent_load_plugins(agent, config);
	if (r >= 0)
		r = maps_open(config); /* before the devices, which name maps */
	options_free(config);
	if (r < 0)
		return r;
	finder = loader_finder(agent->loader);
	return configuration_load(agent->config_path, &finder, &agent->configuration);
}

static void agent_journal_trouble(void *context, bool active, const char *text)
{
	struct agent *agent = context;

	registry_agent_alarm(agent->registry, "journal-trouble", active, text);
}

static int agent_open_journal(struct agent *agent, const struct configuration *configuration,
			      uint64_t *ret_first_number)
{
	const struct journal_setup setup = {
		.options = configuration->journal,
		.state_dir = bb_config_string(configuration->agent, "state-dir"),
		.loop = agent->loop,
		.trouble = agent_journal_trouble,
		.context = agent,
	};
	int r = journal_open(&setup, ret_first_number);

	return r < 0 ? bb_log_error(NULL, r, "cannot open the journal in %s", setup.state_dir) : 0;
}

int agent_start(struct agent *agent)
{
	struct configuration *configuration = agent->configuration;
	uint64_t first_number = 1;
	int r;

	assert(configuration); /* agent_load() comes first */
	r = agent_open_journal(agent, configuration, &first_number);
	if (r < 0)
		return r;
	r = events_start(agent->loop, first_number);
	if (r < 0)
		return r;
	r = monitor_start(agent->registry);
	if (r >= 0)
		r = data_log_start(agent->loop, agent->registry, configuration->journal, &agent->data_log);
	if (r < 0)
		return r;
	agent_tell(BB_EVENT_AGENT_STARTED, BB_SEVERITY_INFO, NULL, "busbar " BUSBAR_VERSION " started");
	agent_report_refused_plugins(agent);
	agent->configuration = NULL; /* nothing of it runs yet */
	r = agent_apply(agent, configuration);
	if (r == -ENOMEM)
		return r;
	registry_settle_agent(agent->registry); /* what people said about alarms that are over now is over, too */
	return 0; /* what did not start has been said, is an alarm, and does not keep the rest from running */
}

/* The state folder is taken at the start; everything else about the journal may change. */
static void agent_apply_journal(struct agent *agent, const struct bb_config *options)
{
	if (options_equal(agent->configuration->journal, options))
		return;
	journal_configure(options);
	if (data_log_configure(agent->data_log, options) < 0)
		(void)bb_log_error(NULL, -ENOMEM, "the data log goes on as before");
}

int agent_reload(struct agent *agent)
{
	const struct plugin_finder finder = loader_finder(agent->loader);
	struct configuration *next;
	int r = loader_scan(agent->loader); /* new hardware may have come as a new file */

	if (r < 0)
		return r;
	agent_update_plugin_alarm(agent);
	r = configuration_load(agent->config_path, &finder, &next);
	if (r < 0) {
		agent_tell(BB_EVENT_CONFIG_REJECTED, BB_SEVERITY_WARNING, agent->config_path,
			   "the new configuration is faulty, the old one stays in force");
		registry_agent_alarm(agent->registry, "config-rejected", true, agent->config_path);
		return bb_log_error(NULL, r, "%s not taken, the old configuration stays in force", agent->config_path);
	}
	agent_apply_log_level(next->agent);
	agent_apply_journal(agent, next->journal);
	(void)agent_apply(agent,
			  next); /* what did not start has been said, is an alarm, and does not hold up the rest */
	registry_agent_alarm(agent->registry, "config-rejected", false, agent->config_path);
	agent_tell(BB_EVENT_CONFIG_LOADED, BB_SEVERITY_INFO, agent->config_path, "configuration loaded");
	bb_log_notice(NULL, "%s loaded: %zu devices, %zu exporters", agent->config_path, next->device_count,
		      next->exporter_count);
	return 0;
}

static void agent_patience_over(void *context)
{
	struct agent *agent = context;

	bb_loop_stop(agent->loop);
}

/* The last task in the loop's queue. */
struct drain {
	struct bb_task task; /* first: the task is the drain */
	struct bb_loop *loop;
};

static void drain_reached(struct bb_task *task)
{
	bb_loop_stop(((struct drain *)task)->loop);
}

/* Let everything run that was posted before now: it may be about what is freed next. */
static void agent_drain(struct agent *agent)
{
	struct drain drain = {.task.run = drain_reached, .loop = agent->loop};

	bb_loop_post(agent->loop, &drain.task);
	(void)bb_loop_run(agent->loop);
}

bool agent_stop(struct agent *agent)
{
	struct bb_device_list *devices;

	agent_tell(BB_EVENT_AGENT_STOPPING, BB_SEVERITY_INFO, NULL, "busbar is stopping");
	bb_timer_stop(agent->retry);
	data_log_stop(agent->data_log);
	agent->data_log = NULL;
	for (size_t i = 0; i < agent->exporter_count; i++)
		exporter_destroy(agent->exporters[i]);
	agent->exporter_count = 0;
	monitor_stop(agent->registry); /* after them: the alarms that end with exporters are told as any other */

	devices = bb_registry_devices(agent->registry);
	for (size_t i = 0; i < devices->count; i++) {
		registry_remove(agent->registry, devices->devices[i]);
		(void)agent_dismiss(agent, bb_device_ref(devices->devices[i]),
				    NULL); /* no memory: it just ends with us */
	}
	bb_device_list_unref(devices);

	agent->stopping = true;
	if (agent->departures) {
		struct bb_timer *patience = bb_timer_create(agent->loop, agent_patience_over, agent);

		if (patience) {
			bb_timer_start(patience, AGENT_STOP_PATIENCE_MS, 0);
			(void)bb_loop_run(agent->loop); /* until the last departure, or no more patience */
		}
		bb_timer_destroy(patience);
	}
	for (const struct departure *departure = agent->departures; departure; departure = departure->next)
		(void)bb_log_warning(NULL, 0, "%s: a poll still hangs, stopping without it",
				     bb_device_name(departure->device));
	/* What was told so far, the end included, is to be on disk, also when a plugin hangs. */
	agent_drain(agent);
	events_stop();
	journal_close(AGENT_JOURNAL_PATIENCE_MS);
	return agent->departures == NULL && agent->probes == 0;
}

void agent_destroy(struct agent *agent)
{
	if (!agent)
		return;
	agent_drain(agent);
	scheduler_destroy(agent->scheduler);
	if (!link_table_destroy(agent->links, AGENT_STOP_PATIENCE_MS))
		(void)bb_log_warning(NULL, 0, "a worker thread did not end");
	registry_destroy(agent->registry);
	bb_timer_destroy(agent->retry);
	configuration_free(agent->configuration);
	loader_destroy(agent->loader);
	regmap_close();
	free(agent->exporters);
	free(agent->config_path);
	free(agent);
}

struct bb_registry *agent_registry(struct agent *agent)
{
	return agent->registry;
}

struct loader *agent_loader(struct agent *agent)
{
	return agent->loader;
}

const struct configuration *agent_configuration(struct agent *agent)
{
	return agent->configuration;
}

bool agent_exporter_runs(const struct agent *agent, size_t index)
{
	return index < agent->exporter_count && agent->exporters[index] && exporter_is_running(agent->exporters[index]);
}

int agent_probe(struct agent *agent, const char *address, const char *const *options,
		void (*done)(void *context, struct bb_device *device, int result), void *context, char **ret_error)
{
	const struct probe_surroundings surroundings = {
		.loop = agent->loop,
		.registry = agent->registry,
		.links = agent->links,
		.loader = agent->loader,
		.running = &agent->probes,
	};

	return probe_start(&surroundings, address, options, done, context, ret_error);
}
