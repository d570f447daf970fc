/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: numbered, kept in a ring, and told to subscribers, all on the main loop.
 *
 * bb_event_emit() may be called by any thread, so it copies the event into one piece of memory and puts that into a list
 * for the main loop. There the copy gets its number and moves into the ring. A subscriber may cause another event while it is
 * being told of one; that one waits in the ring until everybody has heard the first, so that all hear the same order.
 *
 * There is one ring in a process, because plugins emit events without having anything in hand to say where to.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "event_copy.h"
#include "events.h"

/*
 * Most events from other threads that are told in one go. What else the main loop has to do comes in between, so a
 * power failure that a device has just reported does not wait until thousands of others have been told.
 */
#define EVENTS_AT_ONCE 64

static struct {
	/* Emitting and stopping exclude each other, so that nothing is posted to a loop that has gone. */
	pthread_mutex_t lock;
	struct bb_loop *loop; /* NULL: events are not taken */
	struct event_list posted;
	struct bb_task task; /* is with the loop while there is something in @posted */

	/* All below: main loop. */
	struct event_copy **ring; /* event number n is at (n − 1) % EVENTS_KEPT */
	uint64_t newest;          /* survives a restart of taking: numbers never repeat */
	uint64_t told;            /* up to which number subscribers were told */
	bool telling;
	unsigned held; /* how many events_hold() are open */
	struct event_subscriber *subscribers;
	struct event_subscriber *next; /* who is told after the one that is being told */
	char boot_id[40];
} events = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char *bb_event_kind_name(enum bb_event_kind kind)
{
	static const char *const names[] = {
		[BB_EVENT_ALARM_RAISED] = "alarm-raised",
		[BB_EVENT_ALARM_CLEARED] = "alarm-cleared",
		[BB_EVENT_DEVICE_FOUND] = "device-found",
		[BB_EVENT_DEVICE_LOST] = "device-lost",
		[BB_EVENT_DEVICE_CHANGED] = "device-changed",
		[BB_EVENT_AGENT_STARTED] = "agent-started",
		[BB_EVENT_AGENT_STOPPING] = "agent-stopping",
		[BB_EVENT_CONFIG_LOADED] = "config-loaded",
		[BB_EVENT_CONFIG_REJECTED] = "config-rejected",
		[BB_EVENT_PLUGIN_FAILED] = "plugin-failed",
		[BB_EVENT_CLOCK_GAP] = "clock-gap",
		[BB_EVENT_ALARM_ACKNOWLEDGED] = "alarm-acknowledged",
		[BB_EVENT_ALARM_INHIBITED] = "alarm-inhibited",
		[BB_EVENT_ALARM_RELEASED] = "alarm-released",
		[BB_EVENT_JOURNAL_GAP] = "journal-gap",
		[BB_EVENT_WRITE] = "write",
		[BB_EVENT_TEST] = "test",
	};

	return (size_t)kind < BB_LENGTH(names) ? names[kind] : "unknown";
}

static struct event_copy *copy_create(const struct bb_event *event)
{
	struct bb_event stamped = *event;

	stamped.wall_ms = bb_clock_wall_ms();
	stamped.boot_id = NULL; /* the same for all */
	return event_copy_create(&stamped);
}

/* Tell everybody what they have not heard yet. A subscriber may unsubscribe anybody meanwhile. */
static void events_tell(void)
{
	if (events.telling || events.held > 0)
		return;
	events.telling = true;
	while (events.told < events.newest) {
		const struct bb_event *event = events_next(events.told);

		events.told = event->number;
		for (struct event_subscriber *one = events.subscribers; one; one = events.next) {
			events.next = one->next;
			one->event(one->context, event);
		}
	}
	events.telling = false;
}

static uint64_t events_take(struct event_copy *copy)
{
	const uint64_t number = ++events.newest;
	struct event_copy **place = &events.ring[(number - 1) % EVENTS_KEPT];

	copy->event.number = number;
	if (copy->event.kind == BB_EVENT_ALARM_RAISED)
		copy->event.raised = number;
	copy->event.boot_id = events.boot_id;
	free(*place);
	*place = copy;
	events_tell();
	return number;
}

