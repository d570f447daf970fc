/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry: the list of devices, its version, and the alarms of the agent itself.
 *
 * Exporters on any thread take the current list and keep it as long as they work on it; the main loop puts another in
 * its place when a device comes or goes. The version also grows when a device gets other points, and then a list of
 * the new version is made for the next who asks: an exporter compares one number to know whether what it prepared
 * still fits.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/exporter.h>
#include <busbar/macros.h>

#include "alarm.h"
#include "alarm_admin.h"
#include "alarm_told.h"
#include "device.h"
#include "events.h"
#include "link.h"
#include "registry.h"
#include "rule_config.h"

/* The alarms the agent can raise about itself. */
static const char *const agent_alarms[] = {"config-rejected", "journal-trouble", "plugin-failed", "tls-not-verified"};

#define AGENT_ALARM_COUNT BB_LENGTH(agent_alarms)

/* What stands in front of every list; behind it, since the list ends with an array. */
struct header {
	_Alignas(max_align_t) atomic_uint references;
};

struct bb_registry {
	atomic_uint references;
	struct bb_loop *loop;
	struct link_table *links;
	struct monitor *monitor;
	struct alarm_admin *admin;
	struct alarm_told *told;
	struct rule_set *rules;
	void (*changed)(void *context);
	void *changed_context;
	atomic_uint_fast64_t version;
	atomic_int_fast64_t gap_ms;
	atomic_bool posted; /* @task waits on the loop */
	struct bb_task task;
	unsigned holders[AGENT_ALARM_COUNT]; /* of each alarm of the agent; main loop */

	pthread_mutex_t lock; /* all below */
	struct bb_device_list *list;
	struct bb_alarm_set *alarms;
};

static void registry_tell(struct bb_task *task)
{
	struct bb_registry *registry = BB_CONTAINER(task, struct bb_registry, task);

	atomic_store(&registry->posted, false);
	if (registry->changed)
		registry->changed(registry->changed_context);
	registry_unref(registry);
}

/* ---- lists ---- */

static struct header *header_of(struct bb_device_list *list)
{
	return (struct header *)list - 1;
}

/* A list of the devices of @from (may be NULL) without @less, and with room for one more. */
static struct bb_device_list *list_create(const struct bb_device_list *from, const struct bb_device *less)
{
	const size_t count = from ? from->count : 0;
	struct header *header =
		calloc(1, sizeof(*header) + sizeof(struct bb_device_list) + (count + 1) * sizeof(struct bb_device *));
	struct bb_device_list *list = (struct bb_device_list *)(header + 1);

	if (!header)
		return NULL;
	atomic_init(&header->references, 1);
	for (size_t i = 0; i < count; i++)
		if (from->devices[i] != less)
			list->devices[list->count++] = bb_device_ref(from->devices[i]);
	return list;
}

static struct bb_device_list *list_ref(struct bb_device_list *list)
{
	atomic_fetch_add_explicit(&header_of(list)->references, 1, memory_order_relaxed);
	return list;
}

