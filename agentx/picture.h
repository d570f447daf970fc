/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.h - what a subtree shows at one moment: the border between who answers requests and who knows the values.
 *
 * A subtree is what is registered with the master: the UPS-MIB of one device in one context, or the BUSBAR-MIB. It is
 * asked for a picture of the present moment, and a picture answers: what is at this name, and what comes after it. A
 * picture never changes, so a transaction that keeps its picture sees one reading from its first variable to its last
 * (context.c keeps them by transaction). Everything in here happens on the AgentX thread.
 *
 * Subtrees are made in device_tree.c and agent_tree.c.
 */
#ifndef AGENTX_PICTURE_H
#define AGENTX_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "oid.h"

struct picture;
struct subtree;
struct set_target;

/** The present moment, taken once per request. */
struct moment {
	int64_t now_ms;    /* bb_clock_ms() */
	int64_t lead_ms;   /* what bb_clock_wall_ms() is ahead of it */
	int64_t master_ms; /* bb_clock_ms() of when the master's sysUpTime was 0; may be negative */
};

/** The master's sysUpTime of when the clock said @at_ms, in hundredths of a second; 0 when that was before it started. */
uint32_t moment_uptime(const struct moment *moment, int64_t at_ms);

/** The same of when the wall clock said @wall_ms. */
uint32_t moment_uptime_of_wall(const struct moment *moment, int64_t wall_ms);

/**
 * What the wall clock is ahead at @now_ms, when it says @wall_ms: as @before_ms, unless it has plainly been set. Two
 * clocks are never read in the same millisecond, and a time that flickers looks to a manager like another event.
 */
int64_t moment_lead(int64_t before_ms, int64_t now_ms, int64_t wall_ms);

/**
 * When the master's sysUpTime was 0: it said @uptime after we had asked at @asked_ms and before we heard it at @heard_ms,
 * so that its start is between the two less @uptime. As @before_ms unless that is plainly outside, else the later end: an
 * answer mostly takes no time to be given, and may take long to be read. So no answer that was slow, or read late, moves
 * the start later; a suspended machine, whose master has counted less, and a sysUpTime that has begun anew do.
 */
int64_t moment_master(int64_t before_ms, int64_t asked_ms, int64_t heard_ms, uint32_t uptime);

/** What a picture can do. */
struct picture_ops {
	/**
	 * Append the variable binding of @name: with its value, or with noSuchInstance where an object of that name
	 * has no such instance, or noSuchObject.
	 */
	void (*get)(const struct picture *picture, const struct moment *moment, const struct oid *name,
		    struct codec_buffer *answer);
	/**
	 * Append the variable binding of the first instance behind @range->start (or at it, with include) and before
	 * @range->end; its name goes to @ret_name too. False, and nothing is appended: there is none.
	 */
	bool (*next)(const struct picture *picture, const struct moment *moment, const struct codec_range *range,
		     struct codec_buffer *answer, struct oid *ret_name);
	void (*destroy)(struct picture *picture);
};

/** The head of every picture. Counted, on the AgentX thread only. */
struct picture {
	const struct picture_ops *ops;
	unsigned references;
};

struct picture *picture_ref(struct picture *picture);
void picture_unref(struct picture *picture); /* accepts NULL */

/** What a subtree can do. */
struct subtree_ops {
	/**
	 * The picture as of @moment, with a reference for the caller: the one it gave before, as long as nothing has
	 * changed. NULL when memory lacks.
	 */
	struct picture *(*picture)(struct subtree *subtree, const struct moment *moment);
	/**
	 * Check a variable binding of a SET as far as that needs no device (RFC 3416, section 4.2.5, phase one): @ret_target
	 * says what is to be written. CODEC_NO_ERROR or why not. NULL: nothing in here can be written.
	 */
	enum codec_error (*test)(struct subtree *subtree, const struct codec_varbind *varbind,
				 struct set_target *ret_target);
	void (*destroy)(struct subtree *subtree);
};

/** The head of every subtree. */
struct subtree {
	const struct subtree_ops *ops;
	struct oid root; /* what is registered */
};

#endif
