/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.c - fixed-point numbers: convert between scales, print, read.
 *
 * Every conversion of the agent passes bb_decimal_scale(), which works on 128 bits: the product of two int64_t always
 * fits there, so there is one place that rounds and one that saturates, and neither can overflow. Printing works on
 * the magnitude as an unsigned number, because INT64_MIN has no positive twin.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <busbar/decimal.h>

/* The only type with a name of its own: ISO C has no word for it, and __extension__ cannot stand in an expression. */
__extension__ typedef __int128 wide;

static const int64_t powers_of_ten[BB_DECIMALS_MAX + 1] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
};

static int64_t decimal_saturate(wide value)
{
	if (value > INT64_MAX)
		return INT64_MAX;
	if (value < INT64_MIN)
		return INT64_MIN;
	return (int64_t)value;
}

int64_t bb_decimal_scale(int64_t value, int64_t multiplier, int64_t divisor)
{
	assert(divisor != 0);

	wide product = (wide)value * multiplier;
	/* Half a divisor, cut: an odd one has no exact half, and then nothing lies exactly between two results. */
	wide half = divisor < 0 ? -((wide)divisor / 2) : (wide)divisor / 2;

	/* Push away from zero by a half; C's division then cuts towards zero. */
	product += product < 0 ? -half : half;
	return decimal_saturate(product / divisor);
}

int64_t bb_decimal_rescale(int64_t value, unsigned from, unsigned to)
{
	assert(from <= BB_DECIMALS_MAX && to <= BB_DECIMALS_MAX);

	if (to >= from)
		return bb_decimal_scale(value, powers_of_ten[to - from], 1);
	return bb_decimal_scale(value, 1, powers_of_ten[from - to]);
}

int64_t bb_decimal_scale_time_left(int64_t value, int64_t multiplier, int64_t divisor)
{
	assert(divisor != 0);

	wide product = (wide)value * multiplier;
	wide quotient = product / divisor;
	wide rest = product % divisor;

	if (rest != 0 && (rest < 0) != (divisor < 0))
		quotient--; /* C's division cuts towards zero, which is up for a time in the past */
	if (quotient == 0 && product != 0)
		quotient = 1;
	return decimal_saturate(quotient);
}

/* Write the digits of @magnitude, at least @digits of them, so that they end before @end. Returns where they begin. */
static char *decimal_digits(char *end, uint64_t magnitude, size_t digits)
{
	/* Two digits a division: this is the inner loop of every scrape. */
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char *at = end;

	while (magnitude >= 10) {
		at -= 2;
		memcpy(at, &pairs[magnitude % 100 * 2], 2);
		magnitude /= 100;
	}
	if (magnitude > 0)
		*--at = (char)('0' + magnitude);
	while ((size_t)(end - at) < digits)
		*--at = '0';
	return at;
}

size_t bb_decimal_print(char buffer[BB_DECIMAL_SIZE], int64_t value, unsigned decimals)
{
	assert(decimals <= BB_DECIMALS_MAX);

	char scratch[BB_DECIMAL_SIZE];
	char *end = scratch + sizeof(scratch);
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
	const char *digits = decimal_digits(end, magnitude, decimals + 1);
	size_t whole = (size_t)(end - digits) - decimals;
	char *at = buffer;

	if (value < 0)
		*at++ = '-';
	memcpy(at, digits, whole);
	at += whole;
	if (decimals > 0) {
		*at++ = '.';
		memcpy(at, digits + whole, decimals);
		at += decimals;
	}
	*at = '\0';
	return (size_t)(at - buffer);
}

size_t bb_decimal_print_short(char buffer[BB_DECIMAL_SIZE], int64_t value, unsigned decimals)
{
	while (decimals > 0 && value % 10 == 0) {
		value /= 10;
		decimals--;
	}
	return bb_decimal_print(buffer, value, decimals);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Append a digit; a magnitude that has left the range stays put, above any value that could still be right. */
static wide decimal_append(wide magnitude, int digit)
{
	return magnitude > INT64_MAX ? magnitude : magnitude * 10 + digit;
}

int bb_decimal_parse(const char *text, unsigned decimals, int64_t *ret_value)
{
	assert(decimals <= BB_DECIMALS_MAX);

	const char *at = text;
	bool negative = *at == '-';
	wide magnitude = 0;
	unsigned seen = 0;
	int next = 0; /* the first digit that has no place */

	if (*at == '-' || *at == '+')
		at++;
	if (!is_digit(*at))
		return -EINVAL;
	for (; is_digit(*at); at++)
		magnitude = decimal_append(magnitude, *at - '0');
	if (*at == '.') {
		at++;
		if (!is_digit(*at))
			return -EINVAL;
		for (; is_digit(*at); at++, seen++) {
			if (seen < decimals)
				magnitude = decimal_append(magnitude, *at - '0');
			else if (seen == decimals)
				next = *at - '0';
		}
	}
	if (*at != '\0')
		return -EINVAL;
	for (; seen < decimals; seen++)
		magnitude = decimal_append(magnitude, 0);
	magnitude += next >= 5;
	if (magnitude > (wide)INT64_MAX + negative)
		return -ERANGE;
	*ret_value = (int64_t)(negative ? -magnitude : magnitude);
	return 0;
}
