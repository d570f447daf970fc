/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_told.h - which alarms people were told to be active, and by which event, over restarts of the agent.
 *
 * When the agent starts it knows of no alarm. What is kept here makes an alarm go on where it was: active, with the
 * number of its event and since when, until the device has answered and decides. So a restart tells nobody anything
 * twice, and whoever was told that an alarm is active hears of its end, with the number of the event that began it,
 * even when the alarm, its rule or its device has gone meanwhile.
 *
 * Everything here belongs to the main loop.
 */
#ifndef CORE_ALARM_TOLD_H
#define CORE_ALARM_TOLD_H

#include <busbar/alarm.h>

struct alarm_told;

/** With what the journal remembers. 0 or -ENOMEM. */
int alarm_told_create(struct alarm_told **ret_told);
void alarm_told_destroy(struct alarm_told *told); /* accepts NULL */

/*
 * @device "" is the agent itself. @told may be NULL in all of these: then nothing is remembered.
 */

/** People were told by alarm->event that @alarm is active. Without memory it is as if they had not been. */
void alarm_told_raised(struct alarm_told *told, const char *device, const struct bb_alarm *alarm);

/** They were told that it is over. */
void alarm_told_cleared(struct alarm_told *told, const char *device, const char *alarm);

/**
 * If @alarm has not changed since the agent started, and people were told before that it is active: make it so, with
 * its event and since when. True: it has changed.
 */
bool alarm_told_recall(const struct alarm_told *told, const char *device, struct bb_alarm *alarm);

/** Tell that alarms are over which @is_watched says nobody watches any more; @text says why. */
void alarm_told_sweep(struct alarm_told *told, bool (*is_watched)(void *context, const char *device, const char *alarm),
		      void *context, const char *text);

#endif
