/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.c - tries a device that is in no configuration: `busbarctl probe`.
 *
 * The device is made from its address and options like any other, polled once, shown, and closed. A device that is
 * polled by workers gets one piece of work on its link. One that polls by itself is started and looked at every
 * PROBE_LOOK_MS until it has published, failed, or taken too long.
 */
#include "probe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "device.h"
#include "options.h"

#define PROBE_NAME        "probe"
#define PROBE_LOOK_MS     50
#define PROBE_PATIENCE_MS 20000

struct probe {
	struct bb_device *device;
	struct bb_config *config;
	void (*done)(void *context, struct bb_device *device, int result);
	void *context;
	struct link_work work;  /* devices that workers poll */
	struct bb_timer *timer; /* devices that poll by themselves */
	int64_t until_ms;
	unsigned *running;
};

static void probe_finish(struct probe *probe, int result)
{
	if (probe->timer) {
		bb_timer_destroy(probe->timer);
		device_stop(probe->device);
	}
	probe->done(probe->context, probe->device, result);
	device_close(probe->device);
	bb_device_unref(probe->device);
	options_free(probe->config);
	--*probe->running;
	free(probe);
}

/* Worker of the link. */
static int probe_poll(struct link_work *work)
{
	struct probe *probe = BB_CONTAINER(work, struct probe, work);

	return device_poll(probe->device, BB_GROUP_REST);
}

static void probe_polled(struct link_work *work, int result)
{
	probe_finish(BB_CONTAINER(work, struct probe, work), result);
}

static void probe_look(void *context)
{
	struct probe *probe = context;
	struct bb_snapshot snapshot;
	struct bb_device_stats stats;

	bb_device_snapshot(probe->device, bb_clock_ms(), &snapshot);
	bb_device_stats(probe->device, &stats);
	if (snapshot.reading)
		probe_finish(probe, 0);
	else if (stats.errors > 0 || bb_clock_ms() > probe->until_ms)
		probe_finish(probe, -ETIMEDOUT);
	bb_snapshot_release(&snapshot);
}

static int probe_run(struct probe *probe, const struct probe_surroundings *surroundings)
{
	int r;

	if (!device_is_event_driven(probe->device)) {
		probe->work.run = probe_poll;
		probe->work.done = probe_polled;
		probe->work.timeout_ms = device_timeout(probe->device);
		link_submit(device_link(probe->device), &probe->work);
		return 0;
	}
	probe->timer = bb_timer_create(surroundings->loop, probe_look, probe);
	if (!probe->timer)
		return -ENOMEM;
	r = device_start(probe->device);
	if (r < 0) {
		bb_timer_destroy(probe->timer);
		return r;
	}
	probe->until_ms = bb_clock_ms() + PROBE_PATIENCE_MS;
	bb_timer_start(probe->timer, PROBE_LOOK_MS, PROBE_LOOK_MS);
	return 0;
}

/* @options with "address=…" before them; the caller frees the list and its first text. */
static const char **probe_options(const char *address, const char *const *options)
{
	const char **list;
	char *first;
	size_t count = 0;

	while (options[count])
		count++;
	list = calloc(count + 2, sizeof(*list));
	if (!list || asprintf(&first, "address=%s", address) < 0) {
		free(list);
		return NULL;
	}
	list[0] = first;
	memcpy(list + 1, options, count * sizeof(*list));
	return list;
}

static int probe_section(const struct bb_plugin *plugin, const char *address, const char *const *options,
			 struct configuration_section *ret_section)
{
	const char **list = probe_options(address, options);
	int r;

	if (!list)
		return -ENOMEM;
	r = configuration_make_device(plugin, PROBE_NAME, list, ret_section);
	free((char *)list[0]);
	free(list);
	return r;
}

static const struct bb_plugin *probe_plugin(const struct loader *loader, const char *address, char **ret_error)
{
	const char *end = strstr(address, "://");
	const struct bb_plugin *plugin = NULL;
	char *scheme = end ? strndup(address, (size_t)(end - address)) : NULL;

	if (scheme)
		plugin = loader_find_scheme(loader, scheme);
	if (!plugin && asprintf(ret_error, "no plugin understands the address '%s'", address) < 0)
		*ret_error = NULL;
	free(scheme);
	return plugin;
}

int probe_start(const struct probe_surroundings *surroundings, const char *address, const char *const *options,
		void (*done)(void *context, struct bb_device *device, int result), void *context, char **ret_error)
{
	const struct bb_plugin *plugin = probe_plugin(surroundings->loader, address, ret_error);
	struct configuration_section section = {.plugin = plugin};
	struct probe *probe;
	int r;

	if (!plugin)
		return -ENOENT;
	*ret_error = NULL;
	r = probe_section(plugin, address, options, &section);
	if (r < 0)
		return r;
	probe = calloc(1, sizeof(*probe));
	if (!probe) {
		options_free(section.config);
		return -ENOMEM;
	}
	probe->config = section.config;
	probe->done = done;
	probe->context = context;
	r = device_create(surroundings->registry, plugin, section.config, &probe->device);
	if (r < 0)
		goto fail;
	r = device_open(probe->device, surroundings->links);
	if (r < 0)
		goto fail_device;
	r = device_ensure_link(probe->device, surroundings->links);
	if (r >= 0)
		r = probe_run(probe, surroundings);
	if (r < 0) {
		device_close(probe->device);
		goto fail_device;
	}
	probe->running = surroundings->running;
	++*probe->running;
	return 0;

fail_device:
	bb_device_unref(probe->device);
fail:
	options_free(probe->config);
	free(probe);
	return r;
}
