/* SPDX-License-Identifier: Apache-2.0
 *
 * binding.c - reads variables without net-snmp.
 *
 * net-snmp allocates and clears more than a kilobyte for each variable, a quarter of what a whole poll costs. In
 * versions 1 and 2c nothing is signed or encrypted, so there is nothing but this for it to do with an answer; the
 * array that the caller keeps for answers is filled from the bytes instead.
 */
#include "binding.h"

#include <errno.h>

int binding_count(struct ber list, size_t most)
{
	size_t count = 0;

	while (list.at < list.end && count <= most) {
		struct ber content;
		int r = ber_take_tagged(&list, BER_SEQUENCE, &content);

		if (r < 0)
			return r;
		count++;
	}
	return (int)count; /* a datagram has room for a few thousand */
}

static int binding_read_value(struct ber *from, struct bb_snmp_variable *variable)
{
	struct ber content;
	uint8_t tag;
	int r = ber_take(from, &tag, &content);

	if (r < 0)
		return r;
	variable->number = 0;
	variable->bytes = NULL;
	variable->length = 0;
	variable->object.length = 0;
	switch (tag) {
	case BER_INTEGER:
		variable->type = BB_SNMP_INTEGER;
		return ber_read_signed(&content, &variable->number);
	case BER_COUNTER:
	case BER_GAUGE:
	case BER_UNSIGNED:
	case BER_COUNTER64:
		variable->type = BB_SNMP_UNSIGNED;
		return ber_read_unsigned(&content, &variable->number);
	case BER_TICKS:
		variable->type = BB_SNMP_TICKS;
		return ber_read_unsigned(&content, &variable->number);
	case BER_STRING:
	case BER_ADDRESS:
	case BER_OPAQUE:
	case BER_NSAP:
	case BER_BIT_STRING:
		variable->type = BB_SNMP_STRING;
		variable->bytes = content.at;
		variable->length = (size_t)(content.end - content.at);
		return 0;
	case BER_OBJECT:
		variable->type = BB_SNMP_OBJECT;
		return ber_read_oid(&content, &variable->object);
	case BER_NULL:
	case BER_NO_OBJECT:
	case BER_NO_INSTANCE:
		variable->type = BB_SNMP_NULL;
		return 0;
	case BER_END_OF_VIEW:
		variable->type = BB_SNMP_END;
		return 0;
	default:
		return -EBADMSG;
	}
}

int binding_read(struct ber list, struct bb_snmp_variable *variables, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ber binding, name;
		int r;

		r = ber_take_tagged(&list, BER_SEQUENCE, &binding);
		if (r == 0)
			r = ber_take_tagged(&binding, BER_OBJECT, &name);
		if (r == 0)
			r = ber_read_oid(&name, &variables[i].name);
		if (r == 0)
			r = binding_read_value(&binding, &variables[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
