/* SPDX-License-Identifier: Apache-2.0
 *
 * modbus_client - libbusbar-modbus on a command line, for tests: asks a peer again and again and judges the answers.
 *
 *	modbus_client ADDRESS wait|ask TIMEOUT_MS REQUESTS
 *
 * The peer's registers say their own address: any other word is wrong. Each request is for other registers than the one
 * before, and for another number of them. `wait` uses bb_modbus_read() on a worker, `ask` bb_modbus_ask() and
 * bb_modbus_answer() on the main loop, as polls in steps do; where that has no connection, a worker makes one. Prints
 * "right N wrong N late N exceptions N errors N slowest MS", where late is what had not come in time, and slowest how
 * long one request took at the most.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>
#include <busbar/modbus_link.h>
#include <busbar/plugin.h>

#include "address.h"
#include "link.h"

#define GUARD 0xA5A5

static struct {
	struct bb_loop *loop;
	struct bb_link *link;
	struct link_work work;
	struct bb_timer *deadline;
	uint8_t unit;
	bool asks;
	long timeout_ms, left;
	int64_t began_ms;
	uint16_t address, count;
	uint16_t words[BB_MODBUS_READ_MAX + 1];
	unsigned long right, wrong, late, exceptions, errors, slowest_ms;
} client;

static void next(void);

static void judge(int r)
{
	const int64_t took_ms = bb_clock_ms() - client.began_ms;
	bool wrong = client.words[client.count] != GUARD;

	if (took_ms > (int64_t)client.slowest_ms)
		client.slowest_ms = (unsigned long)took_ms;
	for (unsigned i = 0; i < client.count; i++)
		wrong = wrong || client.words[i] != (r == 0 ? client.address + i : GUARD);
	client.wrong += wrong;
	client.right += r == 0 && !wrong;
	client.exceptions += r > 0;
	client.late += r == -ETIMEDOUT;
	client.errors += r < 0 && r != -ETIMEDOUT;
	next();
}

/* ---- waiting for the answer, on a worker ---- */

static int work_run(struct link_work *work)
{
	return bb_modbus_read(work->link, client.unit, 3, client.address, client.count, client.words);
}

static void work_done(struct link_work *work, int result)
{
	(void)work;
	judge(result);
}

static void submit(void)
{
	client.work = (struct link_work){.run = work_run, .done = work_done, .timeout_ms = client.timeout_ms};
	link_submit(client.link, &client.work);
}

/* ---- looking after it now and then ---- */

static void finish(int r)
{
	bb_timer_stop(client.deadline);
	link_release(client.link);
	judge(r);
}

static void on_ready(void *context)
{
	const int r = bb_modbus_answer(client.link, client.words);

	(void)context;
	if (r == -EAGAIN)
		return;
	if (r >= 0) {
		finish(r);
		return;
	}
	bb_timer_stop(client.deadline); /* the connection has gone: as the steps of a poll, on to a worker */
	link_release(client.link);
	submit();
}

static void on_deadline(void *context)
{
	(void)context;
	finish(-ETIMEDOUT);
}

static void ask(void)
{
	int fd;

	if (!link_hold(client.link, client.timeout_ms)) { /* the worker is still on its way out */
		submit();
		return;
	}
	if (bb_modbus_ask(client.link, client.unit, 3, client.address, client.count, &fd) < 0) {
		link_release(client.link);
		submit();
		return;
	}
	if (link_wait(client.link, fd, on_ready, NULL) < 0)
		abort();
	bb_timer_start(client.deadline, client.timeout_ms, 0);
}

static void next(void)
{
	if (client.left-- <= 0) {
		bb_loop_stop(client.loop);
		return;
	}
	client.address = (uint16_t)(client.left * 131 % 65000);
	client.count = (uint16_t)(client.left % BB_MODBUS_READ_MAX + 1);
	for (size_t i = 0; i < BB_LENGTH(client.words); i++)
		client.words[i] = GUARD;
	client.began_ms = bb_clock_ms();
	if (client.asks)
		ask();
	else
		submit();
}

int main(int argc, char **argv)
{
	struct bb_address *address;
	struct link_table *table;
	char fault[128];

	if (argc != 5 || bb_address_parse(argv[1], "modbus-tcp", &address, fault, sizeof(fault)) < 0)
		return 2;
	client.asks = strcmp(argv[2], "ask") == 0;
	client.timeout_ms = atol(argv[3]);
	client.left = atol(argv[4]);
	client.unit = (uint8_t)bb_modbus_address_unit(address);
	if (bb_loop_create(&client.loop) < 0 || link_table_create(client.loop, &table) < 0 ||
	    link_acquire(table, &BB_LINK_MODBUS, address, &client.link) < 0)
		return 1;
	client.deadline = bb_timer_create(client.loop, on_deadline, NULL);
	next();
	(void)bb_loop_run(client.loop);
	bb_timer_destroy(client.deadline);
	bb_link_unref(client.link);
	if (!link_table_destroy(table, 5000))
		return 1;
	bb_loop_destroy(client.loop);
	free(address);
	printf("right %lu wrong %lu late %lu exceptions %lu errors %lu slowest %lu\n", client.right, client.wrong,
	       client.late, client.exceptions, client.errors, client.slowest_ms);
	return 0;
}
