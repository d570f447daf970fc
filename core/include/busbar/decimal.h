/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/decimal.h - fixed-point numbers: an int64_t and how many of its digits stand behind the point.
 *
 * 230.1 V is the value 2301 with one decimal. Nothing between a register and a screen is ever a binary
 * floating-point number. Every conversion rounds half away from zero and saturates at the ends of
 * int64_t; all of them go through bb_decimal_scale().
 */
#ifndef BUSBAR_DECIMAL_H
#define BUSBAR_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/** The most decimals a value may have: 10^18 is the largest power of ten in an int64_t. */
#define BB_DECIMALS_MAX 18

/** Room for any printed value: sign, 19 digits, point, leading zero, NUL. */
#define BB_DECIMAL_SIZE 24

/** @value times @multiplier over @divisor (not 0), rounded half away from zero, saturated. Any thread. */
int64_t bb_decimal_scale(int64_t value, int64_t multiplier, int64_t divisor);

/** @value with @from decimals, said with @to decimals (each 0 to BB_DECIMALS_MAX). Any thread. */
int64_t bb_decimal_rescale(int64_t value, unsigned from, unsigned to);

/**
 * As bb_decimal_scale(), for time that is left: rounds down, but a time that is not over yet never
 * becomes 0 (59 s are 1 min when counted in minutes, 0 s are 0). Any thread.
 */
int64_t bb_decimal_scale_time_left(int64_t value, int64_t multiplier, int64_t divisor);

/**
 * Print @value with exactly @decimals decimals into @buffer, NUL-terminated. Returns the length, without NUL.
 * Any thread.
 */
size_t bb_decimal_print(char buffer[BB_DECIMAL_SIZE], int64_t value, unsigned decimals);

/** As bb_decimal_print(), but without trailing zeros: 2300 with one decimal is "230". Any thread. */
size_t bb_decimal_print_short(char buffer[BB_DECIMAL_SIZE], int64_t value, unsigned decimals);

/**
 * Read "[-+]digits[.digits]" as a value with @decimals decimals; more digits than that are rounded.
 * Returns 0; -EINVAL when @text is anything else; -ERANGE when it does not fit. Any thread.
 */
int bb_decimal_parse(const char *text, unsigned decimals, int64_t *ret_value);

#endif