/* The next of those that other threads have emitted; without one the task is free to be posted again. */
static struct event_copy *take_posted(void)
{
	struct event_copy *copy;

	pthread_mutex_lock(&events.lock);
	copy = event_list_take(&events.posted);
	pthread_mutex_unlock(&events.lock);
	return copy;
}

/* Runs as long as there is something in the list, and then some: who adds the first one posts it. */
static void events_arrived(struct bb_task *task)
{
	struct event_copy *copy;

	for (int i = 0; i < EVENTS_AT_ONCE && (copy = take_posted()) != NULL; i++)
		(void)events_take(copy); /* who posted it does not ask for the number */
	pthread_mutex_lock(&events.lock);
	if (events.posted.first && events.loop)
		bb_loop_post(events.loop, task);
	else
		task->run = NULL;
	pthread_mutex_unlock(&events.lock);
}

int bb_event_emit(const struct bb_event *event)
{
	struct event_copy *copy = copy_create(event);

	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&events.lock);
	if (events.loop) {
		event_list_append(&events.posted, copy);
		copy = NULL;
		if (!events.task.run) {
			events.task.run = events_arrived;
			bb_loop_post(events.loop, &events.task);
		}
	}
	pthread_mutex_unlock(&events.lock);
	free(copy);
	return 0;
}

uint64_t events_emit(const struct bb_event *event)
{
	struct event_copy *copy = events.ring ? copy_create(event) : NULL;

	return copy ? events_take(copy) : 0;
}

void events_hold(void)
{
	events.held++;
}

void events_release(void)
{
	events.held--;
	events_tell();
}

static void read_boot_id(void)
{
	const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, events.boot_id, sizeof(events.boot_id) - 1) : 0;

	if (fd >= 0)
		close(fd);
	events.boot_id[length > 0 ? length : 0] = '\0'; /* without /proc nobody can tell boots apart */
	events.boot_id[strcspn(events.boot_id, "\n")] = '\0';
}

int events_start(struct bb_loop *main_loop, uint64_t first_number)
{
	struct event_copy **ring = calloc(EVENTS_KEPT, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	read_boot_id();
	events.ring = ring;
	if (events.newest + 1 < first_number)
		events.newest = first_number - 1;
	events.told = events.newest;
	pthread_mutex_lock(&events.lock);
	events.loop = main_loop;
	pthread_mutex_unlock(&events.lock);
	return 0;
}

void events_stop(void)
{
	struct event_copy *copy;

	pthread_mutex_lock(&events.lock);
	events.loop = NULL;
	pthread_mutex_unlock(&events.lock);
	while ((copy = take_posted()) != NULL) /* what was emitted before is told, too */
		(void)events_take(copy);
	for (size_t i = 0; events.ring && i < EVENTS_KEPT; i++)
		free(events.ring[i]);
	free(events.ring);
	events.ring = NULL;
	events.told = events.newest;
}

void events_subscribe(struct event_subscriber *subscriber)
{
	subscriber->next = events.subscribers;
	events.subscribers = subscriber;
}

void events_unsubscribe(struct event_subscriber *subscriber)
{
	for (struct event_subscriber **place = &events.subscribers; *place; place = &(*place)->next)
		if (*place == subscriber) {
			if (events.next == subscriber)
				events.next = subscriber->next;
			*place = subscriber->next;
			return;
		}
}

const struct bb_event *events_next(uint64_t after)
{
	const uint64_t oldest = events.newest > EVENTS_KEPT ? events.newest - EVENTS_KEPT + 1 : 1;
	uint64_t number = after + 1 < oldest ? oldest : after + 1;

	/* A ring that was started anew holds fewer than the numbers say. */
	for (; events.ring && number <= events.newest; number++) {
		const struct event_copy *copy = events.ring[(number - 1) % EVENTS_KEPT];

		if (copy && copy->event.number == number)
			return &copy->event;
	}
	return NULL;
}

const char *events_boot_id(void)
{
	return events.boot_id;
}

uint64_t events_newest(void)
{
	return events.newest;
}
