/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_notifier.c - what goes out when, what the cursor is told, and what comes again: with a journal and a session
 * that do what the test says.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/journal.h>
#include <busbar/macros.h>

#include "device_tree.h"
#include "notifier.h"

#define EVENTS_MOST 1000
#define NEVER       UINT64_MAX

/* ---- the journal: events 1 to newest ---- */

static struct {
	uint64_t newest, fetched, delivered;
	size_t most; /* wanted; 0: nobody fetches */
	unsigned fetches, rewinds;
	void (*ready)(void *context);
	void (*take)(void *context, const struct bb_event *events, size_t count);
	void *ready_context, *take_context;
	enum bb_event_kind kinds[EVENTS_MOST]; /* of the event of that number */
} journal;

int __wrap_bb_cursor_open(const char *name, struct bb_loop *loop, void (*ready)(void *context), void *context,
			  struct bb_cursor **ret_cursor);
void __wrap_bb_cursor_close(struct bb_cursor *cursor);
int __wrap_bb_cursor_fetch(struct bb_cursor *cursor, size_t most,
			   void (*take)(void *context, const struct bb_event *events, size_t count), void *context);
void __wrap_bb_cursor_delivered(struct bb_cursor *cursor, uint64_t number);
void __wrap_bb_cursor_rewind(struct bb_cursor *cursor);

int __wrap_bb_cursor_open(const char *name, struct bb_loop *loop, void (*ready)(void *context), void *context,
			  struct bb_cursor **ret_cursor)
{
	(void)name;
	(void)loop;
	journal.ready = ready;
	journal.ready_context = context;
	*ret_cursor = (struct bb_cursor *)(void *)&journal;
	return 0;
}

void __wrap_bb_cursor_close(struct bb_cursor *cursor)
{
	(void)cursor;
}

int __wrap_bb_cursor_fetch(struct bb_cursor *cursor, size_t most,
			   void (*take)(void *context, const struct bb_event *events, size_t count), void *context)
{
	(void)cursor;
	cr_assert_eq(journal.most, 0, "one fetch at a time");
	cr_assert_gt(most, 0);
	journal.most = most;
	journal.take = take;
	journal.take_context = context;
	journal.fetches++;
	return 0;
}

void __wrap_bb_cursor_delivered(struct bb_cursor *cursor, uint64_t number)
{
	(void)cursor;
	cr_assert_geq(number, journal.delivered, "a cursor never goes back");
	cr_assert_leq(number, journal.fetched);
	journal.delivered = number;
}

void __wrap_bb_cursor_rewind(struct bb_cursor *cursor)
{
	(void)cursor;
	journal.fetched = journal.delivered;
	journal.rewinds++;
}

static struct bb_event event_at(uint64_t number)
{
	return (struct bb_event){
		.number = number,
		.raised = number,
		.kind = journal.kinds[number],
		.device = "ups-a",
		.subject = "low-battery",
		.text = "",
	};
}

/* Hand over what was asked for, as often as it is. */
static void run_journal(void)
{
	while (journal.most > 0) {
		struct bb_event events[EVENTS_MOST];
		size_t count = 0;

		while (count < journal.most && journal.fetched < journal.newest)
			events[count++] = event_at(++journal.fetched);
		journal.most = 0;
		journal.take(journal.take_context, events, count);
	}
}

static void happen(uint64_t newest)
{
	journal.newest = newest;
	journal.ready(journal.ready_context);
	run_journal();
}

/* ---- the session ---- */

static struct {
	size_t sent, answered;
	uint64_t room; /* how many more it takes */
	int error;     /* when there is no room */
	struct {
		uint32_t number; /* of the event: busbarEventNumber */
		char context[34];
		void (*done)(void *context, int result);
		void *done_context;
	} notifications[4 * EVENTS_MOST];
} session;

int __wrap_session_notify(struct session *unused, const char *context, const struct codec_buffer *varbinds,
			  void (*done)(void *context, int result), void *done_context);
