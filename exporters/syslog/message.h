/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h - an event as a syslog message (RFC 5424). Pure: what it needs of the world comes as arguments.
 */
#ifndef SYSLOG_MESSAGE_H
#define SYSLOG_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/event.h>

/** The longest message, in bytes: what every receiver must be able to take (RFC 5425, 4.3.1). A NUL has its place. */
#define MESSAGE_MAX 2048

/** The longest name of a host (RFC 5424, 6). */
#define MESSAGE_HOST_MAX 255

/** The largest sequence number; 1 comes after it (RFC 5424, 7.3.1). */
#define MESSAGE_SEQUENCE_MAX INT32_MAX

/** Who speaks: the same in every message. */
struct message_origin {
	unsigned facility;   /* 0 to 23 */
	uint32_t enterprise; /* private enterprise number behind busbar@ */
	char host[MESSAGE_HOST_MAX + 1];
	unsigned process;
	const char *version; /* of the agent */
};

/**
 * Take @host as the origin's: whatever may not stand in a message becomes '?', nothing at all becomes "-", which is how
 * a message says that it does not know.
 */
void message_set_host(struct message_origin *origin, const char *host);

/**
 * Write @event as a message of its own: no line feed at its end, none inside. @sequence counts what is handed to one
 * receiver, from 1. @synchronised: the kernel says that its clock is. @buffer has MESSAGE_MAX bytes; what is too long is
 * cut, structured data never in the middle. Returns the length.
 */
size_t message_format(const struct message_origin *origin, const struct bb_event *event, uint32_t sequence,
		      bool synchronised, char *buffer);

/** The free text alone, without control characters. @size at least 1. Returns the length. */
size_t message_text(const struct bb_event *event, char *buffer, size_t size);

/** Severity of @event in syslog's numbers, 0 to 7, by the table that docs/alarms.md shows. */
unsigned message_severity(const struct bb_event *event);

/** What @event is called in MSGID, "alarm-raised"; a name that never changes. */
const char *message_id(const struct bb_event *event);

/** What has become of the event's subject: "raised", "lost", "rejected". */
const char *message_state(const struct bb_event *event);

/** Is the subject of @event an alarm (rather than a plugin or a file)? */
bool message_is_of_alarm(const struct bb_event *event);

#endif
