/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_renderer DEVICES [ROUNDS] - how long the Prometheus exporter takes to write one series, without HTTP.
 *
 * The devices are three-phase UPSs with every point and alarm of the dictionary that has a name of its own. All values
 * change before every round. Beside it the same page is written with snprintf() per series, as exporters usually are.
 * Prints "series bytes ns-per-series snprintf-ns-per-series", the medians of the rounds.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../unit/prometheus_sample.h"
#include "bench_snprintf.h"
#include "page.h"

#define ROUNDS_MAX 1001

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Everything a three-phase UPS may say. */
static struct generation *ups(void)
{
	struct bb_point_spec specs[512];
	const struct bb_point *row;
	size_t count = 0;

	for (size_t i = 0; (row = bb_dictionary_row(i)) != NULL && count < 512; i++) {
		if (!strcmp(row->class, "ups") && !strchr(row->name, '<'))
			specs[count++] = (struct bb_point_spec){.name = row->name};
	}
	return sample_generation(specs, count);
}

/* New values: measurements of two to five digits, members and bits as they come. */
static void change(struct facts *facts, unsigned round)
{
	for (size_t d = 0; d < facts->device_count; d++) {
		struct bb_snapshot *snapshot = &facts->devices[d].snapshot;

		for (size_t i = 0; i < bb_reading_count(snapshot->reading); i++) {
			const struct bb_point *point = bb_reading_point(snapshot->reading, i);
			int64_t value = (int64_t)((d * 7919 + i * 104729 + round * 13) % 30000);

			if (point->kind == BB_KIND_ENUM)
				value = point->members[(size_t)value % point->member_count].value;
			else if (point->kind == BB_KIND_BOOL || point->kind == BB_KIND_ALARM)
				value &= 1;
			else if (point->kind == BB_KIND_STRING || point->kind == BB_KIND_COMMAND)
				continue;
			(void)bb_reading_set(snapshot->reading, i, value); /* the value is one of the point's */
		}
		for (size_t i = 0; i < snapshot->alarms->count; i++)
			snapshot->alarms->alarms[i].active = (d + i + round) % 7 == 0;
	}
}

int main(int argc, char **argv)
{
	const size_t devices = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
	const size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) % ROUNDS_MAX : 41;
	static double ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
	struct generation *generation = ups();
	const char **names = calloc(devices, sizeof(*names));
	struct facts facts;
	struct page *page;
	char *out = NULL, *copy;
	size_t size = 0, length = 0, count;

	if (!generation || !names || !rounds || page_create(&page) < 0)
		return 1;
	for (size_t i = 0; i < devices; i++) {
		char *name = malloc(32);

		(void)snprintf(name, 32, "ups-%04zu", i);
		names[i] = name;
	}
	sample_devices(&facts, names, devices);
	for (size_t i = 0; i < devices; i++)
		(void)sample_renew(&facts, i, generation);

	for (unsigned round = 0; round <= rounds; round++) {
		change(&facts, round);
		const double begin = now_ns();

		if (page_prepare(page, &facts, &size) < 0)
			return 1;
		if (!out)
			out = malloc(size);
		length = page_render(page, &facts, PAGE_TEXT, out);
		if (round) /* the first one makes the plan */
			ours[round - 1] = now_ns() - begin;
	}

	copy = calloc(1, length + 1);
	memcpy(copy, out, length);

	struct series *series = parse_page(copy, &count);
	char *plain = malloc(2 * size + 8192);

	for (unsigned round = 0; round < rounds; round++) {
		const double begin = now_ns();

		(void)write_plainly(series, count, round, plain);
		theirs[round] = now_ns() - begin;
	}
	printf("%zu %zu %.2f %.2f\n", count, length, median(ours, rounds) / (double)count,
	       median(theirs, rounds) / (double)count);
	return 0;
}
