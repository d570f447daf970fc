/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/listen.h - the socket that clients of an exporter come to. Exporters make it here rather than let a library do
 * it, to say exactly what failed, to know which port the kernel chose, and to treat addresses all alike.
 *
 * Thread: any.
 */
#ifndef BUSBAR_LISTEN_H
#define BUSBAR_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <busbar/config.h>

/** Room for "[v6]:65535". */
#define BB_LISTEN_TEXT_SIZE 56

/**
 * Turn the value of a LISTEN option into a socket address. No names but "localhost": a look-up could hold up the agent.
 * No host is every address of the machine. Returns 0 or -EINVAL.
 */
int bb_listen_address(const struct bb_address *address, struct sockaddr_storage *ret_address);

/** Can only this machine reach it? */
bool bb_listen_is_loopback(const struct sockaddr_storage *address);

/**
 * Listen there with TCP; @ret_text is where that is, "127.0.0.1:9628", with the port that was chosen if the address had
 * port 0. Returns the descriptor (non-blocking, the caller closes it) or a negative errno.
 */
int bb_listen_open(const struct sockaddr_storage *address, char ret_text[BB_LISTEN_TEXT_SIZE]);

#endif
