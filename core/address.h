/* SPDX-License-Identifier: Apache-2.0
 *
 * address.h - texts that name a peer or a place to listen at.
 */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include "option_value.h"

/**
 * Read SCHEME://HOST[:PORT][/PATH]; an IPv6 HOST stands in brackets. HOST may lack where there is a PATH.
 * @schemes are those allowed, separated by one space; NULL: any. Returns 0, -EINVAL with @ret_fault, or -ENOMEM.
 * The address is one allocation, for free(). Any thread.
 */
int address_parse(const char *text, const char *schemes, struct bb_address **ret_address,
		  struct option_fault *ret_fault);

/** As address_parse(), for HOST:PORT, where no HOST means all addresses and port 0 a port that the system chooses. */
int address_parse_listen(const char *text, struct bb_address **ret_address, struct option_fault *ret_fault);

#endif
