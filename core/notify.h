/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.h - tells the service manager how we are (sd_notify(3)), by datagram, without libsystemd.
 */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include <stdint.h>

/** Send @state ("READY=1", "STOPPING=1" …) to $NOTIFY_SOCKET; nothing happens where there is none. 0 or a negative errno. */
int notify_send(const char *state);

/** How often WATCHDOG=1 is due, in ms: half of what the service manager waits ($WATCHDOG_USEC); 0: not wanted. */
int64_t notify_watchdog_ms(void);

#endif
