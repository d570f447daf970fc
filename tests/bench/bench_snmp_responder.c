/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_snmp_responder - many SNMP agents in one cheap process, for benchmarks of pollers.
 *
 *	bench_snmp_responder LIVE SILENT INTERVAL_MS
 *
 * LIVE agents answer v1 and v2c with the tree of a three-phase UPS (RFC 1628) and the system group; SILENT ones have a
 * port and never answer. All ports are the kernel's choice: they are printed first, one a line, the silent ones last,
 * then "ready".
 *
 * Every agent notes when a poll of it begins: the first request after half an INTERVAL_MS of none. How much longer
 * than INTERVAL_MS such a gap is, is how late the poll was. SIGUSR1 begins anew; SIGTERM prints the sums and ends:
 * "requests N variables N polls N late_ms MEDIAN P99 LARGEST".
 *
 * The tree is encoded once, so that the responder costs little beside what it measures.
 */
#include <arpa/inet.h>
#include <errno.h>
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
	ARCS_MAX = 32,
	ENTRIES_MAX = 128,
	NAMES_MAX = 128,
	ANSWERS_MAX = 1024,
	LATE_MAX = 1 << 20,
};

/* An instance with its variable binding as it stands in an answer. */
struct entry {
	uint32_t arcs[ARCS_MAX];
	size_t length;
	uint8_t bytes[128];
	size_t size;
};

struct agent {
	int fd;
	int64_t poll_us; /* when the last poll began, 0: none yet */
};

static struct entry tree[ENTRIES_MAX];
static size_t tree_size;
static uint64_t requests, variables, polls;
static int64_t interval_us;
static int32_t *late_us;
static size_t late_count;

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- BER, written backwards: content first, then its header ---- */

struct writer {
	uint8_t *begin, *at;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
	if ((size_t)(writer->at - writer->begin) < size)
		abort();
	writer->at -= size;
	memcpy(writer->at, bytes, size);
}

static void put_header(struct writer *writer, uint8_t tag, size_t length)
{
	const uint8_t small[2] = {tag, (uint8_t)length};
	const uint8_t large[4] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};

	if (length < 128)
		put(writer, small, sizeof(small));
	else
		put(writer, large, sizeof(large));
}

static void put_integer(struct writer *writer, uint8_t tag, int64_t value)
{
	size_t length = 0;
	uint8_t octet;

	do {
		octet = (uint8_t)value;
		put(writer, &octet, 1);
		value >>= 8;
		length++;
	} while (!(value == 0 && !(octet & 0x80)) && !(value == -1 && (octet & 0x80)));
	put_header(writer, tag, length);
}

static void put_oid(struct writer *writer, const uint32_t *arcs, size_t count)
{
	const uint8_t *end = writer->at;
	uint8_t octet;

	for (size_t i = count; i > 2; i--) {
		uint32_t arc = arcs[i - 1];

		octet = arc & 0x7f;
		put(writer, &octet, 1);
		while (arc >>= 7) {
			octet = (uint8_t)(0x80 | (arc & 0x7f));
			put(writer, &octet, 1);
		}
	}
	octet = (uint8_t)(arcs[0] * 40 + arcs[1]);
	put(writer, &octet, 1);
	put_header(writer, 0x06, (size_t)(end - writer->at));
}

struct reader {
	const uint8_t *at, *end;
};

static bool take(struct reader *from, uint8_t *ret_tag, struct reader *ret_content)
{
	size_t length;

	if (from->end - from->at < 2)
		return false;
	*ret_tag = *from->at++;
	length = *from->at++;
	if (length & 0x80) {
		size_t octets = length & 0x7f;

		if (octets > 3 || (size_t)(from->end - from->at) < octets)
			return false;
		for (length = 0; octets; octets--)
			length = length << 8 | *from->at++;
	}
	if ((size_t)(from->end - from->at) < length)
		return false;
	ret_content->at = from->at;
	ret_content->end = from->at + length;
	from->at += length;
	return true;
}

static bool take_integer(struct reader *from, int64_t *ret_value)
{
	struct reader content;
	uint8_t tag;

	if (!take(from, &tag, &content) || content.at == content.end)
		return false;
	*ret_value = (int8_t)*content.at++;
	while (content.at < content.end)
		*ret_value = (int64_t)((uint64_t)*ret_value << 8 | *content.at++);
	return true;
}

static bool take_oid(struct reader *from, struct entry *ret_name)
{
	struct reader content;
	uint8_t tag;

	if (!take(from, &tag, &content) || content.at == content.end)
		return false;
	ret_name->arcs[0] = *content.at / 40;
	ret_name->arcs[1] = *content.at++ % 40;
	for (ret_name->length = 2; content.at < content.end && ret_name->length < ARCS_MAX; ret_name->length++) {
		uint32_t arc = 0;

		do
			arc = arc << 7 | (*content.at & 0x7f);
		while (*content.at++ & 0x80 && content.at < content.end);
		ret_name->arcs[ret_name->length] = arc;
	}
	return true;
}

