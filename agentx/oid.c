/* SPDX-License-Identifier: Apache-2.0
 *
 * oid.c - object identifiers, see oid.h.
 */
#include "oid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int oid_compare(const struct oid *a, const struct oid *b)
{
	const uint32_t shorter = a->length < b->length ? a->length : b->length;

	for (uint32_t i = 0; i < shorter; i++)
		if (a->arcs[i] != b->arcs[i])
			return a->arcs[i] < b->arcs[i] ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

bool oid_is_below(const struct oid *oid, const struct oid *prefix)
{
	return oid->length >= prefix->length &&
	       memcmp(oid->arcs, prefix->arcs, prefix->length * sizeof(oid->arcs[0])) == 0;
}

int oid_append(struct oid *oid, const uint32_t *arcs, size_t count)
{
	if (count > OID_MAX - oid->length)
		return -E2BIG;
	memcpy(oid->arcs + oid->length, arcs, count * sizeof(arcs[0]));
	oid->length += (uint32_t)count;
	return 0;
}

bool oid_after(const struct oid *oid, struct oid *ret_after)
{
	struct oid after = *oid;

	while (after.length > 0 && after.arcs[after.length - 1] == UINT32_MAX)
		after.length--;
	if (after.length == 0)
		return false;
	after.arcs[after.length - 1]++;
	*ret_after = after;
	return true;
}

int oid_parse(const char *text, struct oid *ret_oid)
{
	struct oid oid = {0};

	if (*text == '.')
		text++;
	do {
		uint64_t arc = 0;

		if (*text < '0' || *text > '9' || oid.length == OID_MAX)
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++) {
			arc = arc * 10 + (uint64_t)(*text - '0');
			if (arc > UINT32_MAX)
				return -EINVAL;
		}
		oid.arcs[oid.length++] = (uint32_t)arc;
	} while (*text++ == '.');
	if (text[-1] != '\0')
		return -EINVAL;
	*ret_oid = oid;
	return 0;
}

const char *oid_print(const struct oid *oid, char text[OID_TEXT_SIZE])
{
	size_t length = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < oid->length && i < OID_MAX; i++)
		length +=
			(size_t)snprintf(text + length, OID_TEXT_SIZE - length, "%s%u", i > 0 ? "." : "", oid->arcs[i]);
	return text;
}
