/* SPDX-License-Identifier: Apache-2.0
 *
 * test_modbus_connection.c - where a Modbus connection goes: names, addresses that answered before, deadlines. The
 * resolver is one of the test's own, the peers are listeners on loopback.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "connection.h"

#define PATIENCE_MS 5000

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);

static const char *_Atomic name_means; /* NULL: the resolver has no answer */
static atomic_int looked_up;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	const char *address = atomic_load(&name_means);

	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, service, hints, found);
	atomic_fetch_add(&looked_up, 1);
	return address != NULL ? __real_getaddrinfo(address, service, hints, found) : EAI_AGAIN;
}

static struct modbus_link modbus;
static char host[] = "ups.test";

static void start(void)
{
	memset(&modbus, 0, sizeof(modbus));
	modbus.host = host;
	atomic_store(&looked_up, 0);
}

static void stop(void)
{
	connection_close(&modbus);
}

TestSuite(modbus_connection, .init = start, .fini = stop);

/* A listener at @address, on a port of the kernel's choice where modbus.port is 0 yet. */
static int listen_at(const char *address)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(modbus.port)};
	socklen_t length = sizeof(name);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	cr_assert_eq(inet_pton(AF_INET, address, &name.sin_addr), 1);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0, "%s: %s", address, strerror(errno));
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	modbus.port = ntohs(name.sin_port);
	return fd;
}

static int open_in(int64_t patience_ms)
{
	return connection_open(&modbus, bb_clock_ms() + patience_ms);
}

/* Where the connection leads. */
static const char *peer(void)
{
	struct sockaddr_in name;
	socklen_t length = sizeof(name);

	cr_assert(connection_is_open(&modbus));
	cr_assert_eq(getpeername(modbus.fd - 1, (struct sockaddr *)&name, &length), 0);
	return inet_ntoa(name.sin_addr);
}

Test(modbus_connection, an_address_that_answered_is_tried_again_without_a_look_up)
{
	const int listener = listen_at("127.0.0.1");

	atomic_store(&name_means, "127.0.0.1");
	cr_assert_eq(open_in(PATIENCE_MS), 0);
	cr_assert_eq(atomic_load(&looked_up), 1);
	connection_close(&modbus);
	atomic_store(&name_means, NULL);
	cr_assert_eq(open_in(PATIENCE_MS), 0, "the resolver is away, the device is not");
	cr_assert_eq(atomic_load(&looked_up), 1);
	cr_assert_str_eq(peer(), "127.0.0.1");
	close(listener);
}

Test(modbus_connection, a_device_that_has_moved_is_found_by_its_name)
{
	int listener = listen_at("127.0.0.1");

	atomic_store(&name_means, "127.0.0.1");
	cr_assert_eq(open_in(PATIENCE_MS), 0);
	connection_close(&modbus);
	close(listener);
	listener = listen_at("127.0.0.2");
	atomic_store(&name_means, "127.0.0.2");
	cr_assert_eq(open_in(PATIENCE_MS), 0);
	cr_assert_str_eq(peer(), "127.0.0.2");
	close(listener);
}

Test(modbus_connection, the_last_good_address_stays_while_there_is_no_look_up_to_be_had)
{
	int listener = listen_at("127.0.0.1");

	atomic_store(&name_means, "127.0.0.1");
	cr_assert_eq(open_in(PATIENCE_MS), 0);
	connection_close(&modbus);
	close(listener);
	atomic_store(&name_means, NULL);
	cr_assert_lt(open_in(PATIENCE_MS), 0, "device and resolver are away");
	cr_assert_lt(open_in(PATIENCE_MS), 0);
	listener = listen_at("127.0.0.1");
	cr_assert_eq(open_in(PATIENCE_MS), 0, "the device is back, the resolver is not");
	cr_assert_str_eq(peer(), "127.0.0.1");
	close(listener);
}

Test(modbus_connection, nothing_there_is_said_at_once)
{
	const int64_t began_ms = bb_clock_ms();

	close(listen_at("127.0.0.1"));
	atomic_store(&name_means, "127.0.0.1");
	cr_assert_eq(open_in(PATIENCE_MS), -ECONNREFUSED);
	cr_assert_lt(bb_clock_ms() - began_ms, PATIENCE_MS);
	cr_assert_not(connection_is_open(&modbus));
}

Test(modbus_connection, without_any_time_it_says_so_and_not_that_nobody_is_there)
{
	atomic_store(&name_means, "127.0.0.1");
	cr_assert_eq(open_in(0), -ETIMEDOUT);
	cr_assert_not(connection_is_open(&modbus));
}

Test(modbus_connection, a_peer_that_does_not_take_connections_is_given_up_at_the_deadline)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(name);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	int64_t began_ms;
	int fillers[2];

	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(listen(listener, 0), 0); /* one waits, the kernel drops whoever else knocks */
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	for (size_t i = 0; i < 2; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&name, sizeof(name)); /* is in progress */
	}
	modbus.port = ntohs(name.sin_port);
	atomic_store(&name_means, "127.0.0.1");
	began_ms = bb_clock_ms();
	cr_assert_eq(open_in(200), -ETIMEDOUT);
	cr_assert_geq(bb_clock_ms() - began_ms, 200);
	cr_assert_lt(bb_clock_ms() - began_ms, PATIENCE_MS, "the kernel itself would try for two minutes");
	close(fillers[0]);
	close(fillers[1]);
	close(listener);
}
