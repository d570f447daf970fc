/* SPDX-License-Identifier: Apache-2.0
 *
 * dictionary.h - the core's side of the dictionary: how a name fits a pattern row.
 */
#ifndef CORE_DICTIONARY_H
#define CORE_DICTIONARY_H

#include <busbar/point.h>

/** Placeholders that a pattern may have. */
#define DICTIONARY_PARTS_MAX 4

/** Why a name is known. */
struct dictionary_match {
	const struct bb_point *row;
	const char *labels;  /* label text of a pattern, with <1>, <2> for the parts; NULL when the row has that name */
	bool open;           /* a pattern that stands for anything with that beginning */
	bool unit_of_device; /* the unit is what the plugin says */
	struct {
		const char *text; /* within the name that was looked up */
		size_t length;
	} parts[DICTIONARY_PARTS_MAX]; /* what the placeholders matched, in their order */
};

/** Look @name up: rows of that name first, then patterns, the most specific first. False: unknown. Any thread. */
bool dictionary_match(const char *name, struct dictionary_match *ret_match);

/** @row, a row of the dictionary, as it is of a device that takes no values for it. Any thread. */
const struct bb_point *dictionary_read_only_row(const struct bb_point *row);

/** Is @point a row of the dictionary itself, which lives for ever? Any thread. */
bool dictionary_owns(const struct bb_point *point);

#endif
