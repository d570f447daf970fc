/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_journal - how long events take to become durable and to reach a cursor.
 *
 *	bench_journal FOLDER single COUNT    one at a time: median and 99th percentile in µs
 *	bench_journal FOLDER storm COUNT     all at once: ms until the last has come
 *	bench_journal FOLDER disk COUNT      what the disk takes: median of a write of 4 KiB and its fdatasync, in µs
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "events.h"
#include "journal.h"

static struct {
	struct bb_loop *loop;
	struct bb_cursor *cursor;
	bool storm, fetching;
	size_t count, done;
	uint64_t waiting; /* for this number */
	int64_t started_us;
	int64_t *took_us;
} bench;

static uint64_t emit(void)
{
	return events_emit(&(struct bb_event){.kind = BB_EVENT_ALARM_RAISED,
					      .severity = BB_SEVERITY_ALARM,
					      .device = "ups-a",
					      .subject = "on-battery",
					      .point = "alarm.on-battery",
					      .text = "running on battery"});
}

static void begin_one(void)
{
	bench.started_us = bb_clock_us();
	bench.waiting = emit();
}

static void fetch(void);

static void take(void *context, const struct bb_event *events, size_t count)
{
	(void)context;
	bench.fetching = false;
	if (count == 0)
		return;
	bb_cursor_delivered(bench.cursor, events[count - 1].number);
	if (events[count - 1].number == bench.waiting) {
		bench.took_us[bench.done++] = bb_clock_us() - bench.started_us;
		if (bench.storm || bench.done == bench.count) {
			bb_loop_stop(bench.loop);
			return;
		}
		begin_one();
	}
	fetch();
}

static void fetch(void)
{
	if (!bench.fetching)
		bench.fetching = bb_cursor_fetch(bench.cursor, 1000, take, NULL) == 0;
}

static void ready(void *context)
{
	(void)context;
	fetch();
}

static int by_size(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static int64_t percentile(size_t percent)
{
	qsort(bench.took_us, bench.done, sizeof(*bench.took_us), by_size);
	return bench.took_us[(bench.done - 1) * percent / 100];
}

static int measure_disk(const char *folder)
{
	static char block[4096];
	char path[4096];
	int file;

	(void)snprintf(path, sizeof(path), "%s/bench", folder);
	file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0)
		return 1;
	for (; bench.done < bench.count; bench.done++) {
		const int64_t started_us = bb_clock_us();

		if (write(file, block, sizeof(block)) != sizeof(block) || fdatasync(file) < 0)
			return 1;
		bench.took_us[bench.done] = bb_clock_us() - started_us;
	}
	close(file);
	(void)printf("%" PRId64 "\n", percentile(50));
	return 0;
}

static int measure_journal(const char *folder)
{
	const struct journal_setup setup = {.state_dir = folder, .loop = bench.loop};
	uint64_t first;

	if (journal_open(&setup, &first) < 0 || events_start(bench.loop, first) < 0 ||
	    bb_cursor_open("bench", bench.loop, ready, NULL, &bench.cursor) < 0)
		return 1;
	begin_one();
	for (size_t i = 1; bench.storm && i < bench.count; i++)
		bench.waiting = emit();
	(void)bb_loop_run(bench.loop);
	if (bench.storm)
		(void)printf("%" PRId64 "\n", percentile(50) / 1000);
	else
		(void)printf("%" PRId64 " %" PRId64 "\n", percentile(50), percentile(99));
	bb_cursor_close(bench.cursor);
	events_stop();
	journal_close(10000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4 || bb_loop_create(&bench.loop) < 0)
		return 2;
	bench.storm = strcmp(argv[2], "storm") == 0;
	bench.count = strtoul(argv[3], NULL, 10);
	bench.took_us = calloc(bench.count + 1, sizeof(*bench.took_us));
	if (!bench.took_us || bench.count == 0)
		return 2;
	return strcmp(argv[2], "disk") == 0 ? measure_disk(argv[1]) : measure_journal(argv[1]);
}
