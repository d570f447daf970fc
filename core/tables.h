/* SPDX-License-Identifier: Apache-2.0
 *
 * tables.h - what make_tables.py compiles from config/points.csv and config/alarms.csv. Only dictionary.c and
 * alarm.c look in here; everybody else asks them.
 */
#ifndef CORE_TABLES_H
#define CORE_TABLES_H

#include <busbar/alarm.h>
#include <busbar/point.h>

/** A row whose name has placeholders. */
struct dictionary_pattern {
	uint16_t row;       /* in dictionary_points */
	bool open;          /* its last placeholder stands for the rest of a name, however many parts that has */
	const char *labels; /* label text with <1>, <2> where the parts that matched go */
};

extern const struct bb_point dictionary_points[];    /* the rows of points.csv, then one for every other alarm */
extern const struct bb_point dictionary_read_only[]; /* the same for devices that take no values for them */
extern const size_t dictionary_point_count;
extern const size_t dictionary_row_count;      /* how many of them are rows of points.csv */
extern const bool dictionary_unit_of_device[]; /* of each row: the unit is what the plugin says */
extern const uint16_t dictionary_sorted[];     /* rows without placeholders, by name */
extern const size_t dictionary_sorted_count;
extern const struct dictionary_pattern dictionary_patterns[]; /* the more specific ones first */
extern const size_t dictionary_pattern_count;

extern const struct bb_alarm_type alarm_types[]; /* the rows of alarms.csv */
extern const size_t alarm_type_count;
extern const uint16_t alarm_types_by_name[];
extern const uint16_t alarm_types_by_oid[]; /* those that have an identity */
extern const size_t alarm_oid_count;

#endif
