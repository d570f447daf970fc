/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/resolve.h - host names to numbers without holding up anybody.
 *
 * getaddrinfo() can block for half a minute, so each look-up of a name has a short-lived thread of its own and its
 * result comes back to a loop.
 */
#ifndef BUSBAR_RESOLVE_H
#define BUSBAR_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/loop.h>

struct bb_lookup; /* opaque: one look-up in flight */

/**
 * Look up @host (a name, or a number, which needs no look-up) and call @done once, later, on @loop's thread: with
 * @result 0 and the numeric address, or with -EHOSTUNREACH and NULL. The look-up is over and freed when @done is called.
 * Of several addresses it is the first, those of IPv4 before those of IPv6: a host may have both and serve one.
 * Returns 0 or a negative errno: then @done is not called. Thread: the loop's.
 */
int bb_resolve(struct bb_loop *loop, const char *host, void (*done)(void *context, int result, const char *address),
	       void *context, struct bb_lookup **ret_lookup);

/**
 * The same for who has tried an address: @from while it still is one of @host's, or with @next the one after it, after
 * the last the first again. Otherwise the first. @from: as @done got it, copied; NULL: none.
 */
int bb_resolve_again(struct bb_loop *loop, const char *host, const char *from, bool next,
		     void (*done)(void *context, int result, const char *address), void *context,
		     struct bb_lookup **ret_lookup);

/** Give up on a look-up whose @done has not been called: it never will be. Accepts NULL. Thread: the loop's. */
void bb_lookup_cancel(struct bb_lookup *lookup);

struct addrinfo; /* <netdb.h> */

/**
 * The same for workers, which may wait: all addresses of @host for TCP to @port, for freeaddrinfo(). After @deadline_ms
 * (bb_clock_ms()) nobody waits any more, and what the look-up finds is dropped. Returns 0, -EHOSTUNREACH, -ETIMEDOUT or
 * -ENOMEM. Any thread.
 */
int bb_resolve_until(const char *host, uint16_t port, int64_t deadline_ms, struct addrinfo **ret_addresses);

#endif