/* ---- the tree ---- */

static struct entry *add(const char *text)
{
	struct entry *entry = &tree[tree_size++];
	char *end;

	if (tree_size > ENTRIES_MAX)
		abort();
	for (const char *at = text; *at; at = *end ? end + 1 : end)
		entry->arcs[entry->length++] = (uint32_t)strtoul(at, &end, 10);
	return entry;
}

static void encode(struct entry *entry, struct writer *writer, const uint8_t *end)
{
	put_oid(writer, entry->arcs, entry->length);
	put_header(writer, 0x30, (size_t)(end - writer->at));
	entry->size = (size_t)(end - writer->at);
	memcpy(entry->bytes, writer->at, entry->size);
}

static void add_integer(const char *text, uint8_t tag, int64_t value)
{
	uint8_t buffer[128];
	struct writer writer = {buffer, buffer + sizeof(buffer)};

	put_integer(&writer, tag, value);
	encode(add(text), &writer, buffer + sizeof(buffer));
}

static void add_text(const char *oid, const char *text)
{
	uint8_t buffer[128];
	struct writer writer = {buffer, buffer + sizeof(buffer)};

	put(&writer, text, strlen(text));
	put_header(&writer, 0x04, strlen(text));
	encode(add(oid), &writer, buffer + sizeof(buffer));
}

static void add_object(const char *oid, const uint32_t *arcs, size_t count)
{
	uint8_t buffer[128];
	struct writer writer = {buffer, buffer + sizeof(buffer)};

	put_oid(&writer, arcs, count);
	encode(add(oid), &writer, buffer + sizeof(buffer));
}

/* A column of a table with three lines. */
static void add_lines(const char *column, int64_t value)
{
	char oid[64];

	for (int line = 1; line <= 3; line++) {
		(void)snprintf(oid, sizeof(oid), "%s.%d", column, line);
		add_integer(oid, 0x02, value + line);
	}
}

static void add_numbers(const char *group, const int16_t *values, size_t count)
{
	char oid[64];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(oid, sizeof(oid), "%s.%zu.0", group, i + 1);
		add_integer(oid, 0x02, values[i]);
	}
}

static int compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	for (size_t i = 0; i < one->length && i < other->length; i++)
		if (one->arcs[i] != other->arcs[i])
			return one->arcs[i] < other->arcs[i] ? -1 : 1;
	return (one->length > other->length) - (one->length < other->length);
}

static void build(void)
{
	static const uint32_t identity[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999},
			      general[] = {1, 3, 6, 1, 2, 1, 33, 1, 7, 7, 1};
	static const int16_t battery[] = {2, 0, 42, 97, 543, 12, 24}, control[] = {1, -1, -1, -1, 1};
	static const int16_t config[] = {230, 500, 230, 500, 10000, 9000, 2, 1, 196, 264};
	static const struct {
		const char *column;
		int value;
	} lines[] = {
		{"1.3.6.1.2.1.33.1.3.3.1.2", 499},  {"1.3.6.1.2.1.33.1.3.3.1.3", 229},
		{"1.3.6.1.2.1.33.1.3.3.1.4", 60},   {"1.3.6.1.2.1.33.1.3.3.1.5", 1400},
		{"1.3.6.1.2.1.33.1.4.4.1.2", 230},  {"1.3.6.1.2.1.33.1.4.4.1.3", 58},
		{"1.3.6.1.2.1.33.1.4.4.1.4", 1300}, {"1.3.6.1.2.1.33.1.4.4.1.5", 40},
		{"1.3.6.1.2.1.33.1.5.3.1.2", 228},  {"1.3.6.1.2.1.33.1.5.3.1.3", 0},
		{"1.3.6.1.2.1.33.1.5.3.1.4", 0},
	};

	add_text("1.3.6.1.2.1.1.1.0", "UPS of a benchmark");
	add_object("1.3.6.1.2.1.1.2.0", identity, sizeof(identity) / sizeof(identity[0]));
	add_integer("1.3.6.1.2.1.1.3.0", 0x43, 123456); /* replaced while answering */
	add_text("1.3.6.1.2.1.33.1.1.1.0", "Example");
	add_text("1.3.6.1.2.1.33.1.1.2.0", "Three-phase 10k");
	add_text("1.3.6.1.2.1.33.1.1.3.0", "1.02");
	add_text("1.3.6.1.2.1.33.1.1.4.0", "2.03");
	add_text("1.3.6.1.2.1.33.1.1.5.0", "ups");
	add_text("1.3.6.1.2.1.33.1.1.6.0", "servers");
	add_numbers("1.3.6.1.2.1.33.1.2", battery, sizeof(battery) / sizeof(battery[0]));
	add_integer("1.3.6.1.2.1.33.1.3.1.0", 0x41, 4);
	add_integer("1.3.6.1.2.1.33.1.3.2.0", 0x02, 3);
	add_integer("1.3.6.1.2.1.33.1.4.1.0", 0x02, 3);
	add_integer("1.3.6.1.2.1.33.1.4.2.0", 0x02, 500);
	add_integer("1.3.6.1.2.1.33.1.4.3.0", 0x02, 3);
	add_integer("1.3.6.1.2.1.33.1.5.1.0", 0x02, 499);
	add_integer("1.3.6.1.2.1.33.1.5.2.0", 0x02, 3);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		add_lines(lines[i].column, lines[i].value);
	add_integer("1.3.6.1.2.1.33.1.6.1.0", 0x42, 0);
	add_object("1.3.6.1.2.1.33.1.7.1.0", general, sizeof(general) / sizeof(general[0]));
	add_integer("1.3.6.1.2.1.33.1.7.2.0", 0x02, 1);
	add_integer("1.3.6.1.2.1.33.1.7.3.0", 0x02, 6);
	add_text("1.3.6.1.2.1.33.1.7.4.0", "no test yet");
	add_integer("1.3.6.1.2.1.33.1.7.5.0", 0x43, 0);
	add_integer("1.3.6.1.2.1.33.1.7.6.0", 0x02, 0);
	add_numbers("1.3.6.1.2.1.33.1.8", control, sizeof(control) / sizeof(control[0]));
	add_numbers("1.3.6.1.2.1.33.1.9", config, sizeof(config) / sizeof(config[0]));
	qsort(tree, tree_size, sizeof(tree[0]), compare);
}

