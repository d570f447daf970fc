/* SPDX-License-Identifier: Apache-2.0
 *
 * checksum.h - CRC-32, to tell whether a record of a file was written to its end.
 */
#ifndef CORE_CHECKSUM_H
#define CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** CRC-32 (that of zlib and Ethernet) of @size bytes at @bytes. Any thread. */
uint32_t checksum(const void *bytes, size_t size);

#endif
