/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - what a message says about the machine it comes from.
 */
#ifndef SYSLOG_HOST_H
#define SYSLOG_HOST_H

#include <stdbool.h>

#include "message.h"

/** Fill host (unless @name is given, it is the machine's), process and version of @origin. Any thread. */
void host_describe(struct message_origin *origin, const char *name);

/** Does the kernel say that something keeps its clock right? Any thread. */
bool host_clock_is_synchronised(void);

#endif
