/* SPDX-License-Identifier: Apache-2.0
 *
 * test_event.c - events from any thread, in one order for everybody.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

static struct bb_loop *loop;

static void start(void)
{
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(events_start(loop, 1), 0);
}

static void stop(void)
{
	events_stop();
	bb_loop_destroy(loop);
}

TestSuite(event, .init = start, .fini = stop);

static void stop_loop(struct bb_task *task)
{
	(void)task;
	bb_loop_stop(loop);
}

/* Run what was posted so far. */
static void run_posted(void)
{
	struct bb_task task = {.run = stop_loop};

	bb_loop_post(loop, &task);
	cr_assert_eq(bb_loop_run(loop), 0);
}

Test(event, an_event_is_copied_numbered_and_dated)
{
	char device[] = "ups-a";

	cr_assert_eq(bb_event_emit(&(struct bb_event){.kind = BB_EVENT_ALARM_RAISED,
						      .severity = BB_SEVERITY_ALARM,
						      .device = device,
						      .subject = "on-battery"}),
		     0);
	device[0] = 'x';
	cr_assert_null(events_next(0), "before the loop has run");
	run_posted();

	const struct bb_event *event = events_next(0);

	cr_assert_eq(event->number, 1);
	cr_assert_eq(events_newest(), 1);
	cr_assert_str_eq(event->device, "ups-a");
	cr_assert_str_eq(event->subject, "on-battery");
	cr_assert_str_eq(event->text, "");
	cr_assert_str_eq(event->value, "");
	cr_assert_gt(event->wall_ms, 0);
	cr_assert_eq(strlen(event->boot_id), 36, "'%s'", event->boot_id);
	cr_assert_null(events_next(1));
}

Test(event, the_ring_keeps_the_newest)
{
	char text[16];

	for (int i = 1; i <= EVENTS_KEPT + 5; i++) {
		snprintf(text, sizeof(text), "%d", i);
		cr_assert_eq(events_emit(&(struct bb_event){.text = text}), (uint64_t)i);
	}
	cr_assert_eq(events_next(0)->number, 6);
	cr_assert_str_eq(events_next(0)->text, "6");
	cr_assert_str_eq(events_next(EVENTS_KEPT)->text, "10001");
	cr_assert_eq(events_next(EVENTS_KEPT + 4)->number, EVENTS_KEPT + 5);
	cr_assert_null(events_next(EVENTS_KEPT + 5));
}

struct listener {
	struct event_subscriber subscriber;
	uint64_t heard[16];
	unsigned count;
	bool answers;
};

static void hear(void *context, const struct bb_event *event)
{
	struct listener *listener = context;

	listener->heard[listener->count++] = event->number;
	if (listener->answers && listener->count == 1)
		cr_assert_eq(events_emit(&(struct bb_event){.kind = BB_EVENT_PLUGIN_FAILED}), 2);
}

Test(event, everybody_hears_the_same_order_even_when_one_answers)
{
	struct listener first = {.answers = true}, second = {0};

	first.subscriber = (struct event_subscriber){.event = hear, .context = &first};
	second.subscriber = (struct event_subscriber){.event = hear, .context = &second};
	events_subscribe(&second.subscriber);
	events_subscribe(&first.subscriber); /* is told first */

	cr_assert_eq(events_emit(&(struct bb_event){.kind = BB_EVENT_CONFIG_LOADED}), 1);
	cr_assert(first.count == 2 && first.heard[0] == 1 && first.heard[1] == 2);
	cr_assert(second.count == 2 && second.heard[0] == 1 && second.heard[1] == 2);

	events_unsubscribe(&first.subscriber);
	cr_assert_eq(events_emit(&(struct bb_event){.kind = BB_EVENT_CONFIG_LOADED}), 3);
	cr_assert_eq(first.count, 2);
	cr_assert_eq(second.count, 3);
	events_unsubscribe(&second.subscriber);
}

static void leave_both(void *context, const struct bb_event *event)
{
	struct event_subscriber *both = context;

	(void)event;
	events_unsubscribe(&both[1]);
	events_unsubscribe(&both[0]);
}

static void must_not_hear(void *context, const struct bb_event *event)
{
	(void)context;
	cr_assert_eq(event->number, 0, "heard %d after it was unsubscribed", (int)event->number);
}

