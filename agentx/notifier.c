/* SPDX-License-Identifier: Apache-2.0
 *
 * notifier.c - from the cursor to the session, see notifier.h.
 *
 * Events are fetched into a window: a ring of places, one for each event that snmpd has not answered yet, in order.
 * Events that become no notification are settled at once. The cursor moves over what is settled at the beginning of the
 * ring, so nothing that is behind an unanswered notification counts as delivered. snmpd works on them one after the
 * other, so a window costs no order: what a broken session has sent twice comes in order both times.
 *
 * What is awkward: when the session's buffer takes no more, events are in hand that cannot be kept. They are dropped and
 * fetched again, but only when everything on its way has been answered, since the cursor goes back to what was delivered.
 */
#include "notifier.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/journal.h>
#include <busbar/text.h>

#include "repeat.h"

/* Most events on their way: some 40 KB in the session's buffer. */
#define WINDOW 64

/* How often it is looked whether somebody's minute is over. */
#define TICK_MS 1000

struct flight {
	struct notifier *notifier;
	uint64_t number;
	bool settled;
};

struct notifier {
	struct notifier_setup setup;
	struct bb_cursor *cursor;
	struct bb_timer *tick;
	bool up;
	bool fetching;
	bool held;    /* something could not be sent: fetch nothing before the window is empty */
	bool drained; /* the last fetch found nothing, and nobody has told of more since */

	struct flight window[WINDOW];
	size_t first, count;
	size_t unanswered; /* how many of them wait for a Response */
	uint64_t delivered;

	size_t repeats; /* on their way */
	int64_t ticked_ms;

	struct bb_complaint refused;
};

/* ---- sending ---- */

static struct picture *picture_for(struct notifier *notifier, const struct notification *notification,
				   const struct moment *moment)
{
	struct subtree *subtree = NULL;
	struct oid name;

	if (notification->kind->objects && oid_parse(notification->kind->objects[0], &name) == 0)
		subtree = contexts_find(notifier->setup.contexts, notification->device, &name);
	return subtree ? subtree->ops->picture(subtree, moment) : NULL;
}

static int send_notification(struct notifier *notifier, const struct notification *notification,
			     void (*done)(void *context, int result), void *context)
{
	const struct moment moment = session_moment(notifier->setup.session);
	struct picture *picture = picture_for(notifier, notification, &moment);
	struct codec_buffer varbinds = {0};
	int r = -ENOMEM;

	notification_put(notification, notifier->setup.base, picture, &moment, &varbinds);
	picture_unref(picture);
	if (!varbinds.failed)
		r = session_notify(notifier->setup.session, notification->device, &varbinds, done, context);
	codec_buffer_free(&varbinds);
	return r;
}

/* ---- the window ---- */

static void notifier_pump(struct notifier *notifier);

static void note_result(struct notifier *notifier, int result, uint64_t number)
{
	if (result == 0)
		bb_complaint_over(notifier->setup.log, &notifier->refused, "snmpd takes notifications again");
	else
		(void)bb_complain(notifier->setup.log, &notifier->refused, 0,
				  "snmpd refuses the notification of event %llu, which nobody will see",
				  (unsigned long long)number); /* there is nothing more to do about it */
}

/* The cursor moves over what is settled at the beginning. */
static void advance(struct notifier *notifier)
{
	const size_t before = notifier->count;

	while (notifier->count > 0 && notifier->window[notifier->first].settled) {
		notifier->delivered = notifier->window[notifier->first].number;
		notifier->first = (notifier->first + 1) % WINDOW;
		notifier->count--;
	}
	if (notifier->count < before)
		bb_cursor_delivered(notifier->cursor, notifier->delivered);
	if (notifier->held && notifier->unanswered == 0) {
		notifier->held = false;
		bb_cursor_rewind(notifier->cursor);
	}
}

static void flight_done(void *context, int result)
{
	struct flight *flight = context;
	struct notifier *notifier = flight->notifier;

	assert(notifier->unanswered > 0);
	notifier->unanswered--;
	if (result == -ECONNRESET)
		return; /* notifier_session_changed() sees to it that it comes again */
	note_result(notifier, result, flight->number);
	flight->settled = true;
	advance(notifier);
	notifier_pump(notifier);
}

static bool translate(struct notifier *notifier, const struct bb_event *event, struct flight *flight, int *ret_result)
{
	struct bb_device *device = NULL;
	struct bb_snapshot snapshot = {0};
	struct notification notification;
	const char *identity = "";
	bool any;

	if (event->kind == BB_EVENT_ALARM_RAISED || event->kind == BB_EVENT_ALARM_CLEARED) {
		if (!bb_alarm_type_find(event->subject)) /* a rule's, which only the device knows */
			device = bb_registry_find(notifier->setup.registry, event->device);
		if (device)
			bb_device_snapshot(device, bb_clock_ms(), &snapshot);
		identity = notification_identity(event, snapshot.alarms);
	}
	any = notification_of_event(event, identity, &notification);
	if (any)
		*ret_result = send_notification(notifier, &notification, flight_done, flight);
	bb_snapshot_release(&snapshot);
	bb_device_unref(device);
	return any;
}

/* Send what tells of @event. 0, or why it cannot be sent now. */
static int take_event(struct notifier *notifier, const struct bb_event *event)
{
	struct flight *flight = &notifier->window[(notifier->first + notifier->count) % WINDOW];
	int r = 0;

	*flight = (struct flight){.notifier = notifier, .number = event->number};
	flight->settled = !translate(notifier, event, flight, &r);
	if (r < 0)
		return r;
	notifier->count++;
	notifier->unanswered += !flight->settled;
	return 0;
}

