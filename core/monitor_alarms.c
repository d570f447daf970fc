/* SPDX-License-Identifier: Apache-2.0
 *
 * From readings to alarms.
 *
 * A look goes over the alarm set of the device in its order: first the alarms that the device or the agent says, then
 * those of rules, so that a rule sees what its gate has become in the same look. What has to change is changed in a
 * copy, with the numbers that the events will have; the copy is put in place, and only then is anybody told.
 *
 * What an alarm is and what was told of it are two things: an inhibited alarm changes without an event. An alarm's
 * event number says what was told (0: that it is not active), so that who was kept quiet hears what has changed as
 * soon as that is over. It also tells of an alarm that vanishes while it is active, because its rule was taken away or
 * the device has other points now: nobody waits for the end of it in vain.
 *
 * After a restart of the agent alarms go on where they were (alarm_told.h). That comes first when a set is seen for
 * the first time, and then the look begins anew. Alarms that there are no more can only be told when the device has
 * answered: until then it may have more of them than it shows.
 */
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/decimal.h>

#include "alarm.h"
#include "alarm_told.h"
#include "device.h"
#include "events.h"
#include "monitor.h"
#include "monitor_alarms.h"
#include "reading.h"
#include "registry.h"
#include "rule_plan.h"

/* One look at one device. */
struct look {
	struct bb_device *device;
	const struct bb_snapshot *snapshot;
	const struct bb_alarm_set *before;
	struct bb_alarm_set *after; /* NULL: nothing has changed yet */
	struct alarm_admin *admin;  /* NULL: nobody said anything about alarms of this device */
	uint64_t number;            /* of the last event so far */
	int64_t now_ms;
};

/* ---- what an alarm has to become ---- */

/* What the reading says of an alarm: 1, 0, or −1 when nothing. */
static int alarm_in_reading(const struct bb_reading *reading, size_t index)
{
	const size_t place = reading->generation->alarms[index];

	return reading->qualities[place] == BB_QUALITY_GOOD ? reading->values[place] != 0 : -1;
}

/* What an alarm has to become; −1: it stays. Of a device that does not answer only that much is known. */
static int alarm_wanted(const struct bb_snapshot *snapshot, size_t index)
{
	if (snapshot->state == BB_DEVICE_UNKNOWN)
		return -1;
	if (snapshot->state == BB_DEVICE_LOST || snapshot->state == BB_DEVICE_NEVER)
		return strcmp(snapshot->alarms->alarms[index].type->name, "communications-lost") == 0 ? 1 : -1;
	return snapshot->stale[BB_GROUP_URGENT] ? -1 : alarm_in_reading(snapshot->reading, index);
}

static bool is_away(const struct bb_snapshot *snapshot, int32_t place)
{
	return place >= 0 && snapshot->stale[point_group(snapshot->reading->generation->points[place])];
}

static enum rule_sight sight_of(const struct bb_snapshot *snapshot, const struct rule_bound *bound, int64_t *ret_value)
{
	if (snapshot->state != BB_DEVICE_UP || is_away(snapshot, (int32_t)bound->place) ||
	    is_away(snapshot, bound->other))
		return RULE_AWAY;
	return rule_bound_value(bound, snapshot->reading, ret_value) ? RULE_SEEN : RULE_UNREADABLE;
}

static const struct bb_alarm *present(const struct look *look, size_t index)
{
	return look->after ? &look->after->alarms[index] : &look->before->alarms[index];
}

/* As alarm_wanted(), for rule @index of the plan; @ret_value: what it looked at, where that is known. */
static int rule_wanted(const struct look *look, size_t index, bool active, int64_t *ret_value)
{
	struct device_record *record = device_record(look->device);
	const struct rule_bound *bound = &record->plan->bounds[index];
	struct rule_facts facts = {.active = active};
	enum rule_verdict verdict;
	int64_t due_ms;

	facts.sight = sight_of(look->snapshot, bound, &facts.value);
	if (bound->gate >= 0) {
		const struct bb_alarm *gate = present(look, (size_t)bound->gate);

		facts.gate_active = gate->active;
		facts.gate_since_ms = gate->since_ms;
	}
	verdict = rule_step(&bound->rule, &record->rules[index], &facts, look->now_ms, &due_ms);
	if (due_ms < record->due_ms)
		record->due_ms = due_ms;
	*ret_value = facts.value;
	return verdict == RULE_STAYS ? -1 : verdict == RULE_RAISED;
}

