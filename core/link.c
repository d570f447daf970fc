/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - links, their queues of work, and the worker threads that run it.
 *
 * Two locks, never held together with anything that waits: table->lock guards the pool of idle workers, the list of
 * links and every link's queue (work is short to hand over, so one lock for all is plenty). A link with work is
 * `busy`: exactly one worker holds it until its queue is empty. When no worker is idle a new one is started, so hung
 * links cost threads, not time of others. Idle workers leave after WORKER_IDLE_S.
 *
 * Finished work goes to the main loop as a task and is not touched by the worker again.
 *
 * The main loop may hold a link itself (link_hold()), which saves two changes of threads a poll. What it watches then
 * stays watched when the link is released, because most links are held again for the next poll; it is given up before
 * a worker gets the link, who may close it.
 */
#include "link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <busbar/clock.h>
#include <busbar/log.h>
#include <busbar/macros.h>

#include "link_queue.h"
#include "thread.h"

#define WORKER_IDLE_S 10

struct bb_link {
	struct link_table *table;
	const struct bb_link_type *type; /* NULL: it only puts polls in a row */
	bool private;                    /* of one device, without an address */
	struct bb_link *next;            /* in the table */
	unsigned users;                  /* main loop only */
	bool busy;                       /* a worker holds it, or is about to */
	struct link_queue queue;
	_Atomic int64_t deadline_ms;
	_Atomic uint64_t polls, errors;
	char *name;

	/* Main loop: waiting for the connection while it holds the link. */
	struct bb_watch *watch; /* of @watched_fd; NULL: none */
	int watched_fd;
	void (*ready)(void *context); /* NULL: nobody waits */
	void *ready_context;
	max_align_t state[]; /* type->state_size bytes */
};

struct worker {
	struct link_table *table;
	struct worker *next_idle;
	pthread_cond_t wake;
	struct bb_link *link; /* what it was woken for */
};

struct link_table {
	struct bb_loop *main_loop;
	pthread_mutex_t lock;
	pthread_cond_t all_gone;
	struct worker *idle;
	unsigned workers;
	bool stopping;
	struct bb_link *links;
};

int link_table_create(struct bb_loop *main_loop, struct link_table **ret_table)
{
	struct link_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->main_loop = main_loop;
	pthread_mutex_init(&table->lock, NULL);
	thread_cond_init(&table->all_gone);
	*ret_table = table;
	return 0;
}

/* ---- workers ---- */

static void link_work_done(struct bb_task *task)
{
	struct link_work *work = BB_CONTAINER(task, struct link_work, task);

	work->done(work, work->result);
}

/* Runs what is queued on @link. Called with the lock held, gives it up while working. */
static void worker_drain(struct worker *worker, struct bb_link *link)
{
	struct link_table *table = worker->table;
	struct link_work *work;

	while ((work = link_queue_take(&link->queue)) != NULL) {
		pthread_mutex_unlock(&table->lock);
		work->started_ms = bb_clock_ms();
		atomic_store(&link->deadline_ms, work->started_ms + work->timeout_ms);
		work->result = work->run(work);
		link_count(link, work->result);
		/* The main loop may give the link back as soon as it has the work: it waits for the lock, then, until
		 * the link is not ours any more. */
		pthread_mutex_lock(&table->lock);
		bb_loop_post(table->main_loop, &work->task); /* not ours from here on */
	}
	link->busy = false;
}

/* Waits until it is woken with a link; false when it waited long enough, or all stop. Lock held. */
static bool worker_wait(struct worker *worker)
{
	struct link_table *table = worker->table;
	const struct timespec until = thread_deadline(WORKER_IDLE_S * 1000);

	worker->next_idle = table->idle;
	table->idle = worker;
	while (!worker->link && !table->stopping)
		if (pthread_cond_timedwait(&worker->wake, &table->lock, &until) == ETIMEDOUT)
			break;
	if (worker->link)
		return true; /* whoever woke it took it off the list */
	for (struct worker **place = &table->idle; *place; place = &(*place)->next_idle)
		if (*place == worker) {
			*place = worker->next_idle;
			break;
		}
	return false;
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct link_table *table = worker->table;

	thread_set_name("poll worker");
	pthread_mutex_lock(&table->lock);
	do {
		struct bb_link *link = worker->link;

		worker->link = NULL;
		worker_drain(worker, link);
	} while (!table->stopping && worker_wait(worker));
	table->workers--;
	if (table->workers == 0)
		pthread_cond_broadcast(&table->all_gone);
	pthread_mutex_unlock(&table->lock);
	pthread_cond_destroy(&worker->wake);
	free(worker);
	return NULL;
}

