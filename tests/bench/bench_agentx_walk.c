/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_agentx_walk - walks a table of an SNMP agent with GETBULK, as fast as it answers.
 *
 *	bench_agentx_walk PORT OID COLUMNS REPETITIONS MILLISECONDS COMMUNITY …
 *
 * COLUMNS 0 walks column after column, one variable a request; else row after row, OID.1 to OID.COLUMNS together. One
 * walker a community (they are contexts, behind snmpd), all at the same time, each beginning again when it has come to
 * the end. Prints "varbinds N us N requests N" and, about whole walks, "calm N calm_us N polled N polled_us N": how
 * many began with the same values as the one after them, how many with others, since a poll came in between, and for
 * each kind the time in which the faster quarter of them was done (0 without any).
 *
 * Messages are written and read right here (X.690), so that the manager costs next to nothing.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	COLUMNS_MAX = 32,
	WALKERS_MAX = 256,
	NAME_MAX = 128, /* bytes of an encoded name: short lengths only */
	MESSAGE_MAX = 65536,
	WALKS_MAX = 1 << 16,
	PATIENCE_MS = 10000,
};

enum tag {
	TAG_INTEGER = 0x02,
	TAG_STRING = 0x04,
	TAG_NULL = 0x05,
	TAG_NAME = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_END_OF_MIB_VIEW = 0x82,
	TAG_GETBULK = 0xa5,
};

struct name {
	size_t length;
	uint8_t bytes[NAME_MAX];
};

struct walker {
	int fd;
	const char *community;
	int32_t request;
	int64_t began_us;   /* this walk */
	int64_t before_us;  /* what the one before it took; 0: there was none */
	uint64_t beginning; /* hash of the values that the latest walk began with */
	bool begins;        /* the next answer is the first one of a walk */
	struct name at[COLUMNS_MAX];
};

/* What all walkers do. */
static size_t columns;
static int32_t repetitions;
static struct name base[COLUMNS_MAX];

/* Walks of one kind. */
struct walks {
	size_t count;
	int64_t took_us[WALKS_MAX];
};

static struct {
	uint64_t varbinds, requests;
	struct walks calm, polled;
} result;

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "bench_agentx_walk: %s\n", what);
	exit(EXIT_FAILURE);
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- writing, from the end of a buffer to its beginning, since lengths stand before what they measure ---- */

static uint8_t *put_head(uint8_t *at, enum tag tag, size_t length)
{
	if (length < 0x80) {
		*--at = (uint8_t)length;
	} else {
		*--at = (uint8_t)length;
		*--at = (uint8_t)(length >> 8);
		*--at = 0x82;
	}
	*--at = (uint8_t)tag;
	return at;
}

static uint8_t *put_bytes(uint8_t *at, enum tag tag, const void *bytes, size_t length)
{
	at -= length;
	memcpy(at, bytes, length);
	return put_head(at, tag, length);
}

static uint8_t *put_integer(uint8_t *at, int32_t value)
{
	const uint32_t bits = htonl((uint32_t)value);

	return put_bytes(at, TAG_INTEGER, &bits, sizeof(bits));
}

static void ask(struct walker *walker)
{
	uint8_t message[MESSAGE_MAX], *const end = message + sizeof(message), *at = end;

	for (size_t i = columns; i-- > 0;) {
		const uint8_t *before = at;

		at = put_head(at, TAG_NULL, 0);
		at = put_bytes(at, TAG_NAME, walker->at[i].bytes, walker->at[i].length);
		at = put_head(at, TAG_SEQUENCE, (size_t)(before - at));
	}
	at = put_head(at, TAG_SEQUENCE, (size_t)(end - at));
	at = put_integer(at, repetitions);
	at = put_integer(at, 0); /* non-repeaters */
	at = put_integer(at, ++walker->request);
	at = put_head(at, TAG_GETBULK, (size_t)(end - at));
	at = put_bytes(at, TAG_STRING, walker->community, strlen(walker->community));
	at = put_integer(at, 1); /* version 2c */
	at = put_head(at, TAG_SEQUENCE, (size_t)(end - at));
	if (send(walker->fd, at, (size_t)(end - at), 0) < 0)
		fail("cannot send");
	result.requests++;
}

static void begin(struct walker *walker)
{
	memcpy(walker->at, base, sizeof(base));
	walker->began_us = now_us();
	walker->begins = true;
	ask(walker);
}

/* ---- reading ---- */

struct part {
	const uint8_t *at, *end;
};

/* The element at the beginning of @from, which is left behind. */
static struct part take(struct part *from, uint8_t *ret_tag)
{
	struct part element = {from->end, from->end};
	size_t length;

	if (from->end - from->at < 2)
		fail("a malformed answer");
	*ret_tag = from->at[0];
	length = from->at[1];
	from->at += 2;
	if (length & 0x80) {
		size_t count = length & 0x7f;

		if (count > 2 || (size_t)(from->end - from->at) < count)
			fail("a malformed answer");
		for (length = 0; count > 0; count--)
			length = length << 8 | *from->at++;
	}
	if ((size_t)(from->end - from->at) < length)
		fail("a malformed answer");
	element.at = from->at;
	element.end = from->at += length;
	return element;
}

/* The list of variable bindings of the answer to @request; empty when it is the answer to something else. */
static struct part open_answer(struct part message, int32_t request)
{
	struct part pdu, element;
	uint8_t tag;
	int32_t id = 0;

