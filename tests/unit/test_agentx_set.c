/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_set.c - the four phases of a SET, with a subtree and devices of the test's own.
 *
 * The last arc of a variable's name says what the subtree makes of it: 1 is the spin lock, 2 and 3 are points, 4 is a
 * point that needs the lock, anything else cannot be written.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "set.h"

#define SPIN_LOCK   1
#define POINT       2
#define OTHER_POINT 3
#define TEST_POINT  4
#define READ_ONLY   9

int __wrap_bb_device_write(struct bb_device *device, const struct bb_write_request *request,
			   struct bb_write **ret_write);
void __wrap_bb_write_forget(struct bb_write *write);
struct subtree *__wrap_contexts_find(struct contexts *contexts, const char *context, const struct oid *name);

static struct bb_loop *loop;
static struct sets *sets;
static struct spin_lock spin_lock;

/* What the device was asked. */
static struct {
	int writes, forgotten, result;
	struct bb_write_request request;
	char point[32], source[64];
} device;

/* What the master heard. */
static struct {
	int count;
	struct codec_header request;
	enum codec_error error;
	unsigned index;
} heard;

int __wrap_bb_device_write(struct bb_device *unused, const struct bb_write_request *request,
			   struct bb_write **ret_write)
{
	static int any;

	(void)unused;
	device.writes++;
	device.request = *request;
	(void)snprintf(device.point, sizeof(device.point), "%s", request->point);
	(void)snprintf(device.source, sizeof(device.source), "%s", request->source);
	if (device.result < 0)
		return device.result;
	*ret_write = (struct bb_write *)(void *)&any;
	return 0;
}

void __wrap_bb_write_forget(struct bb_write *write)
{
	device.forgotten += write != NULL;
}

static enum codec_error test_variable(struct subtree *subtree, const struct codec_varbind *varbind,
				      struct set_target *ret_target)
{
	const uint32_t what = varbind->name.arcs[varbind->name.length - 1];

	(void)subtree;
	if (what == READ_ONLY)
		return CODEC_NOT_WRITABLE;
	ret_target->value.number = (int32_t)varbind->number;
	if (what == SPIN_LOCK)
		ret_target->lock = &spin_lock;
	else
		(void)snprintf(ret_target->point, sizeof(ret_target->point), "point.%u", what);
	ret_target->needs_lock = what == TEST_POINT;
	return CODEC_NO_ERROR;
}

static const struct subtree_ops ops = {.test = test_variable};
static struct subtree tree = {.ops = &ops};

struct subtree *__wrap_contexts_find(struct contexts *contexts, const char *context, const struct oid *name)
{
	(void)contexts;
	(void)context;
	(void)name;
	return &tree;
}

static void hear(void *context, const struct codec_header *request, enum codec_error error, unsigned index)
{
	(void)context;
	heard.count++;
	heard.request = *request;
	heard.error = error;
	heard.index = index;
}

static void make_sets(bool allowed)
{
	memset(&device, 0, sizeof(device));
	memset(&heard, 0, sizeof(heard));
	spin_lock.value = 7;
	cr_assert_eq(bb_loop_create(&loop), 0);
	cr_assert_eq(sets_create(&(struct sets_setup){.loop = loop, .allowed = allowed, .answer = hear}, &sets), 0);
}

static void set_up(void)
{
	make_sets(true);
}

static void tear_down(void)
{
	sets_destroy(sets);
	bb_loop_destroy(loop);
}

/* A variable and its value. */
struct pair {
	uint32_t what, value;
};

static void take(enum codec_type type, uint32_t transaction, const struct pair *pairs, size_t count)
{
	struct codec_header header = {.type = type, .session = 5, .transaction = transaction, .packet = transaction};
	struct codec_buffer buffer = {0};
	struct codec_octets context;
	struct codec_reader reader;
	size_t place = codec_begin(&buffer, &header, "");

	for (size_t i = 0; i < count; i++) {
		const struct oid name = {.length = 3, .arcs = {1, 3, pairs[i].what}};

		codec_put_syntax(&buffer, CODEC_INTEGER);
		codec_put_oid(&buffer, &name, false);
		codec_put_u32(&buffer, pairs[i].value);
	}
	cr_assert_eq(codec_end(&buffer, place), 0);
	cr_assert_eq(codec_header_parse(buffer.bytes, &header), 0);
	cr_assert_eq(codec_reader_init(&reader, &header, buffer.bytes + CODEC_HEADER_SIZE, &context), 0);
	sets_take(sets, NULL, &header, "ups-b", &reader);
	codec_buffer_free(&buffer);
}

