/* SPDX-License-Identifier: Apache-2.0
 *
 * test_link.c - work on links: serial on one, independent between them, and counted.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "link.h"

static struct bb_loop *loop;
static struct link_table *table;

static void setup(void)
{
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(link_table_create(loop, &table), 0);
}

static void teardown(void)
{
	cr_assert(link_table_destroy(table, 5000), "all workers end");
	bb_loop_destroy(loop);
}

/* A piece of work that notes when it ran. */
struct job {
	struct link_work work;
	int sleep_ms;
	int result;
	atomic_int *running; /* how many are on the same link right now */
	bool overlapped;
	bool done;
	int *left; /* jobs still to come; the last stops the loop */

	/* A job with @hang_ms hangs until those without it are done; after so long it gives up waiting for them. */
	int hang_ms;
	atomic_int *live_left;
	bool gave_up;
};

static void job_hang(struct job *job)
{
	const int64_t until_ms = bb_clock_ms() + job->hang_ms;

	while (atomic_load(job->live_left) > 0 && !job->gave_up) {
		usleep(1000);
		job->gave_up = bb_clock_ms() > until_ms;
	}
}

static int job_run(struct link_work *work)
{
	struct job *job = (struct job *)work;

	if (atomic_fetch_add(job->running, 1) > 0)
		job->overlapped = true;
	usleep((useconds_t)job->sleep_ms * 1000);
	if (job->hang_ms > 0)
		job_hang(job);
	atomic_fetch_sub(job->running, 1);
	return job->result;
}

static void job_done(struct link_work *work, int result)
{
	struct job *job = (struct job *)work;

	cr_assert_eq(result, job->result);
	cr_assert(bb_loop_is_current(loop), "results come to the main loop");
	job->done = true;
	if (job->live_left != NULL && job->hang_ms == 0)
		atomic_fetch_sub(job->live_left, 1);
	if (--*job->left == 0)
		bb_loop_stop(loop);
}

static void job_submit(struct job *job, struct bb_link *link)
{
	job->work.run = job_run;
	job->work.done = job_done;
	job->work.timeout_ms = 1000;
	link_submit(link, &job->work);
}

Test(link, work_of_one_link_is_serial_and_in_order, .init = setup, .fini = teardown)
{
	enum {
		JOBS = 50
	};
	struct bb_link *link;
	static struct job jobs[JOBS];
	atomic_int running = 0;
	int left = JOBS;

	cr_assert_eq(link_acquire_private(table, "a", &link), 0);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){.running = &running, .left = &left, .sleep_ms = i % 3};
		job_submit(&jobs[i], link);
	}
	bb_loop_run(loop);
	for (int i = 0; i < JOBS; i++) {
		cr_assert(jobs[i].done);
		cr_assert_not(jobs[i].overlapped, "job %d ran beside another of its link", i);
		if (i > 0)
			cr_assert_geq(jobs[i].work.started_ms, jobs[i - 1].work.started_ms);
	}
	bb_link_unref(link);
}

Test(link, thirty_hung_links_delay_no_live_one, .init = setup, .fini = teardown)
{
	enum {
		HUNG = 30,
		LIVE = 30,
		HANG_MS = 20000
	};
	static struct job jobs[HUNG + LIVE];
	struct bb_link *links[HUNG + LIVE];
	static atomic_int running[HUNG + LIVE];
	int left = HUNG + LIVE;
	atomic_int live_left = LIVE;

	for (int i = 0; i < HUNG + LIVE; i++) {
		cr_assert_eq(link_acquire_private(table, "x", &links[i]), 0);
		jobs[i] = (struct job){.running = &running[i], .left = &left, .live_left = &live_left};
		jobs[i].hang_ms = i < HUNG ? HANG_MS : 0;
		job_submit(&jobs[i], links[i]);
	}
	bb_loop_run(loop);
	for (int i = 0; i < HUNG; i++)
		cr_assert_not(jobs[i].gave_up, "live links waited for hung link %d", i);
	for (int i = 0; i < HUNG + LIVE; i++)
		bb_link_unref(links[i]);
}

static unsigned finished;

static int type_init(struct bb_link *link, const struct bb_address *address, void *state)
{
	cr_assert_str_eq(bb_link_name(link), "modbus-tcp://[2001:db8::5]:502");
	*(int *)state = address->port;
	return 0;
}

static void type_finish(void *state)
{
	cr_assert_eq(*(int *)state, 502);
	finished++;
}

