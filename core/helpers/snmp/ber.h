/* SPDX-License-Identifier: Apache-2.0
 *
 * ber.h - takes elements off a BER encoding, as far as SNMP uses it: tag, length, content (RFC 3417, 8). Pure.
 *
 * Lengths are checked before content, and nothing is read past the end of its container. All return 0 or -EBADMSG.
 */
#ifndef SNMP_BER_H
#define SNMP_BER_H

#include <stdint.h>

#include <busbar/snmp.h>

/** Tags of what messages and variables are made of (RFC 2578, 7.1; RFC 3416, 3). */
enum ber_tag {
	BER_INTEGER = 0x02,
	BER_BIT_STRING = 0x03,
	BER_STRING = 0x04,
	BER_NULL = 0x05,
	BER_OBJECT = 0x06,
	BER_SEQUENCE = 0x30,
	BER_ADDRESS = 0x40,
	BER_COUNTER = 0x41,
	BER_GAUGE = 0x42,
	BER_TICKS = 0x43,
	BER_OPAQUE = 0x44,
	BER_NSAP = 0x45,
	BER_COUNTER64 = 0x46,
	BER_UNSIGNED = 0x47,
	BER_NO_OBJECT = 0x80,
	BER_NO_INSTANCE = 0x81,
	BER_END_OF_VIEW = 0x82,
};

/** A stretch of bytes that is still to be read. */
struct ber {
	const uint8_t *at, *end;
};

/** Take one element of any type off @from. */
int ber_take(struct ber *from, uint8_t *ret_tag, struct ber *ret_content);

/** Take one element that has to be of type @tag. */
int ber_take_tagged(struct ber *from, uint8_t tag, struct ber *ret_content);

/** Take an INTEGER that is one of 32 bits, signed or not. */
int ber_take_int(struct ber *from, int64_t *ret_value);

/** Read a content: a signed number of at most 64 bits. */
int ber_read_signed(const struct ber *content, int64_t *ret_value);

/** Read a content: an unsigned number of at most 64 bits, cut at INT64_MAX. */
int ber_read_unsigned(const struct ber *content, int64_t *ret_value);

/** Read a content: an object identifier. */
int ber_read_oid(const struct ber *content, struct bb_snmp_oid *ret_oid);

#endif
