/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_reserve.h - the file journal.reserve: room for events that was set aside while there was some.
 */
#ifndef CORE_JOURNAL_RESERVE_H
#define CORE_JOURNAL_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event_copy.h"

struct reserve {
	int fd;          /* −1: there is none */
	size_t size;     /* of the file */
	size_t used;     /* bytes that hold events */
	bool full;       /* something found no room: nothing is put behind it */
	uint32_t series; /* tells records of this filling from older ones behind them */
};

/**
 * Open the reserve in @folder and make sure that @size bytes of it exist on disk (as many as there is room for). What
 * it holds is put into @events. Returns 0 or a negative errno; @reserve is usable, and empty, in any case.
 */
int reserve_open(struct reserve *reserve, int folder, size_t size, struct event_list *events);

/** Put an event in; not durable before reserve_sync(). Returns 0, -ENOSPC when it is full, or another negative errno. */
int reserve_put(struct reserve *reserve, const struct bb_event *event);

/** Make durable what was put. 0 or a negative errno. */
int reserve_sync(struct reserve *reserve);

/** Forget what it holds, durably. 0 or a negative errno. */
int reserve_clear(struct reserve *reserve);

void reserve_close(struct reserve *reserve);

#endif
