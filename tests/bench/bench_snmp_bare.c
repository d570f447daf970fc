/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_snmp_bare - the least that polling with net-snmp can cost: the baseline for busbard with ups-snmp.
 *
 *	bench_snmp_bare INTERVAL_MS SECONDS PORT …
 *
 * Walks 1.3.6.1.2.1.33.1 of each agent on 127.0.0.1 with GETBULK once an INTERVAL_MS, with one snmp_sess_* session an
 * agent and epoll over their descriptors, spread evenly over the interval. The variables are looked at and thrown
 * away. After SECONDS it prints "cpu_s CPU wall_s SECONDS polls N variables N", both counted from the second round on.
 */
/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
/* clang-format on */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

static const oid root[] = {1, 3, 6, 1, 2, 1, 33, 1};
static unsigned long polls, variables;

struct peer {
	void *session;
	int64_t next_us;
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void ask(struct peer *peer, const oid *name, size_t length);

static int on_answer(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *context)
{
	const netsnmp_variable_list *last = NULL;

	(void)session;
	(void)id;
	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		return 1;
	for (const netsnmp_variable_list *variable = pdu->variables; variable; variable = variable->next_variable) {
		last = variable;
		if (variable->type == SNMP_ENDOFMIBVIEW || variable->name_length < OID_LENGTH(root) ||
		    memcmp(variable->name, root, sizeof(root)) != 0) {
			last = NULL;
			break;
		}
		variables++;
	}
	if (last)
		ask(context, last->name, last->name_length);
	else
		polls++;
	return 1;
}

static void ask(struct peer *peer, const oid *name, size_t length)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);

	pdu->errstat = 0;   /* non-repeaters */
	pdu->errindex = 76; /* max-repetitions: the whole tree of bench_snmp_responder, and one to see its end */
	snmp_add_null_var(pdu, name, length);
	if (!snmp_sess_async_send(peer->session, pdu, on_answer, peer))
		snmp_free_pdu(pdu);
}

static void open_peer(struct peer *peer, const char *port, int poller)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
	netsnmp_session session;
	char name[32];

	snmp_sess_init(&session);
	snprintf(name, sizeof(name), "127.0.0.1:%s", port);
	session.peername = name;
	session.version = SNMP_VERSION_2c;
	session.community = (u_char *)"public";
	session.community_len = 6;
	peer->session = snmp_sess_open(&session);
	if (!peer->session) {
		snmp_sess_perror(name, &session);
		exit(1);
	}
	epoll_ctl(poller, EPOLL_CTL_ADD, snmp_sess_transport(peer->session)->sock, &event);
}

int main(int argc, char **argv)
{
	const size_t count = argc > 3 ? (size_t)argc - 3 : 0;
	struct peer *peers = calloc(count + 1, sizeof(*peers));
	struct rlimit files = {count + 64, count + 64};
	const int poller = epoll_create1(0);
	struct epoll_event ready[64];
	netsnmp_large_fd_set set;
	int64_t interval, begin, end, measured, cpu = 0;

	if (count == 0 || !peers || poller < 0)
		return 2;
	(void)setrlimit(RLIMIT_NOFILE, &files); /* opening a session says when that was not enough */
	interval = atol(argv[1]) * 1000;
	netsnmp_large_fd_set_init(&set, FD_SETSIZE);
	begin = clock_us(CLOCK_MONOTONIC);
	measured = begin + interval;
	end = measured + atol(argv[2]) * 1000000;
	for (size_t i = 0; i < count; i++) {
		open_peer(&peers[i], argv[i + 3], poller);
		peers[i].next_us = begin + interval * (int64_t)i / (int64_t)count;
	}
	for (size_t next = 0;;) {
		int64_t now = clock_us(CLOCK_MONOTONIC);
		int found;

		if (cpu == 0 && now >= measured) {
			cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
			polls = variables = 0;
		}
		if (now >= end)
			break;
		for (; peers[next].next_us <= now; next = (next + 1) % count) { /* in this order they fall due */
			ask(&peers[next], root, OID_LENGTH(root));
			peers[next].next_us += interval;
		}
		found = epoll_wait(poller, ready, 64, (int)((peers[next].next_us - now) / 1000 + 1));
		for (int i = 0; i < found; i++) {
			const struct peer *peer = ready[i].data.ptr;
			const int fd = snmp_sess_transport(peer->session)->sock;

			NETSNMP_LARGE_FD_SET(fd, &set);
			snmp_sess_read2(peer->session, &set);
		}
	}
	printf("cpu_s %.6f wall_s %.3f polls %lu variables %lu\n",
	       (double)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6, (double)(end - measured) / 1e6, polls,
	       variables);
	return 0;
}