/* ---- changing them ---- */

/* One alarm. False: without memory nothing is decided; the next tick tries again. */
static bool decide_one(struct look *look, size_t index, size_t delivered)
{
	struct bb_alarm alarm = *present(look, index);
	bool changed = false;
	int64_t value = alarm.value;
	const int wanted = index < delivered ? alarm_wanted(look->snapshot, index)
					     : rule_wanted(look, index - delivered, alarm.active, &value);

	if (wanted >= 0 && alarm.active != (wanted != 0)) {
		alarm.active = wanted != 0;
		alarm.acknowledged = false;
		alarm.since_ms = look->now_ms;
		alarm.since_wall_ms = bb_clock_wall_ms();
		alarm.value = value;
		changed = true;
	}
	if (look->admin && wanted == 0)
		alarm_admin_cleared(look->admin, bb_device_name(look->device), alarm.type->name);
	if (look->admin || alarm.acknowledged || alarm.inhibited_until_wall_ms != 0)
		changed |= alarm_admin_apply(look->admin, bb_device_name(look->device), &alarm);
	if (alarm_is_untold(&alarm)) {
		look->number++;
		alarm.event = alarm.active ? look->number : 0;
		changed = true;
	}
	if (!changed)
		return true;
	if (!look->after)
		look->after = alarm_set_copy(look->before);
	if (look->after)
		look->after->alarms[index] = alarm;
	return look->after != NULL;
}

/* ---- telling ---- */

/* @raised: number of the event that raised it; for that event itself events.c knows it. */
static void tell(struct bb_device *device, const struct bb_alarm *alarm, bool active, uint64_t raised, const char *text)
{
	struct alarm_told *told = registry_alarm_told(device_registry(device));
	const struct bb_point *point = alarm->point;
	const struct bb_member *member = point ? bb_point_member(point, alarm->value) : NULL;
	char value[BB_DECIMAL_SIZE] = "";

	if (point && !member)
		(void)bb_decimal_print(value, alarm->value, point->decimals); /* the length is in the text */
	(void)events_emit(&(struct bb_event){
		.kind = active ? BB_EVENT_ALARM_RAISED : BB_EVENT_ALARM_CLEARED,
		.raised = raised,
		.severity = alarm->type->severity,
		.device = bb_device_name(device),
		.subject = alarm->type->name,
		.point = point ? point->name : NULL,
		.value = member ? member->name : value,
		.unit = point ? bb_unit_name(point->unit) : NULL,
		.text = text,
	}); /* the number is known: nobody else numbers events meanwhile */
	if (active)
		alarm_told_raised(told, bb_device_name(device), alarm);
	else
		alarm_told_cleared(told, bb_device_name(device), alarm->type->name);
}

/* Tell of alarms that were active when we looked last and that the device cannot raise any more. */
static void tell_gone(struct bb_device *device, const struct bb_alarm_set *seen, const struct bb_alarm_set *set,
		      struct alarm_admin *admin)
{
	for (size_t i = 0; i < seen->count; i++) {
		const struct bb_alarm *alarm = &seen->alarms[i];

		if (!alarm->active && alarm->event == 0)
			continue;
		if (alarm_set_find(set, alarm->type) >= 0)
			continue;
		if (alarm->event != 0)
			tell(device, alarm, false, alarm->event, "nobody watches this any more");
		if (admin)
			alarm_admin_cleared(admin, bb_device_name(device), alarm->type->name);
	}
}

static void tell_changes(struct bb_device *device, const struct bb_alarm_set *before, const struct bb_alarm_set *after)
{
	events_hold();
	for (size_t i = 0; i < after->count; i++) {
		const uint64_t told = before->alarms[i].event;
		const struct bb_alarm *alarm = &after->alarms[i];

		if ((alarm->event != 0) != (told != 0))
			tell(device, alarm, alarm->event != 0, told, alarm->type->title);
	}
	events_release();
}

/* A device that answers, and all the alarms it has. */
struct watch {
	const char *device;
	const struct bb_alarm_set *set;
};

static bool is_watched(void *context, const char *device, const char *alarm)
{
	const struct watch *watch = context;

	return strcmp(device, watch->device) != 0 ||
	       alarm_set_find(watch->set, &(struct bb_alarm_type){.name = alarm}) >= 0;
}

/* As tell_gone(), of alarms that were active before the agent was restarted. */
static void tell_gone_meanwhile(struct bb_device *device, const struct bb_alarm_set *set)
{
	alarm_told_sweep(registry_alarm_told(device_registry(device)), is_watched,
			 &(struct watch){bb_device_name(device), set}, "nobody watches this any more");
}

