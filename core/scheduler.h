/* SPDX-License-Identifier: Apache-2.0
 *
 * scheduler.h - polls devices when their pace says so, on their links.
 */
#ifndef CORE_SCHEDULER_H
#define CORE_SCHEDULER_H

#include <busbar/loop.h>

#include "device.h"

struct scheduler;

/** Everything here belongs to the thread of @main_loop. 0 or -ENOMEM. */
int scheduler_create(struct bb_loop *main_loop, struct scheduler **ret_scheduler);

/** Free; no device may be left in it. Accepts NULL. */
void scheduler_destroy(struct scheduler *scheduler);

/**
 * Begin to poll @device (a reference is taken) on its link, which must be set. The first poll comes within
 * @spread_ms. 0 or -ENOMEM.
 */
int scheduler_add(struct scheduler *scheduler, struct bb_device *device, int64_t spread_ms);

/**
 * Poll @device again within @spread_ms, whatever its pace says: what was read of it is not worth anything any more. A
 * poll in flight is waited for. Does nothing for a device that is not polled here.
 */
void scheduler_begin_anew(struct bb_device *device, int64_t spread_ms);

/**
 * Stop polling @device and call @removed when no poll is in flight any more: at once, from inside this call, or
 * later from the loop.
 */
void scheduler_remove(struct scheduler *scheduler, struct bb_device *device,
		      void (*removed)(void *context, struct bb_device *device), void *context);

#endif
