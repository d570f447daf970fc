/* SPDX-License-Identifier: Apache-2.0
 *
 * access.h - the options of ups-snmp, and the secrets they lead to.
 */
#ifndef UPS_SNMP_ACCESS_H
#define UPS_SNMP_ACCESS_H

#include <busbar/config.h>
#include <busbar/snmp.h>

extern const struct bb_option ups_snmp_options[];

/* Longest community or passphrase, NUL included. */
#define SECRET_SIZE 256

/* What files say that the configuration names. Wipe it with secrets_wipe(). */
struct secrets {
	char community[SECRET_SIZE];
	char auth[SECRET_SIZE];
	char privacy[SECRET_SIZE];
};

/* Do the options make sense together? 0 or -EINVAL, said through bb_config_error(). Changes nothing. */
int ups_snmp_check(const struct bb_config *config);

/* Read the files. 0 or -EINVAL, said. */
int secrets_read(const struct bb_config *config, struct secrets *ret_secrets);

void secrets_wipe(struct secrets *secrets);

/**
 * The two passphrases in the text of an auth-file: the first line authenticates, the second keeps private, or is the same
 * as the first when absent; "auth: " and "privacy: " may stand before them, then in any order. Empty lines and those that
 * begin with # do not count. Returns 0, or -EINVAL with the reason in *ret_reason.
 */
int secrets_parse(const char *text, struct secrets *secrets, const char **ret_reason);

/* The options as the SNMP client wants them; texts are borrowed from @config, @secrets and @host. */
void ups_snmp_access(const struct bb_config *config, const struct secrets *secrets, const char *host,
		     struct bb_snmp_options *ret_options);

#endif
