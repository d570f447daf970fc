/* SPDX-License-Identifier: Apache-2.0
 *
 * receiver.h - one receiver over TCP or TLS: its connection, and its place in the journal.
 *
 *     WAITING ──► RESOLVING ──► CONNECTING ──► SHAKING ──► UP ──► FINISHING ──► closed
 *        ▲            │              │            │         │
 *        └────────────┴── failed, too late, gone ─┴─────────┘    (waits longer each time)
 *
 * Every arrow but those of failure has a deadline; nothing in here waits for anything but the loop.
 */
#ifndef SYSLOG_RECEIVER_H
#define SYSLOG_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/log.h>
#include <busbar/loop.h>

#include "message.h"
#include "stream.h"
#include "target.h"

/** What a receiver is told; all of it must outlive the receiver. */
struct receiver_setup {
	const struct target *target;
	const struct message_origin *origin;
	const struct bb_log *log;
	struct bb_loop *loop;
	struct tls *tls;         /* of TLS receivers */
	const char *verify_name; /* instead of the host's name; NULL: that */
	bool count_octets;       /* a frame begins with its length (RFC 6587, 3.4.1); false: ends with a line feed */
	int64_t timeout_ms; /* for a look-up, a connection, the agreement on TLS; and for a peer that must answer */
	int64_t settle_ms;  /* what was acknowledged counts as delivered after this long */
	int64_t retry_ms;   /* longest wait between two attempts */
};

struct receiver;

/** Begin. 0 or a negative errno, which was said. Thread of all functions: the loop's. */
int receiver_start(const struct receiver_setup *setup, struct receiver **ret_receiver);

/**
 * End: gives the peer @patience_ms to take what is on its way, calls @done once, now or later, and is gone then. What
 * the peer did not take comes again after the next start.
 */
void receiver_finish(struct receiver *receiver, int64_t patience_ms, void (*done)(void *context), void *context);

#endif
