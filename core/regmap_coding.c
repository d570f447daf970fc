/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_coding.c - how a register says its value: the cells scale, offset and values.
 *
 * The value in the point's unit is raw × scale + offset. Scale is exact, "0.1", "60" or a fraction "1/3600", and is
 * kept as two integers that already hold the point's decimals, so that coding is one multiplication and one division.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/text.h>

#include "regmap_file.h"

#define SCALE_DECIMALS 9
#define SCALE_UNIT     INT64_C(1000000000)
#define CODES_MAX      64
/* A scale beyond this overflows the value of a 32-bit register. */
#define SCALE_MOST INT64_C(1000000000)

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		const int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int64_t power_of_ten(unsigned exponent)
{
	return bb_decimal_rescale(1, 0, exponent);
}

static int parse_scale(struct regmap_reader *reader, char *text, struct bb_register *entry)
{
	char *slash = strchr(text, '/');
	int64_t above = SCALE_UNIT, below = SCALE_UNIT, common;

	if (slash)
		*slash = '\0';
	if ((text[0] != '\0' && bb_decimal_parse(text, SCALE_DECIMALS, &above) < 0) ||
	    (slash && bb_decimal_parse(slash + 1, SCALE_DECIMALS, &below) < 0))
		return regmap_fault(reader, "scale '%s%s%s' is no number such as 1, 0.1 or 1/3600", text,
				    slash ? "/" : "", slash ? slash + 1 : "");
	if (above <= 0 || below <= 0)
		return regmap_fault(reader, "scale must be above 0");
	common = common_divisor(above, below);
	above /= common;
	below /= common;
	if (above > SCALE_MOST || below > INT64_C(1) << 40 || entry->decimals > 6)
		return regmap_fault(reader, "scale is impossibly large or small");
	above *= power_of_ten(entry->decimals);
	common = common_divisor(above, below);
	entry->multiplier = above / common;
	entry->divisor = below / common;
	return 0;
}

static int parse_offset(struct regmap_reader *reader, const char *text, struct bb_register *entry)
{
	int64_t exact, rounded;

	if (text[0] == '\0')
		return 0;
	if (bb_decimal_parse(text, SCALE_DECIMALS, &exact) < 0 || llabs(exact / SCALE_UNIT) > SCALE_MOST)
		return regmap_fault(reader, "offset '%s' is no number such as 25 or -0.5", text);
	rounded = bb_decimal_rescale(exact, SCALE_DECIMALS, entry->decimals);
	if (bb_decimal_rescale(rounded, entry->decimals, SCALE_DECIMALS) != exact)
		return regmap_fault(reader, "offset '%s' is finer than the point, which has %u decimals", text,
				    entry->decimals);
	entry->offset = rounded;
	return 0;
}

/* ---- values ---- */

static int parse_integer(struct regmap_reader *reader, const char *text, int64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || *ret_number < INT32_MIN || *ret_number > UINT32_MAX)
		return regmap_fault(reader, "values: '%s' is no number", text);
	return 0;
}

static const struct bb_member *find_member(const struct bb_register *entry, const char *name)
{
	for (size_t i = 0; i < entry->member_count; i++)
		if (strcmp(entry->members[i].name, name) == 0)
			return &entry->members[i];
	return NULL;
}

static int unknown_member(struct regmap_reader *reader, const struct bb_register *entry, const char *name)
{
	const char *names[CODES_MAX + 1];
	const char *suggestion;
	size_t count = 0;

	for (size_t i = 0; i < entry->member_count && count < CODES_MAX; i++)
		names[count++] = entry->members[i].name;
	names[count] = NULL;
	suggestion = bb_text_suggest(name, names);
	if (suggestion)
		return regmap_fault(reader, "values: the point has no '%s', did you mean '%s'?", name, suggestion);
	return regmap_fault(reader, "values: the point has no '%s'", name);
}

