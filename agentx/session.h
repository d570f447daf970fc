/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - the connection to the AgentX master: opened, kept, and opened again when it is lost.
 *
 *     WAITING ──► CONNECTING ──► OPENING ──► UP (registering, then serving)
 *        ▲            │             │         │
 *        └── refused, too late, closed by the master, no answer to a ping ──┘    (5 s at most until the next attempt)
 *
 * session.c keeps the states, session_ask.c what we have asked for; session_register.c registers contexts,
 * session_serve.c takes what the master asks for; wire.c is the connection, master.c knows where it leads.
 *
 * Nothing here ever blocks: connect, open, every registration and every ping have a deadline, what cannot be written at
 * once waits in a buffer with a limit. Thread: the AgentX thread.
 */
#ifndef AGENTX_SESSION_H
#define AGENTX_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/log.h>
#include <busbar/loop.h>

#include "codec.h"
#include "context.h"
#include "picture.h"
#include "set.h"

/** Where the master is: option `master`. */
struct session_master {
	char *path; /* of a UNIX socket; NULL: TCP */
	char *host; /* of TCP, a number or localhost */
	uint16_t port;
};

/** "unix:/var/agentx/master" or "tcp:127.0.0.1:705" ("//" may stand before both). 0, or -EINVAL with @ret_fault. */
int session_master_parse(const char *text, struct session_master *ret_master, const char **ret_fault);
void session_master_clear(struct session_master *master);

struct session_setup {
	struct bb_loop *loop;
	const struct bb_log *log;
	const struct session_master *master; /* must outlive the session */
	const struct oid *id;                /* says who we are; must outlive the session */
	struct contexts *contexts;
	struct sets *sets;  /* takes the SETs; what it answers comes back by session_answer() */
	uint8_t priority;   /* of registrations: the lowest wins */
	int64_t timeout_ms; /* an answer that takes longer does not come */
	int64_t retry_ms;   /* longest wait between two attempts */
	int64_t ping_ms;    /* how often the master has to say that it is there */
	/** The session is up and everything known is registered, or it is no more. */
	void (*changed)(void *context, bool up);
	void *context;
};

struct session; /* opaque */

/** Begin; changed() is not called before the loop runs. */
int session_start(const struct session_setup *setup, struct session **ret_session);

/**
 * Says Close to the master as far as that needs no waiting, tells notifications on their way -ECONNRESET, and frees the
 * session; changed() is not called. Accepts NULL.
 */
void session_stop(struct session *session);

/** Is it up, and everything known registered? */
bool session_is_up(const struct session *session);

/** The present moment as the session knows the master's clock. */
struct moment session_moment(struct session *session);

/** Contexts came or went: register, unregister. */
void session_contexts_changed(struct session *session);

/**
 * Send a notification: @varbinds are the variable bindings after sysUpTime.0 (snmpTrapOID.0 first), encoded. @done is
 * called once, later: with 0 when the master's Response has come without error, -EREMOTEIO when it has refused it,
 * -ECONNRESET when the session ended before. Returns 0, -ENOTCONN or -ENOMEM: then @done is not called.
 */
int session_notify(struct session *session, const char *context, const struct codec_buffer *varbinds,
		   void (*done)(void *context, int result), void *done_context);

/** Send the answer to a request whose answer was not ready at once: a Response without variable bindings. */
void session_answer(struct session *session, const struct codec_header *request, enum codec_error error,
		    unsigned index);

/** Figures for BUSBAR-MIB and the log. */
struct session_stats {
	uint64_t requests, notifications, connections;
};
void session_stats(const struct session *session, struct session_stats *ret_stats);

#endif
