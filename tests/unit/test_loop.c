/* SPDX-License-Identifier: Apache-2.0
 *
 * test_loop.c - tasks, timers, watches and threads of the event loop, and that whatever they own may go away from
 * inside its own callback.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/loop.h>

static struct bb_loop *make_loop(void)
{
	struct bb_loop *loop = NULL;

	cr_assert_eq(bb_loop_create(&loop), 0);
	return loop;
}

/* ---- tasks ---- */

struct numbered {
	struct bb_task task; /* first */
	struct bb_loop *loop;
	unsigned number;
	unsigned *seen;
};

static void note_number(struct bb_task *task)
{
	struct numbered *numbered = (struct numbered *)task;

	cr_assert_eq(numbered->number, (*numbered->seen)++, "first in, first out");
	cr_assert(bb_loop_is_current(numbered->loop));
	if (numbered->number == 9)
		bb_loop_stop(numbered->loop);
	free(numbered); /* the task is the callee's */
}

static void post_numbers(struct bb_loop *loop, unsigned *seen, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct numbered *numbered = calloc(1, sizeof(*numbered));

		*numbered = (struct numbered){{note_number, NULL}, loop, i, seen};
		bb_loop_post(loop, &numbered->task);
	}
}

Test(loop, tasks_run_first_in_first_out)
{
	struct bb_loop *loop = make_loop();
	unsigned seen = 0;

	post_numbers(loop, &seen, 0, 10);
	cr_expect_eq(bb_loop_run(loop), 0);
	cr_expect_eq(seen, 10);
	bb_loop_destroy(loop);
}

Test(loop, tasks_still_posted_run_before_the_loop_goes)
{
	struct bb_loop *loop = make_loop();
	unsigned seen = 0;

	post_numbers(loop, &seen, 0, 5);
	bb_loop_destroy(loop);
	cr_expect_eq(seen, 5);
	bb_loop_destroy(NULL);
}

struct repeated {
	struct bb_task task;
	struct bb_loop *loop;
	int left;
};

static void post_again(struct bb_task *task)
{
	struct repeated *repeated = (struct repeated *)task;

	if (--repeated->left > 0)
		bb_loop_post(repeated->loop, task);
	else
		bb_loop_stop(repeated->loop);
}

Test(loop, a_task_may_post_itself_again)
{
	struct repeated repeated = {{post_again, NULL}, make_loop(), 1000};

	bb_loop_post(repeated.loop, &repeated.task);
	bb_loop_run(repeated.loop);
	cr_expect_eq(repeated.left, 0);
	bb_loop_destroy(repeated.loop);
}

Test(loop, a_stop_before_the_run_is_not_lost)
{
	struct bb_loop *loop = make_loop();

	bb_loop_stop(loop);
	cr_expect_eq(bb_loop_run(loop), 0, "and returns at once");
	bb_loop_destroy(loop);
}

static void stop_loop(void *context)
{
	bb_loop_stop(context);
}

Test(loop, a_loop_runs_again_after_a_stop)
{
	struct bb_loop *loop = make_loop();
	struct bb_timer *timer = bb_timer_create(loop, stop_loop, loop);

	for (int i = 0; i < 3; i++) {
		bb_timer_start(timer, 1, 0);
		cr_expect_eq(bb_loop_run(loop), 0);
	}
	bb_timer_destroy(timer);
	bb_loop_destroy(loop);
}

/* ---- threads ---- */

#define POSTERS 4
#define POSTS   5000

struct counter {
	struct bb_loop *loop;
	unsigned count; /* the loop's */
	unsigned last[POSTERS];
	atomic_uint done;
};

struct count_task {
	struct bb_task task;
	struct counter *counter;
	unsigned poster, number;
};

static void count_one(struct bb_task *task)
{
	struct count_task *one = (struct count_task *)task;
	struct counter *counter = one->counter;

	cr_assert_eq(counter->last[one->poster]++, one->number, "in order for each who posts");
	if (++counter->count == POSTERS * POSTS)
		atomic_store(&counter->done, 1);
	free(one);
}

struct poster {
	struct counter *counter;
	unsigned index;
};

static void *post_many(void *argument)
{
	struct poster *poster = argument;

	for (unsigned i = 0; i < POSTS; i++) {
		struct count_task *one = malloc(sizeof(*one));

		*one = (struct count_task){{count_one, NULL}, poster->counter, poster->index, i};
		bb_loop_post(poster->counter->loop, &one->task);
	}
	return NULL;
}

Test(loop, any_thread_may_post)
{
	struct counter counter = {0};
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];

	cr_assert_eq(bb_loop_thread_start("test", &counter.loop), 0);
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){&counter, i};
		pthread_create(&threads[i], NULL, post_many, &posters[i]);
	}
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	bb_loop_thread_stop(counter.loop); /* which runs what is left */
	cr_expect_eq(counter.count, POSTERS * POSTS);
	cr_expect_eq(atomic_load(&counter.done), 1);
}

struct look {
	struct bb_task task;
	struct bb_loop *loop;
	char name[16];
	bool current;
	int mask_has_term, mask_has_hup;
};