struct moment __wrap_session_moment(struct session *unused);
struct subtree *__wrap_contexts_find(struct contexts *contexts, const char *context, const struct oid *name);
void __wrap_device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
				     struct codec_buffer *varbinds);

/* The event number of a notification: its only Gauge32. */
static uint32_t number_in(const struct codec_buffer *varbinds)
{
	struct codec_reader reader = {.at = varbinds->bytes, .end = varbinds->bytes + varbinds->length};

	while (!codec_at_end(&reader)) {
		struct codec_varbind varbind;

		cr_assert_eq(codec_read_varbind(&reader, &varbind), 0);
		if (varbind.type == CODEC_GAUGE32)
			return varbind.number;
	}
	cr_assert_fail("a notification without an event number");
	return 0;
}

int __wrap_session_notify(struct session *unused, const char *context, const struct codec_buffer *varbinds,
			  void (*done)(void *context, int result), void *done_context)
{
	(void)unused;
	if (session.room == 0)
		return session.error;
	session.room--;
	session.notifications[session.sent].number = number_in(varbinds);
	(void)snprintf(session.notifications[session.sent].context, sizeof(session.notifications[0].context), "%s",
		       context);
	session.notifications[session.sent].done = done;
	session.notifications[session.sent++].done_context = done_context;
	return 0;
}

struct moment __wrap_session_moment(struct session *unused)
{
	(void)unused;
	return (struct moment){0};
}

struct subtree *__wrap_contexts_find(struct contexts *contexts, const char *context, const struct oid *name)
{
	(void)contexts;
	(void)context;
	(void)name;
	return NULL;
}

void __wrap_device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
				     struct codec_buffer *varbinds)
{
	cr_assert_null(picture, "there is no context of that name");
	(void)moment;
	codec_put_syntax(varbinds, CODEC_INTEGER);
	codec_put_oid(varbinds, name, false);
	codec_put_u32(varbinds, 0);
}

/* Answer the next @count notifications. */
static void answer(size_t count, int result)
{
	while (count-- > 0) {
		const size_t next = session.answered++;

		cr_assert_lt(next, session.sent, "nothing to answer");
		session.notifications[next].done(session.notifications[next].done_context, result);
		run_journal();
	}
}

static void answer_all(int result)
{
	while (session.answered < session.sent)
		answer(1, result);
}

/* ---- devices: one, whose alarm on-battery the test sets ---- */

static int64_t clock_ms;
static void (*fire)(void *context);
static void *fire_context;
static bool ticking;
static struct bb_alarm_set *alarms;
static struct bb_device_list *devices;

int64_t __wrap_bb_clock_ms(void);
struct bb_timer *__wrap_bb_timer_create(struct bb_loop *loop, void (*callback)(void *context), void *context);
void __wrap_bb_timer_start(struct bb_timer *timer, int64_t delay_ms, int64_t repeat_ms);
void __wrap_bb_timer_stop(struct bb_timer *timer);
void __wrap_bb_timer_destroy(struct bb_timer *timer);
struct bb_device_list *__wrap_bb_registry_devices(struct bb_registry *registry);
void __wrap_bb_device_list_unref(struct bb_device_list *list);
void __wrap_bb_device_snapshot(struct bb_device *device, int64_t now_ms, struct bb_snapshot *ret_snapshot);
void __wrap_bb_snapshot_release(struct bb_snapshot *snapshot);
const char *__wrap_bb_device_name(const struct bb_device *device);

int64_t __wrap_bb_clock_ms(void)
{
	return clock_ms;
}

struct bb_timer *__wrap_bb_timer_create(struct bb_loop *loop, void (*callback)(void *context), void *context)
{
	(void)loop;
	fire = callback;
	fire_context = context;
	return (struct bb_timer *)(void *)&fire;
}

void __wrap_bb_timer_start(struct bb_timer *timer, int64_t delay_ms, int64_t repeat_ms)
{
	(void)timer;
	cr_assert_eq(delay_ms, repeat_ms);
	ticking = true;
}

