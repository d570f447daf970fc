/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h - a first look at a received message: what it claims to be, before net-snmp decodes it.
 */
#ifndef SNMP_MESSAGE_H
#define SNMP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ber.h"

/** The longest snmpEngineID (RFC 3411, SnmpEngineID). */
#define MESSAGE_ENGINE_MAX 32

/** Tags of the PDUs that answer a request (RFC 3416, 3). */
enum message_pdu {
	MESSAGE_ENCRYPTED = 0, /* cannot be seen */
	MESSAGE_RESPONSE = 0xa2,
	MESSAGE_REPORT = 0xa8,
};

struct message {
	int32_t version;
	int32_t id; /* request-id (v1, v2c) or msgID (v3) */
	uint8_t pdu;
	/* unless encrypted: */
	int32_t error_status, error_index;
	struct ber variables; /* in the datagram */
	/* v3: */
	bool authenticated, encrypted;
	uint8_t engine_length;
	uint8_t engine[MESSAGE_ENGINE_MAX];
	uint32_t boots, time;
};

/** Look at a datagram. Returns 0, or -EBADMSG when it is not an SNMP message of a known version. Pure. */
int message_peek(const uint8_t *bytes, size_t length, struct message *ret_message);

#endif
