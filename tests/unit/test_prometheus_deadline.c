/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of exporters/prometheus/deadline.c, on real TCP connections over loopback and a clock of its own.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"

static int client, server;
static struct deadlines deadlines;
static struct deadline_connection *connection;

#define LIMIT 10000

static void set_up(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&address, length), 0);
	server = accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	(void)close(listener);

	deadlines_init(&deadlines, LIMIT);
	connection = deadline_opened(&deadlines, server, 1000);
	cr_assert_not_null(connection);
}

static void tear_down(void)
{
	deadline_closed(&deadlines, connection);
	deadlines_finish(&deadlines);
	(void)close(client);
	(void)close(server);
}

TestSuite(prometheus_deadline, .init = set_up, .fini = tear_down);

/* Send from the client and wait until the kernel has it on the other side. */
static void send_bytes(const char *bytes)
{
	struct pollfd ready = {.fd = server, .events = POLLIN};
	char taken[64];

	cr_assert_eq(send(client, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
	cr_assert_eq(poll(&ready, 1, 5000), 1);
	cr_assert_gt(recv(server, taken, sizeof(taken), 0), 0);
}

/* A whole request comes in and is answered at @now_ms. */
static void serve_request(int64_t now_ms)
{
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";

	send_bytes(request);
	deadline_asked(&deadlines, connection, sizeof(request) - 1);
	deadline_answered(&deadlines, connection, now_ms);
}

static bool is_shut_down(void)
{
	char byte;

	return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

Test(prometheus_deadline, a_connection_that_asks_nothing_is_closed)
{
	cr_expect_eq(deadlines_check(&deadlines, 1000 + LIMIT - 1), 0);
	cr_expect_not(is_shut_down());
	cr_expect_eq(deadlines_check(&deadlines, 1000 + LIMIT), 1);
	cr_expect(is_shut_down());
}

Test(prometheus_deadline, bytes_that_trickle_in_buy_no_time)
{
	size_t closed = 0;
	int64_t now = 1000;

	for (; !closed && now < 10 * LIMIT; now += 1000) {
		send_bytes("G");
		closed = deadlines_check(&deadlines, now);
	}
	cr_expect_eq(closed, 1);
	cr_expect_leq(now, 1000 + LIMIT + 1000);
}

Test(prometheus_deadline, an_idle_connection_is_left_alone_after_an_answer)
{
	serve_request(2000);
	cr_expect_eq(deadlines_check(&deadlines, 1000 + 100 * LIMIT), 0);
	cr_expect_not(is_shut_down());
}

Test(prometheus_deadline, a_second_request_has_its_own_deadline_from_its_first_byte)
{
	serve_request(2000);
	cr_expect_eq(deadlines_check(&deadlines, 500000), 0);
	send_bytes("G");
	cr_expect_eq(deadlines_check(&deadlines, 501000), 0);
	cr_expect_eq(deadlines_check(&deadlines, 501000 + LIMIT - 1), 0);
	cr_expect_eq(deadlines_check(&deadlines, 501000 + LIMIT), 1);
	cr_expect(is_shut_down());
}

Test(prometheus_deadline, a_second_request_that_begins_before_the_first_answer_has_a_deadline_too)
{
	send_bytes("GET / HTTP/1.1\r\n\r\nGET");
	deadline_asked(&deadlines, connection, strlen("GET / HTTP/1.1\r\n\r\n"));
	deadline_answered(&deadlines, connection, 3000);
	cr_expect_eq(deadlines_check(&deadlines, 3000 + LIMIT - 1), 0);
	cr_expect_eq(deadlines_check(&deadlines, 3000 + LIMIT), 1);
	cr_expect(is_shut_down());
}

Test(prometheus_deadline, one_slow_client_does_not_take_others_with_it)
{
	int pair[2];
	struct deadline_connection *other;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	other = deadline_opened(&deadlines, pair[0], 1000 + LIMIT / 2);
	cr_expect_eq(deadlines_check(&deadlines, 1000 + LIMIT), 1);
	cr_expect(is_shut_down());
	cr_expect_lt(recv(pair[1], (char[1]){0}, 1, MSG_DONTWAIT), 0);
	deadline_closed(&deadlines, other);
	(void)close(pair[0]);
	(void)close(pair[1]);
}
