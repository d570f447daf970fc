/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/event.h - everything that must be remembered: alarms raised and cleared, devices lost and found,
 * configurations taken and refused, plugins that failed.
 *
 * bb_event_emit() takes an event from any thread and gives it to the main loop, which numbers it, keeps it
 * and tells every subscriber in order. Numbers never repeat in the life of the agent.
 */
#ifndef BUSBAR_EVENT_H
#define BUSBAR_EVENT_H

#include <stdint.h>

#include <busbar/alarm.h>

/** What happened. bb_event_kind_name() has the names that outputs print. */
enum bb_event_kind {
	BB_EVENT_ALARM_RAISED,
	BB_EVENT_ALARM_CLEARED,
	BB_EVENT_DEVICE_FOUND, /* answered for the first time, or again */
	BB_EVENT_DEVICE_LOST,
	BB_EVENT_DEVICE_CHANGED, /* a new generation: other points than before */
	BB_EVENT_AGENT_STARTED,
	BB_EVENT_AGENT_STOPPING,
	BB_EVENT_CONFIG_LOADED,
	BB_EVENT_CONFIG_REJECTED,
	BB_EVENT_PLUGIN_FAILED,
	BB_EVENT_CLOCK_GAP, /* the machine slept, or the agent stood still */
};

/** "alarm-raised", "device-lost" …. Any thread. */
const char *bb_event_kind_name(enum bb_event_kind kind);

/** One event. Who emits it fills kind, device, subject, severity, value and text; the core adds the rest. */
struct bb_event {
	uint64_t number; /* from 1, never repeated */
	enum bb_event_kind kind;
	enum bb_severity severity;
	const char *device;  /* device name, "" for the agent itself */
	const char *subject; /* alarm or point or plugin it is about, "" for none */
	const char *value;   /* as printed, "" for none */
	const char *text;    /* one line for people */
	int64_t wall_ms;     /* when it was emitted */
	const char *boot_id; /* of the kernel, to tell restarts of the machine apart */
};

/**
 * Emit an event: kind, severity, device, subject, value and text are copied, NULL texts are "".
 * Any thread; never blocks. Returns 0 or -ENOMEM.
 */
int bb_event_emit(const struct bb_event *event);

#endif