/* A worker may close what is watched. */
static void link_unwatch(struct bb_link *link)
{
	bb_watch_destroy(link->watch);
	link->watch = NULL;
}

/* Gives @link to a worker. Lock held. Returns 0 or a negative errno. */
static int link_start_work(struct bb_link *link)
{
	struct link_table *table = link->table;
	struct worker *worker = table->idle;
	int r;

	link_unwatch(link);
	if (worker) {
		table->idle = worker->next_idle;
		worker->link = link;
		link->busy = true;
		pthread_cond_signal(&worker->wake);
		return 0;
	}
	worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	worker->table = table;
	worker->link = link;
	thread_cond_init(&worker->wake);
	r = thread_start_detached(worker_main, worker);
	if (r < 0) {
		pthread_cond_destroy(&worker->wake);
		free(worker);
		return r;
	}
	table->workers++;
	link->busy = true;
	return 0;
}

void link_submit(struct bb_link *link, struct link_work *work)
{
	struct link_table *table = link->table;
	int r = 0;

	work->link = link;
	work->task.run = link_work_done;
	pthread_mutex_lock(&table->lock);
	link_queue_append(&link->queue, work);
	if (!link->busy)
		r = link_start_work(link);
	if (r < 0) /* no thread to be had: the work fails, as it would on a dead link */
		(void)link_queue_remove(&link->queue, work); /* it is there */
	pthread_mutex_unlock(&table->lock);
	if (r < 0) {
		work->started_ms = bb_clock_ms();
		work->result = bb_log_error(NULL, r, "%s: no worker thread to be had", link->name);
		bb_loop_post(table->main_loop, &work->task);
	}
}

bool link_withdraw(struct link_work *work)
{
	struct link_table *table = work->link->table;
	bool waited;

	pthread_mutex_lock(&table->lock);
	waited = link_queue_remove(&work->link->queue, work);
	pthread_mutex_unlock(&table->lock);
	return waited;
}

/* ---- holding a link on the main loop ---- */

bool link_hold(struct bb_link *link, int64_t timeout_ms)
{
	bool held;

	pthread_mutex_lock(&link->table->lock);
	held = !link->busy && !link->table->stopping;
	if (held)
		link->busy = true;
	pthread_mutex_unlock(&link->table->lock);
	if (held)
		atomic_store(&link->deadline_ms, bb_clock_ms() + timeout_ms);
	return held;
}

static void link_on_ready(void *context, unsigned events)
{
	struct bb_link *link = context;

	(void)events; /* it is watched for reading only */
	if (link->ready)
		link->ready(link->ready_context);
	else
		link_unwatch(link); /* the peer speaks unasked, or has hung up: the next poll will see */
}

int link_wait(struct bb_link *link, int fd, void (*ready)(void *context), void *context)
{
	int r = 0;

	if (link->watch && link->watched_fd != fd)
		link_unwatch(link);
	if (!link->watch) {
		r = bb_watch_create(link->table->main_loop, fd, BB_WATCH_READ, link_on_ready, link, &link->watch);
		link->watched_fd = fd;
	}
	if (r >= 0) {
		link->ready = ready;
		link->ready_context = context;
	}
	return r;
}

/* All work that is queued has failed. */
static void link_fail_queue(struct bb_link *link, int error)
{
	struct link_work *work;

	while ((work = link_queue_take(&link->queue)) != NULL) {
		work->started_ms = bb_clock_ms();
		work->result = error;
		bb_loop_post(link->table->main_loop, &work->task);
	}
}

void link_release(struct bb_link *link)
{
	struct link_table *table = link->table;
	int r = 0;

	link->ready = NULL;
	pthread_mutex_lock(&table->lock);
	link->busy = false;
	if (!link_queue_is_empty(&link->queue))
		r = link_start_work(link);
	if (r < 0)
		link_fail_queue(link, r);
	pthread_mutex_unlock(&table->lock);
	if (r < 0)
		(void)bb_log_error(NULL, r, "%s: no worker thread to be had", link->name); /* the work says so */
}