	message = take(&message, &tag);
	(void)take(&message, &tag); /* version */
	(void)take(&message, &tag); /* community */
	pdu = take(&message, &tag);
	for (element = take(&pdu, &tag); element.at < element.end; element.at++)
		id = (int32_t)((uint32_t)id << 8 | *element.at);
	if (id != request)
		fail("an answer to another question");
	element = take(&pdu, &tag);
	if (element.at == element.end || *element.at != 0)
		fail("an answer with an error");
	(void)take(&pdu, &tag); /* error index */
	return take(&pdu, &tag);
}

/* Is @name below column @column? */
static bool is_below(const struct part *name, size_t column)
{
	const struct name *prefix = &base[column];

	return (size_t)(name->end - name->at) > prefix->length && memcmp(name->at, prefix->bytes, prefix->length) == 0;
}

/* A walk has begun with @varbinds: now it is known of which kind the one before was. */
static void sort_walk(struct walker *walker, struct part varbinds)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	struct walks *kind;

	while (varbinds.at < varbinds.end)
		hash = (hash ^ *varbinds.at++) * UINT64_C(0x100000001b3);
	kind = hash == walker->beginning ? &result.calm : &result.polled;
	if (walker->before_us > 0 && kind->count < WALKS_MAX)
		kind->took_us[kind->count++] = walker->before_us;
	walker->beginning = hash;
	walker->begins = false;
}

/* Count what came, and go on from there; the first column decides whether there is more. */
static void take_answer(struct walker *walker, struct part varbinds)
{
	bool more = false;

	if (walker->begins)
		sort_walk(walker, varbinds);
	for (size_t column = 0; varbinds.at < varbinds.end; column = (column + 1) % columns) {
		uint8_t tag, type;
		struct part varbind = take(&varbinds, &tag), name = take(&varbind, &tag);

		(void)take(&varbind, &type);
		if (type == TAG_END_OF_MIB_VIEW || !is_below(&name, column)) {
			if (column > 0)
				continue;
			more = false;
			break;
		}
		if (name.end - name.at > NAME_MAX)
			fail("a very long name");
		more = true;
		walker->at[column].length = (size_t)(name.end - name.at);
		memcpy(walker->at[column].bytes, name.at, walker->at[column].length);
		result.varbinds++;
	}
	if (more) {
		ask(walker);
		return;
	}
	walker->before_us = now_us() - walker->began_us;
	begin(walker);
}

static void receive(struct walker *walker)
{
	uint8_t message[MESSAGE_MAX];
	const ssize_t length = recv(walker->fd, message, sizeof(message), 0);

	if (length < 0)
		fail("nobody is at that port");
	take_answer(walker, open_answer((struct part){message, message + length}, walker->request));
}

/* ---- start ---- */

static void put_arc(struct name *name, unsigned long arc)
{
	int shift = 28;

	while (shift > 0 && arc >> shift == 0)
		shift -= 7;
	for (; shift >= 0; shift -= 7) {
		if (name->length == NAME_MAX)
			fail("a very long name");
		name->bytes[name->length++] = (uint8_t)((arc >> shift & 0x7f) | (shift > 0 ? 0x80 : 0));
	}
}

static struct name read_name(char *text)
{
	struct name name = {0};
	const unsigned long first = strtoul(text, &text, 10);

	put_arc(&name, first * 40 + (*text == '.' ? strtoul(text + 1, &text, 10) : 0));
	while (*text == '.')
		put_arc(&name, strtoul(text + 1, &text, 10));
	return name;
}

static void open_walker(struct walker *walker, const char *community, uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	walker->community = community;
	walker->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (walker->fd < 0 || connect(walker->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail("cannot open a socket");
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static long long faster_quarter(struct walks *walks)
{
	qsort(walks->took_us, walks->count, sizeof(walks->took_us[0]), compare);
	return walks->count > 0 ? walks->took_us[walks->count / 4] : 0;
}

int main(int argc, char **argv)
{
	static struct walker walkers[WALKERS_MAX];
	static struct pollfd fds[WALKERS_MAX];
	const size_t count = argc > 6 ? (size_t)(argc - 6) : 0;
	int64_t began, until;

	if (count == 0 || count > WALKERS_MAX)
		fail("usage: bench_agentx_walk PORT OID COLUMNS REPETITIONS MILLISECONDS COMMUNITY ...");
	columns = (size_t)strtoul(argv[3], NULL, 10);
	repetitions = (int32_t)strtol(argv[4], NULL, 10);
	if (columns > COLUMNS_MAX)
		fail("too many columns");
	for (size_t i = 0; i == 0 || i < columns; i++) {
		base[i] = read_name(argv[2]);
		if (columns > 0)
			put_arc(&base[i], i + 1);
	}
	columns += columns == 0;
	for (size_t i = 0; i < count; i++) {
		open_walker(&walkers[i], argv[6 + i], (uint16_t)strtoul(argv[1], NULL, 10));
		fds[i] = (struct pollfd){.fd = walkers[i].fd, .events = POLLIN};
	}

	began = now_us();
	until = began + strtoll(argv[5], NULL, 10) * 1000;
	for (size_t i = 0; i < count; i++)
		begin(&walkers[i]);
	while (now_us() < until) {
		if (poll(fds, (nfds_t)count, PATIENCE_MS) <= 0)
			fail("no answer");
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents)
				receive(&walkers[i]);
	}
	(void)printf("varbinds %llu us %lld requests %llu calm %zu calm_us %lld polled %zu polled_us %lld\n",
		     (unsigned long long)result.varbinds, (long long)(now_us() - began),
		     (unsigned long long)result.requests, result.calm.count, faster_quarter(&result.calm),
		     result.polled.count, faster_quarter(&result.polled));
	return EXIT_SUCCESS;
}