/* What a name in values stands for: a member, a bit, true or false; numbers have names only to be read. */
static int code_value(struct regmap_reader *reader, const struct bb_register *entry, const char *name, int64_t raw,
		      int64_t *ret_value)
{
	const struct bb_member *member;

	switch (entry->kind) {
	case BB_KIND_ENUM:
	case BB_KIND_FLAGS:
		member = find_member(entry, name);
		if (!member)
			return unknown_member(reader, entry, name);
		*ret_value = member->value;
		return 0;
	case BB_KIND_BOOL:
	case BB_KIND_ALARM:
		*ret_value = strcmp(name, "true") == 0;
		if (!*ret_value && strcmp(name, "false") != 0)
			return regmap_fault(reader, "values: '%s' is neither true nor false", name);
		return 0;
	default:
		*ret_value = raw;
		return 0;
	}
}

static int add_code(struct regmap_reader *reader, struct bb_register *entry, struct bb_code *codes, const char *key,
		    const char *name)
{
	const bool bit = strncmp(key, "bit", 3) == 0;
	int64_t raw, value = 0;
	int r = parse_integer(reader, bit ? key + 3 : key, &raw);

	if (r < 0)
		return r;
	if (entry->kind != BB_KIND_NUMBER && bit != (entry->kind == BB_KIND_FLAGS))
		return regmap_fault(reader, "values: '%s' does not fit the kind of the point", key);
	if (bit && (raw < 0 || raw >= 16 * entry->count))
		return regmap_fault(reader, "values: the register has no bit %" PRId64, raw);
	if (raw > INT32_MAX || entry->code_count == CODES_MAX)
		return regmap_fault(reader, "values: too many, or too large a code");
	for (size_t i = 0; i < entry->code_count; i++)
		if (codes[i].raw == raw)
			return regmap_fault(reader, "values: '%s' stands there twice", key);
	r = code_value(reader, entry, name, raw, &value);
	if (r < 0)
		return r;
	name = regmap_text(&reader->texts, name, strlen(name));
	if (!name)
		return -ENOMEM;
	codes[entry->code_count++] = (struct bb_code){.raw = (int32_t)raw, .value = value, .name = name};
	return 0;
}

/* other=, absent=, least=, most=. Returns 1 when it is none of these. */
static int parse_special(struct regmap_reader *reader, struct bb_register *entry, const char *key, const char *text)
{
	int64_t number;
	int r;

	if (strcmp(key, "other") != 0 && strcmp(key, "absent") != 0 && strcmp(key, "least") != 0 &&
	    strcmp(key, "most") != 0)
		return 1;
	r = parse_integer(reader, text, &number);
	if (r < 0)
		return r;
	if (key[0] == 'o') {
		if (entry->kind != BB_KIND_ENUM)
			return regmap_fault(reader, "values: other= is for enumerations");
		entry->other = (int32_t)(uint16_t)number;
	} else if (key[0] == 'a') {
		if (number != 0 && number != -9999)
			return regmap_fault(reader, "values: absent= is 0 or -9999");
		entry->role = number == 0 ? BB_ROLE_FLAG : BB_ROLE_MEASUREMENT;
	} else if (key[0] == 'l') {
		entry->least = number;
	} else {
		entry->most = number;
	}
	return 0;
}

