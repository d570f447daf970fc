/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_modbus_load - both ends of the benchmark of the Modbus server.
 *
 *	bench_modbus_load serve
 *		the limit: an epoll server that answers every request of 12 bytes with a canned frame of 125 registers;
 *		prints its port.
 *	bench_modbus_load ask PORT CONNECTIONS MILLISECONDS ADDRESS COUNT [half]
 *		that many connections, each asking for COUNT registers from ADDRESS again as soon as it has the answer;
 *		prints "requests N longest_us N". With `half`, one connection more has sent half a request and waits.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST = 12,
	ANSWER_HEAD = 9, /* MBAP, function, byte count */
	REGISTERS = 125,
	CONNECTIONS_MAX = 1024,
	EVENTS = 64,
};

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static _Noreturn void serve(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;
	uint8_t answer[ANSWER_HEAD + 2 * REGISTERS] = {0, 0, 0, 0, 0, 0, 1, 3};
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};

	answer[5] = (uint8_t)(3 + 2 * REGISTERS);
	answer[8] = (uint8_t)(2 * REGISTERS);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 256) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		fail("listen");
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	(void)printf("%u\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	for (;;) {
		struct epoll_event events[EVENTS];
		const int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			uint8_t request[REQUEST];
			int fd = events[i].data.fd;

			if (fd == listener) {
				fd = accept(listener, NULL, NULL);
				(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
				event.data.fd = fd;
				(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
				continue;
			}
			if (recv(fd, request, sizeof(request), 0) != REQUEST) {
				close(fd);
				continue;
			}
			memcpy(answer, request, 2);
			if (send(fd, answer, sizeof(answer), MSG_NOSIGNAL) < 0)
				close(fd);
		}
	}
}

static int dial(uint16_t port)
{
	const struct sockaddr_in address = loopback(port);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

struct connection {
	int fd;
	size_t got;
	int64_t asked_us;
};

static int ask(uint16_t port, int connections, int64_t ms, uint16_t address, uint16_t count, bool half)
{
	static struct connection all[CONNECTIONS_MAX];
	const uint8_t request[REQUEST] = {
		0, 1, 0, 0, 0, 6, 1, 3, (uint8_t)(address >> 8), (uint8_t)address, 0, (uint8_t)count};
	const size_t answer = ANSWER_HEAD + 2 * (size_t)count;
	const int epoll = epoll_create1(0);
	int64_t end_us, longest_us = 0;
	unsigned long requests = 0;

	if (half && send(dial(port), request, REQUEST / 2, 0) < 0)
		fail("send");
	for (int i = 0; i < connections; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

		all[i].fd = dial(port);
		(void)epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
	}
	end_us = now_us() + ms * 1000;
	for (int i = 0; i < connections; i++) {
		all[i].asked_us = now_us();
		if (send(all[i].fd, request, REQUEST, 0) != REQUEST)
			fail("send");
	}
	for (int64_t now = now_us(); now < end_us; now = now_us()) {
		struct epoll_event events[EVENTS];
		const int ready = epoll_wait(epoll, events, EVENTS, 1000);

		for (int i = 0; i < ready; i++) {
			struct connection *one = events[i].data.ptr;
			uint8_t buffer[512];
			const ssize_t got = recv(one->fd, buffer, answer - one->got, 0);

			if (got <= 0)
				fail("recv");
			if (one->got == 0 && buffer[7] != 3) {
				(void)fprintf(stderr, "exception %u\n", buffer[8]);
				return EXIT_FAILURE;
			}
			one->got += (size_t)got;
			if (one->got < answer)
				continue;
			one->got = 0;
			requests++;
			now = now_us();
			if (now - one->asked_us > longest_us)
				longest_us = now - one->asked_us;
			one->asked_us = now;
			if (send(one->fd, request, REQUEST, 0) != REQUEST)
				fail("send");
		}
	}
	(void)printf("requests %lu longest_us %lld\n", requests, (long long)longest_us);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if ((argc == 7 || argc == 8) && strcmp(argv[1], "ask") == 0 && atoi(argv[3]) <= CONNECTIONS_MAX &&
	    atoi(argv[6]) <= REGISTERS)
		return ask((uint16_t)atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), (uint16_t)atoi(argv[5]),
			   (uint16_t)atoi(argv[6]), argc == 8);
	(void)fprintf(stderr, "usage: see the head of bench_modbus_load.c\n");
	return 2;
}