Test(event, a_subscriber_may_take_others_out_while_it_is_told)
{
	struct event_subscriber both[2];

	both[0] = (struct event_subscriber){.event = leave_both, .context = both};
	both[1] = (struct event_subscriber){.event = must_not_hear};
	events_subscribe(&both[1]);
	events_subscribe(&both[0]);
	cr_assert_eq(events_emit(&(struct bb_event){0}), 1);
	cr_assert_eq(events_emit(&(struct bb_event){0}), 2);
}

Test(event, held_events_are_told_when_they_are_released)
{
	struct listener listener = {0};

	listener.subscriber = (struct event_subscriber){.event = hear, .context = &listener};
	events_subscribe(&listener.subscriber);
	events_hold();
	cr_assert_eq(events_emit(&(struct bb_event){0}), 1);
	cr_assert_eq(events_emit(&(struct bb_event){0}), 2);
	cr_assert_eq(listener.count, 0);
	events_release();
	cr_assert_eq(listener.count, 2);
	events_unsubscribe(&listener.subscriber);
}

#define THREADS 4
#define EACH    200

static void *emit_many(void *device)
{
	char value[16];

	for (int i = 0; i < EACH; i++) {
		snprintf(value, sizeof(value), "%d", i);
		cr_assert_eq(bb_event_emit(&(struct bb_event){.device = device, .value = value}), 0);
	}
	return NULL;
}

Test(event, events_of_one_thread_keep_their_order)
{
	static char names[THREADS][2] = {"0", "1", "2", "3"};
	int next[THREADS] = {0};
	pthread_t threads[THREADS];
	uint64_t number = 0;

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, emit_many, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS * EACH && events_newest() < THREADS * EACH; i++)
		run_posted();

	cr_assert_eq(events_newest(), THREADS * EACH);
	for (const struct bb_event *event; (event = events_next(number)) != NULL;) {
		cr_assert_eq(event->number, ++number);
		cr_assert_eq(atoi(event->value), next[atoi(event->device)]++);
	}
	cr_assert_eq(number, THREADS * EACH);
}

Test(event, after_the_stop_events_are_dropped)
{
	events_stop();
	cr_assert_eq(bb_event_emit(&(struct bb_event){0}), 0);
	cr_assert_eq(events_emit(&(struct bb_event){0}), 0);
	cr_assert_null(events_next(0));
}

Test(event, every_kind_has_a_name)
{
	for (int kind = BB_EVENT_ALARM_RAISED; kind <= BB_EVENT_CLOCK_GAP; kind++)
		cr_assert_str_neq(bb_event_kind_name((enum bb_event_kind)kind), "unknown");
	cr_assert_str_eq(bb_event_kind_name(BB_EVENT_DEVICE_LOST), "device-lost");
}

static void emit_alarm(struct bb_task *task)
{
	(void)task;
	(void)events_emit(&(struct bb_event){.kind = BB_EVENT_ALARM_RAISED, .subject = "on-battery"});
}

Test(event, an_alarm_overtakes_a_storm_of_what_other_threads_emit)
{
	struct bb_task alarm = {.run = emit_alarm};
	uint64_t number = 0;

	for (int i = 0; i < 5000; i++)
		cr_assert_eq(bb_event_emit(&(struct bb_event){.kind = BB_EVENT_DEVICE_CHANGED}), 0);
	bb_loop_post(loop, &alarm); /* as a device does whose alarms have changed */
	while (events_newest() < 5001)
		run_posted();
	for (const struct bb_event *event; (event = events_next(number)) != NULL; number = event->number)
		if (event->kind == BB_EVENT_ALARM_RAISED)
			break;
	cr_assert_lt(number, 100, "told after %d others", (int)number);
}

Test(event, what_was_emitted_before_the_end_is_told)
{
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(bb_event_emit(&(struct bb_event){.kind = BB_EVENT_DEVICE_CHANGED}), 0);
	events_stop();
	cr_assert_eq(events_newest(), 1000);
}

Test(event, numbers_begin_where_the_journal_says)
{
	events_stop();
	cr_assert_eq(events_start(loop, 20001), 0);
	cr_assert_eq(events_emit(&(struct bb_event){.text = "first"}), 20001);
	cr_assert_eq(events_next(0)->number, 20001);
	cr_assert_null(events_next(20001));
}
