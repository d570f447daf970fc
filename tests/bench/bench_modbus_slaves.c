/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_modbus_slaves - many Modbus TCP devices in one cheap process, for benchmarks of pollers.
 *
 *	bench_modbus_slaves LIVE SILENT INTERVAL_MS [CONTROL]
 *
 * LIVE devices answer functions 03 and 04 with the address in each register; SILENT ones listen, but their backlog is
 * full, so that connecting to them hangs as it does with a host that is off. All ports are the kernel's choice: they
 * are printed first, one a line, the silent ones last, then "ready".
 *
 * Every device notes when a poll of it begins: the first request after half an INTERVAL_MS of none. How much longer
 * than INTERVAL_MS such a gap is, is how late the poll was. SIGUSR1 begins anew; SIGTERM prints the sums and ends:
 * "requests N registers N polls N late_ms MEDIAN P99 LARGEST control_ms MEDIAN P99 LARGEST". The last CONTROL of the LIVE
 * are for a poller that does nothing else: how late it is says how busy the machine is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST = 12, /* bytes of a read request */
	LATE_MAX = 1 << 20,
	FILES_PER_DEVICE = 4, /* its listener, its connection, and what fills a backlog */
};

/* What epoll reports: a listener or its connection. */
struct end {
	struct device *device;
	int fd;
	size_t filled;
	uint8_t bytes[REQUEST];
};

/* How late polls were. */
struct lateness {
	int32_t *us;
	size_t count;
};

struct device {
	struct end listener, connection;
	struct lateness *lateness; /* where it notes that */
	int64_t poll_us;           /* when the last poll began, 0: none yet */
};

static uint64_t requests, registers, polls;
static int64_t interval_us;
static struct lateness measured, control;
static int poller;

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note(struct device *device)
{
	const int64_t now = now_us();
	const int64_t gap = now - device->poll_us;

	if (gap < interval_us / 2)
		return;
	if (device->poll_us) {
		polls += device->lateness == &measured;
		if (device->lateness->count < LATE_MAX)
			device->lateness->us[device->lateness->count++] = (int32_t)(gap - interval_us);
	}
	device->poll_us = now;
}

static void watch(struct end *end)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

	epoll_ctl(poller, EPOLL_CTL_ADD, end->fd, &event);
}

/* One connection a device; a new one takes the place of the old. */
static void take_connection(struct device *device)
{
	const int fd = accept4(device->listener.fd, NULL, NULL, SOCK_NONBLOCK), on = 1;

	if (fd < 0)
		return;
	if (device->connection.fd > 0)
		close(device->connection.fd);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	device->connection = (struct end){.device = device, .fd = fd};
	watch(&device->connection);
}

static void answer(struct end *end)
{
	static uint8_t reply[9 + 250];
	const unsigned address = (unsigned)end->bytes[8] << 8 | end->bytes[9];
	const unsigned count = (unsigned)end->bytes[10] << 8 | end->bytes[11];

	note(end->device);
	memcpy(reply, end->bytes, 8); /* transaction, protocol, unit, function */
	if (count == 0 || count > 125)
		return;
	reply[4] = 0;
	reply[5] = (uint8_t)(3 + 2 * count);
	reply[8] = (uint8_t)(2 * count);
	for (unsigned i = 0; i < count; i++) {
		reply[9 + 2 * i] = (uint8_t)((address + i) >> 8);
		reply[10 + 2 * i] = (uint8_t)(address + i);
	}
	requests++;
	registers += count;
	(void)send(end->fd, reply, 9 + 2 * count, MSG_NOSIGNAL);
}

static void serve(struct end *end)
{
	const ssize_t got = recv(end->fd, end->bytes + end->filled, REQUEST - end->filled, 0);

	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		close(end->fd);
		end->fd = 0;
	} else if (got > 0 && (end->filled += (size_t)got) == REQUEST) {
		end->filled = 0;
		answer(end);
	}
}

static int compare_late(const void *a, const void *b)
{
	const int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;

	return (one > other) - (one < other);
}

static double late_at(const struct lateness *lateness, double part)
{
	return lateness->count ? (double)lateness->us[(size_t)(part * (double)(lateness->count - 1))] / 1000 : 0;
}

static void report_lateness(const char *name, struct lateness *lateness)
{
	qsort(lateness->us, lateness->count, sizeof(lateness->us[0]), compare_late);
	printf(" %s %.1f %.1f %.1f", name, late_at(lateness, 0.5), late_at(lateness, 0.99), late_at(lateness, 1));
}

static void report(void)
{
	printf("requests %llu registers %llu polls %llu", (unsigned long long)requests, (unsigned long long)registers,
	       (unsigned long long)polls);
	report_lateness("late_ms", &measured);
	report_lateness("control_ms", &control);
	printf("\n");
}

static int open_port(int backlog, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) < 0 || listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		perror("port");
		exit(1);
	}
	printf("%u\n", ntohs(address.sin_port));
	*ret_address = address;
	return fd;
}

/* A listener whose backlog of one is taken: the kernel drops what knocks after that. */
static void open_silent(void)
{
	struct sockaddr_in address;

	(void)open_port(0, &address); /* stays open until the process ends, as do those below */
	for (int i = 0; i < 2; i++) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (fd < 0 ||
		    (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS)) {
			perror("silent port");
			exit(1);
		}
	}
}

/* False when it is time to end. */
static bool take_signal(int fd, struct device *devices, size_t count)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		exit(1);
	if (info.ssi_signo == SIGTERM) {
		report();
		return false;
	}
	requests = registers = polls = measured.count = control.count = 0;
	for (size_t i = 0; i < count; i++)
		devices[i].poll_us = 0;
	return true;
}

int main(int argc, char **argv)
{
	const size_t live = argc >= 4 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t silent = argc >= 4 ? strtoul(argv[2], NULL, 10) : 0;
	const size_t controls = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	const rlim_t files = (live + silent) * FILES_PER_DEVICE + 64;
	struct device *devices = calloc(live + 1, sizeof(*devices));
	struct epoll_event ready[256];
	struct end signal_end = {0};
	sigset_t signals;

	measured.us = calloc(LATE_MAX, sizeof(*measured.us));
	control.us = calloc(LATE_MAX, sizeof(*control.us));
	poller = epoll_create1(0);
	if (argc < 4 || !devices || poller < 0 || !measured.us || !control.us)
		return 2;
	interval_us = strtol(argv[3], NULL, 10) * 1000;
	(void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){files, files}); /* opening a port says when it was not enough */
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal_end.fd = signalfd(-1, &signals, 0);
	watch(&signal_end);
	for (size_t i = 0; i < live; i++) {
		struct sockaddr_in address;

		devices[i].lateness = i + controls < live ? &measured : &control;
		devices[i].listener = (struct end){.device = &devices[i], .fd = open_port(8, &address)};
		watch(&devices[i].listener);
	}
	for (size_t i = 0; i < silent; i++)
		open_silent();
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		const int count = epoll_wait(poller, ready, sizeof(ready) / sizeof(ready[0]), -1);

		for (int i = 0; i < count; i++) {
			struct end *end = ready[i].data.ptr;

			if (end == &signal_end) {
				if (!take_signal(end->fd, devices, live))
					return 0;
			} else if (end == &end->device->listener) {
				take_connection(end->device);
			} else if (end->fd > 0) {
				serve(end);
			}
		}
	}
}