void __wrap_bb_timer_stop(struct bb_timer *timer)
{
	(void)timer;
	ticking = false;
}

void __wrap_bb_timer_destroy(struct bb_timer *timer)
{
	(void)timer;
}

struct bb_device_list *__wrap_bb_registry_devices(struct bb_registry *registry)
{
	(void)registry;
	return devices;
}

void __wrap_bb_device_list_unref(struct bb_device_list *list)
{
	(void)list;
}

void __wrap_bb_device_snapshot(struct bb_device *device, int64_t now_ms, struct bb_snapshot *ret_snapshot)
{
	(void)device;
	(void)now_ms;
	*ret_snapshot = (struct bb_snapshot){.state = BB_DEVICE_UP, .alarms = alarms};
}

void __wrap_bb_snapshot_release(struct bb_snapshot *snapshot)
{
	(void)snapshot;
}

const char *__wrap_bb_device_name(const struct bb_device *device)
{
	(void)device;
	return "ups-b";
}

/* Seconds pass. */
static void pass(unsigned seconds)
{
	while (seconds-- > 0) {
		clock_ms += 1000;
		if (ticking)
			fire(fire_context);
		run_journal();
	}
}

/* ---- */

static struct notifier *notifier;
static struct oid base;

static void set_up(void)
{
	memset(&journal, 0, sizeof(journal));
	memset(&session, 0, sizeof(session));
	session.room = NEVER;
	clock_ms = 1000000;
	ticking = false;
	alarms = calloc(1, sizeof(*alarms) + sizeof(alarms->alarms[0]));
	devices = calloc(1, sizeof(*devices) + sizeof(devices->devices[0]));
	cr_assert(alarms && devices);
	alarms->count = 1;
	alarms->alarms[0].type = bb_alarm_type_find("on-battery");
	devices->count = 1;
	cr_assert_eq(oid_parse("1.3.6.1.4.1.8072.9999.9999.4711", &base), 0);
	cr_assert_eq(notifier_create(&(struct notifier_setup){.base = &base, .master = "unix:/m"}, &notifier), 0);
}

static void tear_down(void)
{
	notifier_destroy(notifier);
	free(alarms);
	free(devices);
}

static void session_up(void)
{
	notifier_session_changed(notifier, true);
	run_journal();
}

/* What was sent and not answered hears that the session is gone. */
static void session_down(void)
{
	notifier_session_changed(notifier, false);
	answer_all(-ECONNRESET);
}

/* What was sent from place @from on are the events @first, @first + 1 … @last. */
static void expect_sent(size_t from, uint64_t first, uint64_t last)
{
	cr_assert_eq(session.sent - from, last + 1 - first, "%zu were sent, not %zu", session.sent - from,
		     (size_t)(last + 1 - first));
	for (uint64_t number = first; number <= last; number++)
		cr_assert_eq(session.notifications[from++].number, number);
}

TestSuite(agentx_notifier, .init = set_up, .fini = tear_down);

Test(agentx_notifier, nothing_is_fetched_before_the_session_is_up)
{
	happen(3);
	cr_assert_eq(journal.fetches, 0);
	session_up();
	expect_sent(0, 1, 3);
	cr_assert_str_eq(session.notifications[0].context, "ups-a", "in the context of its device");
}

Test(agentx_notifier, an_event_leaves_the_journal_when_the_master_has_answered)
{
	session_up();
	happen(3);
	cr_assert_eq(journal.delivered, 0);
	answer(1, 0);
	cr_assert_eq(journal.delivered, 1);
	answer(2, 0);
	cr_assert_eq(journal.delivered, 3);
}

Test(agentx_notifier, answers_that_overtake_each_other_hold_the_cursor_back)
{
	session_up();
	happen(3);
	session.notifications[2].done(session.notifications[2].done_context, 0);
	session.notifications[1].done(session.notifications[1].done_context, 0);
	cr_assert_eq(journal.delivered, 0);
	session.notifications[0].done(session.notifications[0].done_context, 0);
	cr_assert_eq(journal.delivered, 3);
}

