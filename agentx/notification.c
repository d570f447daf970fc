/* SPDX-License-Identifier: Apache-2.0
 *
 * notification.c - the table of notifications, and which event becomes which, see notification.h.
 */
#include "notification.h"

#include <string.h>

#include <busbar/macros.h>

#define UPS_ALARM_ENTRY  "1.3.6.1.2.1.33.1.6.2.1"
#define BACS_ALARM_ENTRY "1.3.6.1.2.1.33.5.3.2.1"
#define BACS_ALARMS      "1.3.6.1.2.1.33.5.3.3." /* bacsWellKnownAlarms */

enum {
	ALARM_ADDED, /* the usual one for a test: nobody shuts anything down because of it */
	ALARM_REMOVED,
	ON_BATTERY,
	TEST_COMPLETED,
	BACS_ALARM_ADDED,
	BACS_ALARM_REMOVED,
	OTHER_ALARM_RAISED,
	OTHER_ALARM_CLEARED,
	EVENTS_LOST,
	KIND_COUNT,
};

static const struct notification_kind kinds[KIND_COUNT] = {
	[ALARM_ADDED] =
		{
			.name = "upsTrapAlarmEntryAdded",
			.oid = "1.3.6.1.2.1.33.2.3",
			.alarm_entry = UPS_ALARM_ENTRY,
			.test_identity = "1.3.6.1.2.1.33.1.6.3.18", /* upsAlarmGeneralFault */
		},
	[ALARM_REMOVED] =
		{
			.name = "upsTrapAlarmEntryRemoved",
			.oid = "1.3.6.1.2.1.33.2.4",
			.alarm_entry = UPS_ALARM_ENTRY,
			.test_identity = "1.3.6.1.2.1.33.1.6.3.18",
		},
	[ON_BATTERY] =
		{
			.name = "upsTrapOnBattery",
			.oid = "1.3.6.1.2.1.33.2.1",
			.objects =
				(const char *const[]){
					"1.3.6.1.2.1.33.1.2.3.0", /* upsEstimatedMinutesRemaining */
					"1.3.6.1.2.1.33.1.2.2.0", /* upsSecondsOnBattery */
					"1.3.6.1.2.1.33.1.9.7.0", /* upsConfigLowBattTime */
					NULL,
				},
		},
	[TEST_COMPLETED] =
		{
			.name = "upsTrapTestCompleted",
			.oid = "1.3.6.1.2.1.33.2.2",
			.objects =
				(const char *const[]){
					"1.3.6.1.2.1.33.1.7.1.0", /* upsTestId */
					"1.3.6.1.2.1.33.1.7.2.0", /* upsTestSpinLock */
					"1.3.6.1.2.1.33.1.7.3.0", /* upsTestResultsSummary */
					"1.3.6.1.2.1.33.1.7.4.0", /* upsTestResultsDetail */
					"1.3.6.1.2.1.33.1.7.5.0", /* upsTestStartTime */
					"1.3.6.1.2.1.33.1.7.6.0", /* upsTestElapsedTime */
					NULL,
				},
		},
	[BACS_ALARM_ADDED] =
		{
			.name = "bacsTrapAlarmEntryAdded",
			.oid = "1.3.6.1.2.1.33.5.4.1",
			.alarm_entry = BACS_ALARM_ENTRY,
			.test_identity = BACS_ALARMS "1", /* bacsAlarmSystemError */
		},
	[BACS_ALARM_REMOVED] =
		{
			.name = "bacsTrapAlarmEntryRemoved",
			.oid = "1.3.6.1.2.1.33.5.4.2",
			.alarm_entry = BACS_ALARM_ENTRY,
			.test_identity = BACS_ALARMS "1",
		},
	[OTHER_ALARM_RAISED] = {.name = "busbarAlarmRaised", .oid = ".0.1"},
	[OTHER_ALARM_CLEARED] = {.name = "busbarAlarmCleared", .oid = ".0.2"},
	[EVENTS_LOST] = {.name = "busbarEventsLost", .oid = ".0.3"},
};

