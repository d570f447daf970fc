/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.c - what can be written to a simulated UPS, see settings.h.
 */
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOT_PENDING   (-1)
#define IMMINENT_MS   5000 /* RFC 1628: a shutdown is imminent when less than this is left */
#define REBOOT_MAX_S  300  /* RFC 1628, upsRebootWithDuration */
#define TIMER_MAX_S   INT32_MAX
#define RESTARTS      1 /* member on of ups.start.auto */
#define MS_PER_SECOND 1000

/* Members of ups.test.id. */
enum test_id {
	TEST_NONE = 1,
	TEST_ABORT = 2,
	TEST_QUICK_BATTERY = 4,
	TEST_LAST = 5,
};

enum setting {
	ID,
	ATTACHED,
	LOCATION,
	CONTACT,
	SHUTDOWN_TYPE,
	SHUTDOWN,
	STARTUP,
	REBOOT,
	AUTO_RESTART,
	BEEPER,
	TEST_ID,
	SHUTDOWN_PENDING,
	SHUTDOWN_IMMINENT,
	OFF_AS_REQUESTED,
	SETTING_COUNT,
};

/* In the order of enum setting; texts come first, alarms last. */
static const struct bb_point_spec specs[SETTING_COUNT] = {
	[ID] = {.name = "ups.id", .writable = true},
	[ATTACHED] = {.name = "ups.attached", .writable = true},
	[LOCATION] = {.name = "device.location", .writable = true},
	[CONTACT] = {.name = "device.contact", .writable = true},
	[SHUTDOWN_TYPE] = {.name = "ups.shutdown.type", .writable = true},
	[SHUTDOWN] = {.name = "ups.timer.shutdown", .writable = true},
	[STARTUP] = {.name = "ups.timer.start", .writable = true},
	[REBOOT] = {.name = "ups.timer.reboot", .writable = true},
	[AUTO_RESTART] = {.name = "ups.start.auto", .writable = true},
	[BEEPER] = {.name = "ups.beeper.status", .writable = true},
	[TEST_ID] = {.name = "ups.test.id", .writable = true},
	[SHUTDOWN_PENDING] = {.name = "alarm.shutdown-pending"},
	[SHUTDOWN_IMMINENT] = {.name = "alarm.shutdown-imminent"},
	[OFF_AS_REQUESTED] = {.name = "alarm.output-off-as-requested"},
};

int settings_add(struct bb_builder *builder, const char *name, struct settings *settings)
{
	const int first = bb_builder_add_points(builder, specs, SETTING_COUNT);

	static_assert(CONTACT + 1 == SETTINGS_TEXTS, "texts come first");
	if (first < 0)
		return first;
	*settings = (struct settings){
		.first = (size_t)first,
		.texts = {[ATTACHED] = "an imagined load", [LOCATION] = "nowhere but in memory", [CONTACT] = "nobody"},
		.shutdown_type = 1,
		.auto_restart = RESTARTS,
		.beeper = 2,
		.shutdown_ms = NOT_PENDING,
		.startup_ms = NOT_PENDING,
		.reboot_ms = NOT_PENDING,
		.test_id = TEST_NONE,
		.test_started_ms = NOT_PENDING,
	};
	(void)snprintf(settings->texts[ID], sizeof(settings->texts[ID]), "%s", name); /* 32 characters at most */
	return 0;
}

/* ---- what comes of it ---- */

static bool is_due(int64_t *when_ms, int64_t now_ms)
{
	if (*when_ms == NOT_PENDING || *when_ms > now_ms)
		return false;
	*when_ms = NOT_PENDING;
	return true;
}

static void turn_off(struct settings *settings, struct physics *physics)
{
	physics->off = true;
	settings->mains_failed = physics->mains_bad;
}

void settings_advance(struct settings *settings, struct physics *physics)
{
	const int64_t now_ms = physics->now_ms;

	if (is_due(&settings->shutdown_ms, now_ms))
		turn_off(settings, physics);
	if (is_due(&settings->startup_ms, now_ms) || is_due(&settings->reboot_ms, now_ms))
		physics->off = false;
	if (physics->off && physics->mains_bad)
		settings->mains_failed = true;
	/* It was turned off to save the battery, and the mains are back (RFC 1628, upsAutoRestart). */
	if (physics->off && settings->mains_failed && !physics->mains_bad && settings->auto_restart == RESTARTS &&
	    settings->startup_ms == NOT_PENDING && settings->reboot_ms == NOT_PENDING)
		physics->off = false;
	if (physics->test_result != PHYSICS_TEST_NEVER && physics->test_started_ms != settings->test_started_ms) {
		settings->test_started_ms = physics->test_started_ms; /* the scenario's */
		settings->test_id = TEST_QUICK_BATTERY;
	}
}

/* ---- showing it ---- */