Test(agentx_notifier, events_without_a_notification_pass_without_the_master)
{
	for (size_t i = 0; i < EVENTS_MOST; i++)
		journal.kinds[i] = BB_EVENT_DEVICE_FOUND;
	session_up();
	happen(EVENTS_MOST - 1);
	cr_assert_eq(session.sent, 0);
	cr_assert_eq(journal.delivered, EVENTS_MOST - 1);
}

Test(agentx_notifier, but_they_do_not_overtake_those_that_have_one)
{
	journal.kinds[2] = BB_EVENT_DEVICE_FOUND;
	session_up();
	happen(2);
	cr_assert_eq(session.sent, 1);
	cr_assert_eq(journal.delivered, 0);
	answer(1, 0);
	cr_assert_eq(journal.delivered, 2);
}

Test(agentx_notifier, a_backlog_goes_out_in_order_and_never_more_than_a_window_of_it_at_once)
{
	journal.newest = 999;
	session_up();
	while (journal.delivered < 999) {
		cr_assert_leq(session.sent - session.answered, 64);
		cr_assert_gt(session.sent, session.answered, "it goes on");
		answer(1, 0);
	}
	expect_sent(0, 1, 999);
}

Test(agentx_notifier, what_was_on_its_way_when_the_session_ended_comes_again_in_order)
{
	session_up();
	happen(10);
	answer(4, 0);
	session_down();
	cr_assert_eq(journal.delivered, 4);
	happen(12);
	cr_assert_eq(session.sent, 10, "there is no session");
	session_up();
	expect_sent(10, 5, 12);
	answer_all(0);
	cr_assert_eq(journal.delivered, 12);
}

Test(agentx_notifier, a_fetch_that_comes_back_to_another_session_loses_nothing)
{
	session_up();
	journal.newest = 3;
	journal.ready(journal.ready_context); /* fetches */
	session_down();
	run_journal();
	cr_assert_eq(session.sent, 0);
	session_up();
	expect_sent(0, 1, 3);
}

Test(agentx_notifier, a_refused_notification_is_left_behind_and_holds_up_nobody)
{
	session_up();
	happen(3);
	answer(1, 0);
	answer(1, -EREMOTEIO);
	answer(1, 0);
	cr_assert_eq(journal.delivered, 3);
	expect_sent(0, 1, 3);
}

Test(agentx_notifier, what_the_session_has_no_room_for_is_fetched_again_when_there_is_some)
{
	session.room = 5;
	session.error = -ENOMEM;
	session_up();
	happen(9);
	cr_assert_eq(session.sent, 5);
	session.room = NEVER;
	answer(4, 0);
	cr_assert_eq(session.sent, 5, "the cursor would go back behind the fifth");
	answer(1, 0);
	expect_sent(0, 1, 9);
}

Test(agentx_notifier, without_room_for_anything_it_tries_once_a_second)
{
	session.room = 0;
	session.error = -ENOMEM;
	session_up();
	happen(9);
	journal.fetches = 0;
	pass(10);
	cr_assert_leq(journal.fetches, 10, "not as fast as it can");
	cr_assert_eq(session.sent, 0);
	session.room = NEVER;
	pass(1);
	expect_sent(0, 1, 9);
}

/* ---- repeats ---- */

static void run_on_battery(uint64_t event)
{
	alarms->active = 1;
	alarms->alarms[0].active = true;
	alarms->alarms[0].event = event;
	alarms->alarms[0].since_ms = clock_ms;
}

