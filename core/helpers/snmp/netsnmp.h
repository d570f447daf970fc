/* SPDX-License-Identifier: Apache-2.0
 *
 * netsnmp.h - net-snmp's headers, in the order they want, and the process-wide set-up of the library.
 */
#ifndef SNMP_NETSNMP_H
#define SNMP_NETSNMP_H

#include <stdbool.h>

/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/library/lcd_time.h>
#include <net-snmp/library/transform_oids.h>
/* clang-format on */

/* Aliases that would rename fields of ours; a GETBULK has its two numbers where an answer has these. */
#undef non_repeaters
#undef max_repetitions

/**
 * Prepare net-snmp: no configuration, no MIBs, no persistent files, its messages at debug level in our log. Idempotent.
 * Thread: whoever holds the client's lock, while no loop of the client runs.
 */
void library_init(void);

#endif
