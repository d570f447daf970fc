/* SPDX-License-Identifier: Apache-2.0
 *
 * test_derive.c - what follows from what: the worked values of the status word, in both directions, and NUT's tokens.
 */
#include <stdlib.h>

#include <busbar/macros.h>

#include "derive_support.h"

static struct bb_reading *derived(const char *names, ...)
{
	struct bb_reading *reading;
	va_list values;

	va_start(values, names);
	reading = derived_from(NULL, names, values);
	va_end(values);
	return reading;
}

static const char *status_of(const struct bb_reading *reading)
{
	return bb_reading_text(reading, (size_t)bb_reading_find(reading, "ups.status"));
}

Test(derive, alarms_follow_from_the_worked_status_words)
{
	static const struct {
		int word;
		const char *active; /* letters of @names */
		const char *status;
		int source, battery;
	} cases[] = {
		{4, "", "OL", 3, 1},
		{5, "y", "OL BYPASS ALARM", 4, 1},
		{12, "b", "OB ALARM", 5, 1},
		{28, "bl", "OB LB ALARM", 5, 3},
		{68, "t", "OL ALARM", 3, 1},
		{56, "blh", "OB LB ALARM", 5, 3},
		{524, "bg", "OB ALARM", 5, 1},
		{0x4004, "c", "OL ALARM", 3, 1},
		{0x504, "or", "OL RB OVER ALARM", 3, 1},
	};
	static const struct {
		char letter;
		const char *name;
	} names[] = {
		{'b', "alarm.on-battery"},  {'y', "alarm.on-bypass"},        {'l', "alarm.low-battery"},
		{'h', "alarm.temp-bad"},    {'t', "alarm.test-in-progress"}, {'o', "alarm.output-overload"},
		{'r', "alarm.battery-bad"}, {'g', "alarm.general-fault"},    {'c', "alarm.communications-lost"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *reading = derived("ups.status.word", cases[i].word);

		for (size_t j = 0; j < BB_LENGTH(names); j++)
			cr_assert_eq(value_of(reading, names[j].name), strchr(cases[i].active, names[j].letter) != NULL,
				     "word %d: %s is %d", cases[i].word, names[j].name,
				     (int)value_of(reading, names[j].name));
		cr_assert_eq(value_of(reading, "alarm.count"), (int64_t)strlen(cases[i].active));
		cr_assert_eq(value_of(reading, "output.source"), cases[i].source, "word %d", cases[i].word);
		cr_assert_str_eq(status_of(reading), cases[i].status);
		cr_assert_eq(value_of(reading, "battery.status"), cases[i].battery);
		bb_reading_unref(reading);
	}
}

Test(derive, the_status_word_follows_from_alarms)
{
	static const struct {
		int bypass, battery, low, test, hot, word;
	} cases[] = {
		{0, 0, 0, 0, 0, 4},  {1, 0, 0, 0, 0, 5},  {0, 1, 0, 0, 0, 12},
		{0, 1, 1, 0, 0, 28}, {0, 0, 0, 1, 0, 68}, {0, 1, 1, 0, 1, 60},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *reading =
			derived("alarm.on-bypass alarm.on-battery alarm.low-battery "
				"alarm.test-in-progress alarm.temp-bad",
				cases[i].bypass, cases[i].battery, cases[i].low, cases[i].test, cases[i].hot);

		cr_assert_eq(value_of(reading, "ups.status.word"), cases[i].word, "%d", cases[i].word);
		bb_reading_unref(reading);
	}
}

Test(derive, an_output_that_is_off_supplies_nothing)
{
	struct bb_reading *reading = derived("alarm.on-battery alarm.ups-output-off", 0, 1);

	cr_assert_eq(value_of(reading, "output.source"), 2);
	cr_assert_eq(value_of(reading, "ups.status.word"), 0);
	cr_assert_eq(value_of(reading, "ups.normal"), 0);
	cr_assert_str_eq(status_of(reading), "OL OFF ALARM");
	bb_reading_unref(reading);
}

Test(derive, the_output_source_says_which_alarms_hold)
{
	struct bb_reading *reading = derived("output.source battery.status", 6, 2);

	cr_assert_eq(value_of(reading, "alarm.on-battery"), 0);
	cr_assert_eq(value_of(reading, "alarm.on-bypass"), 0);
	cr_assert_eq(value_of(reading, "ups.status.word"), 4);
	cr_assert_eq(value_of(reading, "ups.normal"), 1);
	cr_assert_str_eq(status_of(reading), "OL BOOST");
	bb_reading_unref(reading);

	reading = derived("output.source battery.status", 5, 4);
	cr_assert_eq(value_of(reading, "alarm.on-battery"), 1);
	cr_assert_eq(value_of(reading, "alarm.low-battery"), 1);
	cr_assert_eq(value_of(reading, "alarm.depleted-battery"), 1);
	cr_assert_eq(value_of(reading, "alarm.count"), 3);
	cr_assert_str_eq(status_of(reading), "OB LB ALARM");
	bb_reading_unref(reading);
}

Test(derive, battery_status_follows_from_alarms_then_from_the_charge)
{
	struct bb_reading *reading = derived("alarm.low-battery alarm.depleted-battery battery.charge", 1, 1, 10);

	cr_assert_eq(value_of(reading, "battery.status"), 4);
	bb_reading_unref(reading);
	reading = derived("alarm.low-battery battery.charge", 1, 10);
	cr_assert_eq(value_of(reading, "battery.status"), 3);
	bb_reading_unref(reading);
	reading = derived("alarm.low-battery battery.charge", 0, 1000);
	cr_assert_eq(value_of(reading, "battery.status"), 2);
	bb_reading_unref(reading);
	reading = derived("alarm.low-battery battery.charge", 0, -1);
	cr_assert_eq(value_of(reading, "battery.status"), 1);
	bb_reading_unref(reading);
	reading = derived("alarm.low-battery battery.charge", -1, -1);
	cr_assert_eq(value_of(reading, "battery.status"), NOT_GOOD);
	bb_reading_unref(reading);
}

Test(derive, tokens_of_a_delivered_status_are_whole_words)
{
	struct bb_reading *reading = derived("ups.status output.source", "OL OVERHEATED RB", 3);

	cr_assert_eq(value_of(reading, "alarm.output-overload"), 0);
	cr_assert_eq(value_of(reading, "alarm.battery-bad"), 1);
	cr_assert_str_eq(status_of(reading), "OL OVERHEATED RB", "what is delivered stays");
	bb_reading_unref(reading);
	reading = derived("ups.status", "OB OVER");
	cr_assert_eq(value_of(reading, "alarm.output-overload"), 1);
	bb_reading_unref(reading);
}

Test(derive, calibration_is_a_deep_test_that_runs)
{
	struct bb_reading *reading = derived("output.source ups.test.id ups.test.result", 3, 5, 5);

	cr_assert_str_eq(status_of(reading), "OL CAL ALARM");
	bb_reading_unref(reading);
	reading = derived("output.source ups.test.id ups.test.result", 3, 5, 1);
	cr_assert_str_eq(status_of(reading), "OL");
	bb_reading_unref(reading);
	reading = derived("output.source ups.test.id ups.test.result", 3, 4, 5);
	cr_assert_str_eq(status_of(reading), "OL ALARM");
	bb_reading_unref(reading);
}

Test(derive, delivered_values_win_over_derived_ones)
{
	struct bb_reading *reading = derived("alarm.on-battery output.source ups.status.word alarm.count", 1, 3, 4, 7);

	cr_assert_eq(value_of(reading, "alarm.on-battery"), 1);
	cr_assert_eq(value_of(reading, "output.source"), 3);
	cr_assert_eq(value_of(reading, "ups.status.word"), 4);
	cr_assert_eq(value_of(reading, "alarm.count"), 7);
	cr_assert_not(bb_reading_is_derived(reading, (size_t)bb_reading_find(reading, "output.source")));
	cr_assert(bb_reading_is_derived(reading, (size_t)bb_reading_find(reading, "ups.status")));
	bb_reading_unref(reading);
}

Test(derive, what_is_not_known_is_not_guessed)
{
	struct bb_reading *reading = derived("output.source battery.charge", -1, -1);

	cr_assert_eq(value_of(reading, "alarm.on-battery"), NOT_GOOD);
	cr_assert_eq(value_of(reading, "ups.status.word"), NOT_GOOD);
	cr_assert_eq(bb_reading_qualities(reading)[bb_reading_find(reading, "ups.status")], BB_QUALITY_UNKNOWN);
	cr_assert_eq(value_of(reading, "alarm.count"), 0);
	cr_assert_eq(value_of(reading, "alarm.communications-lost"), 0);
	bb_reading_unref(reading);
}

Test(derive, a_device_that_is_no_ups_gets_only_what_every_device_has)
{
	struct bb_reading *reading = derived("ambient.temperature", 215);

	cr_assert_eq(bb_reading_count(reading), 3);
	cr_assert_eq(value_of(reading, "alarm.communications-lost"), 0);
	cr_assert_eq(value_of(reading, "alarm.count"), 0);
	cr_assert_eq(value_of(reading, "ups.status"), MISSING);
	bb_reading_unref(reading);
}

Test(derive, a_lost_device_says_so_in_every_language)
{
	struct bb_reading *reading = derived("alarm.on-battery alarm.communications-lost", 0, 0);

	cr_assert_eq(value_of(reading, "ups.status.word"), 4);
	derive_fill(reading->generation->plan, reading, true);
	cr_assert_eq(value_of(reading, "alarm.communications-lost"), 1, "though the device delivers it");
	cr_assert_eq(value_of(reading, "ups.status.word"), 0x4004);
	cr_assert_eq(value_of(reading, "alarm.count"), 1);
	cr_assert_str_eq(status_of(reading), "OL ALARM");
	bb_reading_unref(reading);
}

Test(derive, a_lost_device_says_so_in_a_status_word_of_its_own)
{
	struct bb_reading *reading = derived("ups.status.word output.source", 0x0008, 5);

	cr_assert_eq(value_of(reading, "ups.status.word"), 0x0008);
	derive_fill(reading->generation->plan, reading, true);
	cr_assert_eq(value_of(reading, "ups.status.word"), 0x4008);
	cr_assert_eq(value_of(reading, "alarm.communications-lost"), 1);
	bb_reading_unref(reading);
}

Test(derive, a_status_word_that_a_lost_device_never_told_stays_unknown)
{
	struct bb_reading *reading = derived("ups.status.word", -1);

	derive_fill(reading->generation->plan, reading, true);
	cr_assert_eq(value_of(reading, "ups.status.word"), NOT_GOOD);
	bb_reading_unref(reading);
}