/* Seconds until then, a begun one counts; −1: not pending. */
static int64_t seconds_left(int64_t when_ms, int64_t now_ms)
{
	if (when_ms == NOT_PENDING)
		return NOT_PENDING;
	return when_ms <= now_ms ? 0 : (when_ms - now_ms + MS_PER_SECOND - 1) / MS_PER_SECOND;
}

static int64_t value_of(const struct settings *settings, const struct physics *physics, enum setting setting)
{
	const int64_t left_s = seconds_left(settings->shutdown_ms, physics->now_ms);

	switch (setting) {
	case SHUTDOWN_TYPE:
		return settings->shutdown_type;
	case SHUTDOWN:
		return left_s;
	case STARTUP:
		return seconds_left(settings->startup_ms, physics->now_ms);
	case REBOOT:
		return seconds_left(settings->reboot_ms, physics->now_ms);
	case AUTO_RESTART:
		return settings->auto_restart;
	case BEEPER:
		return settings->beeper;
	case TEST_ID:
		return settings->test_id;
	case SHUTDOWN_PENDING:
		return left_s != NOT_PENDING;
	case SHUTDOWN_IMMINENT:
		return left_s != NOT_PENDING && settings->shutdown_ms - physics->now_ms < IMMINENT_MS;
	case OFF_AS_REQUESTED:
		return physics->off;
	default: /* texts have no number */
		return 0;
	}
}

void settings_fill(const struct settings *settings, const struct physics *physics, enum bb_group group,
		   struct bb_reading *reading)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const size_t index = settings->first + i;

		if (group == BB_GROUP_URGENT && !bb_reading_point(reading, index)->urgent)
			continue;
		if (i < SETTINGS_TEXTS)
			(void)bb_reading_set_text(reading, index, settings->texts[i], /* without memory it is BAD */
						  strlen(settings->texts[i]));
		else /* a member, 0 or 1 where it must be one */
			(void)bb_reading_set(reading, index, value_of(settings, physics, (enum setting)i));
	}
}

/* ---- writing ---- */

static int write_text(struct settings *settings, enum setting setting, const char *text)
{
	if (strlen(text) >= SETTINGS_TEXT_SIZE)
		return -ERANGE;
	strcpy(settings->texts[setting], text);
	return 0;
}

/* −1 takes the timer back. */
static int write_timer(int64_t *when_ms, int64_t now_ms, int64_t seconds, int64_t most)
{
	if (seconds < NOT_PENDING || seconds > most)
		return -ERANGE;
	*when_ms = seconds == NOT_PENDING ? NOT_PENDING : now_ms + seconds * MS_PER_SECOND;
	return 0;
}

static int write_reboot(struct settings *settings, struct physics *physics, int64_t seconds)
{
	int r = write_timer(&settings->reboot_ms, physics->now_ms, seconds, REBOOT_MAX_S);

	if (r < 0 || seconds == NOT_PENDING)
		return r;
	turn_off(settings, physics);
	return 0;
}

static int write_test(struct settings *settings, struct physics *physics, int64_t id)
{
	const bool runs = physics->test_result == PHYSICS_TEST_RUNNING;

	if (id <= TEST_NONE || id > TEST_LAST)
		return -ERANGE;
	if (runs != (id == TEST_ABORT)) /* there is one already, or none to abort */
		return -EREMOTEIO;
	if (id == TEST_ABORT) {
		physics->test_result = PHYSICS_TEST_ABORTED;
		return 0;
	}
	physics_test(physics);
	settings->test_id = id;
	settings->test_started_ms = physics->test_started_ms;
	return 0;
}

int settings_write(struct settings *settings, struct physics *physics, size_t index, const struct bb_value *value)
{
	const enum setting setting = (enum setting)(index - settings->first);
	int r;

	if (index < settings->first || index - settings->first >= SETTING_COUNT)
		return -EACCES;
	switch (setting) {
	case ID:
	case ATTACHED:
	case LOCATION:
	case CONTACT:
		return write_text(settings, setting, value->text);
	case SHUTDOWN_TYPE: /* the core has seen that members are members */
		settings->shutdown_type = value->number;
		return 0;
	case AUTO_RESTART:
		settings->auto_restart = value->number;
		return 0;
	case BEEPER:
		settings->beeper = value->number;
		return 0;
	case SHUTDOWN:
		r = write_timer(&settings->shutdown_ms, physics->now_ms, value->number, TIMER_MAX_S);
		break;
	case STARTUP:
		r = write_timer(&settings->startup_ms, physics->now_ms, value->number, TIMER_MAX_S);
		break;
	case REBOOT:
		r = write_reboot(settings, physics, value->number);
		break;
	case TEST_ID:
		return write_test(settings, physics, value->number);
	default:
		return -EACCES;
	}
	settings_advance(settings, physics); /* a delay of 0 is now */
	return r;
}
