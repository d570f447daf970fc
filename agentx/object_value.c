/* SPDX-License-Identifier: Apache-2.0
 *
 * object_value.c - from values of points to variables, and back for SETs, see objects.h. Pure.
 *
 * Numbers are scaled exactly and rounded once, half away from zero, and what an object cannot say becomes the nearest
 * that it can: a load of 230 % is 200 on its way through upsOutputPercentLoad. Counters wrap, as RFC 2578 has them do.
 * On the way in nothing is rounded: a value that the point cannot hold is refused rather than bent.
 */
#include "objects.h"

#include <ctype.h>
#include <string.h>

#include <busbar/decimal.h>

/* upsWellKnownTests; the value of ups.test.id follows. */
static const uint32_t object_tests[] = {1, 3, 6, 1, 2, 1, 33, 1, 7, 7};
#define TESTS_ARCS (sizeof(object_tests) / sizeof(object_tests[0]))

/* upsTestNoTestsInitiated is what was last done, and nothing that could be done. */
#define TEST_NONE 1

/* The number of an object is the value of its point times divisor over multiplier, less the point's decimals. */
static int64_t object_power(const struct bb_point *point)
{
	int64_t power = 1;

	for (unsigned i = 0; i < point->decimals; i++)
		power *= 10; /* BB_DECIMALS_MAX still fits */
	return power;
}

static int64_t object_factor(int64_t factor, int64_t power)
{
	int64_t product;

	return __builtin_mul_overflow(factor, power, &product) ? INT64_MAX : product;
}

static int64_t object_number_of(const struct object *object, const struct bb_point *point, int64_t value)
{
	const int64_t over = object_factor(object->multiplier, object_power(point));
	const int64_t number = object->left ? bb_decimal_scale_time_left(value, object->divisor, over)
					    : bb_decimal_scale(value, object->divisor, over);

	if (object->coding == OBJECT_COUNTER)
		return (int64_t)(uint32_t)number;
	return number < object->low ? object->low : number > object->high ? object->high : number;
}

/* ---- out ---- */

bool object_can_say(const struct object *object, const struct bb_reading *reading, size_t index)
{
	const struct bb_point *point = bb_reading_point(reading, index);
	int64_t number;

	return point->kind != BB_KIND_STRING || object->coding == OBJECT_TEXT ||
	       bb_decimal_parse(bb_reading_text(reading, index), 0, &number) == 0;
}

/* A DisplayString is of ASCII: one '?' for each other character, cut where the object ends. */
static void object_put_text(const struct object *object, const char *text, struct codec_buffer *buffer)
{
	char ascii[256];
	size_t length = 0;

	for (; *text != '\0' && length < (size_t)object->high; text++) {
		const unsigned char byte = (unsigned char)*text;

		if ((byte & 0xc0) == 0x80) /* goes on with a character that was replaced */
			continue;
		ascii[length++] = byte < 0x80 ? *text : '?';
	}
	codec_put_octets(buffer, ascii, length);
}

static void object_put_test(int64_t value, struct codec_buffer *buffer)
{
	struct oid test;

	memcpy(test.arcs, object_tests, sizeof(object_tests));
	test.arcs[TESTS_ARCS] = (uint32_t)value;
	test.length = TESTS_ARCS + 1;
	codec_put_oid(buffer, &test, false);
}

void object_put_number(const struct object *object, int64_t number, struct codec_buffer *buffer)
{
	if (object->syntax == CODEC_COUNTER64)
		codec_put_u64(buffer, (uint64_t)number);
	else
		codec_put_u32(buffer, (uint32_t)number);
}

void object_put_point(const struct object *object, const struct bb_reading *reading, size_t index,
		      const struct moment *moment, struct codec_buffer *buffer)
{
	const struct bb_point *point = bb_reading_point(reading, index);
	int64_t value = bb_reading_values(reading)[index];

	switch (object->coding) {
	case OBJECT_TEXT:
		object_put_text(object, bb_reading_text(reading, index), buffer);
		return;
	case OBJECT_TEST:
		object_put_test(value, buffer);
		return;
	case OBJECT_MOMENT:
		codec_put_u32(buffer, moment_uptime_of_wall(moment, value));
		return;
	case OBJECT_MEMBER:
		object_put_number(object, value, buffer);
		return;
	case OBJECT_SCALED:
	case OBJECT_COUNTER:
		if (point->kind == BB_KIND_STRING && bb_decimal_parse(bb_reading_text(reading, index), 0, &value) < 0)
			value = 0; /* does not happen: object_can_say() looked */
		object_put_number(object, object_number_of(object, point, value), buffer);
		return;
	}
}

