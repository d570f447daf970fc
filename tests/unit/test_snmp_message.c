/* SPDX-License-Identifier: Apache-2.0
 *
 * test_snmp_message.c - the first look at a received message: what strangers may send to the port of a poller.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "message.h"

/* A v2c response: request id 0x01020304, one variable 1.3.6.1.2.1.1.3.0 = TimeTicks 5. */
static const uint8_t v2c[] = {
	0x30, 0x2c, 0x02, 0x01, 0x01, 0x04, 0x06, 'p',  'u',  'b',  'l',  'i',  'c',  0xa2, 0x1f, 0x02,
	0x04, 0x01, 0x02, 0x03, 0x04, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x11, 0x30, 0x0f, 0x06,
	0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x03, 0x00, 0x43, 0x03, 0x00, 0x00, 0x05,
};

/* A v3 report without authentication: msgID 0x11223344, engine 80 00 1f 88 04, boots 3, time 0x80 (needs two octets). */
static const uint8_t v3[] = {
	0x30, 0x59,                                                       /* message */
	0x02, 0x01, 0x03,                                                 /* version */
	0x30, 0x10,                                                       /* global data */
	0x02, 0x04, 0x11, 0x22, 0x33, 0x44,                               /* msgID */
	0x02, 0x02, 0x40, 0x00,                                           /* msgMaxSize */
	0x04, 0x01, 0x00,                                                 /* msgFlags */
	0x02, 0x01, 0x03,                                                 /* msgSecurityModel */
	0x04, 0x16,                                                       /* security parameters */
	0x30, 0x14,                                                       /* … */
	0x04, 0x05, 0x80, 0x00, 0x1f, 0x88, 0x04,                         /* engine id */
	0x02, 0x01, 0x03,                                                 /* boots */
	0x02, 0x02, 0x00, 0x80,                                           /* time */
	0x04, 0x00, 0x04, 0x00, 0x04, 0x00,                               /* user, authentication, privacy */
	0x30, 0x2a,                                                       /* scoped PDU */
	0x04, 0x05, 0x80, 0x00, 0x1f, 0x88, 0x04,                         /* context engine id */
	0x04, 0x00,                                                       /* context name */
	0xa8, 0x1f,                                                       /* report */
	0x02, 0x02, 0x7f, 0xff, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00,       /* request id, error status and index */
	0x30, 0x13, 0x30, 0x11, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x06, 0x03, /* usmStatsUnknownEngineIDs … */
	0x0f, 0x01, 0x01, 0x04, 0x00, 0x41, 0x03, 0x00, 0x00, 0x01,       /* … = 1 */
};

/* Its scoped PDU is the last 44 octets, its msgFlags are octet 19. */
enum {
	V3_FLAGS = 19,
	V3_MODEL = 22,
};

Test(snmp_message, a_response_shows_its_version_id_and_kind)
{
	struct message message;

	cr_assert_eq(message_peek(v2c, sizeof(v2c), &message), 0);
	cr_assert_eq(message.version, 1);
	cr_assert_eq(message.id, 0x01020304);
	cr_assert_eq(message.pdu, MESSAGE_RESPONSE);
}

Test(snmp_message, a_report_shows_its_engine_and_clock)
{
	static const uint8_t engine[] = {0x80, 0x00, 0x1f, 0x88, 0x04};
	struct message message;

	cr_assert_eq(message_peek(v3, sizeof(v3), &message), 0);
	cr_assert_eq(message.version, 3);
	cr_assert_eq(message.id, 0x11223344);
	cr_assert_eq(message.pdu, MESSAGE_REPORT);
	cr_assert_eq(message.engine_length, sizeof(engine));
	cr_assert_arr_eq(message.engine, engine, sizeof(engine));
	cr_assert_eq(message.boots, 3);
	cr_assert_eq(message.time, 128);
	cr_assert_not(message.authenticated);
	cr_assert_not(message.encrypted);
}