#define TAKE(type, transaction, ...)                                                                                   \
	take(type, transaction, (const struct pair[]){__VA_ARGS__}, BB_LENGTH(((const struct pair[]){__VA_ARGS__})))

static void expect(int count, enum codec_error error, unsigned index)
{
	cr_assert_eq(heard.count, count, "%d answers, not %d", heard.count, count);
	cr_assert_eq(heard.error, error, "error %d, not %d", (int)heard.error, (int)error);
	cr_assert_eq(heard.index, index, "index %u, not %u", heard.index, index);
}

TestSuite(agentx_set, .init = set_up, .fini = tear_down);

Test(agentx_set, a_point_is_written_once_and_the_answer_waits_for_the_device)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	expect(1, CODEC_NO_ERROR, 0);
	cr_assert_eq(device.writes, 0, "nothing is written before CommitSet");
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	cr_assert_eq(device.writes, 1);
	cr_assert_eq(heard.count, 1, "not answered before the device has");
	cr_assert_str_eq(device.point, "point.2");
	cr_assert_str_eq(device.source, "snmp, context ups-b");
	cr_assert_eq(device.request.value.number, 30);
	cr_assert_eq(device.request.start_within_ms, SETS_START_WITHIN_MS);
	device.request.done(device.request.context, 0);
	expect(2, CODEC_NO_ERROR, 0);
	cr_assert_eq(heard.request.type, CODEC_COMMIT_SET);
	take(CODEC_CLEANUP_SET, 1, NULL, 0);
	cr_assert_eq(heard.count, 2, "CleanupSet has no answer");
}

Test(agentx_set, what_a_device_refuses_is_commit_failed)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	device.request.done(device.request.context, -EREMOTEIO);
	expect(2, CODEC_COMMIT_FAILED, 1);
	take(CODEC_UNDO_SET, 1, NULL, 0);
	expect(3, CODEC_NO_ERROR, 0);
}

Test(agentx_set, a_write_that_cannot_begin_is_commit_failed)
{
	device.result = -ENOMEM;
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	expect(2, CODEC_COMMIT_FAILED, 1);
}

Test(agentx_set, a_repeated_commit_writes_nothing_and_is_not_answered_twice)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	cr_assert_eq(device.writes, 1);
	cr_assert_eq(heard.count, 1);
	device.request.done(device.request.context, 0);
	expect(2, CODEC_NO_ERROR, 0);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	cr_assert_eq(device.writes, 1, "nor after it was done");
	expect(3, CODEC_NO_ERROR, 0);
}

static void stop_loop(void *context)
{
	bb_loop_stop(context);
}

Test(agentx_set, the_answer_comes_in_time_even_if_the_device_does_not)
{
	struct bb_timer *later = bb_timer_create(loop, stop_loop, loop);

	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	bb_timer_start(later, SETS_PATIENCE_MS + 20, 0);
	bb_loop_run(loop);
	expect(2, CODEC_COMMIT_FAILED, 1);
	cr_assert_eq(device.forgotten, 1, "what the device does from here on is the event's to tell");
	take(CODEC_UNDO_SET, 1, NULL, 0);
	expect(3, CODEC_NO_ERROR, 0);
	bb_timer_destroy(later);
}

Test(agentx_set, one_point_at_a_time)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30}, {OTHER_POINT, 1});
	expect(1, CODEC_RESOURCE_UNAVAILABLE, 2);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	expect(2, CODEC_COMMIT_FAILED, 1);
	cr_assert_eq(device.writes, 0, "what did not pass its test is never written");
}

Test(agentx_set, one_write_to_a_device_at_a_time)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	TAKE(CODEC_TEST_SET, 2, {OTHER_POINT, 1});
	expect(2, CODEC_RESOURCE_UNAVAILABLE, 1);
}

Test(agentx_set, read_only_variables_say_so_with_their_place)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30}, {READ_ONLY, 1});
	expect(1, CODEC_NOT_WRITABLE, 2);
}

