/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_put.c - see agent_put.h.
 */
#include "agent_put.h"

#include <string.h>

#include "date_and_time.h"

_Static_assert(AGENT_TEXT_MAX >= DATE_AND_TIME_SIZE, "dates fit");

bool agent_put_integer(struct agent_value *value, int number)
{
	value->syntax = CODEC_INTEGER;
	value->number = (uint32_t)number;
	return true;
}

bool agent_put_gauge(struct agent_value *value, uint64_t number)
{
	value->syntax = CODEC_GAUGE32;
	value->number = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
	return true;
}

bool agent_put_counter(struct agent_value *value, uint64_t number)
{
	value->syntax = CODEC_COUNTER64;
	value->counter64 = number;
	return true;
}

bool agent_put_text(struct agent_value *value, const char *text)
{
	value->syntax = CODEC_OCTET_STRING;
	value->octets.bytes = (const uint8_t *)text;
	value->octets.length = (uint32_t)strlen(text);
	return true;
}

bool agent_put_truth(struct agent_value *value, bool truth)
{
	return agent_put_integer(value, truth ? 1 : 2);
}

bool agent_put_date(struct agent_value *value, int64_t wall_ms)
{
	date_and_time(wall_ms, (uint8_t *)value->buffer);
	value->syntax = CODEC_OCTET_STRING;
	value->octets.bytes = (const uint8_t *)value->buffer;
	value->octets.length = DATE_AND_TIME_SIZE;
	return true;
}

bool agent_put_severity(struct agent_value *value, enum bb_severity severity)
{
	return agent_put_integer(value, (int)severity + 1);
}
