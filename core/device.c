/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices: from a section of the configuration to readings that exporters hold.
 *
 * The scheduler calls device_poll() on the worker that has the device's link; plugins with a client of their own call
 * bb_device_begin() and bb_device_publish() from their thread. Either way one thread at a time feeds a device, and
 * what belongs to feeding it (generation, complaint) needs no lock. What everybody looks at (reading, alarms,
 * counters) changes hands under the device's mutex, which is held for a few instructions only: nothing is allocated,
 * freed, logged or sent while it is held.
 *
 * Publishing tells the main loop only when something happened that the monitor has to decide: an alarm point or the
 * points themselves changed, or the device was not known to be up. A device may publish a hundred times a second.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alarm.h"
#include "derive.h"
#include "device.h"
#include "generation.h"
#include "link.h"
#include "log.h"
#include "monitor.h"
#include "reading.h"
#include "registry.h"

/* stale-after when the configuration does not say it: so many intervals, but no less than so many ms. */
#define STALE_INTERVALS 3
#define STALE_LEAST_MS  10000

struct bb_device {
	atomic_uint references;
	struct bb_registry *registry;
	const struct bb_plugin *plugin;
	const struct bb_config *config;
	struct bb_log *log;
	char *name, *address;
	int64_t interval_ms, watch_ms, stale_after_ms, timeout_ms;
	void *state; /* the plugin's */
	struct bb_link *link;
	void *schedule;
	struct device_record record;

	/* The thread that feeds the device. */
	struct generation *base;       /* the points of open() */
	struct generation *generation; /* what the next reading is of */
	bool described;
	struct bb_complaint complaint;

