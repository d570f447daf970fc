/* SPDX-License-Identifier: Apache-2.0
 *
 * flight.c - a short list of marks, see flight.h.
 *
 * It does not need a mark for every event: one that is swallowed by the next only settles a little later. So marks that
 * were acknowledged together become one, and a full list makes its last mark a later one.
 */
#include "flight.h"

#include <string.h>

void flight_add(struct flight *flight, uint64_t number, uint64_t position)
{
	const struct flight_mark mark = {.number = number, .position = position};

	/* The last one is swallowed, acknowledged or not: what is newer counts. */
	if (flight->count == FLIGHT_MARKS)
		flight->count--;
	flight->marks[flight->count++] = mark;
}

void flight_acknowledge(struct flight *flight, uint64_t position, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < flight->count; i++) {
		struct flight_mark mark = flight->marks[i];

		if (mark.acknowledged_ms == 0 && mark.position <= position)
			mark.acknowledged_ms = now_ms;
		if (kept > 0 && mark.acknowledged_ms != 0 &&
		    flight->marks[kept - 1].acknowledged_ms == mark.acknowledged_ms)
			kept--;
		flight->marks[kept++] = mark;
	}
	flight->count = kept;
}

uint64_t flight_settle(struct flight *flight, int64_t now_ms, int64_t settle_ms)
{
	uint64_t number = 0;
	size_t settled = 0;

	while (settled < flight->count && flight->marks[settled].acknowledged_ms != 0 &&
	       now_ms - flight->marks[settled].acknowledged_ms >= settle_ms)
		number = flight->marks[settled++].number;
	flight->count -= settled;
	memmove(flight->marks, flight->marks + settled, flight->count * sizeof(flight->marks[0]));
	return number;
}
