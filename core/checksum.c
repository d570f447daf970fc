/* SPDX-License-Identifier: Apache-2.0
 *
 * checksum.c - see checksum.h. Bit by bit: what it is used for is followed by a write to the disk anyway, so a table
 * would make nothing faster.
 */
#include "checksum.h"

#define POLYNOMIAL 0xedb88320U /* of CRC-32, lowest bit first */

uint32_t checksum(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint32_t sum = UINT32_MAX;

	for (; size > 0; size--) {
		sum ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			sum = (sum >> 1) ^ (POLYNOMIAL & (0U - (sum & 1U)));
	}
	return ~sum;
}
