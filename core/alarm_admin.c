/* SPDX-License-Identifier: Apache-2.0
 *
 * What people said about alarms, see alarm_admin.h.
 *
 * There is one entry for each alarm that somebody said something about; there are few of them. The alarm sets only show
 * what is here: the monitor copies it into the fields of an alarm with every look, so that it also holds for a device
 * that is opened anew.
 *
 * An entry is kept in the journal as one line. How long an alarm is quiet counts bb_clock_ms(), which begins anew when
 * the machine does: the line also says the boot it is of, and the wall clock for the case that this is another one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>

#include "alarm.h"
#include "alarm_admin.h"
#include "device.h"
#include "events.h"
#include "journal.h"
#include "monitor.h"
#include "registry.h"

#define STATE_PREFIX "alarm/"

/* Quiet while until_ms is above now; 0: not inhibited. An entry that says nothing is dropped. */
struct entry {
	char *device, *alarm; /* in one piece with the entry */
	bool acknowledged;
	int64_t until_ms;
	int64_t until_wall_ms; /* as it is shown */
	struct entry *next;
	char texts[];
};

struct alarm_admin {
	struct entry *entries;
	int64_t due_ms; /* the smallest until_ms, INT64_MAX: none */
};

static struct entry *find(const struct alarm_admin *admin, const char *device, const char *alarm)
{
	for (struct entry *entry = admin->entries; entry; entry = entry->next)
		if (strcmp(entry->alarm, alarm) == 0 && strcmp(entry->device, device) == 0)
			return entry;
	return NULL;
}

static struct entry *find_or_add(struct alarm_admin *admin, const char *device, const char *alarm)
{
	const size_t device_size = strlen(device) + 1, alarm_size = strlen(alarm) + 1;
	struct entry *entry = find(admin, device, alarm);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry) + device_size + alarm_size);
	if (!entry)
		return NULL;
	entry->device = memcpy(entry->texts, device, device_size);
	entry->alarm = memcpy(entry->texts + device_size, alarm, alarm_size);
	entry->next = admin->entries;
	admin->entries = entry;
	return entry;
}

/* ---- the line in the journal ---- */

static int keep(const struct entry *entry)
{
	char *key = NULL, *text = NULL;
	int r = asprintf(&key, STATE_PREFIX "%s/%s", entry->device, entry->alarm);

	if (r < 0)
		return -ENOMEM;
	if (entry->acknowledged || entry->until_ms != 0)
		r = asprintf(&text, "%d %" PRId64 " %" PRId64 " %s", entry->acknowledged, entry->until_ms,
			     entry->until_wall_ms, events_boot_id());
	if (r >= 0)
		r = journal_put_state(key, text);
	free(text);
	free(key);
	return r < 0 ? -ENOMEM : 0;
}

/* When an inhibition that was begun in another boot of the machine ends, as far as the wall clock can tell. */
static int64_t translate(int64_t until_wall_ms)
{
	int64_t left_ms = until_wall_ms - bb_clock_wall_ms();

	if (left_ms < 0)
		left_ms = 0;
	return bb_clock_ms() + (left_ms < ALARM_INHIBIT_MAX_MS ? left_ms : ALARM_INHIBIT_MAX_MS);
}

static void restore(void *context, const char *key, const char *text)
{
	struct alarm_admin *admin = context;
	const char *device = key + strlen(STATE_PREFIX), *slash = strchr(device, '/');
	int64_t until_ms, until_wall_ms;
	char boot_id[40] = "", name[64];
	struct entry *entry;
	int acknowledged;

	if (!slash || (size_t)(slash - device) >= sizeof(name) ||
	    sscanf(text, "%d %" SCNd64 " %" SCNd64 " %39s", &acknowledged, &until_ms, &until_wall_ms, boot_id) < 3)
		return; /* of another version, or damaged: nobody said anything then */
	memcpy(name, device, (size_t)(slash - device));
	name[slash - device] = '\0';
	entry = find_or_add(admin, name, slash + 1);
	if (!entry)
		return;
	entry->acknowledged = acknowledged != 0;
	entry->until_wall_ms = until_wall_ms;
	entry->until_ms = until_ms;
	if (until_ms != 0 && strcmp(boot_id, events_boot_id()) != 0)
		entry->until_ms = translate(until_wall_ms);
	if (entry->until_ms != 0 && entry->until_ms < admin->due_ms)
		admin->due_ms = entry->until_ms;
}

