/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_repeat.c - upsTrapOnBattery every minute: years of it take no time.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "repeat.h"

#define MINUTE_MS 60000

Test(agentx_repeat, the_first_is_due_a_minute_after_the_raise)
{
	cr_assert_not(repeat_is_due(5000, 4000, 5000), "the raise itself is told otherwise");
	cr_assert_not(repeat_is_due(5000, 63999, 64999));
	cr_assert(repeat_is_due(5000, 64000, 65000));
	cr_assert_not(repeat_is_due(5000, 65000, 66000));
	cr_assert(repeat_is_due(5000, 124500, 125500));
}

Test(agentx_repeat, a_day_on_battery_has_1440_minutes_however_uneven_the_ticks)
{
	const int64_t since_ms = 12345;
	int64_t before_ms = since_ms - 700;
	int count = 0;

	srand(1);
	while (before_ms < since_ms + 1440 * (int64_t)MINUTE_MS) {
		const int64_t now_ms = before_ms + 900 + rand() % 300;

		count += repeat_is_due(since_ms, before_ms, now_ms);
		before_ms = now_ms;
	}
	cr_assert_eq(count, 1440);
}

Test(agentx_repeat, minutes_that_passed_together_are_told_once)
{
	cr_assert(repeat_is_due(0, 1000, 10 * MINUTE_MS + 1));
	cr_assert_not(repeat_is_due(0, 10 * MINUTE_MS + 1, 10 * MINUTE_MS + 1000));
}

Test(agentx_repeat, an_alarm_from_before_the_machine_started_keeps_its_minutes)
{
	cr_assert_not(repeat_is_due(-150000, 28000, 29000));
	cr_assert(repeat_is_due(-150000, 29000, 30000), "three minutes after it was raised");
}

/* ---- which alarm ---- */

static struct bb_alarm_set *alarms;
static struct bb_snapshot snapshot;

static void set_up(void)
{
	alarms = calloc(1, sizeof(*alarms) + 2 * sizeof(alarms->alarms[0]));
	cr_assert_not_null(alarms);
	alarms->count = 2;
	alarms->active = 2;
	alarms->alarms[0] = (struct bb_alarm){.type = bb_alarm_type_find("input-bad"), .active = true, .event = 16};
	alarms->alarms[1] = (struct bb_alarm){.type = bb_alarm_type_find("on-battery"), .active = true, .event = 17};
	snapshot = (struct bb_snapshot){.alarms = alarms, .state = BB_DEVICE_UP};
}

static void tear_down(void)
{
	free(alarms);
}

TestSuite(agentx_repeat_alarm, .init = set_up, .fini = tear_down);

Test(agentx_repeat_alarm, a_device_on_battery_is_told_of_again)
{
	cr_assert_eq(repeat_alarm(&snapshot), &alarms->alarms[1]);
}

Test(agentx_repeat_alarm, acknowledging_it_ends_nothing)
{
	alarms->alarms[1].acknowledged = true;
	cr_assert_not_null(repeat_alarm(&snapshot), "RFC 1628: until it is no longer on battery");
}

Test(agentx_repeat_alarm, the_end_of_the_alarm_ends_it)
{
	alarms->alarms[1].active = false;
	cr_assert_null(repeat_alarm(&snapshot));
	alarms->active = 0;
	cr_assert_null(repeat_alarm(&snapshot));
}

Test(agentx_repeat_alarm, an_inhibited_alarm_is_quiet)
{
	alarms->alarms[1].inhibited_until_wall_ms = 1795167000125;
	cr_assert_null(repeat_alarm(&snapshot));
}

Test(agentx_repeat_alarm, what_nobody_was_told_of_is_not_repeated)
{
	alarms->alarms[1].event = 0;
	cr_assert_null(repeat_alarm(&snapshot));
}

Test(agentx_repeat_alarm, of_a_device_that_does_not_answer_nothing_is_repeated)
{
	snapshot.stale[BB_GROUP_URGENT] = true;
	cr_assert_null(repeat_alarm(&snapshot));
	snapshot.stale[BB_GROUP_URGENT] = false;
	snapshot.state = BB_DEVICE_LOST;
	cr_assert_null(repeat_alarm(&snapshot));
	snapshot.state = BB_DEVICE_UNKNOWN;
	cr_assert_null(repeat_alarm(&snapshot));
}

Test(agentx_repeat_alarm, a_device_without_a_reading_or_without_such_an_alarm_has_none)
{
	alarms->count = 1;
	cr_assert_null(repeat_alarm(&snapshot));
	snapshot.alarms = NULL;
	cr_assert_null(repeat_alarm(&snapshot));
}