void bb_device_list_unref(struct bb_device_list *list)
{
	if (!list || atomic_fetch_sub_explicit(&header_of(list)->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < list->count; i++)
		bb_device_unref(list->devices[i]);
	free(header_of(list));
}

/* Place of the first device whose name is not before @name. */
static size_t list_place(const struct bb_device_list *list, const char *name)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(bb_device_name(list->devices[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void list_insert(struct bb_device_list *list, struct bb_device *device)
{
	const size_t place = list_place(list, bb_device_name(device));

	memmove(&list->devices[place + 1], &list->devices[place], (list->count - place) * sizeof(list->devices[0]));
	list->devices[place] = bb_device_ref(device);
	list->count++;
}

struct bb_device_list *bb_registry_devices(struct bb_registry *registry)
{
	struct bb_device_list *list, *old = NULL, *fresh;
	uint64_t version;

	pthread_mutex_lock(&registry->lock);
	version = atomic_load(&registry->version);
	if (registry->list->version < version) {
		/* Points of a device changed: the same devices under a new number. Without memory the old list is
		 * still a true one, and the next who asks tries again. */
		fresh = list_create(registry->list, NULL);
		if (fresh) {
			fresh->version = version;
			old = registry->list;
			registry->list = fresh;
		}
	}
	list = list_ref(registry->list);
	pthread_mutex_unlock(&registry->lock);
	bb_device_list_unref(old);
	return list;
}

struct bb_device *bb_registry_find(struct bb_registry *registry, const char *name)
{
	struct bb_device *device = NULL;
	size_t place;

	pthread_mutex_lock(&registry->lock);
	place = list_place(registry->list, name);
	if (place < registry->list->count && strcmp(bb_device_name(registry->list->devices[place]), name) == 0)
		device = bb_device_ref(registry->list->devices[place]);
	pthread_mutex_unlock(&registry->lock);
	return device;
}

/* ---- devices come and go ---- */

uint64_t bb_registry_version(struct bb_registry *registry)
{
	return atomic_load(&registry->version);
}

static void registry_post(struct bb_registry *registry)
{
	if (registry->loop && !atomic_exchange(&registry->posted, true))
		bb_loop_post(registry->loop, &registry_ref(registry)->task);
}

void registry_touch(struct bb_registry *registry)
{
	atomic_fetch_add(&registry->version, 1);
	registry_post(registry);
}

/*
 * Put a list of other devices in place; only the main loop does. Its number is taken under the lock, or who asks between
 * the two would get the old devices under the new number, and keep them for as long as the number stays.
 */
static void registry_set_list(struct bb_registry *registry, struct bb_device_list *list)
{
	struct bb_device_list *old;

	pthread_mutex_lock(&registry->lock);
	list->version = atomic_fetch_add(&registry->version, 1) + 1;
	old = registry->list;
	registry->list = list;
	pthread_mutex_unlock(&registry->lock);
	bb_device_list_unref(old);
	registry_post(registry);
}

int registry_add(struct bb_registry *registry, struct bb_device *device)
{
	struct bb_device *there = bb_registry_find(registry, bb_device_name(device));
	struct bb_device_list *list, *now;

	bb_device_unref(there);
	if (there)
		return -EEXIST;
	now = bb_registry_devices(registry);
	list = list_create(now, NULL);
	bb_device_list_unref(now);
	if (!list)
		return -ENOMEM;
	list_insert(list, device);
	atomic_store(&device_record(device)->listed, true);
	registry_set_list(registry, list);
	return 0;
}

void registry_remove(struct bb_registry *registry, struct bb_device *device)
{
	struct bb_device_list *now = bb_registry_devices(registry);
	struct bb_device_list *list = list_create(now, device);

	bb_device_list_unref(now);
	atomic_store(&device_record(device)->listed, false);
	if (!list) { /* it stays in the list until the next change; nobody is told of it any more */
		(void)bb_log_error(NULL, -ENOMEM, "cannot take %s out of the list", bb_device_name(device));
		return;
	}
	registry_set_list(registry, list);
}

void registry_on_change(struct bb_registry *registry, void (*changed)(void *context), void *context)
{
	registry->changed = changed;
	registry->changed_context = context;
}

/* ---- the agent's own alarms ---- */

struct bb_alarm_set *bb_registry_agent_alarms(struct bb_registry *registry)
{
	struct bb_alarm_set *set;

	pthread_mutex_lock(&registry->lock);
	set = bb_alarm_set_ref(registry->alarms);
	pthread_mutex_unlock(&registry->lock);
	return set;
}

/* Tell what an alarm of the agent has become, unless somebody keeps it quiet. */
static void agent_alarm_tell(struct bb_registry *registry, struct bb_alarm *alarm, const char *text)
{
	if (!alarm_is_untold(alarm))
		return;
	const uint64_t number =
		events_emit(&(struct bb_event){.kind = alarm->active ? BB_EVENT_ALARM_RAISED : BB_EVENT_ALARM_CLEARED,
					       .raised = alarm->event,
					       .severity = alarm->type->severity,
					       .subject = alarm->type->name,
					       .text = text && text[0] != '\0' ? text : alarm->type->title});
	alarm->event = alarm->active ? number : 0;
	if (alarm->event != 0)
		alarm_told_raised(registry->told, "", alarm);
	else
		alarm_told_cleared(registry->told, "", alarm->type->name);
}

static void agent_alarms_replace(struct bb_registry *registry, struct bb_alarm_set *take_set)
{
	struct bb_alarm_set *old;

	alarm_set_seal(take_set);
	pthread_mutex_lock(&registry->lock);
	old = registry->alarms;
	registry->alarms = take_set;
	pthread_mutex_unlock(&registry->lock);
	bb_alarm_set_unref(old);
}

void registry_agent_alarm(struct bb_registry *registry, const char *type_name, bool active, const char *text)
{
	const struct bb_alarm_type *type = bb_alarm_type_find(type_name);
	struct bb_alarm_set *old = registry->alarms, *set; /* only the main loop puts another in its place */
	const int place = type ? alarm_set_find(old, type) : -1;
	struct bb_alarm *alarm;

	assert(place >= 0);
	if (place < 0 || old->alarms[place].active == active)
		return;
	set = alarm_set_copy(old);
	if (!set) {
		(void)bb_log_error(NULL, -ENOMEM, "alarm %s", type_name);
		return;
	}
	alarm = &set->alarms[place];
	if (!active || !alarm_told_recall(registry->told, "", alarm)) {
		alarm->active = active;
		alarm->since_ms = bb_clock_ms();
		alarm->since_wall_ms = bb_clock_wall_ms();
	}
	alarm->acknowledged = false;
	if (registry->admin && !active)
		alarm_admin_cleared(registry->admin, "", type->name);
	if (registry->admin)
		(void)alarm_admin_apply(registry->admin, "", alarm); /* it has changed anyway */
	agent_alarm_tell(registry, alarm, text);
	agent_alarms_replace(registry, set);
}

void registry_look_at_agent(struct bb_registry *registry)
{
	struct bb_alarm_set *set = alarm_set_copy(registry->alarms);

	if (!set)
		return; /* the next look shows it */
	for (size_t i = 0; i < set->count; i++) {
		if (!set->alarms[i].active)
			alarm_admin_cleared(registry->admin, "", set->alarms[i].type->name);
		(void)alarm_admin_apply(registry->admin, "", &set->alarms[i]); /* the set is ours either way */
		agent_alarm_tell(registry, &set->alarms[i], NULL);
	}
	agent_alarms_replace(registry, set);
}

/* Alarms of the agent that people were told of: does one of them still hold, or is it kept quiet? */
static bool agent_alarm_goes_on(void *context, const char *device, const char *alarm)
{
	const struct bb_registry *registry = context;

	for (size_t i = 0; i < registry->alarms->count; i++) {
		const struct bb_alarm *one = &registry->alarms->alarms[i];

		if (strcmp(one->type->name, alarm) == 0 &&
		    (one->active || one->event != 0 || one->inhibited_until_wall_ms != 0))
			return true;
	}
	return device[0] != '\0';
}

void registry_settle_agent(struct bb_registry *registry)
{
	registry_look_at_agent(registry);
	alarm_told_sweep(registry->told, agent_alarm_goes_on, registry, "over since the agent started anew");
}

bool registry_hold_agent_alarm(struct bb_registry *registry, const char *type_name, bool hold, const char *text)
{
	for (size_t i = 0; i < AGENT_ALARM_COUNT; i++) {
		if (strcmp(agent_alarms[i], type_name) != 0)
			continue;
		assert(hold || registry->holders[i] > 0);
		registry->holders[i] += hold ? 1U : -1U;
		registry_agent_alarm(registry, type_name, registry->holders[i] > 0, text);
		return true;
	}
	return false;
}

static struct bb_alarm_set *agent_alarms_create(void)
{
	struct bb_alarm_set *set = alarm_set_create(AGENT_ALARM_COUNT, NULL);

	for (size_t i = 0; set && i < AGENT_ALARM_COUNT; i++)
		set->alarms[i].type = bb_alarm_type_find(agent_alarms[i]);
	return set;
}

/* ---- the registry itself ---- */

int registry_create(struct bb_loop *main_loop, struct bb_registry **ret_registry)
{
	struct bb_registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return -ENOMEM;
	atomic_init(&registry->references, 1);
	(void)pthread_mutex_init(&registry->lock, NULL); /* cannot fail with default attributes */
	registry->loop = main_loop;
	registry->task.run = registry_tell;
	atomic_init(&registry->gap_ms, INT64_MIN);
	registry->list = list_create(NULL, NULL);
	registry->alarms = agent_alarms_create();
	if (!registry->list || !registry->alarms) {
		registry_destroy(registry);
		return -ENOMEM;
	}
	*ret_registry = registry;
	return 0;
}

void registry_destroy(struct bb_registry *registry)
{
	struct bb_device_list *list;

	if (!registry)
		return;
	registry->changed = NULL;
	registry->monitor = NULL;
	pthread_mutex_lock(&registry->lock);
	list = registry->list;
	registry->list = NULL;
	pthread_mutex_unlock(&registry->lock);
	bb_device_list_unref(list);
	registry_unref(registry);
}

struct bb_registry *registry_ref(struct bb_registry *registry)
{
	atomic_fetch_add_explicit(&registry->references, 1, memory_order_relaxed);
	return registry;
}

void registry_unref(struct bb_registry *registry)
{
	if (atomic_fetch_sub_explicit(&registry->references, 1, memory_order_acq_rel) != 1)
		return;
	bb_alarm_set_unref(registry->alarms);
	rule_set_unref(registry->rules);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

int64_t registry_gap(const struct bb_registry *registry)
{
	return atomic_load(&registry->gap_ms);
}

void registry_set_gap(struct bb_registry *registry, int64_t now_ms)
{
	atomic_store(&registry->gap_ms, now_ms);
}

struct bb_loop *registry_loop(const struct bb_registry *registry)
{
	return registry->loop;
}

struct monitor *registry_monitor(const struct bb_registry *registry)
{
	return registry->monitor;
}

void registry_set_monitor(struct bb_registry *registry, struct monitor *monitor)
{
	registry->monitor = monitor;
}

void registry_set_rules(struct bb_registry *registry, struct rule_set *rules)
{
	rule_set_ref(rules);
	rule_set_unref(registry->rules);
	registry->rules = rules;
}

struct rule_set *registry_rules(const struct bb_registry *registry)
{
	return registry->rules;
}

struct alarm_admin *registry_alarm_admin(const struct bb_registry *registry)
{
	return registry->admin;
}

void registry_set_alarm_admin(struct bb_registry *registry, struct alarm_admin *admin)
{
	registry->admin = admin;
}

struct alarm_told *registry_alarm_told(const struct bb_registry *registry)
{
	return registry->told;
}

void registry_set_alarm_told(struct bb_registry *registry, struct alarm_told *told)
{
	registry->told = told;
}

void registry_set_links(struct bb_registry *registry, struct link_table *links)
{
	registry->links = links;
}

void bb_registry_links(struct bb_registry *registry,
		       void (*each)(void *context, const char *name, uint64_t polls, uint64_t errors), void *context)
{
	if (registry->links)
		link_table_each(registry->links, each, context);
}