static void look_around(struct bb_task *task)
{
	struct look *look = (struct look *)task;
	sigset_t mask;

	pthread_getname_np(pthread_self(), look->name, sizeof(look->name));
	look->current = bb_loop_is_current(look->loop);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	look->mask_has_term = sigismember(&mask, SIGTERM);
	look->mask_has_hup = sigismember(&mask, SIGHUP);
}

Test(loop, a_loop_thread_has_a_name_and_takes_no_signals)
{
	struct look look = {.task = {look_around, NULL}};

	cr_assert_eq(bb_loop_thread_start("a-name-that-is-too-long", &look.loop), 0);
	cr_expect_not(bb_loop_is_current(look.loop));
	bb_loop_post(look.loop, &look.task);
	bb_loop_thread_stop(look.loop);
	cr_expect_str_eq(look.name, "a-name-that-is-");
	cr_expect(look.current);
	cr_expect_eq(look.mask_has_term, 1);
	cr_expect_eq(look.mask_has_hup, 1);
	bb_loop_thread_stop(NULL);
}

Test(loop, threads_that_start_and_stop_at_once_end)
{
	for (int i = 0; i < 50; i++) {
		struct bb_loop *loop;

		cr_assert_eq(bb_loop_thread_start("short", &loop), 0);
		bb_loop_thread_stop(loop);
	}
}

Test(loop, no_descriptors_left_is_an_error_and_no_crash)
{
	struct rlimit before, limit;
	struct bb_loop *loop = NULL;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(bb_loop_create(&loop), -EMFILE);
	cr_expect_eq(bb_loop_thread_start("none", &loop), -EMFILE);
	cr_expect_null(loop);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0, "the leak checker needs some");
}

/* ---- timers ---- */

struct ticks {
	struct bb_loop *loop;
	struct bb_timer *timer;
	int count, limit;
	int64_t at_ms[8];
};

static void tick(void *context)
{
	struct ticks *ticks = context;

	if (ticks->count < 8)
		ticks->at_ms[ticks->count] = bb_clock_ms();
	if (++ticks->count == ticks->limit) {
		bb_timer_destroy(ticks->timer); /* from its own callback */
		ticks->timer = NULL;
		bb_loop_stop(ticks->loop);
	}
}

Test(loop, a_timer_repeats_until_it_destroys_itself)
{
	struct ticks ticks = {.loop = make_loop(), .limit = 4};
	int64_t start_ms = bb_clock_ms();

	ticks.timer = bb_timer_create(ticks.loop, tick, &ticks);
	bb_timer_start(ticks.timer, 30, 10);
	bb_loop_run(ticks.loop);
	cr_expect_eq(ticks.count, 4);
	cr_expect_geq(ticks.at_ms[0] - start_ms, 29, "first after the delay (clocks differ by a rounding)");
	cr_expect_geq(ticks.at_ms[3] - start_ms, 58);
	bb_loop_destroy(ticks.loop);
}

static void busy_then_start(void *context)
{
	struct ticks *ticks = context;

	usleep(50000); /* work that takes a while */
	bb_timer_start(ticks->timer, 20, 0);
	ticks->at_ms[1] = bb_clock_ms();
}

Test(loop, a_delay_counts_from_its_start_not_from_the_round)
{
	struct ticks ticks = {.loop = make_loop(), .limit = 1};
	struct bb_timer *first = bb_timer_create(ticks.loop, busy_then_start, &ticks);

	ticks.timer = bb_timer_create(ticks.loop, tick, &ticks);
	bb_timer_start(first, 0, 0);
	bb_loop_run(ticks.loop);
	cr_expect_geq(ticks.at_ms[0] - ticks.at_ms[1], 19);
	bb_loop_destroy(ticks.loop); /* frees first */
}

Test(loop, a_stopped_timer_does_not_fire)
{
	struct ticks ticks = {.loop = make_loop(), .limit = 100};
	struct bb_timer *end = bb_timer_create(ticks.loop, stop_loop, ticks.loop);

	ticks.timer = bb_timer_create(ticks.loop, tick, &ticks);
	bb_timer_stop(ticks.timer); /* harmless */
	bb_timer_start(ticks.timer, 1, 1);
	bb_timer_stop(ticks.timer);
	bb_timer_start(end, 20, 0);
	bb_loop_run(ticks.loop);
	cr_expect_eq(ticks.count, 0);
	bb_timer_destroy(NULL);
	bb_loop_destroy(ticks.loop); /* frees both */
}

Test(loop, a_negative_delay_is_none)
{
	struct ticks ticks = {.loop = make_loop(), .limit = 1};

	ticks.timer = bb_timer_create(ticks.loop, tick, &ticks);
	bb_timer_start(ticks.timer, -1000, 0);
	bb_loop_run(ticks.loop);
	cr_expect_eq(ticks.count, 1);
	bb_loop_destroy(ticks.loop);
}

/* ---- watches ---- */

struct seen {
	struct bb_loop *loop;
	struct bb_watch *watch;
	unsigned events;
	int count, limit;
	int fd;
};

