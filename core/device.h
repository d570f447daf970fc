/* SPDX-License-Identifier: Apache-2.0
 *
 * device.h - the core's side of a device: making it, polling it, and what the monitor keeps about it.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdatomic.h>

#include <busbar/plugin.h>

struct link_table;
struct rule_plan;
struct rule_set;
struct rule_state;

/** What the monitor keeps about a device. Main loop, but for the atomic ones. */
struct device_record {
	atomic_int decided;        /* the enum bb_device_state that was told last; never goes back to UNKNOWN */
	atomic_bool listed;        /* the device is in the registry: what happens to it is told */
	atomic_bool waking;        /* @task is posted */
	struct bb_task task;       /* monitor_wake()'s */
	struct bb_device *device;  /* the one the record is of; a reference is held while @task is posted */
	struct bb_alarm_set *seen; /* the alarms as they were left by the last look; NULL: none yet */
	bool recalled;             /* those of @seen that people were told of before a restart are active again */
	bool swept;                /* and those that @seen does not have any more were told to be over */
	struct rule_plan *plan;    /* what @rules are of; NULL: no rules */
	struct rule_state *rules;  /* the delays that count, one for each rule of the plan */
	int64_t due_ms;            /* when time alone may change what a rule says, INT64_MAX: never */
};

/**
 * Make a device from its section; it holds no reference to @config, which must outlive it. Nothing is opened yet.
 * Returns 0 or -ENOMEM. The caller holds the first reference. Thread: main loop.
 */
int device_create(struct bb_registry *registry, const struct bb_plugin *plugin, const struct bb_config *config,
		  struct bb_device **ret_device);

/** Run the plugin's open(). On failure close() has been called. Thread: main loop. */
int device_open(struct bb_device *device, struct link_table *links);

/**
 * Poll: describe() when the device has not been described since it last failed to be, then poll() or watch(); publish
 * or count the failure; note the duration. BB_RELEARN describes again at once. Returns 0 or a negative errno.
 * Thread: the worker that holds the device's link.
 */
int device_poll(struct bb_device *device, enum bb_group group);

/** A poll in steps (bb_device_ops.step) under way. */
struct device_step {
	struct bb_reading *reading;
	enum bb_group group;
	int64_t started_ms, started_us; /* bb_clock_ms(), and bb_clock_us() for how long it takes */
};

/**
 * Begin a poll of @group in steps, and go on with it when what it waits for is readable. BB_WAIT: *@ret_fd is what it
 * waits for; BB_BLOCKS: it takes device_poll() on a worker; else the poll is over, with the result of device_poll().
 * Thread: main loop, while it holds the device's link.
 */
int device_step_begin(struct bb_device *device, enum bb_group group, struct device_step *step, int *ret_fd);
int device_step_on(struct bb_device *device, struct device_step *step, int *ret_fd);

/** End a poll in steps before it is over; @error: why it failed, 0: nobody wants it any more. */
void device_step_end(struct bb_device *device, struct device_step *step, int error);

/** Run the plugin's close(). No call may be in flight. Thread: main loop. */
void device_close(struct bb_device *device);

/** The plugin; the config it was made from. */
const struct bb_plugin *device_plugin(const struct bb_device *device);
const struct bb_config *device_config(const struct bb_device *device);

/**
 * Call @idle as soon as no write (busbar/write.h) to the device is under way, at once when there is none; later ones are
 * refused. Before device_close(). Thread: main loop.
 */
void device_when_idle(struct bb_device *device, void (*idle)(void *context, struct bb_device *device), void *context);

/** The link that polls of the device run on; NULL until someone set it. Thread: main loop. */
struct bb_link *device_link(const struct bb_device *device);

/**
 * After device_open(): a device whose plugin asked for no link gets one, shared by address where it has one, else a
 * private one. 0 or a negative errno. Thread: main loop.
 */
int device_ensure_link(struct bb_device *device, struct link_table *links);

/** Does the plugin poll by itself (start/stop) rather than through poll()? */
bool device_is_event_driven(const struct bb_device *device);

/** Have such a plugin start; after a failure it has been stopped. 0 or a negative errno. Thread: main loop. */
int device_start(struct bb_device *device);

/** Have it stop; when this returns it does nothing about the device any more. Thread: main loop. */
void device_stop(struct bb_device *device);

/** How long one poll may take, ms (option timeout). */
int64_t device_timeout(const struct bb_device *device);

/** Place for the scheduler's own record of the device. Thread: main loop. */
void *device_schedule(const struct bb_device *device);
void device_set_schedule(struct bb_device *device, void *schedule);

/* ---- for the registry and the monitor ---- */

struct device_record *device_record(struct bb_device *device);

struct bb_registry *device_registry(const struct bb_device *device);

/** From now on @rules (may be NULL) apply; alarms that there still are stay as they are. 0 or -ENOMEM. Main loop. */
int device_set_rules(struct bb_device *device, struct rule_set *rules);

/**
 * Put @take_reading in place of @old, unless the device has published meanwhile: then false, and nothing has
 * changed. Any thread.
 */
bool device_replace_reading(struct bb_device *device, const struct bb_reading *old, struct bb_reading *take_reading);

/** As device_replace_reading(), for the alarms. */
bool device_replace_alarms(struct bb_device *device, const struct bb_alarm_set *old, struct bb_alarm_set *take_alarms);

#endif