/* ---- what is kept between two looks ---- */

void monitor_forget(struct device_record *record)
{
	bb_alarm_set_unref(record->seen);
	rule_plan_unref(record->plan);
	free(record->rules);
	record->seen = NULL;
	record->plan = NULL;
	record->rules = NULL;
}

void monitor_forget_delays(struct bb_device *device)
{
	struct device_record *record = device_record(device);

	if (record->plan)
		memset(record->rules, 0, record->plan->count * sizeof(record->rules[0]));
	record->due_ms = INT64_MAX;
}

/* Delays go on counting for rules of the same name. False: no memory. */
static bool follow_plan(struct device_record *record, struct rule_plan *plan)
{
	const struct rule_plan *old = record->plan;
	struct rule_state *states = NULL;

	if (old == plan)
		return true;
	if (plan) {
		states = calloc(plan->count, sizeof(*states));
		if (!states)
			return false;
	}
	for (size_t i = 0; plan && old && i < plan->count; i++)
		for (size_t j = 0; j < old->count; j++)
			if (strcmp(plan->bounds[i].type.name, old->bounds[j].type.name) == 0)
				states[i] = record->rules[j];
	free(record->rules);
	rule_plan_unref(record->plan);
	record->plan = rule_plan_ref(plan);
	record->rules = states;
	return true;
}

static void follow_set(struct bb_device *device, const struct bb_alarm_set *set, struct alarm_admin *admin)
{
	struct device_record *record = device_record(device);
	struct bb_alarm_set *seen = record->seen;

	if (seen == set)
		return;
	record->seen = bb_alarm_set_ref((struct bb_alarm_set *)(uintptr_t)set);
	if (!seen || !alarm_set_alike(seen, set))
		record->recalled = record->swept = false;
	if (seen && !alarm_set_alike(seen, set))
		tell_gone(device, seen, set, admin);
	bb_alarm_set_unref(seen);
}

/* Make active in @set what people were told of before a restart. True: there was nothing like that, or no memory. */
static bool recall(struct bb_device *device, const struct bb_alarm_set *set)
{
	const struct alarm_told *told = registry_alarm_told(device_registry(device));
	struct device_record *record = device_record(device);
	struct bb_alarm_set *after = NULL;

	for (size_t i = 0; i < set->count; i++) {
		struct bb_alarm alarm = set->alarms[i];

		if (!alarm_told_recall(told, bb_device_name(device), &alarm))
			continue;
		after = after ? after : alarm_set_copy(set);
		if (!after)
			return true; /* the next look tries again, and may tell some a second time */
		after->alarms[i] = alarm;
	}
	record->recalled = true;
	if (!after)
		return true;
	alarm_set_seal(after);
	if (!device_replace_alarms(device, set, after))
		record->recalled = false;
	return false;
}

bool monitor_decide_alarms(struct bb_device *device, const struct bb_snapshot *snapshot, struct alarm_admin *admin,
			   int64_t now_ms)
{
	struct device_record *record = device_record(device);
	const struct bb_alarm_set *before = snapshot->alarms;
	struct rule_plan *plan = alarm_set_plan(before);
	const size_t delivered = before->count - (plan ? plan->count : 0);
	struct look look = {
		.device = device,
		.snapshot = snapshot,
		.before = before,
		.admin = admin && alarm_admin_concerns(admin, bb_device_name(device)) ? admin : NULL,
		.now_ms = now_ms,
	};
	bool settled = true;

	if (!follow_plan(record, plan))
		return true; /* the next tick tries again */
	follow_set(device, before, admin);
	if (!record->recalled && !recall(device, before))
		return false;
	look.number = events_newest();
	record->due_ms = INT64_MAX;
	for (size_t i = 0; i < before->count; i++)
		if (!decide_one(&look, i, delivered))
			break;
	if (look.after) {
		alarm_set_seal(look.after);
		bb_alarm_set_ref(look.after);
		settled = device_replace_alarms(device, before, look.after);
	}
	if (settled && look.after) {
		follow_set(device, look.after, admin);
		tell_changes(device, before, look.after);
	}
	if (settled && !record->swept && snapshot->state == BB_DEVICE_UP) {
		record->swept = true;
		tell_gone_meanwhile(device, record->seen);
	}
	bb_alarm_set_unref(look.after);
	return settled;
}
