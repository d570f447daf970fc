/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cursor.c - durable events for those who owe them to somebody.
 */
#include "cursor.h"
#include "journal_support.h"

TestSuite(cursor, .init = journal_start, .fini = journal_finish);

/* A receiver that fetches whenever there is something. */
struct receiver {
	struct bb_cursor *cursor;
	size_t most;
	bool delivers; /* says so for all it gets */
	bool fetching;
	unsigned ready;
	size_t count;
	uint64_t numbers[10000];
	enum bb_event_kind kinds[10000];
	uint64_t durable_then[10000]; /* up to which number events were on disk when it got this one */
};

static void receiver_fetch(struct receiver *receiver);

static void receiver_take(void *context, const struct bb_event *events, size_t count)
{
	struct receiver *receiver = context;

	receiver->fetching = false;
	for (size_t i = 0; i < count && receiver->count < 10000; i++) {
		receiver->numbers[receiver->count] = events[i].number;
		receiver->kinds[receiver->count] = events[i].kind;
		receiver->durable_then[receiver->count++] = durable();
	}
	if (count > 0 && receiver->delivers)
		bb_cursor_delivered(receiver->cursor, events[count - 1].number);
	if (count > 0)
		receiver_fetch(receiver);
}

static void receiver_fetch(struct receiver *receiver)
{
	if (receiver->fetching)
		return;
	receiver->fetching = true;
	cr_assert_eq(bb_cursor_fetch(receiver->cursor, receiver->most, receiver_take, receiver), 0);
}

static void receiver_ready(void *context)
{
	struct receiver *receiver = context;

	receiver->ready++;
	receiver_fetch(receiver);
}

static struct receiver *receiver_open(const char *name)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));

	receiver->most = 7;
	receiver->delivers = true;
	cr_assert_eq(bb_cursor_open(name, loop, receiver_ready, receiver, &receiver->cursor), 0);
	return receiver;
}

static void receiver_close(struct receiver *receiver)
{
	bb_cursor_close(receiver->cursor);
	run_briefly();
	free(receiver);
}

static void emit_some(int count)
{
	for (int i = 0; i < count; i++)
		(void)emit("ups-a", "event");
}

Test(cursor, it_gets_every_event_in_order_and_only_durable_ones)
{
	struct receiver *receiver;

	open_journal();
	emit_some(100);
	receiver = receiver_open("test:a");
	run_until(receiver->count == 100);
	emit_some(100);
	run_until(receiver->count == 200);
	for (size_t i = 0; i < 200; i++) {
		cr_assert_eq(receiver->numbers[i], i + 1);
		cr_assert_geq(receiver->durable_then[i], i + 1);
	}
	run_until(bb_cursor_backlog(receiver->cursor) == 0);
	receiver_close(receiver);
}

Test(cursor, it_goes_on_where_it_was_after_a_restart)
{
	struct receiver *receiver;

	open_journal();
	emit_some(10);
	receiver = receiver_open("test:a");
	run_until(receiver->count == 10);
	receiver_close(receiver);
	emit_some(3);
	close_journal();

	open_journal();
	receiver = receiver_open("test:a");
	run_until(receiver->count == 3);
	cr_assert_eq(receiver->numbers[0], 11);
	receiver_close(receiver);
}

/* How many calls are on their way to the receiver. */
static unsigned posted_to(const struct receiver *receiver)
{
	struct journal *journal = journal_get();
	unsigned posted;

	pthread_mutex_lock(&journal->lock);
	posted = receiver->cursor->posted;
	pthread_mutex_unlock(&journal->lock);
	return posted;
}

Test(cursor, what_is_committed_while_an_empty_answer_is_on_its_way_is_not_forgotten)
{
	struct receiver *receiver;
	uint64_t number;

	open_journal();
	receiver = receiver_open("test:a");
	receiver_fetch(receiver);
	wait_until(posted_to(receiver) == 2); /* that it is ready, and that there is nothing yet */
	number = emit("ups-a", "event");
	wait_until(durable() >= number);
	run_until(receiver->count == 1);
	cr_assert_eq(receiver->numbers[0], number);
	receiver_close(receiver);
}

