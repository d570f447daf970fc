/* SPDX-License-Identifier: Apache-2.0
 *
 * datagram.h - receivers without a duty of delivery: they are told in the moment, and what does not go at once is lost.
 * Thread of all functions: main loop.
 */
#ifndef SYSLOG_DATAGRAM_H
#define SYSLOG_DATAGRAM_H

#include <busbar/event.h>
#include <busbar/log.h>
#include <busbar/loop.h>

#include "message.h"
#include "target.h"

/** What such a receiver needs; all of it must outlive the receiver. */
struct datagram_setup {
	const struct target *target;
	const struct message_origin *origin;
	const struct bb_log *log;
	struct bb_loop *loop;
};

struct udp;

/** Begin: looks the name up. 0 or a negative errno, which was said. */
int udp_start(const struct datagram_setup *setup, struct udp **ret_udp);

/** Send a message of @event (RFC 5426), or keep it until the name was looked up for the first time. */
void udp_send(struct udp *udp, const struct bb_event *event);

/** End. Accepts NULL. */
void udp_stop(struct udp *udp);

struct journald;

/** Begin. 0 or a negative errno, which was said. */
int journald_start(const struct datagram_setup *setup, struct journald **ret_journald);

/** Give @event to the local journal, as fields. */
void journald_send(struct journald *journald, const struct bb_event *event);

/** End. Accepts NULL. */
void journald_stop(struct journald *journald);

/** The datagram that journald_send() sends, in @buffer of JOURNALD_MAX bytes. Returns its length. Pure. */
#define JOURNALD_MAX 4096
size_t journald_format(const struct message_origin *origin, const struct bb_event *event, char *buffer);

#endif
