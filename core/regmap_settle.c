/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_settle.c - what the rows of a map mean together: their order, overlaps, and which of several registers with
 * one point is read into it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "regmap_file.h"

static const char *const space_names[BB_SPACE_COUNT] = {"coil", "discrete input", "input register", "holding register"};

static int compare_places(const void *a, const void *b)
{
	const struct regmap_entry *one = a, *two = b;

	if (one->entry.address != two->entry.address)
		return one->entry.address < two->entry.address ? -1 : 1;
	if (one->entry.spaces != two->entry.spaces)
		return one->entry.spaces < two->entry.spaces ? -1 : 1;
	return one->line < two->line ? -1 : one->line > two->line;
}

/* Tell of the later of two lines, once for a row and not for each of its thirty copies and both of its spaces. */
static void tell_overlap(struct regmap_reader *reader, enum bb_space space, const struct regmap_entry *one,
			 const struct regmap_entry *two, unsigned *told)
{
	const unsigned line = one->line > two->line ? one->line : two->line;

	if (*told != line)
		(void)regmap_fault_at(reader, line, "%s %u is also that of line %u", space_names[space],
				      two->entry.address, one->line + two->line - line);
	*told = line;
}

static void check_overlaps(struct regmap_reader *reader)
{
	unsigned told = 0;

	for (unsigned space = 0; space < BB_SPACE_COUNT; space++) {
		const struct regmap_entry *last = NULL;

		for (size_t i = 0; i < reader->count; i++) {
			const struct regmap_entry *entry = &reader->entries[i];

			if (!(entry->entry.spaces & 1u << space))
				continue;
			if (last && entry->entry.address < last->entry.address + last->entry.count)
				tell_overlap(reader, space, last, entry, &told);
			if (!last ||
			    entry->entry.address + entry->entry.count > last->entry.address + last->entry.count)
				last = entry;
		}
	}
}

/* By point, then the one that is to feed first: the finest step, else the higher address. */
static int compare_feeds(const void *a, const void *b)
{
	const struct bb_register *one = *(struct bb_register *const *)a, *two = *(struct bb_register *const *)b;
	const int order = strcmp(one->point, two->point);
	const bool same_step = one->multiplier == two->multiplier && one->divisor == two->divisor;

	if (order != 0)
		return order;
	/* Both are in lowest terms; only which is smaller matters, so a double will do. */
	if (!same_step && one->kind != BB_KIND_FLAGS)
		return (double)one->multiplier / (double)one->divisor < (double)two->multiplier / (double)two->divisor
			       ? -1
			       : 1;
	return one->address > two->address ? -1 : one->address < two->address;
}

static int decide_feeds(struct regmap_reader *reader)
{
	struct bb_register **order = calloc(reader->count + 1, sizeof(struct bb_register *));
	size_t count = 0;
	int64_t taken = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < reader->count; i++) {
		struct bb_register *entry = &reader->entries[i].entry;

		if (entry->point && entry->kind != BB_KIND_COMMAND)
			order[count++] = entry;
	}
	qsort(order, count, sizeof(struct bb_register *), compare_feeds);
	for (size_t i = 0; i < count; i++) {
		const bool first = i == 0 || strcmp(order[i - 1]->point, order[i]->point) != 0;

		/* Parts of a flag word add up; of the same bits the first has them. */
		taken = first ? 0 : taken;
		order[i]->feeds = first || (order[i]->kind == BB_KIND_FLAGS && !(order[i]->mask & taken));
		taken |= order[i]->mask;
	}
	free(order);
	return 0;
}

int regmap_settle(struct regmap_reader *reader)
{
	qsort(reader->entries, reader->count, sizeof(struct regmap_entry), compare_places);
	check_overlaps(reader);
	return decide_feeds(reader);
}