const char *const notification_names[] = {
	"upsTrapAlarmEntryAdded",  "upsTrapAlarmEntryRemoved",
	"upsTrapOnBattery",        "upsTrapTestCompleted",
	"bacsTrapAlarmEntryAdded", "bacsTrapAlarmEntryRemoved",
	"busbarAlarmRaised",       "busbarAlarmCleared",
	"busbarEventsLost",        NULL,
};

/* Alarms that are told of otherwise than by their row in the table. */
static const struct exception {
	const char *alarm;
	int raised, cleared; /* KIND_COUNT: nothing */
} exceptions[] = {
	{"on-battery", ON_BATTERY, ALARM_REMOVED},
	{"test-in-progress", KIND_COUNT, TEST_COMPLETED},
};

const struct notification_kind *notification_kind_find(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static const struct notification_kind *kind_of_alarm(const char *device, const char *alarm, const char *identity,
						     bool raised)
{
	int kind;

	if (device[0] == '\0' || identity[0] == '\0')
		return &kinds[raised ? OTHER_ALARM_RAISED : OTHER_ALARM_CLEARED];
	for (size_t i = 0; i < BB_LENGTH(exceptions); i++)
		if (strcmp(exceptions[i].alarm, alarm) == 0) {
			kind = raised ? exceptions[i].raised : exceptions[i].cleared;
			return kind == KIND_COUNT ? NULL : &kinds[kind];
		}
	if (strncmp(identity, BACS_ALARMS, strlen(BACS_ALARMS)) == 0)
		return &kinds[raised ? BACS_ALARM_ADDED : BACS_ALARM_REMOVED];
	return &kinds[raised ? ALARM_ADDED : ALARM_REMOVED];
}

bool notification_of_event(const struct bb_event *event, const char *identity, struct notification *ret_notification)
{
	struct notification notification = {
		.device = event->device,
		.identity = identity,
		.alarm = event->subject,
		.text = event->text,
		.alarm_id = event->raised,
		.number = event->number,
		.wall_ms = event->wall_ms,
		.severity = event->severity,
	};

	switch (event->kind) {
	case BB_EVENT_ALARM_RAISED:
	case BB_EVENT_ALARM_CLEARED:
		notification.kind =
			kind_of_alarm(event->device, event->subject, identity, event->kind == BB_EVENT_ALARM_RAISED);
		if (notification.alarm_id == 0) /* an older version wrote it: better an id of no row than none */
			notification.alarm_id = event->number;
		break;
	case BB_EVENT_JOURNAL_GAP:
		notification.kind = &kinds[EVENTS_LOST];
		notification.alarm = "";
		break;
	case BB_EVENT_TEST:
		notification.kind =
			notification_kind_find(event->subject[0] != '\0' ? event->subject : notification_names[0]);
		notification.test = true;
		notification.alarm = "";
		notification.alarm_id = event->number;
		if (notification.kind && notification.kind->test_identity)
			notification.identity = notification.kind->test_identity;
		break;
	default:
		break;
	}
	if (!notification.kind)
		return false;
	*ret_notification = notification;
	return true;
}

struct notification notification_of_battery(const char *device, const struct bb_alarm *alarm)
{
	return (struct notification){
		.kind = &kinds[ON_BATTERY],
		.device = device,
		.identity = alarm->type->oid,
		.alarm = alarm->type->name,
		.text = alarm->type->title,
		.alarm_id = alarm->event,
		.number = alarm->event,
		.wall_ms = alarm->since_wall_ms,
		.severity = alarm->type->severity,
	};
}

const char *notification_identity(const struct bb_event *event, const struct bb_alarm_set *alarms)
{
	const struct bb_alarm_type *type = bb_alarm_type_find(event->subject);

	for (size_t i = 0; !type && alarms && i < alarms->count; i++)
		if (strcmp(alarms->alarms[i].type->name, event->subject) == 0)
			type = alarms->alarms[i].type;
	if (!type)
		type = bb_alarm_type_find(event->severity == BB_SEVERITY_ALARM ? "threshold-alarm"
									       : "threshold-warning");
	return type->oid;
}
