/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_told.c - see alarm_told.h.
 *
 * There is one entry for each alarm that people were told of, sorted by device and alarm, and one line for each in
 * the journal. A line and the event it is of become durable almost together. When the agent is killed between the two,
 * the event may be lost while the line is not: such a line counts for nothing, and the alarm is told again.
 *
 * Since when counts bb_clock_ms(), which begins anew when the machine does: the line also says the boot it is of, and
 * the wall clock for the case that this is another one.
 */
#include "alarm_told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "events.h"
#include "journal.h"

#define STATE_PREFIX "raised/"

struct entry {
	const char *device, *alarm; /* in one piece with the entry */
	uint64_t event;
	int64_t since_ms, since_wall_ms, value;
	enum bb_severity severity;
	char texts[];
};

struct alarm_told {
	struct entry **entries;
	size_t count, room;
};

/* ---- finding ---- */

/* Where the entry is, or would be. */
static size_t place_of(const struct alarm_told *told, const char *device, const char *alarm, bool *ret_there)
{
	size_t low = 0, high = told->count;
	int order = 1;

	*ret_there = false;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		order = strcmp(told->entries[middle]->device, device);
		if (order == 0)
			order = strcmp(told->entries[middle]->alarm, alarm);
		if (order == 0)
			*ret_there = true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *insert(struct alarm_told *told, size_t place, const char *device, const char *alarm)
{
	const size_t device_size = strlen(device) + 1, alarm_size = strlen(alarm) + 1;
	struct entry *entry = calloc(1, sizeof(*entry) + device_size + alarm_size);

	if (entry && told->count == told->room) {
		const size_t room = told->room > 0 ? 2 * told->room : 64;
		struct entry **entries = realloc(told->entries, room * sizeof(struct entry *));

		if (!entries) {
			free(entry);
			return NULL;
		}
		told->entries = entries;
		told->room = room;
	}
	if (!entry)
		return NULL;
	entry->device = memcpy(entry->texts, device, device_size);
	entry->alarm = memcpy(entry->texts + device_size, alarm, alarm_size);
	memmove(&told->entries[place + 1], &told->entries[place], (told->count - place) * sizeof(struct entry *));
	told->entries[place] = entry;
	told->count++;
	return entry;
}

/* ---- the line in the journal ---- */

/* Keep what @entry says; @forget: that it says nothing any more. */
static void keep(const struct entry *entry, bool forget)
{
	char *key = NULL, *text = NULL;
	int r = asprintf(&key, STATE_PREFIX "%s/%s", entry->device, entry->alarm);

	if (r >= 0 && !forget)
		r = asprintf(&text, "%" PRIu64 " %d %" PRId64 " %" PRId64 " %" PRId64 " %s", entry->event,
			     (int)entry->severity, entry->since_wall_ms, entry->since_ms, entry->value,
			     events_boot_id());
	if (r >= 0)
		(void)journal_put_state(key, text); /* without memory this one alarm is told again after a restart */
	free(text);
	free(key);
}

/* When something of another boot of the machine was, as far as the wall clock can tell: before this one. */
static int64_t translate(int64_t wall_ms)
{
	int64_t ago_ms = bb_clock_wall_ms() - wall_ms;
	int64_t now_ms = bb_clock_ms();

	return ago_ms > now_ms ? now_ms - ago_ms : -1;
}

static void restore(void *context, const char *key, const char *text)
{
	struct alarm_told *told = context;
	const char *device = key + strlen(STATE_PREFIX), *slash = strchr(device, '/');
	char boot_id[40] = "", name[64];
	struct entry read, *entry;
	int severity;
	bool there;

	if (!slash || (size_t)(slash - device) >= sizeof(name) ||
	    sscanf(text, "%" SCNu64 " %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %39s", &read.event, &severity,
		   &read.since_wall_ms, &read.since_ms, &read.value, boot_id) < 5 ||
	    severity < BB_SEVERITY_INFO || severity > BB_SEVERITY_ALARM)
		return; /* of another version, or damaged: nobody was told, then */
	memcpy(name, device, (size_t)(slash - device));
	name[slash - device] = '\0';

	const size_t place = place_of(told, name, slash + 1, &there);

	entry = there ? told->entries[place] : insert(told, place, name, slash + 1);
	if (!entry)
		return; /* without memory the alarm is told again */
	entry->event = read.event;
	entry->severity = (enum bb_severity)severity;
	entry->value = read.value;
	entry->since_wall_ms = read.since_wall_ms;
	entry->since_ms = strcmp(boot_id, events_boot_id()) == 0 ? read.since_ms : translate(read.since_wall_ms);
}

static void drop(struct alarm_told *told, size_t place)
{
	keep(told->entries[place], true);
	free(told->entries[place]);
	told->count--;
	memmove(&told->entries[place], &told->entries[place + 1], (told->count - place) * sizeof(struct entry *));
}

int alarm_told_create(struct alarm_told **ret_told)
{
	struct alarm_told *told = calloc(1, sizeof(*told));
	struct journal_status status;

	if (!told)
		return -ENOMEM;
	journal_each_state(STATE_PREFIX, restore, told);
	journal_status(&status);
	for (size_t i = told->count; i > 0; i--)
		if (told->entries[i - 1]->event > status.durable)
			drop(told, i - 1); /* the event was lost with the agent */
	*ret_told = told;
	return 0;
}

void alarm_told_destroy(struct alarm_told *told)
{
	for (size_t i = 0; told && i < told->count; i++)
		free(told->entries[i]);
	if (told)
		free(told->entries);
	free(told);
}

/* ---- what is told ---- */

void alarm_told_raised(struct alarm_told *told, const char *device, const struct bb_alarm *alarm)
{
	struct entry *entry;
	size_t place;
	bool there;

	if (!told)
		return;
	place = place_of(told, device, alarm->type->name, &there);
	entry = there ? told->entries[place] : insert(told, place, device, alarm->type->name);
	if (!entry)
		return;
	entry->event = alarm->event;
	entry->severity = alarm->type->severity;
	entry->since_ms = alarm->since_ms;
	entry->since_wall_ms = alarm->since_wall_ms;
	entry->value = alarm->value;
	keep(entry, false);
}

void alarm_told_cleared(struct alarm_told *told, const char *device, const char *alarm)
{
	bool there = false;
	const size_t place = told ? place_of(told, device, alarm, &there) : 0;

	if (there)
		drop(told, place);
}

bool alarm_told_recall(const struct alarm_told *told, const char *device, struct bb_alarm *alarm)
{
	const struct entry *entry;
	size_t place;
	bool there;

	if (!told || alarm->since_wall_ms != 0 || alarm->event != 0)
		return false;
	place = place_of(told, device, alarm->type->name, &there);
	if (!there)
		return false;
	entry = told->entries[place];
	alarm->active = true;
	alarm->event = entry->event;
	alarm->since_ms = entry->since_ms;
	alarm->since_wall_ms = entry->since_wall_ms;
	alarm->value = entry->value;
	return true;
}

/* Nobody is told before all are done: whoever hears of one may cause another. */
void alarm_told_sweep(struct alarm_told *told, bool (*is_watched)(void *context, const char *device, const char *alarm),
		      void *context, const char *text)
{
	events_hold();
	for (size_t i = 0; told && i < told->count;) {
		const struct entry *entry = told->entries[i];

		if (is_watched(context, entry->device, entry->alarm)) {
			i++;
			continue;
		}
		(void)events_emit(&(struct bb_event){
			.kind = BB_EVENT_ALARM_CLEARED,
			.severity = entry->severity,
			.raised = entry->event,
			.device = entry->device,
			.subject = entry->alarm,
			.text = text,
		}); /* nobody needs the number of this one */
		drop(told, i);
	}
	events_release();
}
