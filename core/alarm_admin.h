/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_admin.h - what people say about alarms: "I have seen it" (acknowledge) and "keep quiet for a while" (inhibit).
 *
 * Both become events, show in struct bb_alarm, and are kept in the journal, so that they outlive a restart. An
 * acknowledgement lasts until the alarm clears. An inhibited alarm goes on being decided and shown, but no event tells
 * of it until the time is over or somebody releases it; whatever has changed meanwhile is told then.
 *
 * Everything here belongs to the main loop.
 */
#ifndef CORE_ALARM_ADMIN_H
#define CORE_ALARM_ADMIN_H

#include <busbar/registry.h>

/** The longest time an alarm can be kept quiet. */
#define ALARM_INHIBIT_MAX_MS (INT64_C(90) * 86400000)

/**
 * Somebody (@source, such as "busbarctl uid 0") has seen @alarm (with or without "alarm." before it) of @device; ""
 * is the agent itself. Returns 0, also when it was acknowledged already; -ENODEV: no such device; -ENOENT: it has no
 * such alarm; -EINVAL: the alarm is not active; -ENOMEM.
 */
int alarm_acknowledge(struct bb_registry *registry, const char *device, const char *alarm, const char *source);

/**
 * Keep @alarm quiet for @duration_ms from now on, whether it is active or not; 0 releases it. As alarm_acknowledge();
 * -EINVAL: released although it is not inhibited; -ERANGE: negative, or longer than ALARM_INHIBIT_MAX_MS.
 */
int alarm_inhibit(struct bb_registry *registry, const char *device, const char *alarm, int64_t duration_ms,
		  const char *source);

/* ---- for the registry and the monitor ---- */

struct alarm_admin;

/** What the journal remembers is there at once. 0 or -ENOMEM. */
int alarm_admin_create(struct alarm_admin **ret_admin);
void alarm_admin_destroy(struct alarm_admin *admin);

/** Did anybody say anything about an alarm of @device that holds now? */
bool alarm_admin_concerns(const struct alarm_admin *admin, const char *device);

/** Put what is known about @alarm of @device into its fields; nothing, when @admin is NULL. True: they have changed. */
bool alarm_admin_apply(const struct alarm_admin *admin, const char *device, struct bb_alarm *alarm);

/** The alarm has cleared, or was found not to be active: its acknowledgement is over. */
void alarm_admin_cleared(struct alarm_admin *admin, const char *device, const char *alarm);

/** Release what has been quiet for long enough as of @now_ms; a RELEASED event each. */
void alarm_admin_expire(struct bb_registry *registry, int64_t now_ms);

/** When the next alarm_admin_expire() is worth calling, INT64_MAX: never. */
int64_t alarm_admin_due(const struct alarm_admin *admin);

#endif
