/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.c - see tally.h. Each count stands for itself, so no order between them is kept.
 */
#include "tally.h"

#include <string.h>

void tally_add(struct tally *tally, const struct bb_event *event)
{
	if ((size_t)event->kind < TALLY_KINDS_MAX)
		atomic_fetch_add_explicit(&tally->counts[event->kind], 1, memory_order_relaxed);
	atomic_store_explicit(&tally->newest, event->number, memory_order_relaxed);
}

size_t tally_kinds(void)
{
	size_t count = 0;

	while (count < TALLY_KINDS_MAX && strcmp(bb_event_kind_name((enum bb_event_kind)count), "unknown") != 0)
		count++;
	return count;
}