	pthread_mutex_t lock; /* all below */
	struct bb_reading *reading;
	struct bb_alarm_set *alarms;
	struct generation *shown; /* what @alarms is of */
	struct bb_device_stats stats;
	int64_t opened_ms;
};

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

	if (device == NULL)
		return -ENOMEM;
	atomic_init(&device->references, 1);
	(void)pthread_mutex_init(&device->lock, NULL); /* cannot fail with default attributes */
	device->record.device = device;
	device->registry = registry;
	device->plugin = plugin;
	device->config = config;
	device->name = strdup(bb_config_name(config));
	device->address = strdup(address != NULL ? address : "");
	device->state = calloc(1, plugin->state_size > 0 ? plugin->state_size : 1);
	if (device->name != NULL)
		device->log = log_create(device->name);
	if (device->log == NULL || device->address == NULL || device->state == NULL) {
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
	if (device == NULL || atomic_fetch_sub_explicit(&device->references, 1, memory_order_acq_rel) != 1)
		return;
	assert(device->link == NULL);
	bb_reading_unref(device->reading);
	bb_alarm_set_unref(device->alarms);
	generation_unref(device->shown);
	generation_unref(device->generation);
	generation_unref(device->base);
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

	assert(builder->links != NULL); /* only in open() */
	if (address == NULL)
		return bb_config_error(device->config, NULL, "an address is needed");
	r = link_acquire(builder->links, type, address, &link);
	if (r < 0)
		return bb_log_error(device->log, r, "no link to %s", address->text);
	if (device->link == NULL) {
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
	struct derive_plan *plan;
	int r = draft_init(&builder.draft, device->log, device->base);

	if (r >= 0 && describe)
		r = device->plugin->device.describe(&builder, device->state);
	if (r >= 0)
		r = derive_extend(&builder.draft, &plan);
	if (r >= 0)
		r = generation_create(&builder.draft, plan, ret_generation);
	draft_finish(&builder.draft);
	return r < 0 ? r : 0;
}

/* Learn what the device is. The generation in use stays when the device is what it was. */
static int device_describe(struct bb_device *device)
{
	struct generation *generation;
	int r;

	if (device->plugin->device.describe != NULL) {
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

/* The alarms of @generation, each as it was in @before when it was there. */
static struct bb_alarm_set *device_make_alarms(struct generation *generation, const struct bb_alarm_set *before)
{
	struct bb_alarm_set *set = alarm_set_create(generation->alarm_count, generation);

	if (set == NULL)
		return NULL;
	for (size_t i = 0; i < set->count; i++) {
		const struct bb_alarm_type *type = generation->points[generation->alarms[i]]->alarm;
		const int place = before != NULL ? alarm_set_find(before, type) : -1;

		if (place >= 0)
			set->alarms[i] = before->alarms[place];
		set->alarms[i].type = type;
	}
	alarm_set_seal(set);
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
		device->alarms = device_make_alarms(device->generation, NULL);
		device->opened_ms = bb_clock_ms();
		r = device->alarms != NULL ? 0 : -ENOMEM;
	}
	if (r < 0)
		device_close(device);
	return r;
}

void device_close(struct bb_device *device)
{
	if (device->plugin->device.close != NULL)
		device->plugin->device.close(device->state);
	bb_link_unref(device->link);
	device->link = NULL;
}

int device_ensure_link(struct bb_device *device, struct link_table *links)
{
	const struct bb_address *address = bb_config_address(device->config, "address");
	int r = 0;

	if (device->link != NULL)
		return 0;
	if (address != NULL)
		r = link_acquire(links, NULL, address, &device->link);
	else
		r = link_acquire_private(links, device->name, &device->link);
	return r < 0 ? bb_log_error(device->log, r, "no link for polling") : 0;
}

/* ---- feeding ---- */

struct bb_reading *bb_device_begin(struct bb_device *device, enum bb_group group)
{
	struct bb_reading *previous = NULL, *reading;

	pthread_mutex_lock(&device->lock);
	if (device->reading != NULL)
		previous = bb_reading_ref(device->reading);
	pthread_mutex_unlock(&device->lock);

	reading = reading_create(device->generation, previous, group, bb_clock_ms());
	bb_reading_unref(previous);
	return reading;
}

void bb_device_abandon(struct bb_device *device, struct bb_reading *take_reading)
{
	(void)device; /* which one it is of, the reading knows itself */
	bb_reading_unref(take_reading);
}

/* Do both say the same about every alarm? */
static bool alarms_equal(const struct bb_reading *a, const struct bb_reading *b)
{
	const struct generation *generation = a->generation;

	for (size_t i = 0; i < generation->alarm_count; i++) {
		const size_t place = generation->alarms[i];

		if (a->values[place] != b->values[place] || a->qualities[place] != b->qualities[place])
			return false;
	}
	return true;
}

/*
 * Put @reading in place of the one before, which the caller gets. With a reading of another generation the alarms
 * change as well, in the same moment; their set is made without the lock, from alarms that the monitor may change
 * meanwhile: then it is made again.
 */
static int device_swap(struct bb_device *device, struct bb_reading *reading, struct bb_reading **ret_old)
{
	struct generation *generation = reading->generation, *shown = NULL;
	struct bb_alarm_set *before = NULL, *alarms = NULL;

	pthread_mutex_lock(&device->lock);
	while (device->shown != generation && device->alarms != before) {
		bb_alarm_set_unref(alarms);
		bb_alarm_set_unref(before);
		before = bb_alarm_set_ref(device->alarms);
		pthread_mutex_unlock(&device->lock);
		alarms = device_make_alarms(generation, before);
		if (alarms == NULL) {
			bb_alarm_set_unref(before);
			return -ENOMEM;
		}
		pthread_mutex_lock(&device->lock);
	}
	if (device->shown != generation) {
		struct bb_alarm_set *old_alarms = device->alarms;

		shown = device->shown;
		device->shown = generation_ref(generation);
		device->alarms = alarms;
		alarms = old_alarms;
	}
	*ret_old = device->reading;
	device->reading = reading;
	device->stats.polls++;
	device->stats.bad_values += reading->bad_values;
	pthread_mutex_unlock(&device->lock);

	generation_unref(shown);
	bb_alarm_set_unref(alarms);
	bb_alarm_set_unref(before);
	return 0;
}

static void device_tell_change(struct bb_device *device, bool first)
{
	if (!atomic_load(&device->record.listed))
		return;
	registry_touch(device->registry);
	if (!first)
		/* An event that memory lacks for is one nobody could have kept. */
		(void)bb_event_emit(&(struct bb_event){.kind = BB_EVENT_DEVICE_CHANGED,
						       .severity = BB_SEVERITY_INFO,
						       .device = device->name,
						       .text = "the device has other points than before"});
}

void bb_device_publish(struct bb_device *device, struct bb_reading *take_reading)
{
	struct bb_reading *old, *held;
	bool wake;

	derive_fill(take_reading->generation->plan, take_reading, false);
	reading_finish(take_reading);
	held = bb_reading_ref(take_reading); /* a later one may take its place before we have compared it */
	if (device_swap(device, take_reading, &old) < 0) {
		bb_reading_unref(held);
		bb_reading_unref(take_reading);
		bb_device_failed(device, -ENOMEM);
		return;
	}
	bb_complaint_over(device->log, &device->complaint, "answers again");
	if (device_is_event_driven(device) && device->link != NULL)
		link_count(device->link, 0);

	const bool changed = old == NULL || old->generation != held->generation;

	if (changed)
		device_tell_change(device, old == NULL);
	wake = changed || atomic_load(&device->record.decided) != BB_DEVICE_UP || !alarms_equal(old, held);
	if (wake && atomic_load(&device->record.listed))
		monitor_wake(device);
	bb_reading_unref(old);
	bb_reading_unref(held);
}

void bb_device_failed(struct bb_device *device, int error)
{
	pthread_mutex_lock(&device->lock);
	device->stats.polls++;
	device->stats.errors++;
	pthread_mutex_unlock(&device->lock);
	if (device_is_event_driven(device) && device->link != NULL)
		link_count(device->link, error);
	(void)bb_complain(device->log, &device->complaint, error, "no reading");
}

static void device_note_duration(struct bb_device *device, int64_t duration_us, bool success)
{
	pthread_mutex_lock(&device->lock);
	if (success)
		device->stats.last_poll_us = duration_us;
	device->stats.poll_us_total += duration_us;
	pthread_mutex_unlock(&device->lock);
}

void bb_device_note_poll(struct bb_device *device, int64_t duration_us)
{
	device_note_duration(device, duration_us, true);
}

/* One call of the plugin's poll() or watch() into a fresh reading. */
static int device_fill(struct bb_device *device, enum bb_group group, struct bb_reading **ret_reading)
{
	const struct bb_device_ops *ops = &device->plugin->device;
	struct bb_reading *reading = bb_device_begin(device, group);
	int r;

	if (reading == NULL)
		return -ENOMEM;
	r = group == BB_GROUP_URGENT ? ops->watch(device->state, reading) : ops->poll(device->state, reading);
	if (r == 0)
		*ret_reading = reading;
	else
		bb_device_abandon(device, reading);
	return r;
}

/* Can the urgent points be polled by themselves? Not before everything was polled once. */
static bool device_can_watch(struct bb_device *device)
{
	bool ready;

	pthread_mutex_lock(&device->lock);
	ready = device->reading != NULL && device->reading->generation == device->generation;
	pthread_mutex_unlock(&device->lock);
	return ready && device->described && device->plugin->device.watch != NULL;
}

static int device_poll_once(struct bb_device *device, enum bb_group group, struct bb_reading **ret_reading)
{
	int r = 0;

	if (group == BB_GROUP_URGENT && !device_can_watch(device))
		group = BB_GROUP_REST;
	if (!device->described)
		r = device_describe(device);
	if (r == 0)
		r = device_fill(device, group, ret_reading);
	if (r == BB_RELEARN) {
		device->described = false;
		r = device_describe(device);
		if (r == 0)
			r = device_fill(device, BB_GROUP_REST, ret_reading);
	}
	return r > 0 ? -EAGAIN : r; /* a device that changes faster than it can be learned */
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int device_poll(struct bb_device *device, enum bb_group group)
{
	const int64_t started_us = now_us();
	struct bb_reading *reading;
	int r = device_poll_once(device, group, &reading);

	device_note_duration(device, now_us() - started_us, r == 0);
	if (r < 0)
		bb_device_failed(device, r);
	else
		bb_device_publish(device, reading);
	return r;
}

/* ---- the monitor's changes ---- */

struct device_record *device_record(struct bb_device *device)
{
	return &device->record;
}

bool device_replace_reading(struct bb_device *device, const struct bb_reading *old, struct bb_reading *take_reading)
{
	struct bb_reading *unwanted = take_reading;
	bool replaced;

	pthread_mutex_lock(&device->lock);
	replaced = device->reading == old;
	if (replaced) {
		unwanted = device->reading;
		device->reading = take_reading;
	}
	pthread_mutex_unlock(&device->lock);
	bb_reading_unref(unwanted);
	return replaced;
}

bool device_replace_alarms(struct bb_device *device, const struct bb_alarm_set *old, struct bb_alarm_set *take_alarms)
{
	struct bb_alarm_set *unwanted = take_alarms;
	bool replaced;

	pthread_mutex_lock(&device->lock);
	replaced = device->alarms == old;
	if (replaced) {
		unwanted = device->alarms;
		device->alarms = take_alarms;
	}
	pthread_mutex_unlock(&device->lock);
	bb_alarm_set_unref(unwanted);
	return replaced;
}

/* ---- looking at it ---- */

const char *bb_device_state_name(enum bb_device_state state)
{
	static const char *const names[] = {"unknown", "never-connected", "up", "lost"};

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/*
 * What a device is, as of @now_ms. @gap_ms: when the clock jumped last; what was read before counts as nothing, and
 * the device has stale-after from then on to answer again.
 */
static enum bb_device_state judge(const struct bb_snapshot *snapshot, const struct bb_device *device, int64_t opened_ms,
				  int64_t gap_ms, int64_t now_ms)
{
	int64_t asked_ms = snapshot->reading != NULL ? reading_newest(snapshot->reading) : opened_ms;
	const bool before_gap = asked_ms < gap_ms;

	if (before_gap)
		asked_ms = gap_ms;
	if (now_ms - asked_ms > device->stale_after_ms)
		return snapshot->reading != NULL ? BB_DEVICE_LOST : BB_DEVICE_NEVER;
	return snapshot->reading != NULL && !before_gap ? BB_DEVICE_UP : BB_DEVICE_UNKNOWN;
}

void bb_device_snapshot(struct bb_device *device, int64_t now_ms, struct bb_snapshot *ret_snapshot)
{
	const int64_t gap_ms = registry_gap(device->registry);
	struct bb_snapshot snapshot = {.age_ms = -1};
	int64_t opened_ms;

	pthread_mutex_lock(&device->lock);
	if (device->reading != NULL)
		snapshot.reading = bb_reading_ref(device->reading);
	if (device->alarms != NULL)
		snapshot.alarms = bb_alarm_set_ref(device->alarms);
	opened_ms = device->opened_ms;
	pthread_mutex_unlock(&device->lock);

	snapshot.state = judge(&snapshot, device, opened_ms, gap_ms, now_ms);
	for (int group = 0; group < BB_GROUP_COUNT; group++) {
		const int64_t time_ms = snapshot.reading != NULL ? snapshot.reading->times[group] : 0;

		snapshot.stale[group] = time_ms == 0 || time_ms < gap_ms || now_ms - time_ms > device->stale_after_ms;
	}
	if (snapshot.reading != NULL)
		snapshot.age_ms = now_ms - reading_newest(snapshot.reading);
	*ret_snapshot = snapshot;
}

void bb_snapshot_release(struct bb_snapshot *snapshot)
{
	bb_reading_unref(snapshot->reading);
	bb_alarm_set_unref(snapshot->alarms);
	snapshot->reading = NULL;
	snapshot->alarms = NULL;
}

enum bb_quality bb_snapshot_quality(const struct bb_snapshot *snapshot, size_t index)
{
	const enum bb_quality quality = snapshot->reading->qualities[index];

	if (quality == BB_QUALITY_GOOD && snapshot->stale[bb_reading_group(snapshot->reading, index)])
		return BB_QUALITY_STALE;
	return quality;
}

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

void *device_state_of_plugin(struct bb_device *device)
{
	return device->state;
}

const struct bb_config *device_config(const struct bb_device *device)
{
	return device->config;
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
