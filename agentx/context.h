/* SPDX-License-Identifier: Apache-2.0
 *
 * context.h - the SNMP contexts: one for each device, and the default one; and the answers to Get, GetNext and GetBulk.
 *
 *     ""       BUSBAR-MIB at base-oid, and the default-device's UPS-MIB at 1.3.6.1.2.1.33
 *     "ups-a"  its UPS-MIB at 1.3.6.1.2.1.33
 *
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_CONTEXT_H
#define AGENTX_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <busbar/registry.h>

#include "codec.h"
#include "picture.h"

/** A subtree in a context: what is registered with the master. */
struct context_entry {
	char *context; /* "" for the default one */
	struct subtree *subtree;
	bool registered; /* the session's: the master has taken it */
	bool gone;       /* the session's: to be taken back */
};

struct contexts; /* opaque */

struct contexts_setup {
	struct bb_registry *registry;
	const char *default_device; /* NULL: none */
	struct oid base;            /* of the BUSBAR-MIB */
	const struct bb_log *log;
};

int contexts_create(const struct contexts_setup *setup, struct contexts **ret_contexts);
void contexts_destroy(struct contexts *contexts); /* accepts NULL */

/**
 * Compare with the registry's devices: makes what is new; what is gone stays, marked, until contexts_remove(), so that
 * it can be unregistered. Returns whether something changed, or a negative errno.
 */
int contexts_update(struct contexts *contexts);

size_t contexts_count(const struct contexts *contexts);
struct context_entry *contexts_at(struct contexts *contexts, size_t index);
void contexts_remove(struct contexts *contexts, size_t index);

/** The subtree that holds @name in the context of that name, or NULL. */
struct subtree *contexts_find(struct contexts *contexts, const char *context, const struct oid *name);

/** Is there a context of that name? */
bool contexts_has(const struct contexts *contexts, const char *context);

/**
 * Answer a Get, GetNext or GetBulk into @answer (a whole Response). @reader stands behind the context's name. 0, or
 * -ENOMEM: nothing was appended. Malformed requests are answered with parseError.
 */
int contexts_answer(struct contexts *contexts, const struct moment *moment, const struct codec_header *request,
		    const char *context_name, struct codec_reader *reader, struct codec_buffer *answer);

/** A new session: transactions of the old one are over. */
void contexts_forget_transactions(struct contexts *contexts);

#endif
