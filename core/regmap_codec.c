/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_codec.c - between the words of a register and the value of its point, both ways.
 *
 * Pure functions over a bb_register; all arithmetic goes through busbar/decimal.h. What a register holds is first put
 * together into one number, "raw", which is signed where the type is. Raw −1 and −9999 are compared as 16-bit patterns,
 * because vendors write them into unsigned registers too.
 */
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/regmap.h>

/* What a measurement that is not there looks like: −9999 as two's complement. */
#define ABSENT_MEASUREMENT (-9999)

static unsigned raw_bits(const struct bb_register *entry)
{
	return entry->type == BB_REGISTER_U32 || entry->type == BB_REGISTER_S32 ? 32 : 16;
}

static int64_t raw_get(const struct bb_register *entry, const uint16_t *words)
{
	uint32_t wide;

	switch (entry->type) {
	case BB_REGISTER_S16:
		return (int16_t)words[0];
	case BB_REGISTER_BIT:
		return words[0] != 0;
	case BB_REGISTER_U32:
	case BB_REGISTER_S32:
		wide = (uint32_t)words[entry->low_word_first] << 16 | words[!entry->low_word_first];
		return entry->type == BB_REGISTER_S32 ? (int32_t)wide : (int64_t)wide;
	default:
		return words[0];
	}
}

static void raw_put(const struct bb_register *entry, int64_t raw, uint16_t *words)
{
	if (raw_bits(entry) == 32) {
		words[entry->low_word_first] = (uint16_t)((uint64_t)raw >> 16);
		words[!entry->low_word_first] = (uint16_t)raw;
	} else {
		words[0] = (uint16_t)raw;
	}
}

/* Is @raw the pattern of the negative number @code in the width of the register? */
static bool raw_is(const struct bb_register *entry, int64_t raw, int64_t code)
{
	const uint64_t mask = raw_bits(entry) == 32 ? UINT32_MAX : UINT16_MAX;

	return entry->type != BB_REGISTER_BIT && ((uint64_t)raw & mask) == ((uint64_t)code & mask);
}

/* How far left the bits of a flag word stand in those of its point. */
static unsigned flags_shift(const struct bb_register *entry)
{
	unsigned shift = 0;

	while (shift < 62 && INT64_C(1) << shift < entry->multiplier)
		shift++;
	return shift;
}

static int64_t flags_decode(const struct bb_register *entry, int64_t raw)
{
	const uint64_t bits = raw_bits(entry) == 32 ? (uint32_t)raw : (uint16_t)raw;
	uint64_t value = 0;

	if (entry->code_count == 0)
		return (int64_t)(bits << flags_shift(entry));
	for (size_t i = 0; i < entry->code_count; i++)
		if (bits >> entry->codes[i].raw & 1)
			value |= UINT64_C(1) << entry->codes[i].value;
	return (int64_t)value;
}

static int64_t flags_encode(const struct bb_register *entry, int64_t value)
{
	uint64_t bits = 0;

	if (entry->code_count == 0)
		return (int64_t)((uint64_t)(value & entry->mask) >> flags_shift(entry));
	for (size_t i = 0; i < entry->code_count; i++)
		if ((uint64_t)value >> entry->codes[i].value & 1)
			bits |= UINT64_C(1) << entry->codes[i].raw;
	return (int64_t)bits;
}

static enum bb_quality enum_decode(const struct bb_register *entry, int64_t raw, int64_t *ret_value)
{
	for (size_t i = 0; i < entry->code_count; i++)
		if (raw_is(entry, raw, entry->codes[i].raw)) {
			*ret_value = entry->codes[i].value;
			return BB_QUALITY_GOOD;
		}
	return entry->other != BB_NO_OTHER && raw_is(entry, raw, entry->other) ? BB_QUALITY_UNSUPPORTED
									       : BB_QUALITY_BAD;
}

/* Without codes anything but 0 is true: some vendors mask a bit and leave it where it was. */
static enum bb_quality bool_decode(const struct bb_register *entry, int64_t raw, int64_t *ret_value)
{
	if (entry->code_count > 0)
		return enum_decode(entry, raw, ret_value);
	*ret_value = raw != 0;
	return BB_QUALITY_GOOD;
}

enum bb_quality bb_register_decode(const struct bb_register *entry, const uint16_t *words, int64_t *ret_value)
{
	const int64_t raw = raw_get(entry, words);

