/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeding a device: polling it, and putting what it said in place of what it said before.
 *
 * The scheduler calls device_poll() on the worker that has the device's link, or takes the steps of a poll on the main
 * loop while that holds the link; plugins with a client of their own call
 * bb_device_begin() and bb_device_publish() from their thread. Either way one thread at a time feeds a device, and
 * what belongs to feeding it (generation, complaint) needs no lock. What everybody looks at (reading, alarms,
 * counters) changes hands under the device's mutex, which is held for a few instructions only: nothing is allocated,
 * freed, logged or sent while it is held.
 *
 * Publishing tells the main loop only when something happened that the monitor has to decide: an alarm point or the
 * points themselves changed, a value crossed a limit of a rule, or the device was not known to be up. A device may
 * publish a hundred times a second.
 */
#include <errno.h>

#include "alarm.h"
#include "derive.h"
#include "device_data.h"
#include "link.h"
#include "monitor.h"
#include "reading.h"
#include "registry.h"
#include "rule_plan.h"

struct bb_reading *bb_device_begin(struct bb_device *device, enum bb_group group)
{
	struct bb_reading *previous = NULL, *reading;

	pthread_mutex_lock(&device->lock);
	if (device->reading)
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
 * Put @reading in place of the one before, which the caller gets, along with the rules that look at it (NULL: none).
 * With a reading of another generation the alarms change as well, in the same moment; their set is made without the
 * lock, from alarms that the monitor may change meanwhile: then it is made again.
 */
static int device_swap(struct bb_device *device, struct bb_reading *reading, struct bb_reading **ret_old,
		       struct rule_plan **ret_plan)
{
	struct generation *generation = reading->generation, *shown = NULL;
	struct bb_alarm_set *before = NULL, *alarms = NULL;
	struct rule_set *rules;

	pthread_mutex_lock(&device->lock);
	while (device->shown != generation && device->alarms != before) {
		bb_alarm_set_unref(alarms);
		bb_alarm_set_unref(before);
		before = bb_alarm_set_ref(device->alarms);
		rules = rule_set_ref(device->rules);
		pthread_mutex_unlock(&device->lock);
		alarms = device_make_alarms(device, generation, rules, before);
		rule_set_unref(rules);
		if (!alarms) {
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
	*ret_plan = rule_plan_ref(alarm_set_plan(device->alarms));
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
	struct rule_plan *plan;
	bool wake;

	derive_fill(take_reading->generation->plan, take_reading, false);
	reading_finish(take_reading);
	held = bb_reading_ref(take_reading); /* a later one may take its place before we have compared it */
	if (device_swap(device, take_reading, &old, &plan) < 0) {
		bb_reading_unref(held);
		bb_reading_unref(take_reading);
		bb_device_failed(device, -ENOMEM);
		return;
	}
	bb_complaint_over(device->log, &device->complaint, "answers again");
	if (device_is_event_driven(device) && device->link)
		link_count(device->link, 0);

	const bool changed = !old || old->generation != held->generation;

	if (changed)
		device_tell_change(device, !old);
	wake = changed || atomic_load(&device->record.decided) != BB_DEVICE_UP || !alarms_equal(old, held) ||
	       (plan && rule_plan_crossed(plan, old, held));
	if (wake && atomic_load(&device->record.listed))
		monitor_wake(device);
	rule_plan_unref(plan);
	bb_reading_unref(old);
	bb_reading_unref(held);
}

void bb_device_failed(struct bb_device *device, int error)
{
	pthread_mutex_lock(&device->lock);
	device->stats.polls++;
	device->stats.errors++;
	pthread_mutex_unlock(&device->lock);
	if (device_is_event_driven(device) && device->link)
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

	if (!reading)
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
	ready = device->reading && device->reading->generation == device->generation;
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

int device_poll(struct bb_device *device, enum bb_group group)
{
	const int64_t started_us = bb_clock_us();
	struct bb_reading *reading;
	int r = device_poll_once(device, group, &reading);

	device_note_duration(device, bb_clock_us() - started_us, r == 0);
	if (r < 0)
		bb_device_failed(device, r);
	else
		bb_device_publish(device, reading);
	return r;
}

/* ---- polling in steps ---- */

static int device_step_over(struct bb_device *device, struct device_step *step, int r)
{
	struct bb_reading *reading = step->reading;

	if (r == BB_WAIT)
		return r;
	step->reading = NULL;
	if (r == BB_BLOCKS) {
		bb_device_abandon(device, reading);
		return r;
	}
	link_count(device->link, r);
	device_note_duration(device, bb_clock_us() - step->started_us, r == 0);
	if (r == 0) {
		bb_device_publish(device, reading);
	} else {
		bb_device_abandon(device, reading);
		bb_device_failed(device, r);
	}
	return r;
}

int device_step_begin(struct bb_device *device, enum bb_group group, struct device_step *step, int *ret_fd)
{
	const struct bb_device_ops *ops = &device->plugin->device;

	if (!ops->step || !device->described || (group == BB_GROUP_URGENT && !device_can_watch(device)))
		return BB_BLOCKS;
	step->reading = bb_device_begin(device, group);
	if (!step->reading)
		return BB_BLOCKS; /* where the lack of memory is told */
	step->group = group;
	step->started_ms = bb_clock_ms();
	step->started_us = bb_clock_us();
	return device_step_over(device, step, ops->step(device->state, step->reading, group, false, ret_fd));
}

int device_step_on(struct bb_device *device, struct device_step *step, int *ret_fd)
{
	const struct bb_device_ops *ops = &device->plugin->device;

	return device_step_over(device, step, ops->step(device->state, step->reading, step->group, true, ret_fd));
}

void device_step_end(struct bb_device *device, struct device_step *step, int error)
{
	if (error < 0) {
		(void)device_step_over(device, step, error);
		return;
	}
	bb_device_abandon(device, step->reading);
	step->reading = NULL;
}

/* ---- the monitor's changes ---- */

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

int device_set_rules(struct bb_device *device, struct rule_set *rules)
{
	struct bb_alarm_set *before = NULL, *alarms = NULL;
	struct rule_set *old_rules;
	struct generation *shown;

	pthread_mutex_lock(&device->lock);
	old_rules = device->rules;
	device->rules = rule_set_ref(rules);
	while (device->alarms != before) {
		bb_alarm_set_unref(alarms);
		bb_alarm_set_unref(before);
		before = bb_alarm_set_ref(device->alarms);
		shown = generation_ref(device->shown);
		pthread_mutex_unlock(&device->lock);
		alarms = device_make_alarms(device, shown, rules, before);
		generation_unref(shown);
		if (!alarms) {
			bb_alarm_set_unref(before);
			rule_set_unref(old_rules);
			return -ENOMEM;
		}
		pthread_mutex_lock(&device->lock);
	}
	if (alarms)
		device->alarms = alarms;
	pthread_mutex_unlock(&device->lock);
	bb_alarm_set_unref(before); /* ours */
	if (alarms)
		bb_alarm_set_unref(before); /* the device's */
	rule_set_unref(old_rules);
	registry_touch(device->registry);
	return 0;
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
