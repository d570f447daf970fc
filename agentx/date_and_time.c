/* SPDX-License-Identifier: Apache-2.0
 *
 * date_and_time.c - see date_and_time.h. The layout is that of RFC 2579, section 2, DateAndTime.
 */
#include "date_and_time.h"

#include <string.h>
#include <time.h>

void date_and_time(int64_t wall_ms, uint8_t ret_octets[DATE_AND_TIME_SIZE])
{
	const int64_t rest_ms = (wall_ms % 1000 + 1000) % 1000; /* also before 1970 */
	const time_t seconds = (time_t)((wall_ms - rest_ms) / 1000);
	struct tm local;
	long year, east;

	memset(ret_octets, 0, DATE_AND_TIME_SIZE);
	if (!localtime_r(&seconds, &local))
		return;
	year = local.tm_year + 1900L;
	if (year < 0 || year > UINT16_MAX)
		return;
	east = local.tm_gmtoff / 60; /* minutes */
	ret_octets[0] = (uint8_t)(year >> 8);
	ret_octets[1] = (uint8_t)(year & 0xff);
	ret_octets[2] = (uint8_t)(local.tm_mon + 1);
	ret_octets[3] = (uint8_t)local.tm_mday;
	ret_octets[4] = (uint8_t)local.tm_hour;
	ret_octets[5] = (uint8_t)local.tm_min;
	ret_octets[6] = (uint8_t)local.tm_sec;
	ret_octets[7] = (uint8_t)(rest_ms / 100);
	ret_octets[8] = east < 0 ? '-' : '+';
	if (east < 0)
		east = -east;
	ret_octets[9] = (uint8_t)(east / 60);
	ret_octets[10] = (uint8_t)(east % 60);
}
