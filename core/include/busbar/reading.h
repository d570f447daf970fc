/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/reading.h - all values of a device as of one poll.
 *
 * A poll fills a reading; publishing makes it immutable and puts it in place of the one before with one
 * swap, so that nobody ever sees half a poll. Readers take a reference and keep it as long as they like.
 *
 * Points come in two groups that are polled at different times: urgent ones (alarms, status, time on
 * battery) and the rest. Each group has an age of its own, and a value is stale when its group is.
 */
#ifndef BUSBAR_READING_H
#define BUSBAR_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/point.h>

/** How far a value can be trusted. */
enum bb_quality {
	BB_QUALITY_UNKNOWN,     /* nobody has said yet */
	BB_QUALITY_GOOD,        /* as of the last poll */
	BB_QUALITY_STALE,       /* was good, is too old; only bb_reading_quality() says so */
	BB_QUALITY_UNSUPPORTED, /* the device has the point but says it cannot fill it */
	BB_QUALITY_BAD,         /* the device answered something that cannot be */
};

/** "unknown", "good" …. Any thread. */
const char *bb_quality_name(enum bb_quality quality);

/** Polling groups. A poll of everything refreshes both. */
enum bb_group {
	BB_GROUP_REST,
	BB_GROUP_URGENT,
	BB_GROUP_COUNT,
};

/** Opaque; counted references. */
struct bb_reading;

/* ---- filling: only between poll() or bb_device_begin() and publishing, by the thread that polls ---- */

/**
 * Set point @index to @value, scaled by the point's decimals (230.1 V is 2301 with one decimal); for an enum
 * the member's value, for flags the word, for a bool or alarm 0 or 1, for a timestamp wall-clock ms.
 * @index is the place the builder gave the point. Returns 0; -ERANGE for a bool or alarm that is neither 0 nor 1
 * or an enum value that is no member, the quality is then BAD; -ERANGE, too, and nothing else, for an @index that no
 * point has, which is a bug of the plugin and stops a debug build.
 */
int bb_reading_set(struct bb_reading *reading, size_t index, int64_t value);

/**
 * Set a string point; @text is copied, invalid UTF-8 and control characters are replaced by '?', trailing NULs and
 * blanks dropped, and no more than 255 bytes kept. Returns 0, -ENOMEM (the quality is then BAD), or -ERANGE for an
 * @index that is no string point's.
 */
int bb_reading_set_text(struct bb_reading *reading, size_t index, const char *text, size_t length);

/** Say why a point has no value: BB_QUALITY_UNSUPPORTED, BAD or UNKNOWN. */
void bb_reading_set_quality(struct bb_reading *reading, size_t index, enum bb_quality quality);

/* ---- reading: any thread, on any published reading it holds a reference to ---- */

/** Take a reference. Never fails, never blocks. Give it back with bb_reading_unref(). */
struct bb_reading *bb_reading_ref(struct bb_reading *reading);

/** Give a reference back; accepts NULL. */
void bb_reading_unref(struct bb_reading *reading);

/** How many points the reading's generation has. */
size_t bb_reading_count(const struct bb_reading *reading);

/** Descriptor of point @index; lives as long as the reading. */
const struct bb_point *bb_reading_point(const struct bb_reading *reading, size_t index);

/** Was the point filled by the core from others (core/derive.c), not delivered by the device? */
bool bb_reading_is_derived(const struct bb_reading *reading, size_t index);

/** Place of the point named @name, or -ENOENT. */
int bb_reading_find(const struct bb_reading *reading, const char *name);

/** Places of all points in the order of their names, bb_reading_count() of them. Lives as long as the reading. */
const uint32_t *bb_reading_by_name(const struct bb_reading *reading);

/** The values and the qualities as stored, bb_reading_count() of each: for readers that go over all of them. */
const int64_t *bb_reading_values(const struct bb_reading *reading);
const uint8_t *bb_reading_qualities(const struct bb_reading *reading);

/** Text of a string point, "" when it has none. Lives as long as the reading. */
const char *bb_reading_text(const struct bb_reading *reading, size_t index);

/** Group of point @index. */
enum bb_group bb_reading_group(const struct bb_reading *reading, size_t index);

/** bb_clock_ms() of when the group was last refreshed, 0: never. */
int64_t bb_reading_time(const struct bb_reading *reading, enum bb_group group);

/**
 * Number of the generation the reading belongs to. Never repeats in a process, so it also tells devices apart;
 * index @i means the same point in all readings of one generation.
 */
uint64_t bb_reading_generation(const struct bb_reading *reading);

#endif
