/* SPDX-License-Identifier: Apache-2.0
 *
 * date_and_time.h - RFC 2579's DateAndTime: a moment as eleven octets, in local time with its offset from UTC.
 */
#ifndef AGENTX_DATE_AND_TIME_H
#define AGENTX_DATE_AND_TIME_H

#include <stdint.h>

#define DATE_AND_TIME_SIZE 11

/** @wall_ms (bb_clock_wall_ms()) in the time zone of this machine. A moment that no year of it can say is all zero. */
void date_and_time(int64_t wall_ms, uint8_t ret_octets[DATE_AND_TIME_SIZE]);

#endif
