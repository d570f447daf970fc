/* SPDX-License-Identifier: Apache-2.0
 *
 * session_data.h - what the files of a session share.
 */
#ifndef AGENTX_SESSION_DATA_H
#define AGENTX_SESSION_DATA_H

#include <busbar/backoff.h>

#include "master.h"
#include "session.h"
#include "wire.h"

enum session_state {
	SESSION_WAITING,
	SESSION_CONNECTING,
	SESSION_OPENING,
	SESSION_UP,
};

/** Something that we have asked the master for. */
struct ask {
	struct ask *next;
	uint32_t packet;
	enum codec_type type;
	int64_t asked_ms, deadline_ms;
	struct context_entry *entry;             /* REGISTER, UNREGISTER */
	void (*done)(void *context, int result); /* NOTIFY */
	void *context;
};

struct session {
	struct session_setup setup;
	enum session_state state;
	bool announced; /* changed(up) was called */
	struct wire *wire;
	uint32_t id;                  /* the master's name for the session */
	uint32_t packet;              /* the last number used */
	struct ask *asks, **asks_end; /* the oldest first */

	struct bb_timer *timer; /* for whatever comes next; fires too early now and then */
	int64_t armed_ms;       /* when it fires; 0: it does not run */
	int64_t ping_ms;        /* when the next ping is due */
	int64_t again_ms;       /* when what was refused is tried again; 0: nothing was */
	int64_t master_ms;      /* bb_clock_ms() of when the master's sysUpTime was 0 */
	int64_t lead_ms;        /* of the wall clock: struct moment */

	int64_t opened_ms; /* 0: not, since it was lost */
	struct bb_backoff backoff;
	struct bb_complaint complaint;
	char reason[768]; /* what was complained about last */
	struct session_stats stats;
};

/* ---- session.c ---- */

/** See that the timer fires at @at_ms or before. */
void session_arm(struct session *session, int64_t at_ms);

/* ---- session_ask.c ---- */

/** Begin a message to the master; its end is codec_end(wire_buffer(), *@ret_place), then session_ask() or nothing. */
struct codec_buffer *session_begin(struct session *session, enum codec_type type, const char *context,
				   size_t *ret_place);

/**
 * End the message that session_begin() has begun: it goes out with the next wire_flush(), and its Response is waited for.
 * What waits, or NULL when memory lacks: the message does not go out then.
 */
struct ask *session_ask(struct session *session, enum codec_type type, size_t place);

/** The one with the number @packet, out of the list and for free(), or NULL. */
struct ask *ask_take(struct session *session, uint32_t packet);

/** Nobody will answer any more: notifications hear -ECONNRESET. */
void asks_drop(struct session *session);

/* ---- session_register.c ---- */

/** Register and unregister what there is to, as much at a time as suits the master. True: nothing is left to do. */
bool registration_step(struct session *session);

/** The master has answered @ask. */
void registration_answered(struct session *session, const struct ask *ask, const struct codec_response *response);

/** What was refused is to be tried again. */
void registration_again(struct session *session);

/** The session is gone: nothing is registered any more. */
void registration_reset(struct session *session);

/* ---- session_serve.c ---- */

/** A request of the master. */
void session_serve(struct session *session, const struct codec_header *header, const uint8_t *payload);

#endif