static int parse_values(struct regmap_reader *reader, char *text, struct bb_register *entry)
{
	struct bb_code codes[CODES_MAX], *kept;
	char *rest = text;

	while (text[0] != '\0' && rest) {
		char *pair = strsep(&rest, ";");
		char *equals = strchr(pair, '=');
		int r;

		if (!equals || equals[1] == '\0')
			return regmap_fault(reader, "values: '%s' is not like '4=normal' or 'bit0=name'", pair);
		*equals = '\0';
		r = parse_special(reader, entry, pair, equals + 1);
		if (r == 1)
			r = add_code(reader, entry, codes, pair, equals + 1);
		if (r < 0)
			return r;
	}
	if (entry->least > entry->most)
		return regmap_fault(reader, "values: least is above most");
	if (entry->kind == BB_KIND_ENUM && entry->code_count == 0)
		return regmap_fault(reader, "values: an enumeration needs codes such as '0=good;1=weak'");
	if (entry->code_count == 0)
		return 0;
	kept = regmap_room(&reader->texts, entry->code_count * sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	memcpy(kept, codes, entry->code_count * sizeof(*kept));
	entry->codes = kept;
	return 0;
}

/* ---- the whole ---- */

/* A measurement has a unit or decimals; what only counts or names a state does not, and is 0 when it is not there. */
static enum bb_register_role role_of(const struct bb_register *entry)
{
	const bool number = entry->kind == BB_KIND_NUMBER || entry->kind == BB_KIND_COUNTER;

	return number && (entry->unit != BB_UNIT_NONE || entry->decimals > 0) ? BB_ROLE_MEASUREMENT : BB_ROLE_FLAG;
}

static void set_range(struct bb_register *entry)
{
	switch (entry->type) {
	case BB_REGISTER_BIT:
		entry->most = 1;
		break;
	case BB_REGISTER_S16:
		entry->least = INT16_MIN;
		entry->most = INT16_MAX;
		break;
	case BB_REGISTER_U32:
		entry->most = UINT32_MAX;
		break;
	case BB_REGISTER_S32:
		entry->least = INT32_MIN;
		entry->most = INT32_MAX;
		break;
	default:
		entry->most = UINT16_MAX;
		break;
	}
}

/* What −1 and −9999 mean is about measurements, and about all that is signed where the map says it itself. */
static void set_absent(const struct regmap_head *head, struct bb_register *entry)
{
	const bool is_signed = entry->type == BB_REGISTER_S16 || entry->type == BB_REGISTER_S32;
	const bool about = entry->role == BB_ROLE_MEASUREMENT || (head->absent_said && is_signed);

	entry->minus_9999_is_absent = about && head->minus_9999_is_absent;
	/* −1 is a current like any other: −0.01 A */
	entry->minus_1_is_absent = about && head->minus_1_is_absent && entry->unit != BB_AMPERE;
}

static int check_flags(struct regmap_reader *reader, struct bb_register *entry)
{
	const int64_t all = entry->count == 2 ? UINT32_MAX : UINT16_MAX;

	if (entry->divisor != 1 || (entry->multiplier & (entry->multiplier - 1)) != 0 ||
	    entry->multiplier > INT64_C(1) << 31)
		return regmap_fault(reader,
				    "scale of a flag word is a power of two, up to 2147483648: where its bits stand");
	entry->mask = all * entry->multiplier;
	if (entry->code_count > 0)
		entry->mask = 0;
	for (size_t i = 0; i < entry->code_count; i++)
		entry->mask |= INT64_C(1) << entry->codes[i].value;
	return 0;
}

int regmap_coding_parse(struct regmap_reader *reader, char *const cells[REGMAP_COLUMNS], struct bb_register *entry)
{
	const bool number = entry->kind == BB_KIND_NUMBER || entry->kind == BB_KIND_COUNTER;
	int r = parse_scale(reader, cells[REGMAP_SCALE], entry);

	if (r == 0)
		r = parse_offset(reader, cells[REGMAP_OFFSET], entry);
	if (r < 0)
		return r;
	entry->other = BB_NO_OTHER;
	entry->role = role_of(entry);
	set_range(entry);
	r = parse_values(reader, cells[REGMAP_VALUES], entry);
	if (r < 0)
		return r;
	set_absent(&reader->head, entry);
	if (entry->kind == BB_KIND_FLAGS)
		return check_flags(reader, entry);
	if (!number && (entry->multiplier != entry->divisor || entry->offset != 0))
		return regmap_fault(reader, "scale and offset are for numbers only");
	return 0;
}
