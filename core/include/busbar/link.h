/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/link.h - a bus or connection, shared by all devices whose address names it.
 *
 * Polls of one link are serial; links are independent of one another. A link type is what a helper library
 * exports (struct bb_link_type); the core makes one link per type and peer, counts who uses it, runs the
 * work of its devices one after the other on a worker thread, and closes it with the last user.
 */
#ifndef BUSBAR_LINK_H
#define BUSBAR_LINK_H

#include <stddef.h>
#include <stdint.h>

#include <busbar/config.h>

struct bb_link; /* opaque; counted */

/** A kind of link. Static, exported by a helper library or defined by a plugin for itself. */
struct bb_link_type {
	const char *name;  /* "modbus" */
	size_t state_size; /* of the type's own state, allocated zeroed by the core */
	/** Prepare @state for the peer of @address. Must not block and need not connect. 0 or a negative errno. */
	int (*init)(struct bb_link *link, const struct bb_address *address, void *state);
	/** Undo whatever init or use did. NULL: nothing to undo. Thread: the loop, when no worker is on the link. */
	void (*finish)(void *state);
};

/** The type's state. Thread: the worker that holds the link, or the type's own functions. */
void *bb_link_state(struct bb_link *link);

/** "modbus-tcp://10.0.0.5:502": what the link leads to, for log lines. Lives as long as the link. Any thread. */
const char *bb_link_name(const struct bb_link *link);

/** When the work in hand has to be over, bb_clock_ms(). Thread: the worker that holds the link. */
int64_t bb_link_deadline(const struct bb_link *link);

/** Give a link back; accepts NULL. Thread: loop (from open that failed, or close). */
void bb_link_unref(struct bb_link *link);

#endif