/* What @entry says has changed: keep it, or drop it when it says nothing any more. */
static int settle(struct alarm_admin *admin, struct entry *entry)
{
	int r = keep(entry);

	if (!entry->acknowledged && entry->until_ms == 0) {
		for (struct entry **place = &admin->entries; *place; place = &(*place)->next)
			if (*place == entry) {
				*place = entry->next;
				break;
			}
		free(entry);
	}
	admin->due_ms = INT64_MAX;
	for (entry = admin->entries; entry; entry = entry->next)
		if (entry->until_ms != 0 && entry->until_ms < admin->due_ms)
			admin->due_ms = entry->until_ms;
	return r;
}

int alarm_admin_create(struct alarm_admin **ret_admin)
{
	struct alarm_admin *admin = calloc(1, sizeof(*admin));

	if (!admin)
		return -ENOMEM;
	admin->due_ms = INT64_MAX;
	journal_each_state(STATE_PREFIX, restore, admin);
	*ret_admin = admin;
	return 0;
}

void alarm_admin_destroy(struct alarm_admin *admin)
{
	while (admin && admin->entries) {
		struct entry *entry = admin->entries;

		admin->entries = entry->next;
		free(entry);
	}
	free(admin);
}

/* ---- for the monitor ---- */

bool alarm_admin_concerns(const struct alarm_admin *admin, const char *device)
{
	for (const struct entry *entry = admin->entries; entry; entry = entry->next)
		if (strcmp(entry->device, device) == 0)
			return true;
	return false;
}

bool alarm_admin_apply(const struct alarm_admin *admin, const char *device, struct bb_alarm *alarm)
{
	const struct entry *entry = admin ? find(admin, device, alarm->type->name) : NULL;
	const bool acknowledged = entry && entry->acknowledged && alarm->active;
	const int64_t until_wall_ms = entry && entry->until_ms != 0 ? entry->until_wall_ms : 0;
	bool changed = false;

	if (alarm->acknowledged != acknowledged) {
		alarm->acknowledged = acknowledged;
		changed = true;
	}
	if (alarm->inhibited_until_wall_ms != until_wall_ms) {
		alarm->inhibited_until_wall_ms = until_wall_ms;
		changed = true;
	}
	return changed;
}

void alarm_admin_cleared(struct alarm_admin *admin, const char *device, const char *alarm)
{
	struct entry *entry = find(admin, device, alarm);

	if (!entry || !entry->acknowledged)
		return;
	entry->acknowledged = false;
	(void)settle(admin,
		     entry); /* what is not forgotten now is, when it is found not to be active after a restart */
}

int64_t alarm_admin_due(const struct alarm_admin *admin)
{
	return admin->due_ms;
}

/* ---- what people say ---- */

/* An alarm of a device, or of the agent, as it is now. */
struct subject {
	struct bb_device *device; /* NULL: the agent; a reference */
	const char *name;
	struct bb_alarm_set *set; /* a reference */
	const struct bb_alarm *alarm;
};

/* Emit an event about @subject; @seconds "": it is about no time. */
static void tell(enum bb_event_kind kind, const struct subject *subject, const char *seconds, const char *source)
{
	const struct bb_alarm *alarm = subject->alarm;

	(void)events_emit(&(struct bb_event){
		.kind = kind,
		.severity = BB_SEVERITY_INFO,
		.raised = alarm->event,
		.device = subject->name,
		.subject = alarm->type->name,
		.value = seconds,
		.unit = seconds[0] != '\0' ? "s" : "",
		.source = source,
		.text = alarm->type->title,
	}); /* an event that memory lacks for nobody could keep */
}

static void subject_release(struct subject *subject)
{
	bb_alarm_set_unref(subject->set);
	bb_device_unref(subject->device);
}

static int subject_find(struct bb_registry *registry, const char *device, const char *alarm,
			struct subject *ret_subject)
{
	static const char prefix[] = "alarm.";
	struct subject subject = {.name = ""};

	if (!registry_alarm_admin(registry))
		return -ENODEV; /* it is stopping */
	if (strncmp(alarm, prefix, strlen(prefix)) == 0)
		alarm += strlen(prefix);
	if (device[0] == '\0') {
		subject.set = bb_registry_agent_alarms(registry);
	} else {
		struct bb_snapshot snapshot;

		subject.device = bb_registry_find(registry, device);
		if (!subject.device)
			return -ENODEV;
		subject.name = bb_device_name(subject.device);
		bb_device_snapshot(subject.device, bb_clock_ms(), &snapshot);
		subject.set = snapshot.alarms ? bb_alarm_set_ref(snapshot.alarms) : NULL;
		bb_snapshot_release(&snapshot);
	}
	for (size_t i = 0; subject.set && i < subject.set->count; i++)
		if (strcmp(subject.set->alarms[i].type->name, alarm) == 0)
			subject.alarm = &subject.set->alarms[i];
	if (!subject.alarm) {
		subject_release(&subject);
		return -ENOENT;
	}
	*ret_subject = subject;
	return 0;
}

