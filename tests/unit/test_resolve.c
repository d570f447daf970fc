/* SPDX-License-Identifier: Apache-2.0
 *
 * test_resolve.c - look-ups end exactly once, or not at all when cancelled.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/resolve.h>

struct answer {
	struct bb_loop *loop;
	int calls;
	int result;
	char address[64];
};

static void answered(void *context, int result, const char *address)
{
	struct answer *answer = context;

	answer->calls++;
	answer->result = result;
	if (address)
		(void)strncpy(answer->address, address, sizeof(answer->address) - 1);
	bb_loop_stop(answer->loop);
}

static struct answer look_up(const char *host)
{
	struct answer answer = {0};
	struct bb_lookup *lookup;

	cr_assert_eq(bb_loop_create(&answer.loop), 0);
	cr_assert_eq(bb_resolve(answer.loop, host, answered, &answer, &lookup), 0);
	bb_loop_run(answer.loop);
	bb_loop_destroy(answer.loop);
	return answer;
}

Test(resolve, numbers_come_back_as_they_are)
{
	struct answer answer = look_up("192.0.2.7");

	cr_assert_eq(answer.calls, 1);
	cr_assert_eq(answer.result, 0);
	cr_assert_str_eq(answer.address, "192.0.2.7");
	answer = look_up("2001:db8::1");
	cr_assert_str_eq(answer.address, "2001:db8::1");
}

Test(resolve, a_name_becomes_a_number)
{
	struct answer answer = look_up("localhost");

	cr_assert_eq(answer.result, 0);
	cr_assert(strcmp(answer.address, "127.0.0.1") == 0 || strcmp(answer.address, "::1") == 0, "%s", answer.address);
}

Test(resolve, a_name_that_cannot_be_is_an_error)
{
	struct answer answer = look_up("no such host");

	cr_assert_eq(answer.calls, 1);
	cr_assert_eq(answer.result, -EHOSTUNREACH);
}

static void stop(void *context)
{
	bb_loop_stop(context);
}

Test(resolve, a_cancelled_look_up_is_never_answered)
{
	struct answer answer = {0};
	struct bb_lookup *number, *name;
	struct bb_timer *timer;

	cr_assert_eq(bb_loop_create(&answer.loop), 0);
	cr_assert_eq(bb_resolve(answer.loop, "192.0.2.7", answered, &answer, &number), 0);
	cr_assert_eq(bb_resolve(answer.loop, "localhost", answered, &answer, &name), 0);
	bb_lookup_cancel(number);
	bb_lookup_cancel(name);
	bb_lookup_cancel(NULL);
	timer = bb_timer_create(answer.loop, stop, answer.loop);
	bb_timer_start(timer, 200, 0);
	bb_loop_run(answer.loop);
	cr_assert_eq(answer.calls, 0);
	bb_loop_destroy(answer.loop);
}
