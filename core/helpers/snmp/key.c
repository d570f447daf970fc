/* SPDX-License-Identifier: Apache-2.0
 *
 * key.c - derives keys from passphrases.
 *
 * The standard makes this slow on purpose: a megabyte is hashed for each passphrase, which holds up the loop for some
 * milliseconds. A fleet of devices mostly shares one or two passphrases, so the last keys are remembered, found by a
 * keyed fingerprint of the passphrase rather than by the passphrase itself, which is wiped once the key is there.
 */
#include <errno.h>
#include <string.h>

#include "key.h"

static int key_fingerprint(struct key_cache *cache, const char *passphrase, u_char *fingerprint, size_t *length)
{
	if (!cache->salted) {
		size_t size = sizeof(cache->salt);

		if (sc_random(cache->salt, &size) != SNMPERR_SUCCESS)
			return -EIO;
		cache->salted = true;
	}
	if (sc_generate_keyed_hash(usmHMACSHA1AuthProtocol, OID_LENGTH(usmHMACSHA1AuthProtocol), cache->salt,
				   20 /* what HMAC-SHA-1 takes */, (const u_char *)passphrase,
				   (u_int)strlen(passphrase), fingerprint, length) != SNMPERR_SUCCESS)
		return -EIO;
	return 0;
}

int key_derive(struct key_cache *cache, const oid *protocol, size_t protocol_length, const char *passphrase,
	       struct key *ret_key)
{
	u_char fingerprint[USM_MAX_AUTHSIZE];
	size_t length = sizeof(fingerprint);
	struct key key = {.length = sizeof(key.bytes)};
	const bool known = key_fingerprint(cache, passphrase, fingerprint, &length) == 0;

	for (size_t i = 0; known && i < KEY_CACHE_SIZE; i++) {
		if (cache->entries[i].protocol == protocol && cache->entries[i].length == length &&
		    memcmp(cache->entries[i].fingerprint, fingerprint, length) == 0) {
			*ret_key = cache->entries[i].key;
			return 0;
		}
	}
	if (generate_Ku(protocol, (u_int)protocol_length, (const u_char *)passphrase, strlen(passphrase), key.bytes,
			&key.length) != SNMPERR_SUCCESS)
		return -EINVAL;
	if (known) {
		const unsigned at = cache->next++ % KEY_CACHE_SIZE;

		cache->entries[at].protocol = protocol;
		memcpy(cache->entries[at].fingerprint, fingerprint, length);
		cache->entries[at].length = length;
		cache->entries[at].key = key;
	}
	*ret_key = key;
	explicit_bzero(&key, sizeof(key));
	return 0;
}

void key_cache_clear(struct key_cache *cache)
{
	explicit_bzero(cache, sizeof(*cache));
}
