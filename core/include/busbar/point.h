/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/point.h - data points: what a device can say, and how each output names it.
 *
 * A point's name is dotted and follows NUT ("battery.charge", "input.L1.voltage"). The dictionary, made
 * from config/points.csv when busbar is built, knows the usual names with their kind, unit, decimals,
 * members, metric and stale policy. A plugin that uses such a name says just the name; whatever the
 * dictionary says then holds, so that a voltage looks the same from every device. A name the dictionary
 * does not know is a vendor point: the plugin describes it itself.
 */
#ifndef BUSBAR_POINT_H
#define BUSBAR_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bb_alarm_type;

/** What kind of value a point has. */
enum bb_kind {
	BB_KIND_UNSET,     /* in a bb_point_spec: what the dictionary says, else number */
	BB_KIND_NUMBER,    /* fixed-point, see busbar/decimal.h */
	BB_KIND_COUNTER,   /* fixed-point, only ever grows until the device restarts */
	BB_KIND_ENUM,      /* one of the point's members */
	BB_KIND_FLAGS,     /* a set of bits; a member's value is its bit number */
	BB_KIND_BOOL,      /* 0 or 1 */
	BB_KIND_ALARM,     /* 0 or 1, and an alarm of the type point->alarm while 1 */
	BB_KIND_STRING,    /* UTF-8 without control characters */
	BB_KIND_TIMESTAMP, /* milliseconds since 1970-01-01 UTC */
	BB_KIND_COMMAND,   /* write only */
};

/** Units a value is counted in. The names on screen stand in the unit table (bb_unit_name()). */
enum bb_unit {
	BB_UNIT_NONE,
	BB_VOLT,
	BB_AMPERE,
	BB_WATT,
	BB_VOLTAMPERE,
	BB_VAR,
	BB_HERTZ,
	BB_PERCENT,
	BB_CELSIUS,
	BB_SECOND,
	BB_KILOWATTHOUR,
	BB_MILLIOHM,
};

/** "V", "degC", "%" as config/points.csv spells them; "" for BB_UNIT_NONE. Any thread. */
const char *bb_unit_name(enum bb_unit unit);

/**
 * The exact way from a value to the metric's base unit: multiply by @multiplier, print with @decimals more
 * decimals (percent to ratio: 1 and 2; mOhm to Ohm: 1 and 3; kWh to J: 3,600,000 and 0). Any thread.
 */
void bb_unit_base(enum bb_unit unit, int64_t *ret_multiplier, unsigned *ret_decimals);

/** A named value of an enumeration, or a named bit of a flag word. */
struct bb_member {
	int64_t value;
	const char *name; /* kebab case */
};

/** A point as every reader sees it. Immutable; lives as long as the generation that holds it. */
struct bb_point {
	const char *name;
	const char *class; /* "ups", "bacs", "sensor", "gxr", "sts" … */
	const char *help;  /* one line, in our own words; "" when the name says it all */
	enum bb_kind kind;
	enum bb_unit unit;
	uint8_t decimals;                /* numbers and counters: 0 to BB_DECIMALS_MAX */
	bool writable;                   /* the device takes it, if control is allowed */
	bool urgent;                     /* polled every `watch`, not just every `interval` */
	bool keep;                       /* last value stays visible when stale (column stale of points.csv) */
	const struct bb_member *members; /* enum and flags */
	size_t member_count;
	const struct bb_alarm_type *alarm; /* kind alarm */
	const char *nut;                   /* NUT's variable, NULL where it has none */
	const char *metric;                /* Prometheus family, NULL where it is not exported */
	const char *labels;                /* constant label text, escaped, such as line="L1"; "" for none */
	const char *member_label;          /* label that names the member of a per-member family, else NULL */
};

/** What a plugin says about one of its points. Only the name is needed where the dictionary knows it. */
struct bb_point_spec {
	const char *name;  /* copied */
	enum bb_unit unit; /* ignored where the dictionary knows the name, as all below but writable and labels */
	uint8_t decimals;
	enum bb_kind kind;
	bool writable; /* write() takes it; not where the dictionary knows the name as one to be read only */
	const struct bb_member *members; /* borrowed for the life of the plugin */
	size_t member_count;
	const char *help;   /* borrowed for the life of the plugin */
	const char *labels; /* more label text for this instance, such as name="Door", already escaped by
	                     * bb_label_print(); copied; NULL for none */
};

/**
 * What the dictionary knows about @name: the row of that name, or the pattern row that fits ("module.12.voltage"
 * is an instance of module.<m>.voltage; its @labels are then empty and stated per device). NULL when neither.
 * Any thread.
 */
const struct bb_point *bb_dictionary_find(const char *name);

/** Row @index of the dictionary in the order of points.csv, patterns included; NULL past the end. Any thread. */
const struct bb_point *bb_dictionary_row(size_t index);

/** Print name="value" with @value escaped for Prometheus. Returns the length, as snprintf() does. Any thread. */
int bb_label_print(char *buffer, size_t size, const char *name, const char *value);

/** The member of @point with that value or bit, or NULL. Any thread. */
const struct bb_member *bb_point_member(const struct bb_point *point, int64_t value);

#endif
