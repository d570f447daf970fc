/* SPDX-License-Identifier: Apache-2.0
 *
 * scheduler.c - polls devices when their pace says so, on their links.
 *
 * Each device has one record here with its pace, one timer, and one piece of link work. The timer fires, the work is
 * queued on the link; when it comes back the pace says when the timer fires next. So a device has at most one poll in
 * flight, a link runs its devices' polls one after the other, and a hung link delays only its own devices.
 *
 * Where the plugin can poll in steps that do not block, and the link is free, the poll happens here on the main loop
 * instead; the timer is its deadline meanwhile. Whatever may block still goes to a worker.
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
	struct device_step step;
	enum bb_group group; /* of the poll in flight */
	bool in_flight;
	bool stepping; /* the poll in flight waits here, and holds the link */
	bool anew;     /* after the poll in flight, which began too early */
	int64_t anew_spread_ms;
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

static void schedule_set_pace(struct schedule *schedule, int64_t spread_ms)
{
	const struct bb_device *device = schedule->device;
	const bool watches = device_plugin(device)->device.watch != NULL;

	bb_pace_init(&schedule->pace, bb_device_name(device), bb_device_interval(device),
		     watches ? bb_device_watch(device) : 0, bb_clock_ms(), spread_ms);
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

static void schedule_done(struct schedule *schedule, int64_t started_ms, int result)
{
	schedule->in_flight = false;
	if (schedule->removed) {
		schedule_finish(schedule);
		return;
	}
	if (schedule->anew)
		schedule_set_pace(schedule, schedule->anew_spread_ms);
	else
		bb_pace_done(&schedule->pace, schedule->group, started_ms, bb_clock_ms(), result);
	schedule->anew = false;
	schedule_arm(schedule);
}

static void schedule_polled(struct link_work *work, int result)
{
	schedule_done(BB_CONTAINER(work, struct schedule, work), work->started_ms, result);
}

static void schedule_submit(struct schedule *schedule)
{
	schedule->work.timeout_ms = device_timeout(schedule->device);
	schedule->work.run = schedule_poll;
	schedule->work.done = schedule_polled;
	link_submit(device_link(schedule->device), &schedule->work);
}

/* ---- polls in steps ---- */

static void schedule_ready(void *context);

/* A step has ended with @r: wait for the next one, or the poll is over, or it takes a worker. */
static void schedule_stepped(struct schedule *schedule, int r, int fd)
{
	struct bb_link *link = device_link(schedule->device);

	if (r == BB_WAIT && link_wait(link, fd, schedule_ready, schedule) < 0) {
		device_step_end(schedule->device, &schedule->step, 0);
		r = BB_BLOCKS;
	}
	if (r == BB_WAIT) {
		if (!schedule->stepping)
			bb_timer_start(schedule->timer, device_timeout(schedule->device), 0);
		schedule->stepping = true;
		return;
	}
	if (schedule->stepping)
		bb_timer_stop(schedule->timer);
	schedule->stepping = false;
	link_release(link);
	if (r == BB_BLOCKS)
		schedule_submit(schedule);
	else
		schedule_done(schedule, schedule->step.started_ms, r);
}

static void schedule_ready(void *context)
{
	struct schedule *schedule = context;
	int fd = -1;
	const int r = device_step_on(schedule->device, &schedule->step, &fd);

	schedule_stepped(schedule, r, fd);
}

/* False when the poll takes a worker, or the link is busy. */
static bool schedule_step(struct schedule *schedule)
{
	struct bb_device *device = schedule->device;
	int fd = -1, r;

	if (!device_plugin(device)->device.step || !link_hold(device_link(device), device_timeout(device)))
		return false;
	r = device_step_begin(device, schedule->group, &schedule->step, &fd);
	schedule_stepped(schedule, r, fd);
	return true;
}

/* ---- timers ---- */

/* The poll is due, or one in steps has taken too long. */
static void schedule_due(void *context)
{
	struct schedule *schedule = context;

	if (schedule->stepping) {
		device_step_end(schedule->device, &schedule->step, -ETIMEDOUT);
		schedule_stepped(schedule, -ETIMEDOUT, -1);
		return;
	}
	schedule->in_flight = true;
	if (!schedule_step(schedule))
		schedule_submit(schedule);
}

int scheduler_add(struct scheduler *scheduler, struct bb_device *device, int64_t spread_ms)
{
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
	schedule_set_pace(schedule, spread_ms);
	scheduler->devices++;
	device_set_schedule(device, schedule);
	schedule_arm(schedule);
	return 0;
}

void scheduler_begin_anew(struct bb_device *device, int64_t spread_ms)
{
	struct schedule *schedule = device_schedule(device);

	if (!schedule || schedule->removed)
		return;
	schedule->anew = schedule->in_flight;
	schedule->anew_spread_ms = spread_ms;
	if (schedule->in_flight)
		return;
	schedule_set_pace(schedule, spread_ms);
	schedule_arm(schedule);
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
	if (schedule->stepping) {
		device_step_end(device, &schedule->step, 0);
		link_release(device_link(device));
		schedule->in_flight = false;
	}
	if (!schedule->in_flight)
		schedule_finish(schedule);
}
