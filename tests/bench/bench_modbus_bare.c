/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_modbus_bare - the least that polling Modbus TCP devices can cost: the baseline for busbard with ups-modbus.
 *
 *	bench_modbus_bare INTERVAL_MS SECONDS ADDRESS COUNT PORT …
 *
 * Reads COUNT holding registers from ADDRESS of each device on 127.0.0.1 once an INTERVAL_MS, over one connection a
 * device, spread evenly over the interval, with one epoll loop. The words are put in order and thrown away. INTERVAL_MS
 * 0: back to back, one request under way a device. After SECONDS it prints "cpu_s CPU wall_s SECONDS polls N", counted
 * from the second round on.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct peer {
	int fd;
	uint16_t transaction;
	int64_t next_us;
	bool busy; /* a request is under way: a device gets one at a time */
	size_t filled;
	uint8_t bytes[260];
};

static unsigned address, count;
static unsigned long polls;
static volatile uint16_t words[125]; /* as a poller has to store them somewhere */

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void ask(struct peer *peer)
{
	uint8_t request[12] = {0, 0, 0, 0, 0, 6, 1, 3, (uint8_t)(address >> 8), (uint8_t)address, 0, (uint8_t)count};

	if (peer->busy) /* the machine stood still for a round */
		return;
	peer->busy = true;
	peer->transaction++;
	peer->filled = 0;
	request[0] = (uint8_t)(peer->transaction >> 8);
	request[1] = (uint8_t)peer->transaction;
	if (send(peer->fd, request, sizeof(request), MSG_NOSIGNAL) != sizeof(request)) {
		perror("send");
		exit(1);
	}
}

static int take(struct peer *peer)
{
	const ssize_t got = recv(peer->fd, peer->bytes + peer->filled, sizeof(peer->bytes) - peer->filled, 0);

	if (got <= 0 || (peer->filled += (size_t)got) > 9 + 2 * count) {
		fprintf(stderr, "a device has gone\n");
		exit(1);
	}
	if (peer->filled < 9 + 2 * count)
		return 0;
	if ((peer->bytes[0] << 8 | peer->bytes[1]) != peer->transaction || peer->bytes[8] != 2 * count) {
		fprintf(stderr, "a wrong answer\n");
		exit(1);
	}
	for (unsigned i = 0; i < count; i++)
		words[i] = (uint16_t)(peer->bytes[9 + 2 * i] << 8 | peer->bytes[10 + 2 * i]);
	polls++;
	peer->busy = false;
	return 1;
}

static void open_peer(struct peer *peer, const char *port, int poller)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
	const int on = 1;

	peer->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (peer->fd < 0 || connect(peer->fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(port);
		exit(1);
	}
	setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event);
}

int main(int argc, char **argv)
{
	const size_t peer_count = argc > 5 ? (size_t)argc - 5 : 0;
	struct peer *peers = calloc(peer_count + 1, sizeof(*peers));
	const int poller = epoll_create1(0);
	struct rlimit files = {peer_count + 64, peer_count + 64};
	struct epoll_event ready[64];
	int64_t interval, begin, measured, end, cpu = 0;

	if (peer_count == 0 || !peers || poller < 0)
		return 2;
	(void)setrlimit(RLIMIT_NOFILE, &files); /* opening a connection says when that was not enough */
	interval = atol(argv[1]) * 1000;
	address = (unsigned)atoi(argv[3]);
	count = (unsigned)atoi(argv[4]);
	for (size_t i = 0; i < peer_count; i++)
		open_peer(&peers[i], argv[i + 5], poller);
	begin = clock_us(CLOCK_MONOTONIC);
	measured = begin + (interval ? interval : 200000);
	end = measured + atol(argv[2]) * 1000000;
	for (size_t i = 0; i < peer_count; i++) {
		peers[i].next_us = interval ? begin + interval * (int64_t)i / (int64_t)peer_count : INT64_MAX;
		if (!interval)
			ask(&peers[i]);
	}
	for (size_t next = 0;;) {
		int64_t now = clock_us(CLOCK_MONOTONIC);
		int found;

		if (cpu == 0 && now >= measured) {
			cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
			measured = now;
			polls = 0;
		}
		if (now >= end)
			break;
		for (; peers[next].next_us <= now; next = (next + 1) % peer_count) { /* in this order they fall due */
			ask(&peers[next]);
			peers[next].next_us += interval;
		}
		found = epoll_wait(poller, ready, 64, interval ? (int)((peers[next].next_us - now) / 1000 + 1) : 1000);
		for (int i = 0; i < found; i++)
			if (take(ready[i].data.ptr) && !interval)
				ask(ready[i].data.ptr);
	}
	printf("cpu_s %.6f wall_s %.3f polls %lu\n", (double)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6,
	       (double)(clock_us(CLOCK_MONOTONIC) - measured) / 1e6, polls);
	return 0;
}