/* The clock of the system group is the one entry that moves. */
static void refresh(void)
{
	static const struct entry uptime = {.arcs = {1, 3, 6, 1, 2, 1, 1, 3, 0}, .length = 9};
	struct entry *entry = bsearch(&uptime, tree, tree_size, sizeof(tree[0]), compare);
	uint8_t buffer[128];
	struct writer writer = {buffer, buffer + sizeof(buffer)};

	put_integer(&writer, 0x43, now_us() / 10000 & INT32_MAX);
	encode(entry, &writer, buffer + sizeof(buffer));
}

/* ---- answering ---- */

/* The first entry behind @name, or at it when @exact; tree_size when there is none. */
static size_t find(const struct entry *name, bool exact)
{
	size_t low = 0, high = tree_size;

	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = compare(&tree[middle], name);

		if (order < 0 || (order == 0 && !exact))
			low = middle + 1;
		else
			high = middle;
	}
	if (exact && low < tree_size && compare(&tree[low], name) != 0)
		return tree_size;
	return low;
}

struct answer {
	size_t index; /* of the tree, or tree_size: there is none */
	const struct entry *name;
};

static size_t collect(uint8_t command, const struct entry *names, size_t count, int64_t first, int64_t second,
		      struct answer *answers)
{
	const bool bulk = command == 0xa5;
	const size_t single = !bulk ? count : first < 0 ? 0 : (size_t)first < count ? (size_t)first : count;
	size_t found = 0, at[NAMES_MAX];

	for (size_t i = 0; i < single; i++)
		answers[found++] = (struct answer){find(&names[i], command == 0xa0), &names[i]};
	for (size_t i = single; i < count; i++)
		at[i] = find(&names[i], false);
	for (int64_t round = 0; bulk && round < second; round++) {
		for (size_t i = single; i < count && found < ANSWERS_MAX; i++) {
			answers[found++] = (struct answer){at[i], &names[i]};
			if (at[i] < tree_size)
				at[i]++;
		}
	}
	return found;
}

