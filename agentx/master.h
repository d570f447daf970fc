/* SPDX-License-Identifier: Apache-2.0
 *
 * master.h - beginning a connection to the master, and saying what its administrator can do when there is none.
 *
 * session_master_parse() and session_master_clear(), which session.h declares, are in master.c, too.
 */
#ifndef AGENTX_MASTER_H
#define AGENTX_MASTER_H

#include <stddef.h>

#include "session.h"

/** Begin to connect. The descriptor, which is writable when there is an outcome, or a negative errno. Never blocks. */
int master_connect(const struct session_master *master);

#define MASTER_TEXT_SIZE 256

/** "unix:/var/agentx/master", as snmpd.conf has it. */
void master_print(const struct session_master *master, char text[MASTER_TEXT_SIZE]);

/** What helps against @error of a connection, with the lines for snmpd.conf; "" when there is nothing to say. */
void master_advise(const struct session_master *master, int error, char *text, size_t size);

#endif
