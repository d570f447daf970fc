/* SPDX-License-Identifier: Apache-2.0
 *
 * loop.c - the event loop of every thread that waits on descriptors. libuv does the work; nobody else sees it.
 *
 * Work from other threads waits in a list under a lock, and a uv_async wakes the loop. The loop takes the whole list
 * at once and runs it without the lock, so a task may post others, itself included, which run in the next round.
 * That same wake-up carries the stop.
 *
 * What is awkward: libuv frees nothing at once. A handle may be closed at any moment, its own callback included, but
 * its memory is needed until the close callback has run later in the round. So timers and watches are freed there,
 * and destroying a loop means running it until all of them are gone.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#include <busbar/loop.h>

#include "thread.h"

struct bb_loop {
	uv_loop_t uv;
	uv_async_t wake;
	pthread_mutex_t lock; /* guards first and last */
	struct bb_task *first, **last;
	atomic_bool stop;
	_Atomic(pthread_t) owner; /* the thread that made it, then the one that runs it */
	/* For a loop with a thread of its own: */
	pthread_t thread;
	const char *name; /* borrowed until the thread has started */
	sem_t started;
};

struct bb_timer {
	uv_timer_t uv; /* first: what is closed is freed by its handle's address */
	void (*fire)(void *context);
	void *context;
};

struct bb_watch {
	uv_poll_t uv; /* first, as above */
	unsigned events;
	void (*ready)(void *context, unsigned events);
	void *context;
};

/* Run what has been posted so far. Returns whether there was anything. */
static bool loop_run_tasks(struct bb_loop *loop)
{
	struct bb_task *task;
	bool any;

	pthread_mutex_lock(&loop->lock);
	task = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);

	any = task != NULL;
	while (task) {
		struct bb_task *next = task->next; /* run() may free the task */

		task->run(task);
		task = next;
	}
	return any;
}

static void loop_on_wake(uv_async_t *wake)
{
	struct bb_loop *loop = wake->data;

	(void)loop_run_tasks(loop);
	if (atomic_load(&loop->stop))
		uv_stop(&loop->uv);
}

int bb_loop_create(struct bb_loop **ret_loop)
{
	struct bb_loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	r = uv_loop_init(&loop->uv); /* libuv's error codes are negative errno values on Unix */
	if (r < 0) {
		free(loop);
		return r;
	}
	r = uv_async_init(&loop->uv, &loop->wake, loop_on_wake);
	if (r < 0) {
		(void)uv_loop_close(&loop->uv); /* it has no handle that could keep it busy */
		free(loop);
		return r;
	}
	loop->wake.data = loop;
	loop->last = &loop->first;
	pthread_mutex_init(&loop->lock, NULL);
	atomic_init(&loop->stop, false);
	atomic_init(&loop->owner, pthread_self());
	*ret_loop = loop;
	return 0;
}

/* Timers and watches begin with their handle, so its address is theirs. */
static void loop_free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void loop_close_handle(uv_handle_t *handle, void *context)
{
	struct bb_loop *loop = context;

	if (uv_is_closing(handle))
		return;
	uv_close(handle, handle == (uv_handle_t *)&loop->wake ? NULL : loop_free_handle);
}