Test(agentx_set, the_spin_lock_goes_on_by_one)
{
	TAKE(CODEC_TEST_SET, 1, {SPIN_LOCK, 7});
	expect(1, CODEC_NO_ERROR, 0);
	cr_assert_eq(spin_lock.value, 7);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	expect(2, CODEC_NO_ERROR, 0);
	cr_assert_eq(spin_lock.value, 8);
	take(CODEC_CLEANUP_SET, 1, NULL, 0);
	cr_assert_eq(spin_lock.value, 8);
}

Test(agentx_set, the_spin_lock_starts_again_behind_its_largest_value)
{
	spin_lock.value = INT32_MAX;
	TAKE(CODEC_TEST_SET, 1, {SPIN_LOCK, INT32_MAX});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	expect(2, CODEC_NO_ERROR, 0);
	cr_assert_eq(spin_lock.value, 0);
}

Test(agentx_set, an_old_lock_value_is_refused)
{
	TAKE(CODEC_TEST_SET, 1, {SPIN_LOCK, 6}, {TEST_POINT, 4});
	expect(1, CODEC_INCONSISTENT_VALUE, 1);
}

Test(agentx_set, of_two_managers_with_the_same_lock_value_one_wins)
{
	TAKE(CODEC_TEST_SET, 1, {SPIN_LOCK, 7}, {TEST_POINT, 4});
	TAKE(CODEC_TEST_SET, 2, {SPIN_LOCK, 7}, {TEST_POINT, 5});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	device.request.done(device.request.context, 0);
	expect(3, CODEC_NO_ERROR, 0);
	take(CODEC_COMMIT_SET, 2, NULL, 0);
	cr_assert_eq(heard.error, CODEC_COMMIT_FAILED);
	cr_assert_eq(device.writes, 1);
}

Test(agentx_set, a_test_is_not_started_without_the_lock)
{
	TAKE(CODEC_TEST_SET, 1, {TEST_POINT, 4});
	expect(1, CODEC_INCONSISTENT_VALUE, 1);
	TAKE(CODEC_TEST_SET, 2, {TEST_POINT, 4}, {SPIN_LOCK, 7});
	expect(2, CODEC_NO_ERROR, 0);
}

Test(agentx_set, the_lock_goes_back_when_the_set_is_undone)
{
	TAKE(CODEC_TEST_SET, 1, {SPIN_LOCK, 7}, {TEST_POINT, 4});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	cr_assert_eq(spin_lock.value, 8);
	device.request.done(device.request.context, -EREMOTEIO);
	take(CODEC_UNDO_SET, 1, NULL, 0);
	cr_assert_eq(spin_lock.value, 7);
	cr_assert_eq(heard.error, CODEC_NO_ERROR);
}

Test(agentx_set, what_a_device_has_done_cannot_be_undone)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	device.request.done(device.request.context, 0);
	take(CODEC_UNDO_SET, 1, NULL, 0);
	expect(3, CODEC_UNDO_FAILED, 1);
}

Test(agentx_set, a_commit_of_nothing_fails)
{
	take(CODEC_COMMIT_SET, 77, NULL, 0);
	expect(1, CODEC_COMMIT_FAILED, 0);
}

Test(agentx_set, a_lost_connection_forgets_everything)
{
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	sets_drop(sets);
	cr_assert_eq(device.forgotten, 1);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	expect(2, CODEC_COMMIT_FAILED, 0);
	cr_assert_eq(device.writes, 1);
}

Test(agentx_set, a_master_that_never_cleans_up_does_not_grow_the_agent)
{
	for (uint32_t i = 1; i <= 1000; i++)
		TAKE(CODEC_TEST_SET, i, {POINT, 30});
	expect(1000, CODEC_NO_ERROR, 0);
	take(CODEC_COMMIT_SET, 1, NULL, 0);
	cr_assert_eq(heard.error, CODEC_COMMIT_FAILED, "the first was dropped long ago");
	take(CODEC_COMMIT_SET, 1000, NULL, 0);
	cr_assert_eq(device.writes, 1, "the last was not");
}

Test(agentx_set, nothing_is_written_unless_it_is_allowed, .init = NULL)
{
	make_sets(false);
	TAKE(CODEC_TEST_SET, 1, {POINT, 30});
	expect(1, CODEC_NOT_WRITABLE, 1);
}