Test(agentx_notifier, on_battery_is_told_again_every_minute_until_it_is_over)
{
	session_up();
	run_on_battery(1);
	happen(1);
	answer_all(0);
	pass(59);
	cr_assert_eq(session.sent, 1);
	pass(1);
	cr_assert_eq(session.sent, 2);
	cr_assert_eq(session.notifications[1].number, 1);
	cr_assert_str_eq(session.notifications[1].context, "ups-b");
	for (size_t minute = 2; minute <= 10; minute++) {
		answer_all(0);
		pass(60);
		cr_assert_eq(session.sent, minute + 1);
	}
	answer_all(0);
	cr_assert_eq(journal.delivered, 1, "repeats are nothing to the journal");
	alarms->active = 0;
	alarms->alarms[0].active = false;
	pass(600);
	cr_assert_eq(session.sent, 11);
}

Test(agentx_notifier, nothing_is_repeated_while_the_first_is_on_its_way)
{
	session_up();
	run_on_battery(1);
	happen(1);
	pass(300);
	cr_assert_eq(session.sent, 1);
	answer_all(0);
	pass(60);
	cr_assert_eq(session.sent, 2);
}

Test(agentx_notifier, repeats_wait_neither_for_a_session_nor_for_a_master_that_hangs)
{
	session_up();
	run_on_battery(1);
	happen(1);
	answer_all(0);
	session_down();
	pass(30 * 60 + 30);
	cr_assert_eq(session.sent, 1);
	session_up();
	pass(29);
	cr_assert_eq(session.sent, 1, "the minutes that ended meanwhile are over");
	pass(1);
	cr_assert_eq(session.sent, 2);
	pass(30 * 60);
	cr_assert_eq(session.sent, 2, "it has not answered");
	answer_all(0);
	pass(60);
	cr_assert_eq(session.sent, 3);
}

Test(agentx_notifier, an_alarm_from_before_a_restart_of_the_agent_is_repeated_as_well)
{
	run_on_battery(7); /* delivered by the agent before */
	pass(30);
	session_up();
	pass(30);
	cr_assert_eq(session.sent, 1);
	cr_assert_eq(session.notifications[0].number, 7);
}

Test(agentx_notifier, but_not_before_the_backlog_has_told_of_it)
{
	journal.newest = 100;
	run_on_battery(100);
	session_up();
	pass(60);
	for (size_t i = 0; i < session.sent; i++)
		cr_assert_lt(session.notifications[i].number, 100);
	answer_all(0);
	expect_sent(0, 1, 100);
	pass(60);
	expect_sent(100, 100, 100);
}

Test(agentx_notifier, nor_before_a_journal_that_is_slow_has_told_of_it_again)
{
	session_up();
	run_on_battery(1);
	happen(1);
	session_down();
	notifier_session_changed(notifier, true); /* fetches, and nothing comes */
	clock_ms += 60000;
	fire(fire_context);
	cr_assert_eq(session.sent, 1);
	run_journal();
	expect_sent(1, 1, 1);
}

/* ---- names ---- */

Test(agentx_notifier_name, cursors_have_names_that_the_journal_takes_and_that_tell_masters_apart)
{
	char first[NOTIFIER_CURSOR_SIZE], second[NOTIFIER_CURSOR_SIZE];
	char longer[] = "unix:/a/path/that/is/so/long/that/the/name/of/its/cursor/cannot/hold/all/of/it/by/far/1";

	notifier_name_cursor("tcp:127.0.0.1:705", first);
	cr_assert_str_eq(first, "agentx:tcp:127.0.0.1:705");
	notifier_name_cursor("unix:/var/agentx/master", first);
	notifier_name_cursor("unix:_var_agentx_master", second);
	cr_assert_str_neq(first, second);
	notifier_name_cursor("unix:/Var/agentx/master", second);
	cr_assert_str_neq(first, second);
	notifier_name_cursor(longer, first);
	longer[sizeof(longer) - 2] = '2';
	notifier_name_cursor(longer, second);
	cr_assert_str_neq(first, second);
	cr_assert_eq(strlen(second), 64);
	cr_assert_eq(strspn(second, "abcdefghijklmnopqrstuvwxyz0123456789:._-"), 64, "%s", second);
}
