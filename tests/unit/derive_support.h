/* SPDX-License-Identifier: Apache-2.0
 *
 * derive_support.h - readings of devices that deliver what a test says, with all that follows from it.
 */
#ifndef TESTS_DERIVE_SUPPORT_H
#define TESTS_DERIVE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>

#include "derive.h"
#include "draft.h"
#include "reading.h"

/** What value_of() says of a point that has no good value, or is not there. */
#define NOT_GOOD (-1)
#define MISSING  (-2)

/** A reading of a device that delivers @names ("a b c"), each with the value that follows, or −1 for none. */
static inline struct bb_reading *derived_from(const struct battery_settings *settings, const char *names,
					      va_list values)
{
	char copy[512], *rest = copy, *name;
	struct generation *generation;
	struct bb_reading *reading;
	struct derive_plan *plan;
	struct draft draft = {0};
	size_t count;

	cr_assert_lt(strlen(names), sizeof(copy));
	strcpy(copy, names);
	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	while ((name = strsep(&rest, " ")) != NULL)
		if (name[0] != '\0')
			cr_assert_geq(draft_add(&draft, &(struct bb_point_spec){.name = name}, 1), 0, "%s", name);
	count = draft.count;
	cr_assert_eq(derive_extend(&draft, settings, &plan), 0);
	cr_assert_eq(generation_create(&draft, plan, &generation), 0);
	draft_finish(&draft);

	reading = reading_create(generation, NULL, BB_GROUP_REST, 1);
	generation_unref(generation);
	for (size_t i = 0; i < count; i++) {
		if (bb_reading_point(reading, i)->kind == BB_KIND_STRING) {
			const char *text = va_arg(values, const char *);

			cr_assert_eq(bb_reading_set_text(reading, i, text, strlen(text)), 0);
			continue;
		}
		const int value = va_arg(values, int);

		if (value >= 0)
			cr_assert_eq(bb_reading_set(reading, i, value), 0);
	}
	derive_fill(reading->generation->plan, reading, false);
	return reading;
}

static inline int64_t value_of(const struct bb_reading *reading, const char *name)
{
	const int place = bb_reading_find(reading, name);

	if (place < 0)
		return MISSING;
	return bb_reading_qualities(reading)[place] == BB_QUALITY_GOOD ? bb_reading_values(reading)[place] : NOT_GOOD;
}

#endif
