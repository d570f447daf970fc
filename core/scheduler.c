/* SPDX-License-Identifier: Apache-2.0
 *
 * scheduler.c - polls devices when their pace says so, on their links.
 *
 * Each device has one record here with its pace, one timer, and one piece of link work. The timer fires, the work is
 * queued on the link; when it comes back the pace says when the timer fires next. So a device has at most one poll in
 * flight, a link runs its devices' polls one after the other, and a hung link delays only its own devices.
 */
#include "scheduler.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <busbar/clock.h>
#include <busbar/macros.h>
#include <busbar/pace.h>

#include "link.h"

struct scheduler {
	struct bb_loop *loop;
	unsigned devices;
};

/* What the scheduler knows about one device; kept at the device (device_schedule()). */
struct schedule {
	struct scheduler *scheduler;
	struct bb_device *device;
	struct bb_timer *timer;
	struct bb_pace pace;
	struct link_work work;
	enum bb_group group; /* of the poll in flight */
	bool in_flight;
	void (*removed)(void *context, struct bb_device *device); /* set: it is on its way out */
	void *removed_context;
};

int scheduler_create(struct bb_loop *main_loop, struct scheduler **ret_scheduler)
{
	struct scheduler *scheduler = calloc(1, sizeof(*scheduler));

	if (!scheduler)
		return -ENOMEM;
	scheduler->loop = main_loop;
	*ret_scheduler = scheduler;
	return 0;
}

void scheduler_destroy(struct scheduler *scheduler)
{
	assert(!scheduler || scheduler->devices == 0);
	free(scheduler);
}

static void schedule_finish(struct schedule *schedule)
{
	struct bb_device *device = schedule->device;

	schedule->scheduler->devices--;
	device_set_schedule(device, NULL);
	bb_timer_destroy(schedule->timer);
	schedule->removed(schedule->removed_context, device);
	bb_device_unref(device);
	free(schedule);
}

static void schedule_arm(struct schedule *schedule)
{
	const int64_t wait_ms = bb_pace_next(&schedule->pace, &schedule->group) - bb_clock_ms();

	bb_timer_start(schedule->timer, wait_ms > 0 ? wait_ms : 0, 0);
}

/* Worker of the link. */
static int schedule_poll(struct link_work *work)
{
	struct schedule *schedule = BB_CONTAINER(work, struct schedule, work);

	return device_poll(schedule->device, schedule->group);
}

static void schedule_polled(struct link_work *work, int result)
{
	struct schedule *schedule = BB_CONTAINER(work, struct schedule, work);

	schedule->in_flight = false;
	if (schedule->removed) {
		schedule_finish(schedule);
		return;
	}
	bb_pace_done(&schedule->pace, schedule->group, work->started_ms, bb_clock_ms(), result);
	schedule_arm(schedule);
}

static void schedule_due(void *context)
{
	struct schedule *schedule = context;

	schedule->in_flight = true;
	schedule->work.timeout_ms = device_timeout(schedule->device);
	schedule->work.run = schedule_poll;
	schedule->work.done = schedule_polled;
	link_submit(device_link(schedule->device), &schedule->work);
}

int scheduler_add(struct scheduler *scheduler, struct bb_device *device, int64_t spread_ms)
{
	const bool watches = device_plugin(device)->device.watch != NULL;
	struct schedule *schedule = calloc(1, sizeof(*schedule));

	if (!schedule)
		return -ENOMEM;
	schedule->timer = bb_timer_create(scheduler->loop, schedule_due, schedule);
	if (!schedule->timer) {
		free(schedule);
		return -ENOMEM;
	}
	schedule->scheduler = scheduler;
	schedule->device = bb_device_ref(device);
	bb_pace_init(&schedule->pace, bb_device_name(device), bb_device_interval(device),
		     watches ? bb_device_watch(device) : 0, bb_clock_ms(), spread_ms);
	scheduler->devices++;
	device_set_schedule(device, schedule);
	schedule_arm(schedule);
	return 0;
}

void scheduler_remove(struct scheduler *scheduler, struct bb_device *device,
		      void (*removed)(void *context, struct bb_device *device), void *context)
{
	struct schedule *schedule = device_schedule(device);

	(void)scheduler; /* only asserted on */
	assert(schedule && schedule->scheduler == scheduler && !schedule->removed);
	schedule->removed = removed;
	schedule->removed_context = context;
	bb_timer_stop(schedule->timer);
	if (!schedule->in_flight)
		schedule_finish(schedule);
}
