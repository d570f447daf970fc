/* SPDX-License-Identifier: Apache-2.0
 *
 * test_generation.c - from what plugins say about points to descriptors.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#include "dictionary.h"
#include "draft.h"
#include "generation.h"

static struct generation *generation_of(const struct bb_point_spec *specs, size_t count)
{
	struct generation *generation;
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	cr_assert_eq(draft_add(&draft, specs, count), 0);
	cr_assert_eq(generation_create(&draft, NULL, &generation), 0);
	draft_finish(&draft);
	return generation;
}

Test(generation, rows_of_the_dictionary_are_shared_not_copied)
{
	struct generation *generation =
		generation_of((struct bb_point_spec[]){{.name = "battery.charge"}, {.name = "alarm.on-battery"}}, 2);

	cr_assert_eq(generation->points[0], bb_dictionary_find("battery.charge"));
	cr_assert_eq(generation->points[1], bb_dictionary_find("alarm.on-battery"));
	cr_assert_eq(generation->alarm_count, 1);
	cr_assert_eq(generation->alarms[0], 1);
	generation_unref(generation);
}

Test(generation, what_the_dictionary_says_wins_over_the_plugin)
{
	const struct bb_point_spec spec = {.name = "battery.charge", .unit = BB_VOLT, .decimals = 7, .writable = true};
	struct generation *generation = generation_of(&spec, 1);

	cr_assert_eq(generation->points[0]->unit, BB_PERCENT);
	cr_assert_eq(generation->points[0]->decimals, 1);
	cr_assert_not(generation->points[0]->writable);
	generation_unref(generation);
}

Test(generation, a_point_is_writable_only_where_plugin_and_dictionary_say_so)
{
	struct generation *generation =
		generation_of((struct bb_point_spec[]){{.name = "ups.id", .writable = true},
						       {.name = "ups.attached"},
						       {.name = "battery.charge", .writable = true},
						       {.name = "site.do.1.state", .writable = true},
						       {.name = "site.do.2.state"}},
			      5);

	cr_assert(generation->points[0]->writable);
	cr_assert_not(generation->points[1]->writable);
	cr_assert_str_eq(generation->points[1]->name, "ups.attached");
	cr_assert_not(generation->points[2]->writable);
	cr_assert(generation->points[3]->writable);
	cr_assert_not(generation->points[4]->writable);
	generation_unref(generation);
}

Test(generation, instances_of_patterns_get_their_name_and_labels)
{
	const struct bb_point_spec specs[] = {
		{.name = "module.12.voltage", .labels = "string=\"2\""},
		{.name = "gxr.3.input.4.state", .labels = "name=\"Door\""},
		{.name = "vendor.fktstatus"},
		{.name = "module.2.output.L1.voltage"},
		{.name = "input.1.state", .labels = "name=\"Gate\""},
	};
	struct generation *generation = generation_of(specs, 5);
	const struct bb_point *const *points = generation->points;

	cr_assert_str_eq(points[0]->name, "module.12.voltage");
	cr_assert_str_eq(points[0]->labels, "module=\"12\",string=\"2\"");
	cr_assert_str_eq(points[0]->metric, "bacs_module_volts");
	cr_assert_eq(points[0]->decimals, 3);
	cr_assert_str_eq(points[1]->labels, "module=\"3\",input=\"4\",name=\"Door\"");
	cr_assert_str_eq(points[2]->labels, "point=\"fktstatus\"");
	cr_assert_str_eq(points[2]->metric, "busbar_vendor_value");
	cr_assert_str_eq(points[3]->labels, "");
	cr_assert_null(points[3]->metric);
	cr_assert(points[3]->unit == BB_VOLT && points[3]->decimals == 1, "the row of output.L1.voltage");
	cr_assert_str_eq(points[4]->labels, "input=\"1\",name=\"Gate\"");
	generation_unref(generation);
}

Test(generation, sensors_have_the_unit_of_the_device_and_the_family_of_the_unit)
{
	static const struct {
		enum bb_unit unit;
		const char *metric;
	} cases[] = {
		{BB_CELSIUS, "busbar_sensor_celsius"}, {BB_PERCENT, "busbar_sensor_humidity_ratio"},
		{BB_VOLT, "busbar_sensor_volts"},      {BB_AMPERE, "busbar_sensor_amperes"},
		{BB_HERTZ, "busbar_sensor_value"},     {BB_UNIT_NONE, "busbar_sensor_value"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const struct bb_point_spec spec = {.name = "sensor.2.value", .unit = cases[i].unit};
		struct generation *generation = generation_of(&spec, 1);

		cr_assert_str_eq(generation->points[0]->metric, cases[i].metric);
		cr_assert_eq(generation->points[0]->unit, cases[i].unit);
		cr_assert_eq(generation->points[0]->decimals, 1);
		cr_assert_str_eq(generation->points[0]->labels, "sensor=\"2\"");
		generation_unref(generation);
	}
}

Test(generation, unknown_names_are_what_the_plugin_says)
{
	const struct bb_point_spec specs[] = {
		{.name = "ambient.humidity", .unit = BB_PERCENT, .decimals = 1, .help = "humidity"},
		{.name = "hall.motto", .kind = BB_KIND_STRING},
		{.name = "alarm.lid-open", .help = "the lid is open"},
	};
	struct generation *generation = generation_of(specs, 3), *again = generation_of(specs, 3);
	const struct bb_point *const *points = generation->points;

	cr_assert_eq(points[0]->kind, BB_KIND_NUMBER);
	cr_assert_eq(points[0]->unit, BB_PERCENT);
	cr_assert_str_eq(points[0]->labels, "point=\"ambient.humidity\"");
	cr_assert_str_eq(points[0]->help, "humidity");
	cr_assert_null(points[1]->metric);
	cr_assert(points[1]->keep);
	cr_assert_eq(points[2]->kind, BB_KIND_ALARM);
	cr_assert(points[2]->urgent);
	cr_assert_str_eq(points[2]->alarm->name, "lid-open");
	cr_assert_str_eq(points[2]->alarm->title, "the lid is open");
	cr_assert_str_eq(points[2]->labels, "alarm=\"lid-open\"");
	cr_assert(generation_equal(generation, again));
	cr_assert_neq(generation->number, again->number);
	generation_unref(again);
	generation_unref(generation);
}

Test(generation, an_alarm_without_help_is_called_by_a_name_of_its_own)
{
	char name[] = "alarm.lid-open"; /* a plugin may make names up in a buffer: they are copied */
	struct generation *generation = generation_of(&(struct bb_point_spec){.name = name}, 1);

	memset(name, 'x', sizeof(name) - 1);
	cr_assert_str_eq(generation->points[0]->alarm->title, "alarm.lid-open");
	generation_unref(generation);
}

