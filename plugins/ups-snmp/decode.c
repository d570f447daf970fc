/* SPDX-License-Identifier: Apache-2.0
 *
 * decode.c - from a variable of an answer to the value of a point. Pure: no clock, no device, so that tests can give it
 * whatever a device might say.
 *
 * The rule of the house is that no value is better than a wrong one: a type the MIB does not have, a number outside what
 * a UPS can measure and a text where a number should be are BAD, unless a row of quirks.csv says what is meant by them.
 */
#include "decode.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

/* How far the agent's clock may run away from ours before moments are moved. */
#define DECODE_CLOCK_PLAY_MS 5000

/* A text of digits with blanks or NULs around it, in the unit the MIB has for the object. */
static bool decode_text_number(const struct bb_snmp_variable *variable, int64_t *ret_number)
{
	const char *text = (const char *)variable->bytes;
	size_t length = variable->length;
	char buffer[BB_DECIMAL_SIZE];

	while (length > 0 && (text[length - 1] == '\0' || isspace((unsigned char)text[length - 1])))
		length--;
	while (length > 0 && isspace((unsigned char)*text))
		text++, length--;
	if (length == 0 || length >= sizeof(buffer) || memchr(text, '.', length) || memchr(text, '\0', length))
		return false;
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	return bb_decimal_parse(buffer, 0, ret_number) == 0;
}

/* The variable's number, if it has one that the device may give. */
static enum bb_quality decode_raw(const struct decoder *decoder, const struct bb_snmp_variable *variable,
				  int64_t *ret_number)
{
	const bool any = quirks_find(&decoder->quirks, QUIRK_ANY_NUMBER) != NULL;

	switch (variable->type) {
	case BB_SNMP_INTEGER:
		break;
	case BB_SNMP_UNSIGNED:
	case BB_SNMP_TICKS:
		if (!any && decoder->object->syntax != OBJECT_COUNTER && decoder->object->syntax != OBJECT_MOMENT)
			return BB_QUALITY_BAD;
		break;
	case BB_SNMP_STRING:
		if (variable->length == 0)
			return BB_QUALITY_UNSUPPORTED;
		return quirks_find(&decoder->quirks, QUIRK_TEXT_NUMBER) && decode_text_number(variable, ret_number)
			       ? BB_QUALITY_GOOD
			       : BB_QUALITY_BAD;
	case BB_SNMP_NULL:
		return quirks_find(&decoder->quirks, QUIRK_NULL) ? BB_QUALITY_UNSUPPORTED : BB_QUALITY_BAD;
	case BB_SNMP_END:
		return BB_QUALITY_UNSUPPORTED;
	case BB_SNMP_OBJECT:
	default:
		return BB_QUALITY_BAD;
	}
	*ret_number = variable->number;
	/* What was negative before it was put into an unsigned type. */
	if (variable->type == BB_SNMP_UNSIGNED && decoder->object->syntax != OBJECT_COUNTER &&
	    variable->number > INT32_MAX && variable->number <= UINT32_MAX)
		*ret_number -= INT64_C(1) << 32;
	return BB_QUALITY_GOOD;
}

/* An OBJECT IDENTIFIER such as upsTestGeneralSystemsTest (1.7.7.3), perhaps with .0: its last arc. */
static enum bb_quality decode_identity(const struct bb_snmp_variable *variable, int64_t *ret_value)
{
	static const uint32_t tests[] = {1, 7, 7};
	struct suffix suffix;

	if (variable->type == BB_SNMP_NULL || variable->type == BB_SNMP_END)
		return BB_QUALITY_UNSUPPORTED;
	if (variable->type != BB_SNMP_OBJECT)
		return BB_QUALITY_BAD;
	if (variable->object.length <= 2) /* zeroDotZero: none */
		return BB_QUALITY_UNSUPPORTED;
	if (!suffix_from_oid(&variable->object, &suffix) || memcmp(suffix.arcs, tests, sizeof(tests)) != 0 ||
	    !(suffix.length == 4 || (suffix.length == 5 && suffix.arcs[4] == 0)))
		return BB_QUALITY_BAD;
	*ret_value = suffix.arcs[3];
	return BB_QUALITY_GOOD;
}

void decode_clock_set(struct decode_clock *clock, int64_t ticks, int64_t wall_ms)
{
	int64_t zero_ms;

	if (ticks < 0 || ticks > UINT32_MAX) { /* what TimeTicks can say; a device may send any number */
		clock->known = false;
		return;
	}
	zero_ms = wall_ms - ticks * 10;
	/* An answer takes its time, and not always the same: that must not move moments of the past. */
	if (!clock->known || llabs(zero_ms - clock->zero_ms) >= DECODE_CLOCK_PLAY_MS)
		clock->zero_ms = zero_ms;
	clock->known = true;
	clock->ticks = ticks;
}