void bb_loop_destroy(struct bb_loop *loop)
{
	int r;

	if (!loop)
		return;
	atomic_store(&loop->owner, pthread_self());
	while (loop_run_tasks(loop))
		continue;
	uv_walk(&loop->uv, loop_close_handle, loop);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* until the last close callback has run */
	r = uv_loop_close(&loop->uv);
	assert(r == 0);
	(void)r;
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

int bb_loop_run(struct bb_loop *loop)
{
	atomic_store(&loop->owner, pthread_self());
	/* A stop that came before this call counts, or a thread that has just been started could miss its end. */
	while (!atomic_exchange(&loop->stop, false))
		(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	return 0;
}

void bb_loop_stop(struct bb_loop *loop)
{
	atomic_store(&loop->stop, true);
	(void)uv_async_send(&loop->wake); /* fails for a handle of another type only */
}

void bb_loop_post(struct bb_loop *loop, struct bb_task *task)
{
	bool was_empty;

	task->next = NULL;
	pthread_mutex_lock(&loop->lock);
	was_empty = loop->first == NULL;
	*loop->last = task;
	loop->last = &task->next;
	/*
	 * Under the lock: once it is given back the loop may run this very task, and the task may be the one that
	 * ends the loop.
	 */
	if (was_empty)
		(void)uv_async_send(&loop->wake); /* fails for a handle of another type only */
	pthread_mutex_unlock(&loop->lock);
}

bool bb_loop_is_current(const struct bb_loop *loop)
{
	return pthread_equal(atomic_load(&loop->owner), pthread_self());
}

static void *loop_thread(void *argument)
{
	struct bb_loop *loop = argument;

	thread_set_name(loop->name);
	atomic_store(&loop->owner, pthread_self());
	sem_post(&loop->started);
	(void)bb_loop_run(loop);     /* returns 0 */
	while (loop_run_tasks(loop)) /* what was posted before the stop still runs on the thread it was meant for */
		continue;
	return NULL;
}

int bb_loop_thread_start(const char *name, struct bb_loop **ret_loop)
{
	struct bb_loop *loop;
	int r;

	r = bb_loop_create(&loop);
	if (r < 0)
		return r;
	loop->name = name;
	sem_init(&loop->started, 0, 0);
	r = thread_start(&loop->thread, loop_thread, loop);
	if (r < 0) {
		sem_destroy(&loop->started);
		bb_loop_destroy(loop);
		return r;
	}
	/* From here on the loop belongs to the new thread, also for bb_loop_is_current(). */
	while (sem_wait(&loop->started) < 0 && errno == EINTR)
		continue;
	*ret_loop = loop;
	return 0;
}

void bb_loop_thread_stop(struct bb_loop *loop)
{
	if (!loop)
		return;
	assert(!bb_loop_is_current(loop));
	bb_loop_stop(loop);
	pthread_join(loop->thread, NULL);
	sem_destroy(&loop->started);
	bb_loop_destroy(loop);
}

static void timer_on_fire(uv_timer_t *uv)
{
	struct bb_timer *timer = uv->data;

	timer->fire(timer->context);
}

struct bb_timer *bb_timer_create(struct bb_loop *loop, void (*fire)(void *context), void *context)
{
	struct bb_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	(void)uv_timer_init(&loop->uv, &timer->uv); /* cannot fail */
	timer->uv.data = timer;
	timer->fire = fire;
	timer->context = context;
	return timer;
}

void bb_timer_start(struct bb_timer *timer, int64_t delay_ms, int64_t repeat_ms)
{
	/* libuv counts from the beginning of the round; work in this round may have taken a while. */
	uv_update_time(timer->uv.loop);
	(void)uv_timer_start(&timer->uv, timer_on_fire, delay_ms > 0 ? (uint64_t)delay_ms : 0,
			     repeat_ms > 0 ? (uint64_t)repeat_ms : 0); /* fails for a closing handle only */
}

void bb_timer_stop(struct bb_timer *timer)
{
	(void)uv_timer_stop(&timer->uv); /* cannot fail */
}

void bb_timer_destroy(struct bb_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, loop_free_handle);
}

static int watch_arm(struct bb_watch *watch);

static void watch_on_ready(uv_poll_t *uv, int status, int uv_events)
{
	struct bb_watch *watch = uv->data;
	unsigned asked = watch->events, seen = 0;

	if (uv_events & UV_READABLE)
		seen |= BB_WATCH_READ;
	if (uv_events & UV_WRITABLE)
		seen |= BB_WATCH_WRITE;
	/* An error on the descriptor: whatever the owner does with it next will tell him which. */
	if (status < 0)
		seen = asked;
	watch->ready(watch->context, seen & asked);

	/* libuv gives up watching after an error. We do not, unless the owner did or has asked anew. */
	if (status < 0 && !uv_is_closing((uv_handle_t *)uv) && !uv_is_active((uv_handle_t *)uv))
		(void)watch_arm(watch); /* it worked before with the same arguments */
}

static int watch_arm(struct bb_watch *watch)
{
	int uv_events = 0;

	if (watch->events & BB_WATCH_READ)
		uv_events |= UV_READABLE;
	if (watch->events & BB_WATCH_WRITE)
		uv_events |= UV_WRITABLE;
	if (uv_events == 0)
		return uv_poll_stop(&watch->uv);
	return uv_poll_start(&watch->uv, uv_events, watch_on_ready);
}

int bb_watch_create(struct bb_loop *loop, int fd, unsigned events, void (*ready)(void *context, unsigned events),
		    void *context, struct bb_watch **ret_watch)
{
	struct bb_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	r = uv_poll_init(&loop->uv, &watch->uv, fd);
	if (r < 0) {
		free(watch);
		return r;
	}
	watch->uv.data = watch;
	watch->events = events;
	watch->ready = ready;
	watch->context = context;
	r = watch_arm(watch);
	if (r < 0) {
		uv_close((uv_handle_t *)&watch->uv, loop_free_handle);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

void bb_watch_set(struct bb_watch *watch, unsigned events)
{
	if (events == watch->events && (events == 0 || uv_is_active((uv_handle_t *)&watch->uv)))
		return;
	watch->events = events;
	(void)watch_arm(watch); /* fails for a closing handle only */
}

void bb_watch_destroy(struct bb_watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->uv, loop_free_handle);
}