bool link_table_destroy(struct link_table *table, int64_t patience_ms)
{
	const struct timespec until = thread_deadline(patience_ms);
	bool all_gone;

	if (!table)
		return true;
	pthread_mutex_lock(&table->lock);
	table->stopping = true;
	for (struct worker *worker = table->idle; worker; worker = worker->next_idle)
		pthread_cond_signal(&worker->wake);
	while (table->workers > 0)
		if (pthread_cond_timedwait(&table->all_gone, &table->lock, &until) == ETIMEDOUT)
			break;
	all_gone = table->workers == 0;
	pthread_mutex_unlock(&table->lock);
	if (!all_gone)
		return false;
	assert(!table->links);
	pthread_cond_destroy(&table->all_gone);
	pthread_mutex_destroy(&table->lock);
	free(table);
	return true;
}

/* ---- links ---- */

static int link_create(struct link_table *table, const struct bb_link_type *type, const struct bb_address *address,
		       const char *name, struct bb_link **ret_link)
{
	struct bb_link *link = calloc(1, sizeof(*link) + (type ? type->state_size : 0));
	int r = -ENOMEM;

	if (!link)
		return -ENOMEM;
	link->table = table;
	link->users = 1;
	link->name = strdup(name);
	if (!link->name)
		goto fail;
	if (type && type->init) {
		r = type->init(link, address, link->state);
		if (r < 0)
			goto fail;
	}
	link->type = type;
	pthread_mutex_lock(&table->lock);
	link->next = table->links;
	table->links = link;
	pthread_mutex_unlock(&table->lock);
	*ret_link = link;
	return 0;
fail:
	free(link->name);
	free(link);
	return r;
}

/* What the link leads to; the caller frees it. Where there is no host, as on a serial line, the path says what. */
static char *link_name_of(const struct bb_address *address)
{
	char *name;
	int length;

	if (address->host[0] == '\0')
		length = asprintf(&name, "%s:///%s", address->scheme, address->path);
	else if (address->port)
		length = asprintf(&name, strchr(address->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u", address->scheme,
				  address->host, (unsigned)address->port);
	else
		length = asprintf(&name, "%s://%s", address->scheme, address->host);
	return length < 0 ? NULL : name;
}

int link_acquire(struct link_table *table, const struct bb_link_type *type, const struct bb_address *address,
		 struct bb_link **ret_link)
{
	char *name = link_name_of(address);
	int r;

	if (!name)
		return -ENOMEM;
	/* Only the main loop adds and removes links, so looking needs no lock. */
	for (struct bb_link *link = table->links; link; link = link->next)
		if (link->type == type && strcmp(link->name, name) == 0) {
			free(name);
			link->users++;
			*ret_link = link;
			return 0;
		}
	r = link_create(table, type, address, name, ret_link);
	free(name);
	return r;
}

int link_acquire_private(struct link_table *table, const char *name, struct bb_link **ret_link)
{
	int r = link_create(table, NULL, NULL, name, ret_link);

	if (r >= 0)
		(*ret_link)->private = true;
	return r;
}

void bb_link_unref(struct bb_link *link)
{
	if (!link || --link->users > 0)
		return;

	struct link_table *table = link->table;

	pthread_mutex_lock(&table->lock);
	assert(link_queue_is_empty(&link->queue));
	for (struct bb_link **place = &table->links; *place; place = &(*place)->next)
		if (*place == link) {
			*place = link->next;
			break;
		}
	pthread_mutex_unlock(&table->lock);
	link_unwatch(link);
	if (link->type && link->type->finish)
		link->type->finish(link->state);
	free(link->name);
	free(link);
}

void link_ref(struct bb_link *link)
{
	link->users++;
}

void *bb_link_state(struct bb_link *link)
{
	return link->state;
}

const char *bb_link_name(const struct bb_link *link)
{
	return link->name;
}

int64_t bb_link_deadline(const struct bb_link *link)
{
	return atomic_load(&link->deadline_ms);
}

void link_count(struct bb_link *link, int result)
{
	atomic_fetch_add(&link->polls, 1);
	if (result < 0)
		atomic_fetch_add(&link->errors, 1);
}

void link_table_each(struct link_table *table,
		     void (*each)(void *context, const char *name, uint64_t polls, uint64_t errors), void *context)
{
	pthread_mutex_lock(&table->lock);
	for (const struct bb_link *link = table->links; link; link = link->next)
		if (!link->private) /* it would say nothing that its device does not say */
			each(context, link->name, atomic_load(&link->polls), atomic_load(&link->errors));
	pthread_mutex_unlock(&table->lock);
}
