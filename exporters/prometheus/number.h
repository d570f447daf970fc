/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h - prints fixed-point numbers, two digits at a time. In a header because a scrape prints a hundred
 * thousand of them and most are done in a few instructions; bb_decimal_print() does the same in a function call,
 * for places where nobody counts nanoseconds.
 */
#ifndef PROMETHEUS_NUMBER_H
#define PROMETHEUS_NUMBER_H

#include <stdint.h>
#include <string.h>

/** The most decimals that can be asked for: those of a value and those that its base unit adds. */
#define NUMBER_DECIMALS_MAX 22

/** The most bytes that are written: sign, "0.", decimals; or sign, 19 digits, point. Nothing is written behind. */
#define NUMBER_SIZE (NUMBER_DECIMALS_MAX + 3)

static const char number_pairs[200] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				      "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				      "8081828384858687888990919293949596979899";

/* 0 to 99 as exactly two digits. */
static inline char *number_pair(char *out, uint64_t value)
{
	memcpy(out, number_pairs + 2 * value, 2);
	return out + 2;
}

static inline char *number_whole(char *out, uint64_t value)
{
	if (value < 10) {
		*out = (char)('0' + value);
		return out + 1;
	}
	if (value < 100)
		return number_pair(out, value);
	if (value < 1000) {
		*out = (char)('0' + value / 100);
		return number_pair(out + 1, value % 100);
	}
	if (value < 10000)
		return number_pair(number_pair(out, value / 100), value % 100);

	/* From here on numbers are rare: digits in pairs from the last one on. */
	char digits[20];
	char *first = digits + sizeof(digits);

	for (; value >= 100; value /= 100)
		(void)number_pair(first -= 2, value % 100); /* its result is where we came from */
	if (value >= 10)
		(void)number_pair(first -= 2, value);
	else
		*--first = (char)('0' + value);

	const size_t length = (size_t)(digits + sizeof(digits) - first);

	memcpy(out, first, length);
	return out + length;
}

/* Any number of decimals, digit by digit. */
static inline char *number_with_decimals(char *out, uint64_t value, unsigned decimals)
{
	char digits[NUMBER_DECIMALS_MAX];

	for (unsigned i = decimals; i > 0; i--, value /= 10)
		digits[i - 1] = (char)('0' + value % 10);
	out = number_whole(out, value);
	*out++ = '.';
	memcpy(out, digits, decimals);
	return out + decimals;
}

/** Print @value with exactly @decimals decimals at @out, without NUL. Returns the end. */
static inline char *number_print(char *out, int64_t value, unsigned decimals)
{
	uint64_t magnitude = (uint64_t)value;

	if (value < 0) {
		*out++ = '-';
		magnitude = -magnitude;
	}
	switch (decimals) {
	case 0:
		return number_whole(out, magnitude);
	case 1:
		out = number_whole(out, magnitude / 10);
		out[0] = '.';
		out[1] = (char)('0' + magnitude % 10);
		return out + 2;
	case 2:
		out = number_whole(out, magnitude / 100);
		*out = '.';
		return number_pair(out + 1, magnitude % 100);
	case 3:
		out = number_whole(out, magnitude / 1000);
		out[0] = '.';
		out[1] = (char)('0' + magnitude / 100 % 10);
		return number_pair(out + 2, magnitude % 100);
	default:
		return number_with_decimals(out, magnitude, decimals);
	}
}

#endif
