/* SPDX-License-Identifier: Apache-2.0
 *
 * ber.c - the little of BER that SNMP's answers are made of, read from bytes that a stranger may have sent.
 *
 * Devices are not always strict, and what is harmless is taken: lengths in more octets than needed, unsigned numbers
 * without the leading zero octet that keeps them positive, and the empty object identifier, which is read as 0.0 as
 * net-snmp reads it.
 */
#include "ber.h"

#include <errno.h>

int ber_take(struct ber *from, uint8_t *ret_tag, struct ber *ret_content)
{
	const uint8_t *at = from->at;
	size_t length;

	if (from->end - at < 2)
		return -EBADMSG;
	*ret_tag = *at++;
	length = *at++;
	if (length & 0x80) {
		unsigned octets = length & 0x7f;

		if (octets == 0 || octets > 4 || (size_t)(from->end - at) < octets) /* 0: indefinite, not in SNMP */
			return -EBADMSG;
		for (length = 0; octets; octets--)
			length = length << 8 | *at++;
	}
	if (length > (size_t)(from->end - at))
		return -EBADMSG;
	ret_content->at = at;
	ret_content->end = at + length;
	from->at = at + length;
	return 0;
}

int ber_take_tagged(struct ber *from, uint8_t tag, struct ber *ret_content)
{
	uint8_t found;
	int r = ber_take(from, &found, ret_content);

	return r < 0 ? r : found == tag ? 0 : -EBADMSG;
}

int ber_take_int(struct ber *from, int64_t *ret_value)
{
	struct ber content;
	int64_t value;
	int r;

	r = ber_take_tagged(from, BER_INTEGER, &content);
	if (r == 0)
		r = ber_read_signed(&content, &value);
	if (r < 0)
		return r;
	if (value < INT32_MIN || value > UINT32_MAX)
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

int ber_read_signed(const struct ber *content, int64_t *ret_value)
{
	uint64_t value;

	if (content->at == content->end || content->end - content->at > 8)
		return -EBADMSG;
	value = *content->at & 0x80 ? UINT64_MAX : 0;
	for (const uint8_t *at = content->at; at < content->end; at++)
		value = value << 8 | *at;
	*ret_value = (int64_t)value;
	return 0;
}

int ber_read_unsigned(const struct ber *content, int64_t *ret_value)
{
	const uint8_t *at = content->at;
	uint64_t value = 0;

	if (at == content->end)
		return -EBADMSG;
	if (*at == 0)
		at++;
	if (content->end - at > 8)
		return -EBADMSG;
	for (; at < content->end; at++)
		value = value << 8 | *at;
	*ret_value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	return 0;
}

int ber_read_oid(const struct ber *content, struct bb_snmp_oid *ret_oid)
{
	const uint8_t *at = content->at;
	size_t length = 1; /* the first arc shares its number with the second */

	if (at == content->end) {
		ret_oid->arcs[0] = ret_oid->arcs[1] = 0;
		ret_oid->length = 2;
		return 0;
	}
	while (at < content->end) {
		uint64_t arc = 0;
		uint8_t octet;

		if (length == BB_SNMP_OID_MAX)
			return -EBADMSG;
		do {
			if (at == content->end)
				return -EBADMSG;
			octet = *at++;
			arc = arc << 7 | (octet & 0x7f);
			if (arc > UINT32_MAX)
				return -EBADMSG;
		} while (octet & 0x80);
		ret_oid->arcs[length++] = (uint32_t)arc;
	}
	ret_oid->arcs[0] = ret_oid->arcs[1] < 40 ? 0 : ret_oid->arcs[1] < 80 ? 1 : 2; /* X.690, 8.19.4 */
	ret_oid->arcs[1] -= ret_oid->arcs[0] * 40;
	ret_oid->length = (uint8_t)length;
	return 0;
}