/* Let what was said show, and whatever follows from it. */
static void show(struct bb_registry *registry, const struct subject *subject)
{
	if (subject->device)
		monitor_look(subject->device);
	else
		registry_look_at_agent(registry);
}

int alarm_acknowledge(struct bb_registry *registry, const char *device, const char *alarm, const char *source)
{
	struct alarm_admin *admin = registry_alarm_admin(registry);
	struct subject subject;
	struct entry *entry;
	int r = subject_find(registry, device, alarm, &subject);

	if (r < 0)
		return r;
	if (!subject.alarm->active) {
		r = -EINVAL;
		goto out;
	}
	if (subject.alarm->acknowledged)
		goto out;
	entry = find_or_add(admin, subject.name, subject.alarm->type->name);
	if (!entry) {
		r = -ENOMEM;
		goto out;
	}
	entry->acknowledged = true;
	r = settle(admin, entry);
	show(registry, &subject);
	tell(BB_EVENT_ALARM_ACKNOWLEDGED, &subject, "", source);
out:
	subject_release(&subject);
	return r;
}

static int release(struct bb_registry *registry, const struct subject *subject, const char *source)
{
	struct alarm_admin *admin = registry_alarm_admin(registry);
	struct entry *entry = find(admin, subject->name, subject->alarm->type->name);
	int r;

	if (!entry || entry->until_ms == 0)
		return -EINVAL;
	entry->until_ms = 0;
	r = settle(admin, entry);
	tell(BB_EVENT_ALARM_RELEASED, subject, "", source);
	show(registry, subject);
	return r;
}

static int inhibit(struct bb_registry *registry, const struct subject *subject, int64_t duration_ms, const char *source)
{
	struct alarm_admin *admin = registry_alarm_admin(registry);
	struct entry *entry = find_or_add(admin, subject->name, subject->alarm->type->name);
	char seconds[24];
	int r;

	if (!entry)
		return -ENOMEM;
	entry->until_ms = bb_clock_ms() + duration_ms;
	entry->until_wall_ms = bb_clock_wall_ms() + duration_ms;
	r = settle(admin, entry);
	show(registry, subject);
	(void)snprintf(seconds, sizeof(seconds), "%" PRId64, (duration_ms + 999) / 1000); /* fits */
	tell(BB_EVENT_ALARM_INHIBITED, subject, seconds, source);
	return r;
}

int alarm_inhibit(struct bb_registry *registry, const char *device, const char *alarm, int64_t duration_ms,
		  const char *source)
{
	struct subject subject;
	int r;

	if (duration_ms < 0 || duration_ms > ALARM_INHIBIT_MAX_MS)
		return -ERANGE;
	r = subject_find(registry, device, alarm, &subject);
	if (r < 0)
		return r;
	r = duration_ms == 0 ? release(registry, &subject, source) : inhibit(registry, &subject, duration_ms, source);
	subject_release(&subject);
	return r;
}

/* ---- when it is over ---- */

/* Nobody has said so: the time is over. The device, or the alarm, may have gone meanwhile. */
static void tell_expired(struct bb_registry *registry, const struct entry *entry)
{
	struct subject subject;
	uint64_t raised = 0;

	if (subject_find(registry, entry->device, entry->alarm, &subject) == 0) {
		raised = subject.alarm->event;
		subject_release(&subject);
	}
	(void)events_emit(&(struct bb_event){
		.kind = BB_EVENT_ALARM_RELEASED,
		.severity = BB_SEVERITY_INFO,
		.raised = raised,
		.device = entry->device,
		.subject = entry->alarm,
		.text = "the time is over",
	}); /* as in tell() */
}

void alarm_admin_expire(struct bb_registry *registry, int64_t now_ms)
{
	struct alarm_admin *admin = registry_alarm_admin(registry);

	while (admin->due_ms <= now_ms) {
		struct entry *entry = admin->entries;

		while (entry->until_ms == 0 || entry->until_ms > now_ms)
			entry = entry->next; /* there is one, since one is due */
		entry->until_ms = 0;
		tell_expired(registry, entry);
		(void)settle(admin, entry); /* an old line in the journal is over, too, when it is read again */
	}
}
