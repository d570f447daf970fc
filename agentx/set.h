/* SPDX-License-Identifier: Apache-2.0
 *
 * set.h - SETs: the four phases of RFC 2741, section 7.2.4, around one write to a device.
 *
 *     TestSet ───► checked: all that needs no device. One point of a device at most, besides its spin lock.
 *     CommitSet ─► the spin lock is taken, the write begins. Its answer waits for the device, but no longer than
 *                  SETS_PATIENCE_MS: the master answers nobody else meanwhile, and repeats CommitSet after a second.
 *     UndoSet ───► the spin lock goes back.        CleanupSet ─► forgotten.
 *
 * A write that has not begun in time is withdrawn, one that the device has in hand goes on alone; the manager hears
 * commitFailed of both, and an event says how the second one ended. Thread: the AgentX thread.
 */
#ifndef AGENTX_SET_H
#define AGENTX_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/device.h>
#include <busbar/loop.h>
#include <busbar/write.h>

#include "codec.h"
#include "context.h"

/** A CommitSet is answered within this time; a write has to begin a little earlier to have a chance. */
#define SETS_PATIENCE_MS     750
#define SETS_START_WITHIN_MS 600

/** RFC 2579's TestAndIncr for the tests of one device. The contexts keep it until their end. */
struct spin_lock {
	uint32_t value; /* 0 to 2147483647 */
};

#define SET_TEXT_MAX 255

/** What a variable binding of a SET asks for, as a subtree found it. */
struct set_target {
	struct spin_lock *lock;   /* it is the spin lock: value.number is what it must be; NULL: it is a point */
	struct bb_device *device; /* a reference for the caller; NULL with lock */
	char point[SET_TEXT_MAX + 1];
	bool needs_lock;       /* it may only be written together with the spin lock (RFC 1628, upsTestId) */
	struct bb_value value; /* in the point's own scale; of a string, its text is to be taken from @text */
	char text[SET_TEXT_MAX + 1];
};

struct sets; /* all transactions under way */

struct sets_setup {
	struct bb_loop *loop; /* the AgentX thread's */
	bool allowed;         /* option allow-write */
	/** Answer @request with @error of variable @index (from 1; 0: none). */
	void (*answer)(void *context, const struct codec_header *request, enum codec_error error, unsigned index);
	void *context;
};

/** 0 or -ENOMEM. */
int sets_create(const struct sets_setup *setup, struct sets **ret_sets);

/** Forgets all transactions. Accepts NULL. */
void sets_destroy(struct sets *sets);

/**
 * Take a TestSet, CommitSet, UndoSet or CleanupSet. @contexts finds the subtree of each variable; @reader stands behind
 * the context's name. The answer comes through setup->answer, now or later (CleanupSet has none).
 */
void sets_take(struct sets *sets, struct contexts *contexts, const struct codec_header *request,
	       const char *context_name, struct codec_reader *reader);

/** The connection is gone: nobody waits for answers any more. What devices have in hand goes on. */
void sets_drop(struct sets *sets);

#endif