Test(cursor, what_was_not_delivered_comes_again)
{
	struct receiver *receiver;

	open_journal();
	emit_some(10);
	receiver = receiver_open("test:a");
	receiver->delivers = false;
	run_until(receiver->count == 10);
	bb_cursor_delivered(receiver->cursor, 4);
	bb_cursor_delivered(receiver->cursor, 99); /* was never fetched: not believed */
	cr_assert_eq(bb_cursor_backlog(receiver->cursor), 6);
	bb_cursor_rewind(receiver->cursor);
	receiver_fetch(receiver);
	run_until(receiver->count == 16);
	cr_assert_eq(receiver->numbers[10], 5);
	receiver_close(receiver);
	close_journal();

	open_journal();
	receiver = receiver_open("test:a");
	run_until(receiver->count == 6);
	cr_assert_eq(receiver->numbers[0], 5);
	receiver_close(receiver);
}

static void take_nothing(void *context, const struct bb_event *events, size_t count)
{
	(void)context;
	(void)events;
	(void)count;
}

Test(cursor, one_fetch_at_a_time_and_one_cursor_of_a_name)
{
	struct receiver *receiver;
	struct bb_cursor *other;

	open_journal();
	receiver = receiver_open("test:a");
	receiver_fetch(receiver);
	cr_assert_eq(bb_cursor_fetch(receiver->cursor, 1, take_nothing, NULL), -EBUSY);
	cr_assert_eq(bb_cursor_open("test:a", loop, receiver_ready, NULL, &other), -EBUSY);
	cr_assert_eq(bb_cursor_open("Test A", loop, receiver_ready, NULL, &other), -EINVAL);
	cr_assert_eq(bb_cursor_open("", loop, receiver_ready, NULL, &other), -EINVAL);
	receiver_close(receiver);
}

Test(cursor, closing_amid_a_fetch_calls_nobody)
{
	open_journal();
	emit_some(50);
	for (int i = 0; i < 50; i++) {
		struct receiver *receiver = receiver_open("test:a");

		if (i % 2)
			run_briefly();
		if (i % 3)
			receiver_fetch(receiver);
		bb_cursor_close(receiver->cursor);
		memset(receiver, 0xff, sizeof(*receiver)); /* a call would run into this */
		free(receiver);
	}
	run_briefly();
}

Test(cursor, a_new_one_hears_what_is_not_kept_any_more)
{
	struct receiver *receiver;
	char path[128];

	open_journal();
	emit_some(5);
	close_journal();
	path_in("journal.db", path, sizeof(path));
	cr_assert_eq(unlink(path), 0);

	open_journal();
	receiver = receiver_open("test:a");
	run_until(receiver->count == 2);
	cr_assert_eq(receiver->numbers[0], 5);
	cr_assert_eq(receiver->kinds[0], BB_EVENT_JOURNAL_GAP);
	cr_assert_eq(receiver->numbers[1], 6); /* the journal's own event about it */
	receiver_close(receiver);
}

Test(cursor, without_a_disk_it_is_fed_from_memory_and_goes_back_later)
{
	struct receiver *receiver;
	char path[128];
	uint64_t first;

	open_journal();
	emit_some(5);
	close_journal();
	path_in("aside", path, sizeof(path));
	cr_assert_eq(rename(folder, "/tmp/busbar-journal-aside"), 0);

	first = open_journal();
	emit_some(3);
	receiver = receiver_open("test:a");
	run_until(receiver->count == 3 && trouble);
	cr_assert_eq(receiver->numbers[0], first);
	cr_assert_eq(rename("/tmp/busbar-journal-aside", folder), 0);
	run_until(!trouble);
	run_until(receiver->count >= 11);
	cr_assert_eq(receiver->numbers[3], 1, "what was on disk all the time comes now");
	cr_assert_eq(receiver->numbers[8], first);
	receiver_close(receiver);
}

Test(cursor, a_loop_of_its_own_is_served_too)
{
	struct bb_loop *thread;
	struct receiver *receiver = calloc(1, sizeof(*receiver));

	open_journal();
	emit_some(20);
	cr_assert_eq(bb_loop_thread_start("receiver", &thread), 0);
	receiver->most = 3;
	receiver->delivers = true;
	cr_assert_eq(bb_cursor_open("test:thread", thread, receiver_ready, receiver, &receiver->cursor), 0);
	for (int i = 0; i < 10; i++) {
		emit_some(10);
		run_briefly();
	}
	run_until(bb_cursor_backlog(receiver->cursor) == 0);
	bb_loop_thread_stop(thread);
	bb_cursor_close(receiver->cursor);
	cr_assert_eq(receiver->count, 120);
	free(receiver);
}