	if ((entry->minus_1_is_absent && raw_is(entry, raw, -1)) ||
	    (entry->minus_9999_is_absent && raw_is(entry, raw, ABSENT_MEASUREMENT)))
		return BB_QUALITY_UNSUPPORTED;
	switch (entry->kind) {
	case BB_KIND_ENUM:
		return enum_decode(entry, raw, ret_value);
	case BB_KIND_BOOL:
	case BB_KIND_ALARM:
		return bool_decode(entry, raw, ret_value);
	case BB_KIND_FLAGS:
		*ret_value = flags_decode(entry, raw);
		return BB_QUALITY_GOOD;
	case BB_KIND_STRING:
	case BB_KIND_COMMAND:
		return BB_QUALITY_UNSUPPORTED;
	default:
		break;
	}
	if (raw < entry->least || raw > entry->most)
		return BB_QUALITY_BAD;
	*ret_value = bb_decimal_scale(raw, entry->multiplier, entry->divisor) + entry->offset;
	return BB_QUALITY_GOOD;
}

/* ---- the other way ---- */

static enum bb_encoding encode_absent(const struct bb_register *entry, uint16_t *words)
{
	if (entry->type == BB_REGISTER_STRING)
		memset(words, 0, entry->count * sizeof(*words));
	else
		raw_put(entry, entry->role == BB_ROLE_MEASUREMENT ? ABSENT_MEASUREMENT : 0, words);
	return BB_ENCODED_ABSENT;
}

static enum bb_encoding encode_enum(const struct bb_register *entry, int64_t value, uint16_t *words)
{
	for (size_t i = 0; i < entry->code_count; i++)
		if (entry->codes[i].value == value) {
			raw_put(entry, entry->codes[i].raw, words);
			return BB_ENCODED;
		}
	if (entry->other == BB_NO_OTHER)
		return encode_absent(entry, words);
	raw_put(entry, entry->other, words);
	return BB_ENCODED_OTHER;
}

static enum bb_encoding encode_number(const struct bb_register *entry, int64_t value, uint16_t *words)
{
	int64_t inner, raw;

	if (__builtin_sub_overflow(value, entry->offset, &inner))
		inner = value < 0 ? INT64_MIN : INT64_MAX;
	raw = entry->time_left ? bb_decimal_scale_time_left(inner, entry->divisor, entry->multiplier)
			       : bb_decimal_scale(inner, entry->divisor, entry->multiplier);
	if (raw < entry->least || raw > entry->most) {
		raw_put(entry, raw < entry->least ? entry->least : entry->most, words);
		return BB_ENCODED_SATURATED;
	}
	raw_put(entry, raw, words);
	return BB_ENCODED;
}

enum bb_encoding bb_register_encode(const struct bb_register *entry, enum bb_quality quality, int64_t value,
				    uint16_t *words)
{
	if (quality != BB_QUALITY_GOOD)
		return encode_absent(entry, words);
	switch (entry->kind) {
	case BB_KIND_ENUM:
		return encode_enum(entry, value, words);
	case BB_KIND_BOOL:
	case BB_KIND_ALARM:
		if (entry->code_count > 0)
			return encode_enum(entry, value != 0, words);
		raw_put(entry, value != 0, words);
		return BB_ENCODED;
	case BB_KIND_FLAGS:
		raw_put(entry, flags_encode(entry, value), words);
		return BB_ENCODED;
	case BB_KIND_STRING:
	case BB_KIND_COMMAND:
		return encode_absent(entry, words);
	default:
		return encode_number(entry, value, words);
	}
}

/* ---- texts ---- */

size_t bb_register_decode_text(const struct bb_register *entry, const uint16_t *words, char *buffer, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < 2u * entry->count && length + 1 < size; i++) {
		const char byte = (char)(i % 2 == 0 ? words[i / 2] >> 8 : words[i / 2] & 0xFF);

		if (byte == '\0')
			break;
		buffer[length++] = byte;
	}
	/* Some cards pad with blanks. */
	while (length > 0 && buffer[length - 1] == ' ')
		length--;
	if (size > 0)
		buffer[length] = '\0';
	return length;
}

void bb_register_encode_text(const struct bb_register *entry, const char *text, uint16_t *words)
{
	const size_t room = 2u * entry->count;
	size_t length = strlen(text);

	if (length > room) {
		length = room;
		/* no half characters: 10xxxxxx continues one */
		while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
			length--;
	}
	memset(words, 0, room);
	for (size_t i = 0; i < length; i++) {
		const unsigned byte = (unsigned char)text[i];

		words[i / 2] = (uint16_t)(words[i / 2] | (i % 2 == 0 ? byte << 8 : byte));
	}
}
