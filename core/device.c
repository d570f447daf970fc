/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices: from a section of the configuration to a plugin's instance, and the points that it says it has.
 *
 * open() names the points that the configuration implies; they are kept by themselves (base), because every describe()
 * begins with them. The generation that readings are made of is those, what describe() adds, and what can be derived.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm.h"
#include "derive.h"
#include "derive_battery.h"
#include "device_data.h"
#include "draft.h"
#include "link.h"
#include "log.h"
#include "monitor.h"
#include "registry.h"
#include "rule_plan.h"

/* stale-after when the configuration does not say it: so many intervals, but no less than so many ms. */
#define STALE_INTERVALS 3
#define STALE_LEAST_MS  10000

/* What open() and describe() see. */
struct bb_builder {
	struct bb_device *device;
	struct link_table *links; /* NULL in describe() */
	struct draft draft;
};

/* ---- making and freeing ---- */

int device_create(struct bb_registry *registry, const struct bb_plugin *plugin, const struct bb_config *config,
		  struct bb_device **ret_device)
{
	const char *address = bb_config_string(config, "address");
	struct bb_device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	atomic_init(&device->references, 1);
	(void)pthread_mutex_init(&device->lock, NULL); /* cannot fail with default attributes */
	device->record.device = device;
	device->registry = registry_ref(registry);
	device->plugin = plugin;
	device->config = config;
	device->name = strdup(bb_config_name(config));
	device->address = strdup(address ? address : "");
	device->state = calloc(1, plugin->state_size > 0 ? plugin->state_size : 1);
	if (device->name)
		device->log = log_create(device->name);
	if (!device->log || !device->address || !device->state) {
		bb_device_unref(device);
		return -ENOMEM;
	}
	device->interval_ms = bb_config_int(config, "interval");
	device->watch_ms = bb_config_int(config, "watch");
	device->timeout_ms = bb_config_int(config, "timeout");
	device->stale_after_ms = bb_config_int(config, "stale-after");
	if (device->stale_after_ms <= 0) {
		device->stale_after_ms = STALE_INTERVALS * device->interval_ms;
		if (device->stale_after_ms < STALE_LEAST_MS)
			device->stale_after_ms = STALE_LEAST_MS;
	}
	*ret_device = device;
	return 0;
}

struct bb_device *bb_device_ref(struct bb_device *device)
{
	atomic_fetch_add_explicit(&device->references, 1, memory_order_relaxed);
	return device;
}

void bb_device_unref(struct bb_device *device)
{
	if (!device || atomic_fetch_sub_explicit(&device->references, 1, memory_order_acq_rel) != 1)
		return;
	assert(!device->link);
	bb_reading_unref(device->reading);
	bb_alarm_set_unref(device->alarms);
	rule_set_unref(device->rules);
	monitor_forget(&device->record);
	generation_unref(device->shown);
	generation_unref(device->generation);
	generation_unref(device->base);
	registry_unref(device->registry);
	pthread_mutex_destroy(&device->lock);
	log_free(device->log);
	free(device->state);
	free(device->address);
	free(device->name);
	free(device);
}

/* ---- points ---- */

struct bb_device *bb_builder_device(struct bb_builder *builder)
{
	return builder->device;
}

const struct bb_log *bb_builder_log(struct bb_builder *builder)
{
	return builder->device->log;
}

int bb_builder_link(struct bb_builder *builder, const struct bb_link_type *type, struct bb_link **ret_link)
{
	struct bb_device *device = builder->device;
	const struct bb_address *address = bb_config_address(device->config, "address");
	struct bb_link *link;
	int r;

	assert(builder->links); /* only in open() */
	if (!address)
		return bb_config_error(device->config, NULL, "an address is needed");
	r = link_acquire(builder->links, type, address, &link);
	if (r < 0)
		return bb_log_error(device->log, r, "no link to %s", address->text);
	if (!device->link) {
		link_ref(link);
		device->link = link;
	}
	*ret_link = link;
	return 0;
}

int bb_builder_add_points(struct bb_builder *builder, const struct bb_point_spec *specs, size_t count)
{
	return draft_add(&builder->draft, specs, count);
}

int bb_builder_add(struct bb_builder *builder, const char *name)
{
	return draft_add(&builder->draft, &(struct bb_point_spec){.name = name}, 1);
}

/* The points of open(), those of describe() when asked for, and what can be derived from them. */
static int device_build(struct bb_device *device, bool describe, struct generation **ret_generation)
{
	struct bb_builder builder = {.device = device};
	struct battery_settings battery;
	struct derive_plan *plan;
	int r = draft_init(&builder.draft, device->log, device->base);

	battery_settings(device->config, &battery);

	if (r >= 0 && describe)
		r = device->plugin->device.describe(&builder, device->state);
	if (r >= 0)
		r = derive_extend(&builder.draft, &battery, &plan);
	if (r >= 0)
		r = generation_create(&builder.draft, plan, ret_generation);
	draft_finish(&builder.draft);
	return r < 0 ? r : 0;
}