static void on_ready(void *context, unsigned events)
{
	struct seen *seen = context;
	char buffer[100];

	seen->events |= events;
	if (events & BB_WATCH_READ && seen->fd >= 0)
		(void)!read(seen->fd, buffer, sizeof(buffer)); /* only to empty it */
	if (++seen->count == seen->limit) {
		bb_watch_destroy(seen->watch); /* from its own callback */
		seen->watch = NULL;
		bb_loop_stop(seen->loop);
	}
}

Test(loop, a_watch_sees_what_it_asked_for)
{
	struct seen seen = {.loop = make_loop(), .limit = 1, .fd = -1};
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(bb_watch_create(seen.loop, pair[0], BB_WATCH_READ, on_ready, &seen, &seen.watch), 0);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.events, BB_WATCH_READ, "it can be written too, but nobody asked");

	seen.events = 0;
	seen.count = 0;
	cr_assert_eq(bb_watch_create(seen.loop, pair[0], BB_WATCH_WRITE, on_ready, &seen, &seen.watch), 0);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.events, BB_WATCH_WRITE);
	close(pair[0]);
	close(pair[1]);
	bb_loop_destroy(seen.loop);
}

Test(loop, a_peer_that_hung_up_shows_as_readable)
{
	struct seen seen = {.loop = make_loop(), .limit = 1, .fd = -1};
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(bb_watch_create(seen.loop, pair[0], BB_WATCH_READ, on_ready, &seen, &seen.watch), 0);
	close(pair[1]);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.events, BB_WATCH_READ);
	close(pair[0]);
	bb_loop_destroy(seen.loop);
}

Test(loop, a_paused_watch_is_silent_until_it_is_set_again)
{
	struct seen seen = {.loop = make_loop(), .limit = 1};
	struct bb_timer *end = bb_timer_create(seen.loop, stop_loop, seen.loop);
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	seen.fd = pair[0];
	cr_assert_eq(bb_watch_create(seen.loop, pair[0], BB_WATCH_READ, on_ready, &seen, &seen.watch), 0);
	cr_assert_eq(write(pair[1], "x", 1), 1);
	bb_watch_set(seen.watch, 0);
	bb_timer_start(end, 20, 0);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.count, 0);
	bb_watch_set(seen.watch, BB_WATCH_READ);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.count, 1);
	bb_loop_destroy(seen.loop);
	close(pair[0]);
	close(pair[1]);
}

/* A connected UDP socket whose peer's port is closed: each datagram sent comes back as an error to be read. */
static int refused_socket(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int peer = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(bind(peer, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(getsockname(peer, (struct sockaddr *)&address, &size), 0);
	close(peer);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

static void on_refused(void *context, unsigned events)
{
	struct seen *seen = context;
	char byte;

	cr_assert_eq(events, BB_WATCH_READ);
	cr_expect_eq(recv(seen->fd, &byte, 1, 0), -1);
	cr_expect_eq(errno, ECONNREFUSED);
	if (++seen->count == seen->limit)
		bb_loop_stop(seen->loop);
	else
		(void)!send(seen->fd, "again", 5, 0);
}

Test(loop, a_watch_outlives_errors_of_its_descriptor)
{
	struct seen seen = {.loop = make_loop(), .limit = 3, .fd = refused_socket()};

	cr_assert_eq(bb_watch_create(seen.loop, seen.fd, BB_WATCH_READ, on_refused, &seen, &seen.watch), 0);
	cr_assert_eq(send(seen.fd, "once", 4, 0), 4);
	bb_loop_run(seen.loop);
	cr_expect_eq(seen.count, 3);
	bb_loop_destroy(seen.loop);
	close(seen.fd);
}

Test(loop, what_cannot_be_watched_is_refused)
{
	struct bb_loop *loop = make_loop();
	struct bb_watch *watch = NULL;
	int fd = open("/proc/self/exe", O_RDONLY);

	cr_assert_geq(fd, 0);
	cr_expect_eq(bb_watch_create(loop, fd, BB_WATCH_READ, on_ready, NULL, &watch), -EPERM,
		     "a file is always ready");
	close(fd);
	cr_expect_eq(bb_watch_create(loop, fd, BB_WATCH_READ, on_ready, NULL, &watch), -EBADF);
	cr_expect_null(watch);
	bb_watch_destroy(NULL);
	bb_loop_destroy(loop);
}

Test(loop, a_descriptor_number_may_be_used_again_after_its_watch)
{
	struct seen seen = {.loop = make_loop(), .limit = 1};

	for (int i = 0; i < 20; i++) {
		int pair[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		seen.count = 0;
		seen.fd = pair[0];
		cr_assert_eq(bb_watch_create(seen.loop, pair[0], BB_WATCH_READ, on_ready, &seen, &seen.watch), 0);
		cr_assert_eq(write(pair[1], "x", 1), 1);
		if (i % 2) {
			bb_loop_run(seen.loop);
			cr_expect_eq(seen.count, 1);
		} else {
			bb_watch_destroy(seen.watch);
		}
		close(pair[0]);
		close(pair[1]);
	}
	bb_loop_destroy(seen.loop);
}
