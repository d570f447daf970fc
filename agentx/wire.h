/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - a connection to the master: bytes to messages and back, without ever waiting.
 *
 * What cannot be written at once waits in a buffer; a master that takes nothing until the buffer is full is given up.
 * Whatever goes wrong is told by broken() from the loop, never from inside a call, so that callers need not fear that the
 * wire is gone when a call returns. Only who made a wire closes it, in broken() at the earliest, never in message().
 *
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_WIRE_H
#define AGENTX_WIRE_H

#include <stdint.h>

#include <busbar/loop.h>

#include "codec.h"

/** What waits for the master at most: far more than the answers to all that it can have asked. */
#define WIRE_WAITING_MAX (4u << 20)

struct wire_setup {
	struct bb_loop *loop;
	int fd; /* connecting, or connected; the wire's from now on */
	void (*connected)(void *context);
	/** A message: @header->length bytes of @payload. */
	void (*message)(void *context, const struct codec_header *header, const uint8_t *payload);
	/** It is of no use any more: @what, or else @error, says why (0: the master has closed it). */
	void (*broken)(void *context, int error, const char *what);
	void *context;
};

struct wire; /* opaque */

/** 0 or a negative errno: the descriptor is closed then. */
int wire_open(const struct wire_setup *setup, struct wire **ret_wire);
void wire_close(struct wire *wire); /* accepts NULL */

/** Where messages are appended that shall go out. */
struct codec_buffer *wire_buffer(struct wire *wire);

/** Send what has been appended, as far as it can be sent now; the rest follows. Inside message() it need not be called. */
void wire_flush(struct wire *wire);

/** Look now whether something has come, rather than when the loop gets there. */
void wire_read(struct wire *wire);

/** Give it up: nothing more is read, and broken() comes from the loop with @error and @what, which must be static. */
void wire_fail(struct wire *wire, int error, const char *what);

#endif