int device_describe(struct bb_device *device)
{
	struct generation *generation;
	int r;

	if (device->plugin->device.describe) {
		r = device_build(device, true, &generation);
		if (r < 0)
			return r;
		if (generation_equal(generation, device->generation)) {
			generation_unref(generation);
		} else {
			generation_unref(device->generation);
			device->generation = generation;
		}
	}
	device->described = true;
	return 0;
}

int bb_device_relearn(struct bb_device *device)
{
	return device_describe(device);
}

/* The alarm of @type as it was, or one that nothing is known of. */
static struct bb_alarm alarm_carry(const struct bb_alarm_set *before, const struct bb_alarm_type *type,
				   const struct bb_point *point)
{
	const int place = before ? alarm_set_find(before, type) : -1;
	struct bb_alarm alarm = {0};

	if (place >= 0)
		alarm = before->alarms[place];
	alarm.type = type;
	alarm.point = point;
	return alarm;
}

struct bb_alarm_set *device_make_alarms(const struct bb_device *device, struct generation *generation,
					struct rule_set *rules, const struct bb_alarm_set *before)
{
	const size_t delivered = generation->alarm_count;
	struct bb_alarm_set *set = NULL;
	struct rule_plan *plan;

	if (rule_plan_create(rules, device->name, generation, device->log, &plan) < 0)
		return NULL;
	set = alarm_set_create(delivered + (plan ? plan->count : 0), generation);
	for (size_t i = 0; set && i < delivered; i++)
		set->alarms[i] = alarm_carry(before, generation->points[generation->alarms[i]]->alarm, NULL);
	for (size_t i = 0; set && plan && i < plan->count; i++)
		set->alarms[delivered + i] = alarm_carry(before, &plan->bounds[i].type, plan->bounds[i].point);
	if (set) {
		alarm_set_attach(set, plan);
		alarm_set_seal(set);
	}
	rule_plan_unref(plan);
	return set;
}

int device_open(struct bb_device *device, struct link_table *links)
{
	struct bb_builder builder = {.device = device, .links = links};
	int r = draft_init(&builder.draft, device->log, NULL);

	if (r >= 0)
		r = device->plugin->device.open(&builder, device->config, device->state);
	if (r >= 0)
		r = generation_create(&builder.draft, NULL, &device->base);
	draft_finish(&builder.draft);
	if (r >= 0)
		r = device_build(device, false, &device->generation);
	if (r >= 0) {
		device->shown = generation_ref(device->generation);
		device->rules = rule_set_ref(registry_rules(device->registry));
		device->alarms = device_make_alarms(device, device->generation, device->rules, NULL);
		device->opened_ms = bb_clock_ms();
		r = device->alarms ? 0 : -ENOMEM;
	}
	if (r < 0)
		device_close(device);
	return r;
}

void device_close(struct bb_device *device)
{
	if (device->plugin->device.close)
		device->plugin->device.close(device->state);
	bb_link_unref(device->link);
	device->link = NULL;
}

int device_ensure_link(struct bb_device *device, struct link_table *links)
{
	const struct bb_address *address = bb_config_address(device->config, "address");
	int r = 0;

	if (device->link)
		return 0;
	if (address)
		r = link_acquire(links, NULL, address, &device->link);
	else
		r = link_acquire_private(links, device->name, &device->link);
	return r < 0 ? bb_log_error(device->log, r, "no link for polling") : 0;
}

/* ---- looking at it ---- */

void bb_device_stats(struct bb_device *device, struct bb_device_stats *ret_stats)
{
	pthread_mutex_lock(&device->lock);
	*ret_stats = device->stats;
	pthread_mutex_unlock(&device->lock);
}

const char *bb_device_name(const struct bb_device *device)
{
	return device->name;
}

const char *bb_device_plugin(const struct bb_device *device)
{
	return device->plugin->name;
}

const char *bb_device_address(const struct bb_device *device)
{
	return device->address;
}

int64_t bb_device_interval(const struct bb_device *device)
{
	return device->interval_ms;
}

int64_t bb_device_watch(const struct bb_device *device)
{
	return device->watch_ms;
}

const struct bb_plugin *device_plugin(const struct bb_device *device)
{
	return device->plugin;
}

const struct bb_config *device_config(const struct bb_device *device)
{
	return device->config;
}

struct device_record *device_record(struct bb_device *device)
{
	return &device->record;
}

struct bb_link *device_link(const struct bb_device *device)
{
	return device->link;
}

struct bb_registry *device_registry(const struct bb_device *device)
{
	return device->registry;
}

bool device_is_event_driven(const struct bb_device *device)
{
	return device->plugin->device.start != NULL;
}

int device_start(struct bb_device *device)
{
	int r = device->plugin->device.start(device->state);

	if (r < 0)
		device_stop(device);
	return r;
}

void device_stop(struct bb_device *device)
{
	device->plugin->device.stop(device->state);
}

int64_t device_timeout(const struct bb_device *device)
{
	return device->timeout_ms;
}

void *device_schedule(const struct bb_device *device)
{
	return device->schedule;
}

void device_set_schedule(struct bb_device *device, void *schedule)
{
	device->schedule = schedule;
}
