/* SPDX-License-Identifier: Apache-2.0
 *
 * decode.h - from a variable of an answer to the value of a point, or to the reason why there is none.
 */
#ifndef UPS_SNMP_DECODE_H
#define UPS_SNMP_DECODE_H

#include <busbar/point.h>
#include <busbar/reading.h>

#include "quirks.h"

/* What decoding one instance needs to know and remember. */
struct decoder {
	const struct object *object;
	struct quirks quirks;
	uint8_t decimals; /* of the point */
	uint8_t scale;    /* place of the QUIRK_SCALE_RANGE that the last number showed, plus 1 */
	bool scaled;      /* two in a row did: it holds for all numbers from then on */
};

/* The agent's clock beside ours, for objects that say when something was in ticks of the agent. */
struct decode_clock {
	bool known;      /* does the agent have sysUpTime? */
	int64_t ticks;   /* its sysUpTime, 0.01 s */
	int64_t zero_ms; /* wall clock when that was 0 */
};

/* The agent's clock says @ticks at @wall_ms (bb_clock_wall_ms()); it is unknown when that is more than 32 bits can say. */
void decode_clock_set(struct decode_clock *clock, int64_t ticks, int64_t wall_ms);

/**
 * The value of a variable that is not a text, scaled as the point wants it. Returns BB_QUALITY_GOOD, or
 * BB_QUALITY_UNSUPPORTED (the device says it has none) or BB_QUALITY_BAD (this cannot be); *ret_value is then untouched.
 */
enum bb_quality decode_number(struct decoder *decoder, const struct bb_snmp_variable *variable,
			      const struct decode_clock *clock, int64_t *ret_value);

/**
 * The identity in a row of upsAlarmTable, dotted, as bb_alarm_type_find_oid() wants it. Returns 0; -ENOENT when the row
 * names none (zeroDotZero, NULL); -EINVAL when it is anything else; -ENAMETOOLONG.
 */
int decode_alarm(const struct quirks *quirks, const struct bb_snmp_variable *variable, char *buffer, size_t size);

#endif