static size_t answer(const uint8_t *question, size_t length, uint8_t *buffer, size_t size, const uint8_t **ret_answer)
{
	static struct entry names[NAMES_MAX];
	static struct answer answers[ANSWERS_MAX];
	struct reader datagram = {question, question + length}, message, community, pdu, list, binding;
	struct writer writer = {buffer, buffer + size};
	int64_t version, id, first, second;
	size_t count = 0, found;
	uint8_t tag, command;

	if (!take(&datagram, &tag, &message) || !take_integer(&message, &version) || version > 1 ||
	    !take(&message, &tag, &community) || !take(&message, &command, &pdu) || !take_integer(&pdu, &id) ||
	    !take_integer(&pdu, &first) || !take_integer(&pdu, &second) || !take(&pdu, &tag, &list))
		return 0;
	while (count < NAMES_MAX && take(&list, &tag, &binding))
		if (!take_oid(&binding, &names[count++]))
			return 0;
	found = collect(command, names, count, first, second, answers);
	for (size_t i = found; i > 0; i--) {
		const struct answer *one = &answers[i - 1];
		const uint8_t *end = writer.at;

		if (one->index < tree_size) {
			put(&writer, tree[one->index].bytes, tree[one->index].size);
			continue;
		}
		put_header(&writer, command == 0xa0 ? 0x81 : 0x82, 0); /* noSuchInstance, endOfMibView */
		if (command != 0xa0)                                   /* what a walk has arrived at */
			put_oid(&writer, tree[tree_size - 1].arcs, tree[tree_size - 1].length);
		else
			put_oid(&writer, one->name->arcs, one->name->length);
		put_header(&writer, 0x30, (size_t)(end - writer.at));
	}
	put_header(&writer, 0x30, (size_t)(buffer + size - writer.at));
	put_integer(&writer, 0x02, 0);
	put_integer(&writer, 0x02, 0);
	put_integer(&writer, 0x02, id);
	put_header(&writer, 0xa2, (size_t)(buffer + size - writer.at));
	put(&writer, community.at, (size_t)(community.end - community.at));
	put_header(&writer, 0x04, (size_t)(community.end - community.at));
	put_integer(&writer, 0x02, version);
	put_header(&writer, 0x30, (size_t)(buffer + size - writer.at));
	requests++;
	variables += found;
	*ret_answer = writer.at;
	return (size_t)(buffer + size - writer.at);
}

static void note(struct agent *agent)
{
	const int64_t now = now_us();
	const int64_t gap = now - agent->poll_us;

	if (gap < interval_us / 2)
		return;
	if (agent->poll_us) {
		polls++;
		if (late_count < LATE_MAX)
			late_us[late_count++] = (int32_t)(gap - interval_us);
	}
	agent->poll_us = now;
}

static void serve(struct agent *agent)
{
	static uint8_t question[65536], buffer[65536];
	struct sockaddr_in peer;
	socklen_t peer_length = sizeof(peer);
	const ssize_t length =
		recvfrom(agent->fd, question, sizeof(question), 0, (struct sockaddr *)&peer, &peer_length);
	const uint8_t *bytes;
	size_t size;

	if (length <= 0)
		return;
	note(agent);
	size = answer(question, (size_t)length, buffer, sizeof(buffer), &bytes);
	if (size)
		(void)sendto(agent->fd, bytes, size, 0, (const struct sockaddr *)&peer, peer_length);
}

static int compare_late(const void *a, const void *b)
{
	const int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;

	return (one > other) - (one < other);
}

static double late_at(double part)
{
	return late_count ? (double)late_us[(size_t)(part * (double)(late_count - 1))] / 1000 : 0;
}

static void report(void)
{
	qsort(late_us, late_count, sizeof(late_us[0]), compare_late);
	printf("requests %llu variables %llu polls %llu late_ms %.1f %.1f %.1f\n", (unsigned long long)requests,
	       (unsigned long long)variables, (unsigned long long)polls, late_at(0.5), late_at(0.99), late_at(1));
}

static int open_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		perror("port");
		exit(1);
	}
	printf("%u\n", ntohs(address.sin_port));
	return fd;
}

int main(int argc, char **argv)
{
	const size_t live = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t silent = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	struct agent *agents = calloc(live + 1, sizeof(*agents));
	const int poller = epoll_create1(0);
	struct rlimit files = {live + silent + 64, live + silent + 64};
	struct epoll_event ready[256], signals_ready = {.events = EPOLLIN};
	sigset_t signals;
	int signal_fd;

	late_us = calloc(LATE_MAX, sizeof(*late_us));
	if (argc != 4 || !agents || poller < 0 || !late_us)
		return 2;
	interval_us = strtol(argv[3], NULL, 10) * 1000;
	(void)setrlimit(RLIMIT_NOFILE, &files); /* opening a port says when that was not enough */
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal_fd = signalfd(-1, &signals, 0);
	signals_ready.data.ptr = NULL;
	epoll_ctl(poller, EPOLL_CTL_ADD, signal_fd, &signals_ready);
	build();
	for (size_t i = 0; i < live; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &agents[i]};

		agents[i].fd = open_port();
		epoll_ctl(poller, EPOLL_CTL_ADD, agents[i].fd, &event);
	}
	for (size_t i = 0; i < silent; i++)
		(void)open_port(); /* stays open until the process ends */
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		const int count = epoll_wait(poller, ready, sizeof(ready) / sizeof(ready[0]), -1);
		struct signalfd_siginfo info;

		refresh();
		for (int i = 0; i < count; i++) {
			if (ready[i].data.ptr) {
				serve(ready[i].data.ptr);
				continue;
			}
			if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
				return 1;
			if (info.ssi_signo == SIGTERM) {
				report();
				return 0;
			}
			requests = variables = polls = late_count = 0;
			for (size_t k = 0; k < live; k++)
				agents[k].poll_us = 0;
		}
	}
}
