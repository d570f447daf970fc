/* SPDX-License-Identifier: Apache-2.0
 *
 * test_reading.c - filling readings, and what one takes over from the one before.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "draft.h"
#include "reading.h"

enum {
	CHARGE,
	SOURCE,
	ON_BATTERY,
	MODEL,
	NORMAL,
	POINTS
};

static struct generation *ups(void)
{
	static const struct bb_point_spec specs[POINTS] = {
		[CHARGE] = {.name = "battery.charge"},       [SOURCE] = {.name = "output.source"},
		[ON_BATTERY] = {.name = "alarm.on-battery"}, [MODEL] = {.name = "device.model"},
		[NORMAL] = {.name = "ups.normal"},
	};
	struct generation *generation;
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	cr_assert_eq(draft_add(&draft, specs, POINTS), 0);
	cr_assert_eq(generation_create(&draft, NULL, &generation), 0);
	draft_finish(&draft);
	return generation;
}

static struct bb_reading *fill(struct generation *generation, struct bb_reading *previous, int64_t now_ms)
{
	struct bb_reading *reading = reading_create(generation, previous, BB_GROUP_REST, now_ms);

	cr_assert_eq(bb_reading_set(reading, CHARGE, 970), 0);
	cr_assert_eq(bb_reading_set(reading, SOURCE, 3), 0);
	cr_assert_eq(bb_reading_set(reading, ON_BATTERY, 0), 0);
	cr_assert_eq(bb_reading_set_text(reading, MODEL, "Model 1", 7), 0);
	reading_finish(reading);
	return reading;
}

Test(reading, nothing_is_known_before_it_is_set)
{
	struct generation *generation = ups();
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);

	for (size_t i = 0; i < bb_reading_count(reading); i++)
		cr_assert_eq(bb_reading_qualities(reading)[i], BB_QUALITY_UNKNOWN);
	cr_assert_str_eq(bb_reading_text(reading, MODEL), "");
	cr_assert_eq(bb_reading_time(reading, BB_GROUP_REST), 1000);
	cr_assert_eq(bb_reading_time(reading, BB_GROUP_URGENT), 1000);
	bb_reading_unref(reading);
	generation_unref(generation);
}

Test(reading, values_that_cannot_be_are_bad_and_counted)
{
	struct generation *generation = ups();
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);

	cr_assert_eq(bb_reading_set(reading, SOURCE, 0), -ERANGE);
	cr_assert_eq(bb_reading_set(reading, ON_BATTERY, 2), -ERANGE);
	cr_assert_eq(bb_reading_set(reading, NORMAL, -1), -ERANGE);
	cr_assert_eq(bb_reading_qualities(reading)[SOURCE], BB_QUALITY_BAD);
	cr_assert_eq(bb_reading_qualities(reading)[ON_BATTERY], BB_QUALITY_BAD);
	cr_assert_eq(reading->bad_values, 3);
	cr_assert_eq(bb_reading_set(reading, SOURCE, 7), 0);
	cr_assert_eq(bb_reading_qualities(reading)[SOURCE], BB_QUALITY_GOOD);
	bb_reading_set_quality(reading, CHARGE, BB_QUALITY_UNSUPPORTED);
	cr_assert_eq(bb_reading_qualities(reading)[CHARGE], BB_QUALITY_UNSUPPORTED);
	cr_assert_eq(reading->bad_values, 3);
	bb_reading_unref(reading);
	generation_unref(generation);
}

Test(reading, an_urgent_reading_takes_over_the_rest_and_its_age)
{
	struct generation *generation = ups();
	struct bb_reading *first = fill(generation, NULL, 1000);
	struct bb_reading *second = reading_create(generation, first, BB_GROUP_URGENT, 2000);

	bb_reading_unref(first);
	cr_assert_eq(bb_reading_values(second)[CHARGE], 970);
	cr_assert_eq(bb_reading_qualities(second)[CHARGE], BB_QUALITY_GOOD);
	cr_assert_str_eq(bb_reading_text(second, MODEL), "Model 1");
	cr_assert_eq(bb_reading_qualities(second)[SOURCE], BB_QUALITY_UNKNOWN, "urgent values must be set anew");
	cr_assert_eq(bb_reading_time(second, BB_GROUP_REST), 1000);
	cr_assert_eq(bb_reading_time(second, BB_GROUP_URGENT), 2000);
	cr_assert_eq(reading_newest(second), 2000);
	cr_assert_eq(bb_reading_group(second, SOURCE), BB_GROUP_URGENT);
	cr_assert_eq(bb_reading_group(second, CHARGE), BB_GROUP_REST);
	bb_reading_unref(second);
	generation_unref(generation);
}

Test(reading, an_urgent_reading_of_another_generation_takes_over_nothing)
{
	struct generation *old = ups(), *new = ups();
	struct bb_reading *first = fill(old, NULL, 1000);
	struct bb_reading *second = reading_create(new, first, BB_GROUP_URGENT, 2000);

	cr_assert_eq(bb_reading_qualities(second)[CHARGE], BB_QUALITY_UNKNOWN);
	cr_assert_eq(bb_reading_time(second, BB_GROUP_REST), 0);
	cr_assert_neq(bb_reading_generation(first), bb_reading_generation(second));
	bb_reading_unref(second);
	bb_reading_unref(first);
	generation_unref(new);
	generation_unref(old);
}

Test(reading, equal_texts_are_shared_between_readings)
{
	struct generation *generation = ups();
	struct bb_reading *first = fill(generation, NULL, 1000);
	struct bb_reading *second = fill(generation, first, 2000);
	const char *text = bb_reading_text(second, MODEL);

	cr_assert_eq(bb_reading_text(first, MODEL), text);
	bb_reading_unref(first);
	cr_assert_str_eq(text, "Model 1");
	bb_reading_unref(second);
	generation_unref(generation);
}

Test(reading, foreign_text_is_cleaned)
{
	struct generation *generation = ups();
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1);
	char long_text[1000];

	cr_assert_eq(bb_reading_set_text(reading, MODEL, "a\x1b[31m\xff \0\0", 10), 0);
	cr_assert_str_eq(bb_reading_text(reading, MODEL), "a?[31m?");
	memset(long_text, 'x', sizeof(long_text));
	cr_assert_eq(bb_reading_set_text(reading, MODEL, long_text, sizeof(long_text)), 0);
	cr_assert_eq(strlen(bb_reading_text(reading, MODEL)), 255);
	cr_assert_eq(bb_reading_set_text(reading, MODEL, "", 0), 0);
	cr_assert_str_eq(bb_reading_text(reading, MODEL), "");
	bb_reading_unref(reading);
	generation_unref(generation);
}

Test(reading, a_copy_may_change_without_the_original)
{
	struct generation *generation = ups();
	struct bb_reading *first = fill(generation, NULL, 1000), *copy = reading_copy(first);

	reading_put(copy, ON_BATTERY, 1);
	cr_assert_eq(bb_reading_values(first)[ON_BATTERY], 0);
	cr_assert_eq(bb_reading_values(copy)[CHARGE], 970);
	cr_assert_eq(bb_reading_time(copy, BB_GROUP_REST), 1000);
	bb_reading_unref(first);
	cr_assert_str_eq(bb_reading_text(copy, MODEL), "Model 1");
	bb_reading_unref(copy);
	bb_reading_unref(NULL);
	generation_unref(generation);
}

Test(reading, points_are_found_by_name)
{
	struct generation *generation = ups();
	struct bb_reading *reading = fill(generation, NULL, 1000);

	cr_assert_eq(bb_reading_find(reading, "device.model"), MODEL);
	cr_assert_eq(bb_reading_find(reading, "device.mode"), -ENOENT);
	cr_assert_str_eq(bb_reading_point(reading, CHARGE)->name, "battery.charge");
	bb_reading_unref(reading);
	generation_unref(generation);
}
