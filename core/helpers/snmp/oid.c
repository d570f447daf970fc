/* SPDX-License-Identifier: Apache-2.0
 *
 * oid.c - object identifiers: compare, parse, print. Pure functions, called by plugins and by nothing else here.
 *
 * Arcs are 32 bits wide (RFC 2578, 3.5), so net-snmp's wider ones are cut where they enter (answer.c) and never here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/snmp.h>

int bb_snmp_oid_compare(const struct bb_snmp_oid *a, const struct bb_snmp_oid *b)
{
	const size_t common = a->length < b->length ? a->length : b->length;

	for (size_t i = 0; i < common; i++)
		if (a->arcs[i] != b->arcs[i])
			return a->arcs[i] < b->arcs[i] ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

bool bb_snmp_oid_below(const struct bb_snmp_oid *oid, const struct bb_snmp_oid *root)
{
	return oid->length >= root->length && memcmp(oid->arcs, root->arcs, root->length * sizeof(root->arcs[0])) == 0;
}

int bb_snmp_oid_parse(const char *text, struct bb_snmp_oid *ret_oid)
{
	struct bb_snmp_oid oid;

	oid.length = 0;
	if (*text == '.')
		text++;
	for (;;) {
		uint64_t arc = 0;

		if (*text < '0' || *text > '9' || oid.length == BB_SNMP_OID_MAX)
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++) {
			arc = arc * 10 + (uint64_t)(*text - '0');
			if (arc > UINT32_MAX)
				return -EINVAL;
		}
		oid.arcs[oid.length++] = (uint32_t)arc;
		if (*text == '\0')
			break;
		if (*text++ != '.')
			return -EINVAL;
	}
	memcpy(ret_oid->arcs, oid.arcs, oid.length * sizeof(oid.arcs[0]));
	ret_oid->length = oid.length;
	return 0;
}

int bb_snmp_oid_print(char *buffer, size_t size, const struct bb_snmp_oid *oid)
{
	size_t used = 0;

	if (size)
		buffer[0] = '\0';
	for (size_t i = 0; i < oid->length; i++) {
		const size_t room = used < size ? size - used : 0;

		used += (size_t)snprintf(room ? buffer + used : NULL, room, i ? ".%u" : "%u", oid->arcs[i]);
	}
	return (int)used; /* at most 128 arcs of 11 characters */
}
