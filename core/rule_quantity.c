/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantities, see rule_quantity.h: a number and a unit from the table below, in fixed point all the way.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#include "rule_quantity.h"

#define QUANTITY_DECIMALS 6
#define DIGITS_MAX        40 /* longer numbers are nobody's limit */

/* How a unit is written, and how many of the unit of points it is: numerator and denominator. */
static const struct spelling {
	const char *text;
	enum bb_unit unit;
	int64_t multiplier, divisor;
} spellings[] = {
	{"", BB_UNIT_NONE, 1, 1},
	{"V", BB_VOLT, 1, 1},
	{"mV", BB_VOLT, 1, 1000},
	{"kV", BB_VOLT, 1000, 1},
	{"A", BB_AMPERE, 1, 1},
	{"mA", BB_AMPERE, 1, 1000},
	{"W", BB_WATT, 1, 1},
	{"kW", BB_WATT, 1000, 1},
	{"VA", BB_VOLTAMPERE, 1, 1},
	{"kVA", BB_VOLTAMPERE, 1000, 1},
	{"var", BB_VAR, 1, 1},
	{"kvar", BB_VAR, 1000, 1},
	{"Hz", BB_HERTZ, 1, 1},
	{"%", BB_PERCENT, 1, 1},
	{"degC", BB_CELSIUS, 1, 1},
	{"\302\260C", BB_CELSIUS, 1, 1}, /* the degree sign in UTF-8 */
	{"C", BB_CELSIUS, 1, 1},
	{"s", BB_SECOND, 1, 1},
	{"ms", BB_SECOND, 1, 1000},
	{"m", BB_SECOND, 60, 1},
	{"min", BB_SECOND, 60, 1},
	{"h", BB_SECOND, 3600, 1},
	{"d", BB_SECOND, 86400, 1},
	{"kWh", BB_KILOWATTHOUR, 1, 1},
	{"Wh", BB_KILOWATTHOUR, 1, 1000},
	{"mOhm", BB_MILLIOHM, 1, 1},
	{"Ohm", BB_MILLIOHM, 1000, 1},
};

#define SPELLINGS BB_LENGTH(spellings)

const char *rule_quantity_units(enum bb_unit unit)
{
	static const char *const units[] = {
		[BB_UNIT_NONE] = "",
		[BB_VOLT] = "V, mV, kV",
		[BB_AMPERE] = "A, mA",
		[BB_WATT] = "W, kW",
		[BB_VOLTAMPERE] = "VA, kVA",
		[BB_VAR] = "var, kvar",
		[BB_HERTZ] = "Hz",
		[BB_PERCENT] = "%",
		[BB_CELSIUS] = "degC",
		[BB_SECOND] = "ms, s, min, h, d",
		[BB_KILOWATTHOUR] = "kWh, Wh",
		[BB_MILLIOHM] = "mOhm, Ohm",
	};

	return units[unit];
}

/* The spelling of the @length bytes at @text, or NULL. */
static const struct spelling *find_spelling(const char *text, size_t length)
{
	for (size_t i = 0; i < SPELLINGS; i++)
		if (strlen(spellings[i].text) == length && memcmp(spellings[i].text, text, length) == 0)
			return &spellings[i];
	return NULL;
}

/* @digits times the factor of @spelling, in millionths; false when that is not a whole number of them, or too many. */
static int convert(const char *digits, const struct spelling *spelling, int64_t *ret_micro)
{
	const char *point = strchr(digits, '.');
	const size_t decimals = point ? strlen(point + 1) : 0;
	int64_t micro;
	int r = decimals > QUANTITY_DECIMALS ? -ERANGE : bb_decimal_parse(digits, QUANTITY_DECIMALS, &micro);

	if (r < 0)
		return r;
	if (__builtin_mul_overflow(micro, spelling->multiplier, &micro) || micro % spelling->divisor != 0)
		return -ERANGE;
	*ret_micro = micro / spelling->divisor;
	return 0;
}

static int parse(const char *text, size_t length, struct rule_quantity *ret_quantity, struct option_fault *ret_fault)
{
	const struct spelling *spelling;
	char digits[DIGITS_MAX + 1];
	size_t used, blank;
	int r;

	while (length > 0 && text[0] == ' ')
		text++, length--;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	for (used = 0; used < length && strchr("+-.0123456789", text[used]); used++)
		;
	for (blank = used; blank < length && text[blank] == ' '; blank++)
		;
	if (used == 0 || used > DIGITS_MAX)
		return option_fault(ret_fault, "'%.*s' is not a number with a unit, such as 40%%, 5 V or 10 min",
				    (int)length, text);
	memcpy(digits, text, used);
	digits[used] = '\0';
	spelling = find_spelling(text + blank, length - blank);
	if (!spelling)
		return option_fault(ret_fault, "'%.*s' is no unit of a point", (int)(length - blank), text + blank);
	r = convert(digits, spelling, &ret_quantity->micro);
	if (r == -EINVAL)
		return option_fault(ret_fault, "'%s' is not a number", digits);
	if (r < 0)
		return option_fault(ret_fault, "'%.*s' is too large, or has too many decimals", (int)length, text);
	ret_quantity->unit = spelling->unit;
	return 0;
}

int rule_quantity_parse(const char *text, struct rule_quantity *ret_quantity, struct option_fault *ret_fault)
{
	struct rule_quantity quantity;
	int r = parse(text, strlen(text), &quantity, ret_fault);

	if (r == 0)
		*ret_quantity = quantity;
	return r;
}

int rule_range_parse(const char *text, struct rule_quantity *ret_low, struct rule_quantity *ret_high,
		     struct option_fault *ret_fault)
{
	const char *dots = strstr(text, "..");
	struct rule_quantity low, high;
	char lower[DIGITS_MAX * 2];
	int r;

	if (!dots)
		return option_fault(ret_fault, "'%s' is not a range such as 210..250 V", text);
	r = parse(dots + 2, strlen(dots + 2), &high, ret_fault);
	if (r < 0)
		return r;
	r = parse(text, (size_t)(dots - text), &low, ret_fault);
	if (r < 0)
		return r;
	if (low.unit == BB_UNIT_NONE && high.unit != BB_UNIT_NONE) {
		/* Once more in the unit of the upper end: "100..200 mV" is not 100 V and more. */
		const char *unit = dots + 2 + strspn(dots + 2, " +-.0123456789");

		if (snprintf(lower, sizeof(lower), "%.*s%s", (int)(dots - text), text, unit) >= (int)sizeof(lower))
			return option_fault(ret_fault, "'%s' is too long", text);
		r = parse(lower, strlen(lower), &low, ret_fault);
		if (r < 0)
			return r;
	}
	if (low.unit != high.unit)
		return option_fault(ret_fault, "'%s' has two units", text);
	if (low.micro >= high.micro)
		return option_fault(ret_fault, "'%s' does not go from the smaller to the larger", text);
	*ret_low = low;
	*ret_high = high;
	return 0;
}

int64_t rule_quantity_scale(struct rule_quantity quantity, unsigned decimals)
{
	return bb_decimal_rescale(quantity.micro, QUANTITY_DECIMALS, decimals);
}

bool rule_quantity_is_exact(struct rule_quantity quantity, unsigned decimals)
{
	return decimals >= QUANTITY_DECIMALS || bb_decimal_rescale(rule_quantity_scale(quantity, decimals), decimals,
								   QUANTITY_DECIMALS) == quantity.micro;
}
