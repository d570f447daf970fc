/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.h - the pure part of resolve.c, for its test: which of a host's addresses it is.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netdb.h>
#include <stdbool.h>

/**
 * The address that bb_resolve_again() is about, among @found. @address holds the one that was tried ("": none), and what
 * comes out. Returns 0 or -EHOSTUNREACH.
 */
int resolve_choose(const struct addrinfo *found, bool next, char address[NI_MAXHOST]);

#endif