Test(link, devices_with_one_peer_share_a_link_and_the_last_closes_it, .init = setup, .fini = teardown)
{
	static const struct bb_link_type type = {
		.name = "modbus", .state_size = sizeof(int), .init = type_init, .finish = type_finish};
	const struct bb_address one = {
		.text = "", .scheme = "modbus-tcp", .host = "2001:db8::5", .port = 502, .path = "1"};
	const struct bb_address two = {
		.text = "", .scheme = "modbus-tcp", .host = "2001:db8::5", .port = 502, .path = "2"};
	struct bb_link *a, *b;

	cr_assert_eq(link_acquire(table, &type, &one, &a), 0);
	cr_assert_eq(link_acquire(table, &type, &two, &b), 0);
	cr_assert_eq(a, b, "the unit behind the slash names a device, not a link");
	bb_link_unref(a);
	cr_assert_eq(finished, 0);
	bb_link_unref(b);
	cr_assert_eq(finished, 1);
}

Test(link, lines_without_a_host_are_told_apart_by_their_path, .init = setup, .fini = teardown)
{
	const struct bb_address one = {.text = "", .scheme = "modbus-rtu", .host = "", .path = "dev/ttyS0"};
	const struct bb_address two = {.text = "", .scheme = "modbus-rtu", .host = "", .path = "dev/ttyS1"};
	struct bb_link *a, *b, *again;

	cr_assert_eq(link_acquire(table, NULL, &one, &a), 0);
	cr_assert_eq(link_acquire(table, NULL, &two, &b), 0);
	cr_assert_eq(link_acquire(table, NULL, &one, &again), 0);
	cr_assert_neq(a, b);
	cr_assert_eq(a, again);
	cr_assert_str_eq(bb_link_name(b), "modbus-rtu:///dev/ttyS1");
	bb_link_unref(again);
	bb_link_unref(b);
	bb_link_unref(a);
}

Test(link, peers_with_the_longest_names_are_told_apart, .init = setup, .fini = teardown)
{
	char host[254] = "";
	const struct bb_address one = {.text = "", .scheme = "snmp", .host = host, .port = 161, .path = ""};
	const struct bb_address two = {.text = "", .scheme = "snmp", .host = host, .port = 162, .path = ""};
	struct bb_link *a, *b;

	memset(host, 'h', sizeof(host) - 1);
	cr_assert_eq(link_acquire(table, NULL, &one, &a), 0);
	cr_assert_eq(link_acquire(table, NULL, &two, &b), 0);
	cr_assert_neq(a, b);
	bb_link_unref(b);
	bb_link_unref(a);
}

static void note_errors(void *context, const char *name, uint64_t polls, uint64_t errors)
{
	cr_assert_str_eq(name, "snmp://192.0.2.1");
	cr_assert_eq(polls, 3);
	*(uint64_t *)context = errors;
}

Test(link, polls_and_errors_are_counted, .init = setup, .fini = teardown)
{
	const struct bb_address address = {.text = "", .scheme = "snmp", .host = "192.0.2.1", .path = ""};
	struct bb_link *link, *private;
	uint64_t errors = 0;

	cr_assert_eq(link_acquire(table, NULL, &address, &link), 0);
	cr_assert_eq(link_acquire_private(table, "ups-a", &private), 0);
	link_count(link, 0);
	link_count(link, -ETIMEDOUT);
	link_count(link, 0);
	link_table_each(table, note_errors, &errors);
	cr_assert_eq(errors, 1);
	bb_link_unref(private);
	bb_link_unref(link);
}

/* Posting lingers, so that the loop is through with the work before the worker goes on. */
static atomic_int linger_ms;

void __real_bb_loop_post(struct bb_loop *to, struct bb_task *task);
void __wrap_bb_loop_post(struct bb_loop *to, struct bb_task *task);

void __wrap_bb_loop_post(struct bb_loop *to, struct bb_task *task)
{
	__real_bb_loop_post(to, task);
	usleep((useconds_t)atomic_load(&linger_ms) * 1000);
}

/* A link whose last user leaves as soon as its work is done. */
struct last_user {
	struct link_work work;
	struct bb_link *link;
};

static int last_user_run(struct link_work *work)
{
	(void)work;
	return 0;
}

static void last_user_done(struct link_work *work, int result)
{
	struct last_user *user = BB_CONTAINER(work, struct last_user, work);

	(void)result;
	bb_link_unref(user->link);
	bb_loop_stop(loop);
}

Test(link, the_last_user_may_leave_when_its_work_is_done, .init = setup, .fini = teardown)
{
	/* The worker that did the work must not look at the link after that. */
	atomic_store(&linger_ms, 20);
	for (int i = 0; i < 5; i++) {
		struct last_user user = {.work = {.run = last_user_run, .done = last_user_done, .timeout_ms = 1000}};

		cr_assert_eq(link_acquire_private(table, "one", &user.link), 0);
		link_submit(user.link, &user.work);
		cr_assert_eq(bb_loop_run(loop), 0);
	}
}
