/* SPDX-License-Identifier: Apache-2.0
 *
 * test_snmp_key.c - keys from passphrases, against the examples of RFC 3414.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "key.h"

/* RFC 3414, A.3.1 and A.3.2: what "maplesyrup" becomes before it is bound to an engine. */
static const u_char md5[] = {0x9f, 0xaf, 0x32, 0x83, 0x88, 0x4e, 0x92, 0x83,
			     0x4e, 0xbc, 0x98, 0x47, 0xd8, 0xed, 0xd9, 0x63};
static const u_char sha[] = {0x9f, 0xb5, 0xcc, 0x03, 0x81, 0x49, 0x7b, 0x37, 0x93, 0x52,
			     0x89, 0x39, 0xff, 0x78, 0x8d, 0x5d, 0x79, 0x14, 0x52, 0x11};

static struct key derive(struct key_cache *cache, const oid *protocol, const char *passphrase)
{
	struct key key;

	cr_assert_eq(key_derive(cache, protocol, OID_LENGTH(usmHMACMD5AuthProtocol), passphrase, &key), 0);
	return key;
}

static void assert_key(struct key key, const u_char *bytes, size_t length)
{
	cr_assert_eq(key.length, length);
	cr_assert_arr_eq(key.bytes, bytes, length);
}

Test(snmp_key, a_passphrase_becomes_the_standard_s_key, .init = library_init)
{
	struct key_cache cache = {0};

	assert_key(derive(&cache, usmHMACMD5AuthProtocol, "maplesyrup"), md5, sizeof(md5));
	assert_key(derive(&cache, usmHMACSHA1AuthProtocol, "maplesyrup"), sha, sizeof(sha));
}

Test(snmp_key, a_remembered_key_is_that_of_its_passphrase_and_protocol, .init = library_init)
{
	struct key_cache cache = {0};
	char passphrase[32];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 10; i++) {
			struct key_cache fresh = {0};
			struct key key, right;

			(void)snprintf(passphrase, sizeof(passphrase), "passphrase %d", i);
			key = derive(&cache, i % 2 ? usmHMACMD5AuthProtocol : usmHMACSHA1AuthProtocol, passphrase);
			right = derive(&fresh, i % 2 ? usmHMACMD5AuthProtocol : usmHMACSHA1AuthProtocol, passphrase);
			assert_key(key, right.bytes, right.length);
		}
		assert_key(derive(&cache, usmHMACMD5AuthProtocol, "maplesyrup"), md5, sizeof(md5));
		assert_key(derive(&cache, usmHMACSHA1AuthProtocol, "maplesyrup"), sha, sizeof(sha));
	}
}

Test(snmp_key, more_passphrases_than_are_remembered_still_have_their_own_keys, .init = library_init)
{
	struct key_cache cache = {0};
	char passphrase[32];

	for (int i = 0; i < KEY_CACHE_SIZE + 4; i++) {
		(void)snprintf(passphrase, sizeof(passphrase), "passphrase %d", i);
		(void)derive(&cache, usmHMACMD5AuthProtocol, passphrase);
	}
	assert_key(derive(&cache, usmHMACMD5AuthProtocol, "maplesyrup"), md5, sizeof(md5));
}

Test(snmp_key, too_short_a_passphrase_is_refused_and_nothing_is_kept_when_cleared, .init = library_init)
{
	static const struct key_cache empty;
	struct key_cache cache = {0};
	struct key key;

	cr_assert_lt(key_derive(&cache, usmHMACMD5AuthProtocol, OID_LENGTH(usmHMACMD5AuthProtocol), "short", &key), 0);
	(void)derive(&cache, usmHMACMD5AuthProtocol, "maplesyrup");
	key_cache_clear(&cache);
	cr_assert_eq(memcmp(&cache, &empty, sizeof(cache)), 0);
}
