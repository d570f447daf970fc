/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_http_load PORT PATH COUNT [PAUSE_US] - scrape 127.0.0.1 as Prometheus does, and time it.
 *
 * One keep-alive connection, one GET after the other, without compression. Understands Content-Length and chunked
 * answers. Prints the median time of a scrape in microseconds, and the bytes and lines of the last one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SCRAPES_MAX 2000

static int fd;
static char buffer[256 * 1024];
static size_t have, used;
static size_t lines;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void fill(void)
{
	if (used < have)
		return;

	const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

	if (got <= 0)
		die("the server closed the connection");
	have = (size_t)got;
	used = 0;
}

static void read_line(char *line, size_t size)
{
	size_t length = 0;

	for (;;) {
		fill();
		const char c = buffer[used++];

		if (c == '\n')
			break;
		if (c != '\r' && length < size - 1)
			line[length++] = c;
	}
	line[length] = '\0';
}

/* Counting lines is what keeps a client honest: it has looked at every byte. */
static void read_body(size_t length)
{
	while (length) {
		fill();
		const size_t part = have - used < length ? have - used : length;

		for (const char *found = buffer + used, *end = found + part;
		     (found = memchr(found, '\n', (size_t)(end - found))) != NULL; found++)
			lines++;
		used += part;
		length -= part;
	}
}

static size_t scrape(const char *request)
{
	char line[1024];
	size_t length = 0, total = 0;
	int chunked = 0;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		die("send");
	read_line(line, sizeof(line));
	if (strncmp(line, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "the server says: %s\n", line);
		exit(1);
	}
	for (read_line(line, sizeof(line)); *line; read_line(line, sizeof(line))) {
		if (!strncasecmp(line, "Content-Length:", 15))
			length = strtoul(line + 15, NULL, 10);
		if (!strncasecmp(line, "Transfer-Encoding: chunked", 26))
			chunked = 1;
	}
	lines = 0;
	if (!chunked) {
		read_body(length);
		return length;
	}
	do {
		read_line(line, sizeof(line));
		length = strtoul(line, NULL, 16);
		read_body(length);
		total += length;
		read_line(line, sizeof(line));
	} while (length);
	return total;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double times[SCRAPES_MAX];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int on = 1;
	char request[512];
	size_t count, bytes = 0;
	unsigned pause_us;

	if (argc < 4) {
		fprintf(stderr, "usage: bench_http_load PORT PATH COUNT [PAUSE_US]\n");
		return 2;
	}
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	count = strtoul(argv[3], NULL, 10);
	if (count < 1 || count > SCRAPES_MAX)
		return 2;
	pause_us = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n",
		       argv[2]);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		die("connect");
	(void)scrape(request); /* warms both sides up, and is not counted */
	for (size_t i = 0; i < count; i++) {
		const double begin = now_us();

		bytes = scrape(request);
		times[i] = now_us() - begin;
		if (pause_us)
			usleep(pause_us);
	}
	qsort(times, count, sizeof(times[0]), compare);
	printf("%.1f %zu %zu\n", times[count / 2], bytes, lines);
	return 0;
}
