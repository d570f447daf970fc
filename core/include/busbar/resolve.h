/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/resolve.h - host names to numbers without holding up anybody.
 *
 * getaddrinfo() can block for half a minute, so it runs on a worker, as any other blocking work does.
 */
#ifndef BUSBAR_RESOLVE_H
#define BUSBAR_RESOLVE_H

#include <busbar/loop.h>

/**
 * Look up @host (a name, or a number, which needs no look-up) and call @done on @loop's thread with @result 0 and the
 * numeric address, or with -EHOSTUNREACH and NULL. @context must live until then. Any thread. 0 or -ENOMEM.
 */
int bb_resolve(struct bb_loop *loop, const char *host, void (*done)(void *context, int result, const char *address),
	       void *context);

#endif
