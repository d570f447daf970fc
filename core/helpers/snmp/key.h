/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - from passphrases to keys (RFC 3414, A.2), remembered, since a fleet often shares its passphrases.
 */
#ifndef SNMP_KEY_H
#define SNMP_KEY_H

#include "netsnmp.h"

/** A key of a user, not bound to an engine yet ("Ku"). Secret. */
struct key {
	size_t length; /* 0: not derived yet */
	u_char bytes[USM_AUTH_KU_LEN];
};

#define KEY_CACHE_SIZE 16

/** The keys derived last. */
struct key_cache {
	u_char salt[32]; /* of the fingerprints, so that they say nothing about passphrases to who can read them */
	bool salted;
	unsigned next;
	struct {
		const oid *protocol;
		u_char fingerprint[USM_MAX_AUTHSIZE];
		size_t length; /* of the fingerprint, 0: empty */
		struct key key;
	} entries[KEY_CACHE_SIZE];
};

/**
 * Derive the key of @passphrase for the authentication protocol @protocol (one of usm_get_auth_oid(), so that equal
 * protocols have equal pointers), or find it in @cache. A derivation takes milliseconds. Returns 0 or -EINVAL.
 */
int key_derive(struct key_cache *cache, const oid *protocol, size_t protocol_length, const char *passphrase,
	       struct key *ret_key);

/** Forget all keys. */
void key_cache_clear(struct key_cache *cache);

#endif