void object_put_empty(const struct object *object, struct codec_buffer *buffer)
{
	switch (object->syntax) {
	case CODEC_OCTET_STRING:
		codec_put_octets(buffer, "", 0);
		return;
	case CODEC_OBJECT_IDENTIFIER:
		codec_put_oid(buffer, &(struct oid){.length = 2, .arcs = {0, 0}}, false); /* zeroDotZero */
		return;
	default:
		object_put_number(object, 0, buffer);
		return;
	}
}

/* ---- in ---- */

static enum codec_error object_take_text(const struct object *object, const struct codec_octets *octets, char *text)
{
	if (octets->length < object->low || octets->length > object->high)
		return CODEC_WRONG_LENGTH;
	for (uint32_t i = 0; i < octets->length; i++)
		if (octets->bytes[i] >= 0x80 || iscntrl(octets->bytes[i]))
			return CODEC_WRONG_VALUE;
	memcpy(text, octets->bytes, octets->length);
	text[octets->length] = '\0';
	return CODEC_NO_ERROR;
}

static enum codec_error object_take_number(const struct object *object, const struct bb_point *point, int64_t number,
					   int64_t *ret_value)
{
	int64_t value;

	if (number < object->low || number > object->high)
		return CODEC_WRONG_VALUE;
	value = bb_decimal_scale(number, object_factor(object->multiplier, object_power(point)), object->divisor);
	if (bb_decimal_scale(value, object->divisor, object_factor(object->multiplier, object_power(point))) != number)
		return CODEC_WRONG_VALUE;
	*ret_value = value;
	return CODEC_NO_ERROR;
}

static enum codec_error object_take_member(const struct bb_point *point, int64_t value, int64_t *ret_value)
{
	if (point->kind == BB_KIND_BOOL ? value != 0 && value != 1 : !bb_point_member(point, value))
		return CODEC_WRONG_VALUE;
	*ret_value = value;
	return CODEC_NO_ERROR;
}

static enum codec_error object_take_test(const struct bb_point *point, const struct oid *test, int64_t *ret_value)
{
	if (test->length != TESTS_ARCS + 1 || memcmp(test->arcs, object_tests, sizeof(object_tests)) != 0 ||
	    test->arcs[TESTS_ARCS] == TEST_NONE)
		return CODEC_WRONG_VALUE;
	return object_take_member(point, test->arcs[TESTS_ARCS], ret_value);
}

enum codec_error object_take(const struct object *object, const struct bb_point *point,
			     const struct codec_varbind *varbind, struct bb_value *ret_value, char *text)
{
	const int64_t number = (int32_t)varbind->number; /* what can be written are INTEGERs */
	struct bb_value value = {0};
	enum codec_error error = CODEC_NO_ERROR;

	if (varbind->type != object->syntax)
		return CODEC_WRONG_TYPE;
	if (object->source == OBJECT_LOCK) {
		value.number = number;
		error = number < 0 ? CODEC_WRONG_VALUE : CODEC_NO_ERROR;
	} else if (object->coding == OBJECT_TEXT) {
		error = object_take_text(object, &varbind->octets, text);
		value.text = text;
	} else if (object->coding == OBJECT_TEST) {
		error = point ? object_take_test(point, &varbind->oid, &value.number) : CODEC_NO_ERROR;
	} else if (object->coding == OBJECT_MEMBER) {
		error = point ? object_take_member(point, number, &value.number) : CODEC_NO_ERROR;
	} else {
		error = point ? object_take_number(object, point, number, &value.number) : CODEC_NO_ERROR;
	}
	if (error == CODEC_NO_ERROR)
		*ret_value = value;
	return error;
}
