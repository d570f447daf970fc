/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/snmp.h - the SNMP client that plugins share (libbusbar-snmp).
 *
 * net-snmp as distributions build it has empty locks, so every call to it lives on one thread: the client's
 * loop. Plugins that speak SNMP run their state machines on that loop too, and nothing here blocks: requests
 * are answered by callbacks. Names are resolved before, elsewhere; agents have numeric addresses.
 *
 * Agents that were cloned with their engine id are polled all the same, each by its own clock; the second is told of
 * in its log.
 *
 * All functions but bb_snmp_client_acquire() and bb_snmp_client_release() belong to the client's loop.
 */
#ifndef BUSBAR_SNMP_H
#define BUSBAR_SNMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/log.h>
#include <busbar/loop.h>

/** The longest object identifier we handle, in arcs (RFC 3416, 4.1: 128). */
#define BB_SNMP_OID_MAX 128

struct bb_snmp_client; /* opaque: the thread, its loop, all sessions */
struct bb_snmp_agent;  /* opaque: one peer */

/** The process's client, its thread started with the first user and ended with the last. 0 or a negative errno. */
int bb_snmp_client_acquire(struct bb_snmp_client **ret_client);
/** Thread: any but the client's own. Accepts NULL. */
void bb_snmp_client_release(struct bb_snmp_client *client);

/** The loop of the client's thread. Any thread. */
struct bb_loop *bb_snmp_client_loop(struct bb_snmp_client *client);

/** Protocol versions as they stand in messages (RFC 1901, RFC 3412). */
enum bb_snmp_version {
	BB_SNMP_V1 = 0,
	BB_SNMP_V2C = 1,
	BB_SNMP_V3 = 3,
};

enum bb_snmp_level {
	BB_SNMP_NO_AUTH,
	BB_SNMP_AUTH,
	BB_SNMP_AUTH_PRIV,
};

/** How to reach a peer. Texts are copied by bb_snmp_agent_open(). */
struct bb_snmp_options {
	const char *host; /* numeric, IPv4 or IPv6 (no brackets) */
	uint16_t port;
	enum bb_snmp_version version;
	const char *community; /* v1, v2c */
	const char *user;      /* v3, as all below */
	enum bb_snmp_level level;
	const char *auth; /* MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512 */
	const char *auth_passphrase;
	const char *privacy; /* DES AES AES-192 AES-256, as far as net-snmp was built with them */
	const char *privacy_passphrase;
	const char *context; /* "" for the default */
	int64_t timeout_ms;  /* of one try */
	int retries;         /* further tries */
};

/**
 * Prepare to talk to a peer: opens a socket, sends nothing yet; with v3 the engine is discovered with the first
 * request. @log is borrowed. Returns 0 or a negative errno, already said.
 */
int bb_snmp_agent_open(struct bb_snmp_client *client, const struct bb_snmp_options *options, const struct bb_log *log,
		       struct bb_snmp_agent **ret_agent);

/** Forget the peer; callbacks of requests in flight are not called. Accepts NULL. */
void bb_snmp_agent_close(struct bb_snmp_agent *agent);

/** An object identifier. */
struct bb_snmp_oid {
	uint32_t arcs[BB_SNMP_OID_MAX];
	uint8_t length;
};

/** Compare as the MIB orders them. <0, 0, >0. Any thread. */
int bb_snmp_oid_compare(const struct bb_snmp_oid *a, const struct bb_snmp_oid *b);
/** Does @oid lie in the subtree of @root (or is it @root)? Any thread. */
bool bb_snmp_oid_below(const struct bb_snmp_oid *oid, const struct bb_snmp_oid *root);
/** "1.3.6.1" with or without leading dot. 0 or -EINVAL. Any thread. */
int bb_snmp_oid_parse(const char *text, struct bb_snmp_oid *ret_oid);
/** Prints without leading dot; returns the length as snprintf() does. Any thread. */
int bb_snmp_oid_print(char *buffer, size_t size, const struct bb_snmp_oid *oid);

/** What kind of value a variable has; what is a number in it is in `number`. */
enum bb_snmp_type {
	BB_SNMP_INTEGER,  /* INTEGER */
	BB_SNMP_UNSIGNED, /* Counter32, Gauge32, Counter64 (saturated at INT64_MAX) */
	BB_SNMP_TICKS,    /* TimeTicks, 0.01 s */
	BB_SNMP_STRING,   /* OCTET STRING, IpAddress, Opaque */
	BB_SNMP_OBJECT,   /* OBJECT IDENTIFIER */
	BB_SNMP_NULL,     /* NULL, noSuchObject, noSuchInstance */
	BB_SNMP_END,      /* endOfMibView */
};

/** One variable of an answer. Borrowed: valid during the callback. */
struct bb_snmp_variable {
	struct bb_snmp_oid name;
	enum bb_snmp_type type;
	int64_t number;
	const uint8_t *bytes; /* string */
	size_t length;
	struct bb_snmp_oid object;
};

enum bb_snmp_operation {
	BB_SNMP_GET,
	BB_SNMP_GETNEXT,
	BB_SNMP_GETBULK, /* v2c, v3 */
};

/** A request. Borrowed during the call. */
struct bb_snmp_request {
	enum bb_snmp_operation operation;
	const struct bb_snmp_oid *names;
	size_t count;
	unsigned non_repeaters, max_repetitions; /* GETBULK */
};

/**
 * What came of a request. @result: 0; -ETIMEDOUT no answer after all tries; -EMSGSIZE tooBig; -ENXIO noSuchName (v1)
 * with @error_index (from 1); -EACCES authentication, user or access refused (why has been said through the agent's
 * log); -EPROTO anything else that makes no sense, also more variables than were asked for; -ENOMEM.
 */
typedef void bb_snmp_answer(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
			    size_t error_index);

/**
 * Send @request; @answer is called exactly once, later, unless the agent is closed first. Any number may be in flight.
 * Returns 0 or a negative errno: then @answer is not called. -EINVAL: no names, one of fewer than 2 arcs, or GETBULK
 * in version 1; -EMSGSIZE: more names than a datagram holds.
 */
int bb_snmp_send(struct bb_snmp_agent *agent, const struct bb_snmp_request *request, bb_snmp_answer *answer,
		 void *context);

/** snmpEngineBoots of a v3 peer, 0 before discovery and for others: it changes when the peer restarts. */
uint32_t bb_snmp_agent_boots(const struct bb_snmp_agent *agent);

/** Messages of this peer that were dropped: malformed, foreign address, unknown request id. */
uint64_t bb_snmp_agent_dropped(const struct bb_snmp_agent *agent);

#endif
