/* SPDX-License-Identifier: Apache-2.0
 *
 * modules.c - see modules.h.
 *
 * Tables are what is wanted here, more than electrochemistry: each battery has a voltage, a temperature and so on of its
 * own around what a healthy one shows, and each wanders a little from poll to poll. No module ever has an alarm.
 */
#include <stdio.h>

#include "modules.h"

#define NAME_SIZE 48

/* One column: the value of module m in poll t is middle + (m * 7 + t) % (2 * spread + 1) - spread, in the decimals. */
static const struct {
	const char *name;
	int64_t middle, spread;
} columns[] = {
	{"voltage", 13500, 60},  /* V, 3 decimals */
	{"temperature", 231, 8}, /* degC, 1 */
	{"impedance", 520, 30},  /* mOhm, 2 */
	{"balancing", 10, 10},   /* % */
	{"charge", 97, 3},       /* % */
	{"alarms", 0, 0},        /* no flag is set */
};

int modules_add(struct bb_builder *builder, size_t count)
{
	int first = 0;

	for (size_t m = 0; m < count; m++) {
		char names[BB_LENGTH(columns)][NAME_SIZE];
		struct bb_point_spec specs[BB_LENGTH(columns)];
		int r;

		for (size_t i = 0; i < BB_LENGTH(columns); i++) {
			(void)snprintf(names[i], NAME_SIZE, "module.%zu.%s", m + 1, columns[i].name); /* fits */
			specs[i] = (struct bb_point_spec){.name = names[i], .labels = "string=\"1\""};
		}
		r = bb_builder_add_points(builder, specs, BB_LENGTH(columns));
		if (r < 0)
			return r;
		if (m == 0)
			first = r;
	}
	if (count > 0) {
		int r = bb_builder_add(builder, "bacs.module.count");

		if (r < 0)
			return r;
	}
	return first;
}

void modules_fill(struct bb_reading *reading, size_t first, size_t count, uint64_t tick)
{
	size_t index = first;

	for (size_t m = 0; m < count; m++)
		for (size_t i = 0; i < BB_LENGTH(columns); i++) {
			const uint64_t step = (m * 7 + tick) % (uint64_t)(2 * columns[i].spread + 1);

			(void)bb_reading_set(reading, index++, /* the columns keep to their ranges */
					     columns[i].middle - columns[i].spread + (int64_t)step);
		}
	if (count > 0)
		(void)bb_reading_set(reading, index, (int64_t)count); /* any number */
}