/* Ticks of the agent to wall-clock time, in whole seconds. 0 is "never"; a moment ahead of the agent's clock was before its last start, so nobody knows when. */
static enum bb_quality decode_moment(int64_t ticks, const struct decode_clock *clock, int64_t *ret_value)
{
	if (!clock->known || ticks <= 0 || ticks > clock->ticks)
		return BB_QUALITY_UNSUPPORTED;
	*ret_value = (clock->zero_ms + ticks * 10 + 500) / 1000 * 1000;
	return BB_QUALITY_GOOD;
}

/* Numbers that only make sense in another unit than the MIB's are taken to be in it; after two of them in a row all are,
 * until one comes that makes no sense that way. */
static const struct quirk *decode_scale(struct decoder *decoder, int64_t number)
{
	const struct quirk *scale = quirks_find(&decoder->quirks, QUIRK_SCALE);

	if (scale)
		return scale;
	for (unsigned i = 0; i < decoder->quirks.count; i++) {
		const uint8_t place = (uint8_t)(decoder->quirks.rows[i] + 1); /* make_tables.py allows 254 rows */

		scale = &quirk_table[decoder->quirks.rows[i]];
		if (scale->kind != QUIRK_SCALE_RANGE || number < scale->low || number > scale->high)
			continue;
		decoder->scaled = decoder->scale == place;
		decoder->scale = place;
		return scale;
	}
	if (decoder->scaled) {
		scale = &quirk_table[decoder->scale - 1];
		if (bb_decimal_scale(number, scale->multiplier, scale->divisor) <= decoder->object->high)
			return scale;
	}
	decoder->scaled = false;
	decoder->scale = 0;
	return NULL;
}

/* @number in the MIB's unit, and the factor from the device's unit to the point's. */
static int64_t decode_unit(struct decoder *decoder, int64_t number, int64_t *ret_multiplier, int64_t *ret_divisor)
{
	const struct quirk *scale = decode_scale(decoder, number);

	*ret_multiplier = decoder->object->multiplier;
	*ret_divisor = decoder->object->divisor;
	if (!scale)
		return number;
	*ret_multiplier *= scale->multiplier;
	*ret_divisor *= scale->divisor;
	return bb_decimal_scale(number, scale->multiplier, scale->divisor);
}

enum bb_quality decode_number(struct decoder *decoder, const struct bb_snmp_variable *variable,
			      const struct decode_clock *clock, int64_t *ret_value)
{
	const struct object *object = decoder->object;
	int64_t number, in_mib_unit, multiplier, divisor;
	enum bb_quality quality;

	if (quirks_find(&decoder->quirks, QUIRK_ABSENT))
		return BB_QUALITY_UNSUPPORTED;
	if (object->syntax == OBJECT_IDENTITY)
		return decode_identity(variable, ret_value);
	quality = decode_raw(decoder, variable, &number);
	if (quality != BB_QUALITY_GOOD)
		return quality;
	if (object->syntax == OBJECT_MOMENT)
		return decode_moment(number, clock, ret_value);
	if (quirks_means_unknown(&decoder->quirks, number))
		return BB_QUALITY_UNSUPPORTED;
	in_mib_unit = decode_unit(decoder, number, &multiplier, &divisor);
	if (in_mib_unit < object->low || in_mib_unit > object->high)
		return BB_QUALITY_BAD;
	for (unsigned i = 0; i < decoder->decimals; i++)
		multiplier *= 10;
	*ret_value = bb_decimal_scale(number, multiplier, divisor);
	return BB_QUALITY_GOOD;
}

static int decode_alarm_text(const struct bb_snmp_variable *variable, struct bb_snmp_oid *ret_oid)
{
	char text[256];
	size_t length = variable->length;

	while (length > 0 && (variable->bytes[length - 1] == '\0' || isspace(variable->bytes[length - 1])))
		length--;
	if (length == 0)
		return -ENOENT;
	if (length >= sizeof(text) || memchr(variable->bytes, '\0', length))
		return -EINVAL;
	memcpy(text, variable->bytes, length);
	text[length] = '\0';
	return bb_snmp_oid_parse(text, ret_oid) < 0 ? -EINVAL : 0;
}

int decode_alarm(const struct quirks *quirks, const struct bb_snmp_variable *variable, char *buffer, size_t size)
{
	struct bb_snmp_oid oid;
	int r;

	if (variable->type == BB_SNMP_NULL || variable->type == BB_SNMP_END)
		return -ENOENT;
	if (variable->type == BB_SNMP_OBJECT) {
		oid = variable->object;
	} else if (variable->type == BB_SNMP_STRING && quirks_find(quirks, QUIRK_ALARM_TEXT)) {
		r = decode_alarm_text(variable, &oid);
		if (r < 0)
			return r;
	} else {
		return -EINVAL;
	}
	if (oid.length <= 2) /* zeroDotZero */
		return -ENOENT;
	if (oid.arcs[oid.length - 1] == 0 && quirks_find(quirks, QUIRK_ALARM_ZERO))
		oid.length--;
	r = bb_snmp_oid_print(buffer, size, &oid);
	return r < 0 || (size_t)r >= size ? -ENAMETOOLONG : 0;
}