Test(snmp_message, an_encrypted_one_hides_its_kind)
{
	uint8_t bytes[sizeof(v3)];
	struct message message;

	memcpy(bytes, v3, sizeof(v3));
	bytes[V3_FLAGS] = 3;
	cr_assert_eq(message_peek(bytes, sizeof(bytes), &message), 0);
	cr_assert(message.authenticated);
	cr_assert(message.encrypted);
	cr_assert_eq(message.pdu, MESSAGE_ENCRYPTED);
}

Test(snmp_message, other_versions_and_security_models_are_refused)
{
	uint8_t bytes[sizeof(v3)];
	struct message message = {.id = 7};

	memcpy(bytes, v3, sizeof(v3));
	bytes[4] = 2;
	cr_assert_eq(message_peek(bytes, sizeof(bytes), &message), -EBADMSG);
	bytes[4] = 3;
	bytes[V3_MODEL] = 4;
	cr_assert_eq(message_peek(bytes, sizeof(bytes), &message), -EBADMSG);
	cr_assert_eq(message.id, 7, "output must stay untouched on failure");
}

/* Copies on the heap, so that a sanitizer sees a read past the end. */
static int peek_copy(const uint8_t *bytes, size_t length, struct message *message)
{
	uint8_t *copy = malloc(length ? length : 1);
	int r;

	cr_assert(copy);
	memcpy(copy, bytes, length);
	r = message_peek(copy, length, message);
	free(copy);
	return r;
}

Test(snmp_message, every_truncation_is_refused)
{
	struct message message;

	for (size_t i = 0; i < sizeof(v2c); i++)
		cr_assert_eq(peek_copy(v2c, i, &message), -EBADMSG, "%zu octets", i);
	for (size_t i = 0; i < sizeof(v3); i++)
		cr_assert_eq(peek_copy(v3, i, &message), -EBADMSG, "%zu octets", i);
}

Test(snmp_message, every_octet_may_be_anything)
{
	struct message message;

	for (size_t i = 0; i < sizeof(v3); i++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[sizeof(v3)];
			int r;

			memcpy(bytes, v3, sizeof(v3));
			bytes[i] = (uint8_t)value;
			r = peek_copy(bytes, sizeof(bytes), &message);
			cr_assert(r == 0 || r == -EBADMSG);
			cr_assert(r < 0 || message.engine_length <= MESSAGE_ENGINE_MAX);
		}
	}
}

Test(snmp_message, an_engine_id_longer_than_allowed_is_refused)
{
	/* version 3, global data as above, security parameters with 33 octets of engine id */
	uint8_t bytes[128] = {0};
	struct message message;
	size_t at = 0;

	memcpy(bytes, v3, 23); /* up to the security model */
	at = 23;
	bytes[at++] = 0x04;
	bytes[at++] = 2 + 2 + 33 + 6 + 6;
	bytes[at++] = 0x30;
	bytes[at++] = 2 + 33 + 6 + 6;
	bytes[at++] = 0x04;
	bytes[at++] = 33;
	at += 33;
	memcpy(bytes + at, (const uint8_t[]){2, 1, 1, 2, 1, 1, 4, 0, 4, 0, 4, 0}, 12);
	at += 12;
	bytes[1] = (uint8_t)(at - 2);
	bytes[V3_FLAGS] = 3;
	cr_assert_eq(message_peek(bytes, at, &message), -EBADMSG);
	bytes[at - 12 - 33 - 1] = 32; /* with 32 it would do, the last octet then begins the next element wrongly */
	cr_assert_eq(message_peek(bytes, at, &message), -EBADMSG);
}

Test(snmp_message, lengths_that_overflow_are_refused)
{
	static const uint8_t bytes[][8] = {
		{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x02, 0x01},
		{0x30, 0x80, 0x02, 0x01, 0x01, 0x00, 0x00, 0x00},
		{0x30, 0x89, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
		{0x30, 0x06, 0x02, 0x84, 0xff, 0xff, 0xff, 0xff},
	};
	struct message message;

	for (size_t i = 0; i < BB_LENGTH(bytes); i++)
		cr_assert_eq(peek_copy(bytes[i], sizeof(bytes[i]), &message), -EBADMSG);
}
