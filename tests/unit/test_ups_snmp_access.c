/* SPDX-License-Identifier: Apache-2.0
 *
 * The files with passphrases.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/macros.h>

#include "access.h"

struct secrets_case {
	const char *text, *auth, *privacy;
};

Test(ups_snmp_access, passphrases_stand_in_lines_or_behind_their_names)
{
	static const struct secrets_case cases[] = {
		{"authauth1\nprivpriv1\n", "authauth1", "privpriv1"},
		{"authauth1", "authauth1", "authauth1"},
		{"# a comment\n\n  authauth1 \r\nprivpriv1", "authauth1", "privpriv1"},
		{"privacy: privpriv1\nauth: authauth1\n", "authauth1", "privpriv1"},
		{"auth: two words here\n", "two words here", "two words here"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct secrets secrets = {0};
		const char *reason = NULL;

		cr_expect_eq(secrets_parse(cases[i].text, &secrets, &reason), 0, "%s: %s", cases[i].text, reason);
		cr_expect_str_eq(secrets.auth, cases[i].auth);
		cr_expect_str_eq(secrets.privacy, cases[i].privacy);
	}
}

Test(ups_snmp_access, what_cannot_be_a_passphrase_is_refused_with_a_reason)
{
	char endless[600];
	const char *const texts[] = {"",
				     "\n\n",
				     "# only this\n",
				     "short",
				     "authauth1\nshort",
				     "privacy: privpriv1\n",
				     "authauth1\nprivpriv1\nanotherone\n",
				     endless};

	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		struct secrets secrets = {0};
		const char *reason = NULL;

		cr_expect_eq(secrets_parse(texts[i], &secrets, &reason), -EINVAL, "%.40s", texts[i]);
		cr_expect_not_null(reason, "%.40s", texts[i]);
	}
}

Test(ups_snmp_access, wiping_leaves_nothing)
{
	struct secrets secrets, nothing = {0};

	memset(&secrets, 'x', sizeof(secrets));
	secrets_wipe(&secrets);
	cr_expect_eq(memcmp(&secrets, &nothing, sizeof(secrets)), 0);
}
