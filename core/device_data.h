/* SPDX-License-Identifier: Apache-2.0
 *
 * device_data.h - what a device is made of, for the four sources that make it (device.c), feed it (publish.c),
 * look at it (snapshot.c) and write to it (write.c). Nobody else includes this.
 */
#ifndef CORE_DEVICE_DATA_H
#define CORE_DEVICE_DATA_H

#include <pthread.h>

#include "device.h"
#include "generation.h"
#include "rule_config.h"

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
	unsigned writes;                                       /* under way; main loop, as the two below */
	void (*idle)(void *context, struct bb_device *device); /* waits for them; NULL: nobody */
	void *idle_context;

	/* The thread that feeds the device. */
	struct generation *base;       /* the points of open() */
	struct generation *generation; /* what the next reading is of */
	bool described;
	struct bb_complaint complaint;

	pthread_mutex_t lock; /* all below */
	struct bb_reading *reading;
	struct bb_alarm_set *alarms;
	struct generation *shown; /* what @alarms is of */
	struct rule_set *rules;   /* that apply from the next alarm set on; NULL: none */
	struct bb_device_stats stats;
	int64_t opened_ms;
};

/**
 * Learn what the device is: describe() is called. The generation in use stays when the device is what it was.
 * Returns 0, or a negative errno. Thread: the one that feeds the device.
 */
int device_describe(struct bb_device *device);

/** A write to the device has come to its end. Thread: main loop. */
void device_write_over(struct bb_device *device);

/**
 * The alarms of @generation and of what @rules make of it, each as it was in @before (NULL: none) when it was there.
 * NULL when memory lacks.
 */
struct bb_alarm_set *device_make_alarms(const struct bb_device *device, struct generation *generation,
					struct rule_set *rules, const struct bb_alarm_set *before);

#endif
