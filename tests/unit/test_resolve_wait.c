/* SPDX-License-Identifier: Apache-2.0
 *
 * test_resolve_wait.c - look-ups that are waited for until a deadline; the resolver is one of the test's own.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/resolve.h>

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);

static atomic_int sleep_ms, looked_up;

/* Numbers are real; "slow.test" takes a while, and any other name is not there. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	int r;

	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, service, hints, found);
	usleep((useconds_t)atomic_load(&sleep_ms) * 1000);
	r = strcmp(host, "slow.test") == 0 ? __real_getaddrinfo("192.0.2.1", service, hints, found) : EAI_NONAME;
	atomic_fetch_add(&looked_up, 1);
	return r;
}

static void expect_port(const struct addrinfo *found, uint16_t port)
{
	cr_assert_eq(found->ai_family, AF_INET);
	cr_assert_eq(found->ai_socktype, SOCK_STREAM);
	cr_assert_eq(ntohs(((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_port), port);
}

Test(resolve_wait, numbers_need_no_resolver)
{
	struct addrinfo *found;

	cr_assert_eq(bb_resolve_until("192.0.2.7", 502, 0, &found), 0, "not even time");
	expect_port(found, 502);
	freeaddrinfo(found);
	cr_assert_eq(atomic_load(&looked_up), 0);
}

Test(resolve_wait, a_name_that_is_found_in_time)
{
	struct addrinfo *found;

	atomic_store(&sleep_ms, 20);
	cr_assert_eq(bb_resolve_until("slow.test", 1502, bb_clock_ms() + 20000, &found), 0);
	expect_port(found, 1502);
	freeaddrinfo(found);
}

Test(resolve_wait, a_name_that_there_is_not)
{
	struct addrinfo *found;

	cr_assert_eq(bb_resolve_until("none.test", 1502, bb_clock_ms() + 20000, &found), -EHOSTUNREACH);
}

Test(resolve_wait, nobody_waits_longer_than_the_deadline)
{
	const int64_t began_ms = bb_clock_ms();
	struct addrinfo *found;

	atomic_store(&sleep_ms, 3000);
	cr_assert_eq(bb_resolve_until("slow.test", 1502, began_ms + 50, &found), -ETIMEDOUT);
	cr_assert_geq(bb_clock_ms() - began_ms, 50);
	cr_assert_lt(bb_clock_ms() - began_ms, 2900);
	while (atomic_load(&looked_up) == 0) /* what it finds is dropped, and freed */
		usleep(10000);
	usleep(10000);
}
