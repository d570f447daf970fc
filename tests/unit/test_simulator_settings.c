/* SPDX-License-Identifier: Apache-2.0
 *
 * test_simulator_settings.c - what comes of what is written to a simulated UPS.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "settings.h"

/* Places of the points, in the order of the plugin's table. */
enum {
	ID,
	SHUTDOWN = 5,
	STARTUP,
	REBOOT,
	AUTO_RESTART,
	BEEPER,
	TEST_ID,
	SHUTDOWN_PENDING,
	FIRST = 100,
};

static const struct physics_setup setup = {
	.lines = 1,
	.rating_va = 1500,
	.battery_ms = 600000,
	.low_ms = 120000,
	.nominal_mv = 230000,
	.nominal_mhz = 50000,
	.transfer_low_mv = 184000,
	.transfer_high_mv = 276000,
	.seed = 1,
};
static const struct physics_world world = {.mains_mv = 230000, .load_mpct = 40000, .ambient_mdeg = 22000};

static struct physics ups;
static struct settings settings;

static void set_up(void)
{
	physics_init(&ups, &setup, &world);
	settings = (struct settings){
		.first = FIRST,
		.auto_restart = 1,
		.shutdown_ms = -1,
		.startup_ms = -1,
		.reboot_ms = -1,
		.test_id = 1,
		.test_started_ms = -1,
	};
}

static int write_number(size_t place, int64_t number)
{
	return settings_write(&settings, &ups, FIRST + place, &(struct bb_value){.number = number});
}

static void pass(int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		physics_advance(&ups, 1000);
		settings_advance(&settings, &ups);
	}
	physics_advance(&ups, 0);
}

TestSuite(simulator_settings, .init = set_up);

Test(simulator_settings, the_output_goes_off_when_the_delay_is_over_and_not_before)
{
	cr_assert_eq(write_number(SHUTDOWN, 10), 0);
	pass(9);
	cr_assert_eq(ups.source, PHYSICS_NORMAL);
	pass(3);
	cr_assert_eq(ups.source, PHYSICS_NONE);
	cr_assert_eq(ups.alarms[PHYSICS_ALARM_UPS_OUTPUT_OFF], 1);
	pass(60);
	cr_assert_eq(ups.source, PHYSICS_NONE, "good mains alone do not turn it on");
}

Test(simulator_settings, a_shutdown_is_taken_back_with_minus_one)
{
	cr_assert_eq(write_number(SHUTDOWN, 10), 0);
	pass(5);
	cr_assert_eq(write_number(SHUTDOWN, -1), 0);
	pass(30);
	cr_assert_eq(ups.source, PHYSICS_NORMAL);
}

Test(simulator_settings, the_startup_delay_turns_it_on_again)
{
	cr_assert_eq(write_number(SHUTDOWN, 0), 0);
	pass(2);
	cr_assert_eq(ups.source, PHYSICS_NONE);
	cr_assert_eq(write_number(STARTUP, 20), 0);
	pass(15);
	cr_assert_eq(ups.source, PHYSICS_NONE);
	pass(10);
	cr_assert_eq(ups.source, PHYSICS_NORMAL);
}

Test(simulator_settings, a_reboot_turns_it_off_for_so_long)
{
	cr_assert_eq(write_number(REBOOT, 301), -ERANGE);
	cr_assert_eq(write_number(REBOOT, 30), 0);
	pass(25);
	cr_assert_eq(ups.source, PHYSICS_NONE);
	pass(15);
	cr_assert_eq(ups.source, PHYSICS_NORMAL);
}

Test(simulator_settings, what_was_turned_off_without_mains_comes_back_with_them)
{
	ups.world.mains_mv = 0;
	pass(10);
	cr_assert_eq(write_number(SHUTDOWN, 0), 0);
	pass(10);
	cr_assert_eq(ups.source, PHYSICS_NONE);
	ups.world.mains_mv = 230000;
	pass(20);
	cr_assert_eq(ups.source, PHYSICS_NORMAL);
}

Test(simulator_settings, unless_it_is_told_not_to)
{
	cr_assert_eq(write_number(AUTO_RESTART, 2), 0);
	ups.world.mains_mv = 0;
	pass(10);
	cr_assert_eq(write_number(SHUTDOWN, 0), 0);
	pass(10);
	ups.world.mains_mv = 230000;
	pass(20);
	cr_assert_eq(ups.source, PHYSICS_NONE);
}

Test(simulator_settings, a_test_runs_and_no_other_beside_it)
{
	cr_assert_eq(write_number(TEST_ID, 2), -EREMOTEIO, "there is none to abort");
	cr_assert_eq(write_number(TEST_ID, 1), -ERANGE);
	cr_assert_eq(write_number(TEST_ID, 3), 0);
	cr_assert_eq(ups.test_result, PHYSICS_TEST_RUNNING);
	cr_assert_eq(write_number(TEST_ID, 4), -EREMOTEIO);
	pass(12);
	cr_assert_eq(ups.test_result, PHYSICS_TEST_PASS);
	cr_assert_eq(settings.test_id, 3);
}

Test(simulator_settings, a_test_is_aborted)
{
	cr_assert_eq(write_number(TEST_ID, 4), 0);
	pass(3);
	cr_assert_eq(write_number(TEST_ID, 2), 0);
	cr_assert_eq(ups.test_result, PHYSICS_TEST_ABORTED);
	cr_assert_eq(settings.test_id, 4, "it is still the last test");
}

Test(simulator_settings, texts_are_kept_and_too_long_ones_refused)
{
	char text[SETTINGS_TEXT_SIZE + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(settings_write(&settings, &ups, FIRST + ID, &(struct bb_value){.text = "rack 7"}), 0);
	cr_assert_str_eq(settings.texts[ID], "rack 7");
	cr_assert_eq(settings_write(&settings, &ups, FIRST + ID, &(struct bb_value){.text = text}), -ERANGE);
	cr_assert_str_eq(settings.texts[ID], "rack 7");
}

Test(simulator_settings, what_is_not_a_setting_cannot_be_written)
{
	cr_assert_eq(settings_write(&settings, &ups, FIRST - 1, &(struct bb_value){.number = 1}), -EACCES);
	cr_assert_eq(write_number(SHUTDOWN_PENDING, 1), -EACCES);
	cr_assert_eq(settings_write(&settings, &ups, FIRST + 1000, &(struct bb_value){.number = 1}), -EACCES);
}
