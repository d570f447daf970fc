/* SPDX-License-Identifier: Apache-2.0
 *
 * oid.h - object identifiers: a list of at most 128 numbers (RFC 2578, section 3.5), in lexicographic order.
 */
#ifndef AGENTX_OID_H
#define AGENTX_OID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OID_MAX 128

/** Room for the dotted form of any object identifier. */
#define OID_TEXT_SIZE (OID_MAX * 11 + 1)

struct oid {
	uint32_t length; /* 0: the null identifier { 0 0 } of RFC 2741, section 5.1 */
	uint32_t arcs[OID_MAX];
};

/** Below, at or above 0 as @a comes before, is, or comes after @b; what is the beginning of another comes first. */
int oid_compare(const struct oid *a, const struct oid *b);

/** Is @oid @prefix itself or something below it? */
bool oid_is_below(const struct oid *oid, const struct oid *prefix);

/** Append @count arcs. 0, or -E2BIG: unchanged then. */
int oid_append(struct oid *oid, const uint32_t *arcs, size_t count);

/** The end of everything below @oid: the first identifier behind it. False when there is none. */
bool oid_after(const struct oid *oid, struct oid *ret_after);

/** "1.3.6.1" (a leading dot is allowed) to numbers. 0 or -EINVAL. */
int oid_parse(const char *text, struct oid *ret_oid);

/** "1.3.6.1", without a leading dot. Returns @text. */
const char *oid_print(const struct oid *oid, char text[OID_TEXT_SIZE]);

#endif