static void events_arrived(void *context, const struct bb_event *events, size_t count)
{
	struct notifier *notifier = context;
	bool stuck = false;

	notifier->fetching = false;
	if (!notifier->up)
		return; /* the next session fetches them again */
	if (count == 0) {
		notifier->drained = true; /* the journal will wake us */
		return;
	}
	for (size_t i = 0; i < count && !stuck; i++)
		stuck = take_event(notifier, &events[i]) < 0;
	notifier->held = stuck;
	advance(notifier);
	if (!stuck) /* else the next answer or tick does */
		notifier_pump(notifier);
}

static void notifier_pump(struct notifier *notifier)
{
	int r;

	if (!notifier->up || notifier->held || notifier->fetching || notifier->count == WINDOW)
		return;
	r = bb_cursor_fetch(notifier->cursor, WINDOW - notifier->count, events_arrived, notifier);
	if (r < 0)
		(void)bb_log_error(notifier->setup.log, r, "cannot fetch events"); /* the next tick tries again */
	notifier->fetching = r >= 0;
}

static void events_ready(void *context)
{
	struct notifier *notifier = context;

	notifier->drained = false;
	notifier_pump(notifier);
}

/* ---- repeats ---- */

static void repeat_done(void *context, int result)
{
	struct notifier *notifier = context;

	notifier->repeats--;
	(void)result; /* the next minute tries again */
}

static void repeat_for(struct notifier *notifier, struct bb_device *device, int64_t now_ms)
{
	struct bb_snapshot snapshot;
	const struct bb_alarm *alarm;

	bb_device_snapshot(device, now_ms, &snapshot);
	alarm = repeat_alarm(&snapshot);
	/* The first one may still be on its way, or wait in the journal. */
	if (alarm && repeat_is_due(alarm->since_ms, notifier->ticked_ms, now_ms) &&
	    (alarm->event <= notifier->delivered || (notifier->drained && notifier->count == 0))) {
		const struct notification notification = notification_of_battery(bb_device_name(device), alarm);

		notifier->repeats += send_notification(notifier, &notification, repeat_done, notifier) == 0;
	}
	bb_snapshot_release(&snapshot);
}

static void tick(void *context)
{
	struct notifier *notifier = context;
	const int64_t now_ms = bb_clock_ms();
	struct bb_device_list *list;

	if (notifier->repeats == 0) { /* else snmpd hangs, and would be given more and more */
		list = bb_registry_devices(notifier->setup.registry);
		for (size_t i = 0; i < list->count; i++)
			repeat_for(notifier, list->devices[i], now_ms);
		bb_device_list_unref(list);
	}
	notifier->ticked_ms = now_ms;
	notifier_pump(notifier);
}

/* ---- its life ---- */

void notifier_session_changed(struct notifier *notifier, bool up)
{
	if (!notifier)
		return;
	notifier->up = up;
	if (!up) {
		bb_timer_stop(notifier->tick);
		return;
	}
	assert(notifier->unanswered == 0 && notifier->repeats == 0);
	notifier->count = 0;
	notifier->held = false;
	notifier->drained = false;
	bb_cursor_rewind(notifier->cursor);
	notifier->ticked_ms = bb_clock_ms(); /* minutes that ended without a session are over */
	bb_timer_start(notifier->tick, TICK_MS, TICK_MS);
	notifier_pump(notifier);
}

void notifier_name_cursor(const char *master, char name[NOTIFIER_CURSOR_SIZE])
{
	char whole[256];
	size_t length;
	/* What a cursor's name cannot hold becomes '_', and whatever was changed or cut gets a number made of the whole. */
	bool changed = snprintf(whole, sizeof(whole), "agentx:%s", master) >= NOTIFIER_CURSOR_SIZE;

	for (length = 0; whole[length] && length < NOTIFIER_CURSOR_SIZE - 1; length++) {
		const bool fine = islower((unsigned char)whole[length]) || isdigit((unsigned char)whole[length]) ||
				  strchr(":._-", whole[length]);

		changed |= !fine;
		name[length] = fine ? whole[length] : '_';
	}
	name[length] = '\0';
	if (changed) {
		const size_t end = length < NOTIFIER_CURSOR_SIZE - 10 ? length : NOTIFIER_CURSOR_SIZE - 10;

		(void)snprintf(name + end, 10, "-%08x", (unsigned)bb_text_hash(master, strlen(master))); /* fits */
	}
}

int notifier_create(const struct notifier_setup *setup, struct notifier **ret_notifier)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));
	char name[NOTIFIER_CURSOR_SIZE];
	int r;

	if (!notifier)
		return bb_log_error(setup->log, -ENOMEM, "no notifications");
	notifier->setup = *setup;
	notifier_name_cursor(setup->master, name);
	notifier->tick = bb_timer_create(setup->loop, tick, notifier);
	r = notifier->tick ? bb_cursor_open(name, setup->loop, events_ready, notifier, &notifier->cursor) : -ENOMEM;
	if (r < 0) {
		notifier_destroy(notifier);
		return bb_log_error(setup->log, r, "cannot open the journal's cursor %s", name);
	}
	*ret_notifier = notifier;
	return 0;
}

void notifier_destroy(struct notifier *notifier)
{
	if (!notifier)
		return;
	bb_timer_destroy(notifier->tick);
	bb_cursor_close(notifier->cursor);
	free(notifier);
}
