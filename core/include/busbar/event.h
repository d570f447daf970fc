/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/event.h - everything that must be remembered: alarms raised and cleared, devices lost and found,
 * configurations taken and refused, plugins that failed.
 *
 * bb_event_emit() takes an event from any thread and gives it to the main loop, which numbers it, keeps it
 * and tells every subscriber in order. Numbers never repeat, not even after a restart (busbar/journal.h).
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
	BB_EVENT_CLOCK_GAP,          /* the machine slept, or the agent stood still */
	BB_EVENT_ALARM_ACKNOWLEDGED, /* somebody has seen it; source says who */
	BB_EVENT_ALARM_INHIBITED,    /* kept quiet for a time; value says how long */
	BB_EVENT_ALARM_RELEASED,     /* no longer kept quiet */
	BB_EVENT_JOURNAL_GAP, /* events before this one are lost to a consumer, or to the journal; text says which */
	BB_EVENT_WRITE,       /* somebody (source) wrote value to point; text says what came of it */
	BB_EVENT_TEST,        /* somebody (source) wants to see the message subject as if device had caused it */
};

/** "alarm-raised", "device-lost" …. Any thread. */
const char *bb_event_kind_name(enum bb_event_kind kind);

/**
 * One event. Who emits it fills kind and severity and whatever else it knows; the core adds number, time and boot id.
 * Texts that are not given are "".
 */
struct bb_event {
	uint64_t number; /* from 1, never repeated */
	/*
	 * Of an alarm: number of the event that raised it; of alarm-raised its own. 0: the event is of no alarm, or the
	 * alarm was not raised when it was acknowledged, inhibited or released, or an older version wrote the event.
	 */
	uint64_t raised;
	enum bb_event_kind kind;
	enum bb_severity severity;
	const char *device;  /* device name, "" for the agent itself */
	const char *subject; /* alarm or plugin it is about, "" for none */
	const char *point;   /* the point it comes from, "" for none */
	const char *value;   /* as printed, "" for none */
	const char *unit;    /* of the value, "" for none */
	const char *source;  /* who caused it: "busbarctl uid 0", an address; "" for devices and the agent */
	const char *text;    /* one line for people */
	int64_t wall_ms;     /* when it was emitted */
	const char *boot_id; /* of the kernel, to tell restarts of the machine apart */
};

/**
 * Emit an event: what the caller filled is copied, NULL texts are "".
 * Any thread; never blocks. Returns 0 or -ENOMEM.
 */
int bb_event_emit(const struct bb_event *event);

#endif
