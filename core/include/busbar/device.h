/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/device.h - one monitored thing, from both sides: how its plugin builds and feeds it, and how
 * exporters look at it.
 *
 * Generations: the set of points of a device is fixed for one generation. open() may add points that the
 * configuration implies; describe() adds those that only the device itself can tell. A new generation
 * replaces descriptors, reading and alarms together; readings of the old one stay valid for who holds them.
 */
#ifndef BUSBAR_DEVICE_H
#define BUSBAR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/alarm.h>
#include <busbar/link.h>
#include <busbar/log.h>
#include <busbar/point.h>
#include <busbar/reading.h>

struct bb_device;  /* opaque; counted */
struct bb_builder; /* opaque; lives only during open() or describe() */

/* ---- for device plugins, during open() and describe() ---- */

/** The device that is being built; lives as long as the plugin's instance of it. */
struct bb_device *bb_builder_device(struct bb_builder *builder);

/** The device's voice in the log; lives as long as the device. */
const struct bb_log *bb_builder_log(struct bb_builder *builder);

/**
 * The link of @type to the peer that the device's option "address" names, shared with every device that
 * names the same peer. Only in open(). Returns 0 or a negative errno; what failed has been said.
 * Give it back with bb_link_unref() in close().
 */
int bb_builder_link(struct bb_builder *builder, const struct bb_link_type *type, struct bb_link **ret_link);

/**
 * Add points. Returns the index of the first one, the others follow; -EEXIST when a name is there already,
 * -EINVAL when a name is malformed or @decimals is too large, -ENOMEM. What failed has been said.
 * A points index counts on from open() to describe().
 */
int bb_builder_add_points(struct bb_builder *builder, const struct bb_point_spec *specs, size_t count);

/** Add one point by its dictionary name. As bb_builder_add_points(). */
int bb_builder_add(struct bb_builder *builder, const char *name);

/* ---- for device plugins with an event-driven client of their own (ops start and stop) ---- */

/**
 * Begin a reading: with BB_GROUP_URGENT all other values are those of the reading before, with BB_GROUP_REST
 * everything is unknown until it is set. NULL when memory lacks. Thread: the one that publishes.
 */
struct bb_reading *bb_device_begin(struct bb_device *device, enum bb_group group);

/** Publish what bb_device_begin() gave; takes the reference. Thread: one at a time per device. */
void bb_device_publish(struct bb_device *device, struct bb_reading *take_reading);

/**
 * The device did not answer, or not with sense: counts, and says so once through the device's log with
 * the text of @error. Thread: as bb_device_publish().
 */
void bb_device_failed(struct bb_device *device, int error);

/** Drop a reading that is not worth publishing; accepts NULL. Thread: as bb_device_publish(). */
void bb_device_abandon(struct bb_device *device, struct bb_reading *take_reading);

/**
 * Build a new generation now: the points of open() stay, describe() is called from inside this call.
 * Returns 0, or what describe() returned, the old generation then stays; it also stays when the device has the same
 * points as before. Thread: as bb_device_publish().
 */
int bb_device_relearn(struct bb_device *device);

/* ---- for exporters and the core: any thread that holds a reference ---- */

/** What state a device is in. The names of the traffic light are the vendor manual's (monitor colours). */
enum bb_device_state {
	BB_DEVICE_UNKNOWN, /* grey: not asked yet, or the clock jumped and it has not answered since */
	BB_DEVICE_NEVER,   /* blue: asked for longer than stale-after, never answered */
	BB_DEVICE_UP,      /* its last good reading is fresh */
	BB_DEVICE_LOST,    /* red: it answered once, but its last good reading is too old */
};

/** "unknown", "never-connected", "up", "lost". Any thread. */
const char *bb_device_state_name(enum bb_device_state state);

/** What an exporter needs of a device at one moment, consistent in itself. */
struct bb_snapshot {
	struct bb_reading *reading;  /* NULL: it never answered */
	struct bb_alarm_set *alarms; /* NULL: no generation yet; same generation as the reading */
	enum bb_device_state state;
	bool stale[BB_GROUP_COUNT]; /* values of that group are too old to be shown as measurements */
	int64_t age_ms;             /* of the newest group; −1 when it never answered */
};

/** Take a snapshot as of @now_ms (bb_clock_ms()). Never blocks on I/O. Give it back with bb_snapshot_release(). */
void bb_device_snapshot(struct bb_device *device, int64_t now_ms, struct bb_snapshot *ret_snapshot);

/** Give back what the snapshot holds. Accepts one that is all zero. */
void bb_snapshot_release(struct bb_snapshot *snapshot);

/** Quality of point @index in @snapshot, with age taken into account: GOOD becomes STALE when its group is stale. */
enum bb_quality bb_snapshot_quality(const struct bb_snapshot *snapshot, size_t index);

/** Counters since the device was opened. */
struct bb_device_stats {
	uint64_t polls;
	uint64_t errors;
	uint64_t bad_values;   /* values that plugins marked BAD */
	int64_t last_poll_us;  /* how long the last successful poll took */
	int64_t poll_us_total; /* all polls together */
};

/** Copy of the counters as of now. */
void bb_device_stats(struct bb_device *device, struct bb_device_stats *ret_stats);

/** Note how long a poll took, for plugins that poll by themselves. Thread: as bb_device_publish(). */
void bb_device_note_poll(struct bb_device *device, int64_t duration_us);

/** The longest name a device can have. */
#define BB_DEVICE_NAME_MAX 32

/** Its name ([a-z0-9][a-z0-9-]{0,31}), its plugin's name, its address as written ("" for none). */
const char *bb_device_name(const struct bb_device *device);
const char *bb_device_plugin(const struct bb_device *device);
const char *bb_device_address(const struct bb_device *device);

/** Polling periods in ms; watch 0: urgent points have no poll of their own. */
int64_t bb_device_interval(const struct bb_device *device);
int64_t bb_device_watch(const struct bb_device *device);

/** Take or give back a reference; unref accepts NULL. */
struct bb_device *bb_device_ref(struct bb_device *device);
void bb_device_unref(struct bb_device *device);

#endif
