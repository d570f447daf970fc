/* SPDX-License-Identifier: Apache-2.0
 *
 * context.h - the SNMP contexts: one for each device, and the default one; and the answers to Get, GetNext and GetBulk.
 *
 *     ""       BUSBAR-MIB at base-oid, and the default-device's UPS-MIB at 1.3.6.1.2.1.33
 *     "ups-a"  its UPS-MIB at 1.3.6.1.2.1.33
 *
 * context.c keeps the list, answer.c answers, album.c keeps what is being looked at.
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_CONTEXT_H
#define AGENTX_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <busbar/log.h>
#include <busbar/registry.h>

#include "agent_tree.h"
#include "album.h"
#include "codec.h"
#include "picture.h"

/** A subtree in a context: what is registered with the master. */
struct context_entry {
	char *context; /* "" for the default one */
	struct subtree *subtree;
	bool gone;         /* the device is no more: to be taken back from the master, then to be removed */
	bool registered;   /* all below are the session's: the master has taken it */
	uint32_t asked;    /* the packet that registers it or takes it back is on its way; 0: none */
	bool refused;      /* the master has not taken it, and is not asked again yet */
	unsigned refusals; /* how often, in a row */
	struct bb_complaint complaint;
};

struct contexts; /* opaque */

struct contexts_setup {
	struct bb_registry *registry;
	const char *default_device; /* NULL: none; must outlive the contexts */
	struct agent_tree_setup agent;
	const struct bb_log *log;
};

/** With the BUSBAR-MIB and no device: contexts_update() finds them. */
int contexts_create(const struct contexts_setup *setup, struct contexts **ret_contexts);
void contexts_destroy(struct contexts *contexts); /* accepts NULL */

/**
 * Compare with the registry's devices: makes what is new; what is gone stays, marked, until contexts_remove(), so that
 * it can be unregistered. Returns whether something changed, or a negative errno.
 */
int contexts_update(struct contexts *contexts);

/** The entries, sorted by context, then by name. The pointers stay good until contexts_remove(). */
size_t contexts_count(const struct contexts *contexts);
struct context_entry *contexts_at(struct contexts *contexts, size_t index);
void contexts_remove(struct contexts *contexts, size_t index);

/** The entries of the context of that name, which stand together: their number, and the index of the first. */
size_t contexts_range(const struct contexts *contexts, const char *context, size_t *ret_first);

/** The subtree that holds @name in the context of that name, or NULL. */
struct subtree *contexts_find(struct contexts *contexts, const char *context, const struct oid *name);

/** Is there a context of that name? */
bool contexts_has(const struct contexts *contexts, const char *context);

/** The picture of @subtree that @transaction looks at; it lives until the next call. NULL when memory lacks. */
struct picture *contexts_look(struct contexts *contexts, struct subtree *subtree, uint32_t transaction,
			      const struct moment *moment);

/**
 * Answer a Get, GetNext or GetBulk into @answer (a whole Response). @reader stands behind the context's name. 0, or
 * -ENOMEM: nothing was appended. Malformed requests are answered with parseError.
 */
int contexts_answer(struct contexts *contexts, const struct moment *moment, const struct codec_header *request,
		    const char *context_name, struct codec_reader *reader, struct codec_buffer *answer);

/** Now and then: transactions that nobody has gone on with for a while are over. */
void contexts_tidy(struct contexts *contexts, int64_t now_ms);

/** A new session: transactions of the old one are over. */
void contexts_forget_transactions(struct contexts *contexts);

#endif
