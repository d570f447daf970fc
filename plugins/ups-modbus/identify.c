/* SPDX-License-Identifier: Apache-2.0
 *
 * identify.c - which register map a device has, from what it says about itself. See identify.h.
 *
 * Most cards have numbers only, and nothing in them tells a maker. A few begin with texts: who made the device, what it
 * is. A text where a map has one is hardly an accident: numbers have zeros in their high bytes.
 */
#include "identify.h"

#include <string.h>

#include <busbar/modbus.h>

bool identify_is_text(const uint16_t *words, size_t count)
{
	size_t length = 0;
	bool ended = false;

	for (size_t i = 0; i < 2 * count; i++) {
		const unsigned byte = i % 2 == 0 ? words[i / 2] >> 8 : words[i / 2] & 0xFFu;

		if (byte == 0)
			ended = true;
		else if (ended || byte < ' ' || byte > '~')
			return false;
		else
			length = byte == ' ' ? length : i + 1; /* blanks pad, too */
	}
	return length >= 3;
}

/* The register of @map that says who made the device, or what it is; NULL when none does. */
static const struct bb_register *find_identity(const struct bb_regmap *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct bb_register *entry = &map->registers[i];

		if (entry->type == BB_REGISTER_STRING && entry->count > 1 && entry->point != NULL &&
		    (strncmp(entry->point, "device.", 7) == 0 || strncmp(entry->point, "vendor.", 7) == 0))
			return entry;
	}
	return NULL;
}

/* As bb_modbus_read(); input registers where there are no holding registers. */
static int read_words(const struct survey_reader *reader, const struct bb_register *entry, uint16_t *ret_words)
{
	int r = BB_MODBUS_ILLEGAL_FUNCTION;

	if (entry->spaces & 1u << BB_SPACE_HOLDING)
		r = reader->read(reader->context, 3, entry->address, entry->count, ret_words);
	if (r > 0 && entry->spaces & 1u << BB_SPACE_INPUT)
		r = reader->read(reader->context, 4, entry->address, entry->count, ret_words);
	return r;
}

int identify_map(const struct survey_reader *reader, const struct bb_regmap **ret_map,
		 char ret_text[IDENTIFY_TEXT_SIZE])
{
	const char *id;

	for (size_t i = 0; (id = bb_regmap_id(i)) != NULL; i++) {
		const struct bb_regmap *map = bb_regmap_find(id);
		const struct bb_register *entry = map != NULL ? find_identity(map) : NULL;
		uint16_t words[UINT8_MAX];
		int r;

		if (entry == NULL || entry->count > BB_MODBUS_READ_MAX)
			continue;
		r = read_words(reader, entry, words);
		if (r < 0)
			return r;
		if (r == 0 && identify_is_text(words, entry->count)) {
			(void)bb_register_decode_text(entry, words, ret_text, IDENTIFY_TEXT_SIZE); /* printable */
			*ret_map = map;
			return 1;
		}
	}
	return 0;
}
