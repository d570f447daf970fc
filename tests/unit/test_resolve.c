/* SPDX-License-Identifier: Apache-2.0
 *
 * test_resolve.c - look-ups end exactly once, or not at all when cancelled.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/resolve.h>

#include "resolve.h"

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

static struct answer look_up_again(const char *host, const char *from, bool next)
{
	struct answer answer = {0};
	struct bb_lookup *lookup;

	cr_assert_eq(bb_loop_create(&answer.loop), 0);
	cr_assert_eq(bb_resolve_again(answer.loop, host, from, next, answered, &answer, &lookup), 0);
	bb_loop_run(answer.loop);
	bb_loop_destroy(answer.loop);
	return answer;
}

static struct answer look_up(const char *host)
{
	return look_up_again(host, NULL, false);
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
	struct addrinfo *found;
	struct answer answer;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		cr_skip_test("this machine does not know localhost");
	freeaddrinfo(found);
	answer = look_up("localhost");
	cr_assert_eq(answer.result, 0);
	cr_assert(strcmp(answer.address, "127.0.0.1") == 0 || strcmp(answer.address, "::1") == 0, "%s", answer.address);
}

/* Addresses as getaddrinfo() gives them, in that order; up to three. */
struct found {
	struct sockaddr_storage addresses[3];
	struct addrinfo infos[3];
};

static const struct addrinfo *make_found(struct found *found, const char *const *addresses)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};

	memset(found, 0, sizeof(*found));
	for (size_t i = 0; i < 3 && addresses[i]; i++) {
		struct addrinfo *one;

		cr_assert_eq(getaddrinfo(addresses[i], NULL, &hints, &one), 0);
		memcpy(&found->addresses[i], one->ai_addr, one->ai_addrlen);
		found->infos[i].ai_family = one->ai_family;
		found->infos[i].ai_addr = (struct sockaddr *)&found->addresses[i];
		found->infos[i].ai_addrlen = one->ai_addrlen;
		if (i > 0)
			found->infos[i - 1].ai_next = &found->infos[i];
		freeaddrinfo(one);
	}
	return found->infos;
}

static void expect_choice(const char *const *addresses, const char *tried, bool next, const char *expected)
{
	char address[NI_MAXHOST] = "";
	struct found found;

	strcpy(address, tried);
	cr_expect_eq(resolve_choose(make_found(&found, addresses), next, address), 0);
	cr_expect_str_eq(address, expected, "after %s", tried);
}

Test(resolve, of_several_addresses_one_that_was_silent_gives_way_to_the_next)
{
	static const char *const both[] = {"2001:db8::1", "192.0.2.1", "192.0.2.2"};
	static const char *const one[] = {"192.0.2.1", NULL};
	char address[NI_MAXHOST] = "192.0.2.1";

	expect_choice(both, "", false, "192.0.2.1");
	expect_choice(both, "", true, "192.0.2.1");
	expect_choice(both, "192.0.2.1", true, "192.0.2.2");
	expect_choice(both, "192.0.2.2", true, "2001:db8::1");
	expect_choice(both, "2001:db8::1", true, "192.0.2.1");
	expect_choice(both, "2001:db8::1", false, "2001:db8::1");
	expect_choice(both, "192.0.2.99", true, "192.0.2.1");
	expect_choice(one, "192.0.2.1", true, "192.0.2.1");
	cr_expect_eq(resolve_choose(NULL, true, address), -EHOSTUNREACH);
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