Test(generation, points_of_a_base_survive_it)
{
	struct generation *base = generation_of((struct bb_point_spec[]){{.name = "alarm.lid-open"}}, 1), *generation;
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, base), 0);
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = "vendor.x"}, 1), 1);
	cr_assert_eq(draft_find(&draft, "alarm.lid-open"), 0);
	cr_assert_eq(generation_create(&draft, NULL, &generation), 0);
	draft_finish(&draft);
	cr_assert_not(generation_equal(base, generation));
	generation_unref(base);

	cr_assert_str_eq(generation->points[0]->alarm->name, "lid-open");
	cr_assert_str_eq(generation->points[0]->alarm->title, "alarm.lid-open");
	cr_assert_eq(generation_find(generation, "alarm.lid-open"), 0);
	cr_assert_eq(generation_find(generation, "vendor.x"), 1);
	cr_assert_eq(generation_find(generation, "vendor.y"), -ENOENT);
	generation_unref(generation);
}

Test(generation, bad_names_and_doubles_are_refused)
{
	static const char *const names[] = {"",     ".",   "a.", ".a", "a..b", "a b", "a/b", "battery.caf\xc3\xa9",
					    "a\nb", "a\"b"};
	char longest[200];
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	for (size_t i = 0; i < BB_LENGTH(names); i++)
		cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = names[i]}, 1), -EINVAL, "%s", names[i]);
	memset(longest, 'a', sizeof(longest));
	longest[128] = '\0';
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = longest}, 1), -EINVAL);
	longest[127] = '\0';
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = longest}, 1), 0);
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = "x", .decimals = BB_DECIMALS_MAX + 1}, 1),
		     -EINVAL);
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = "battery.charge"}, 1), 1);
	cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = "battery.charge"}, 1), -EEXIST);
	cr_assert_eq(draft.count, 2);
	draft_finish(&draft);
}

Test(generation, thousands_of_points_keep_their_places)
{
	struct generation *generation;
	struct draft draft = {0};
	char name[64];

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	for (int i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "module.%d.voltage", i);
		cr_assert_eq(draft_add(&draft, &(struct bb_point_spec){.name = name}, 1), i - 1);
	}
	cr_assert_eq(generation_create(&draft, NULL, &generation), 0);
	draft_finish(&draft);
	for (int i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "module.%d.voltage", i);
		cr_assert_eq(generation_find(generation, name), i - 1);
	}
	generation_unref(generation);
}
