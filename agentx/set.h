/* SPDX-License-Identifier: Apache-2.0
 *
 * set.h - SETs: the four phases of RFC 2741, section 7.2.4, around one write to a device.
 *
 *     TestSet ──► checked: what needs no device. One point of a device at most, besides its spin lock.
 *     CommitSet ► the spin lock is taken, the write begins; its answer waits for the device, 800 ms at most, because the
 *                 master answers nobody else meanwhile and repeats CommitSet after a second.
 *     UndoSet ──► the spin lock goes back.       CleanupSet ─► forgotten.
 *
 * A write that was not begun in time is withdrawn, one that is under way goes on alone; the manager hears commitFailed
 * of both, and an event says how the second one ended. Thread: the AgentX thread.
 */
#ifndef AGENTX_SET_H
#define AGENTX_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/loop.h>
#include <busbar/registry.h>
#include <busbar/write.h>

#include "codec.h"
#include "context.h"

/** RFC 2579's TestAndIncr of one device's tests. Lives as long as its device is published. */
struct spin_lock {
	uint32_t value; /* 0 to 2147483647 */
};

#define SET_TEXT_MAX 255

/** What a variable binding of a SET asks for, as a subtree found it. */
struct set_target {
	struct spin_lock *lock;   /* it is the spin lock: @value.number is what it must be; NULL: it is a point */
	struct bb_device *device; /* a reference for the caller; NULL with @lock */
	char point[64];           /* name of the point */
	struct bb_value value;    /* in the point's own scale; its text is @text */
	char text[SET_TEXT_MAX + 1];
};

struct sets; /* all transactions under way */

struct sets_setup {
	struct bb_loop *loop; /* the AgentX thread's */
	bool allowed;         /* option allow-write */
	int64_t patience_ms;  /* 800 */
	/** Answer @request (type, session, transaction, packet of it) with @error of variable @index (from 1; 0: none). */
	void (*answer)(void *context, const struct codec_header *request, enum codec_error error, unsigned index);
	void *context;
};

int sets_create(const struct sets_setup *setup, struct sets **ret_sets);
void sets_destroy(struct sets *sets); /* forgets all; accepts NULL */

/**
 * Take a TestSet, CommitSet, UndoSet or CleanupSet. @contexts finds the subtree of each variable; @reader stands behind
 * the context's name. The answer comes through setup->answer, now or later (CleanupSet has none).
 */
void sets_take(struct sets *sets, struct contexts *contexts, const struct codec_header *request,
	       const char *context_name, struct codec_reader *reader);

/** The connection is gone: nobody waits for answers any more. */
void sets_drop(struct sets *sets);

#endif
