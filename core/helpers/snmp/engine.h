/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - the SNMP engine of a version 3 peer: who it is, what its clock says, and the keys for it.
 */
#ifndef SNMP_ENGINE_H
#define SNMP_ENGINE_H

#include <sys/queue.h>

#include <busbar/snmp.h>

#include "key.h"
#include "message.h"

struct bb_snmp_agent;
struct bb_snmp_options;
struct request;

/* clang-format off */
/*
 *            first request              probe answered               keys derived
 *  UNKNOWN ────────────────► PROBING ───────────────────► KEYING ─────────────────► KNOWN
 *     ▲                         │                                                     │
 *     └─────────────────────────┴── no answer ◄──── another engine answers, ──────────┘
 *                                                   or none after all tries
 */
/* clang-format on */
enum engine_state {
	ENGINE_UNKNOWN,
	ENGINE_PROBING,
	ENGINE_KEYING,
	ENGINE_KNOWN,
};

/* Is it the privacy that is wrong? See the head of engine.c. */
enum engine_check {
	CHECK_NONE,
	CHECK_WANTED,
	CHECK_SENT,
	CHECK_PASSED, /* who we are could be verified */
};

struct engine {
	enum engine_state state;
	uint8_t id[MESSAGE_ENGINE_MAX];
	uint8_t id_length;
	bool shared; /* another agent has the same id, and that has been said */

	/* Its clock (RFC 3414, 2.3): what it said when. Kept here and lent to net-snmp, see engine_enter(). */
	uint32_t boots, time;
	int64_t heard_ms;   /* bb_clock_ms() */
	bool authenticated; /* it was in an authenticated message */

	const oid *auth, *privacy; /* protocols */
	size_t auth_length, privacy_length;
	char *auth_passphrase, *privacy_passphrase; /* until the keys are derived */
	struct key auth_key, privacy_key;
	struct usmUser *user; /* with keys localised for this engine; in net-snmp's list only while lent */
	bool queued;          /* in client->keyless */
	TAILQ_ENTRY(bb_snmp_agent) keyless;

	bool found;    /* the probe was answered */
	bool changed;  /* the peer is another engine now, or its clock is beyond repair: discover it anew */
	bool doubtful; /* a request got no answer: discover before the next one */
	bool proven;   /* a request was answered since the discovery */
	enum engine_check check;
	struct bb_complaint refusal;
};

/** Check and copy protocols and passphrases. Returns 0 or a negative errno, already said. */
int credential_init(struct bb_snmp_agent *agent, const struct bb_snmp_options *options);

/** Wipe them and all that was made of them. Accepts an agent that has none. */
void credential_finish(struct bb_snmp_agent *agent);

/** Turn the passphrases into keys, and wipe them. May take milliseconds. Returns 0 or a negative errno, already said. */
int credential_derive(struct bb_snmp_agent *agent);

/** Make net-snmp's user for the agent's engine, which is lent to it from here on. Returns 0 or a negative errno. */
int credential_bind(struct bb_snmp_agent *agent);

/** Free that user. */
void credential_unbind(struct bb_snmp_agent *agent);

/** Stop whatever goes on. For an agent that is being closed. */
void engine_finish(struct bb_snmp_agent *agent);

/** Lend net-snmp what it has to know of the agent's engine while it works for this agent, and take it back. */
void engine_enter(struct bb_snmp_agent *agent);
void engine_leave(struct bb_snmp_agent *agent);

/** Send @request, or let it wait for the discovery. Returns 0, or a negative errno and @request is the caller's. */
int engine_send(struct bb_snmp_agent *agent, struct request *request);

/** Is @message one that net-snmp should see? May conclude that the engine has changed. */
bool engine_accepts(struct bb_snmp_agent *agent, const struct message *message, const struct request *request);

/** A report came for @request; @final: net-snmp will not correct its clock and send again. */
void engine_report(struct request *request, netsnmp_pdu *report, bool final);

/** @request got no answer after all tries. Returns the result for it. */
int engine_timed_out(struct request *request);

/** After net-snmp has returned: go on with the discovery. */
void engine_settle(struct bb_snmp_agent *agent);

#endif
