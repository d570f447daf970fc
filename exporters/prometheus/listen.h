/* SPDX-License-Identifier: Apache-2.0
 *
 * listen.h - the socket that scrapes come to. We make it ourselves, rather than let the HTTP library do it, to say
 * exactly what failed and to know which port the kernel chose.
 */
#ifndef PROMETHEUS_LISTEN_H
#define PROMETHEUS_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <busbar/config.h>

/** Room for "http://[v6]:65535". */
#define LISTEN_URL_SIZE 64

/**
 * Turn the option's value into a socket address. No names but "localhost": a look-up could hold up the agent. No host
 * is every address of the machine. Returns 0 or -EINVAL.
 */
int listen_address(const struct bb_address *address, struct sockaddr_storage *ret_address);

/** Can only this machine reach it? */
bool listen_is_loopback(const struct sockaddr_storage *address);

/**
 * Listen there; @ret_url is where that is, with the port that was chosen if the address had port 0.
 * Returns the descriptor or a negative errno.
 */
int listen_open(const struct sockaddr_storage *address, char ret_url[LISTEN_URL_SIZE]);

#endif
