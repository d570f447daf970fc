/* SPDX-License-Identifier: Apache-2.0
 *
 * quirks.c - which rows of quirks.csv hold for a device. Pure.
 */
#include "quirks.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* 1.3.6.1.4.1.70 is not the beginning of 1.3.6.1.4.1.705. */
static bool quirks_oid_begins(const char *oid, const char *prefix)
{
	const size_t length = strlen(prefix);

	return strncmp(oid, prefix, length) == 0 && (length == 0 || oid[length] == '\0' || oid[length] == '.');
}

static bool quirks_is_about(const struct quirk *quirk, const char *object, bool is_unsigned)
{
	if (strcmp(quirk->object, "*") == 0)
		return true;
	if (strcmp(quirk->object, "unsigned") == 0)
		return is_unsigned;
	return strcmp(quirk->object, object) == 0;
}

void quirks_select(const struct identity *identity, const char *object, bool is_unsigned, struct quirks *ret_quirks)
{
	ret_quirks->count = 0;
	for (size_t i = 0; i < quirk_count; i++) {
		const struct quirk *quirk = &quirk_table[i];

		if (!quirks_oid_begins(identity->sysobjectid, quirk->sysobjectid) ||
		    strncasecmp(identity->name, quirk->identity, strlen(quirk->identity)) != 0 ||
		    !quirks_is_about(quirk, object, is_unsigned))
			continue;
		assert(ret_quirks->count < QUIRKS_MAX);
		ret_quirks->rows[ret_quirks->count++] = (uint8_t)i; /* make_tables.py allows 254 rows */
	}
}

const struct quirk *quirks_find(const struct quirks *quirks, enum quirk_kind kind)
{
	for (unsigned i = 0; i < quirks->count; i++)
		if (quirk_table[quirks->rows[i]].kind == kind)
			return &quirk_table[quirks->rows[i]];
	return NULL;
}

bool quirks_means_unknown(const struct quirks *quirks, int64_t number)
{
	const bool is_signed = quirks_find(quirks, QUIRK_SIGNED) != NULL;

	for (unsigned i = 0; i < quirks->count; i++) {
		const struct quirk *quirk = &quirk_table[quirks->rows[i]];

		if (quirk->kind == QUIRK_UNKNOWN && quirk->value == number &&
		    !(is_signed && strcmp(quirk->object, "unsigned") == 0))
			return true;
	}
	return false;
}
