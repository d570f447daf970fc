/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/regmap.h - Modbus register maps: one table says what a register means, whichever way it is used.
 *
 * A map is a CSV file (config/maps/, and /etc/busbar/maps.d for the user's own), one row a register. The plugin
 * ups-modbus reads a device by it, the modbus exporter serves a device by it. So what is written here about a
 * row holds in both directions: a point's value goes through bb_register_encode() into registers and comes back through
 * bb_register_decode(), rounded to the register's step and cut to its range.
 *
 * Maps are immutable once loaded and may be used by any thread.
 */
#ifndef BUSBAR_REGMAP_H
#define BUSBAR_REGMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/point.h>
#include <busbar/reading.h>

/** The four address spaces of Modbus (Application Protocol 1.1b3, 4.3); they do not overlap. */
enum bb_space {
	BB_SPACE_COIL,     /* functions 01, 05, 15 */
	BB_SPACE_DISCRETE, /* function 02 */
	BB_SPACE_INPUT,    /* function 04 */
	BB_SPACE_HOLDING,  /* functions 03, 06, 16 */
	BB_SPACE_COUNT,
};

/** How the words of a register are coded. */
enum bb_register_type {
	BB_REGISTER_U16,
	BB_REGISTER_S16,
	BB_REGISTER_U32, /* two words, high word first unless the map says `# word-order: low-first` */
	BB_REGISTER_S32,
	BB_REGISTER_BIT,    /* a coil or discrete input */
	BB_REGISTER_STRING, /* two characters a word, high byte first, padded with NUL */
};

/** What a register is for, which decides how an absent value is served. */
enum bb_register_role {
	BB_ROLE_MEASUREMENT, /* absent: −9999 (0xD8F1) */
	BB_ROLE_FLAG,        /* alarms, states, counts: absent: 0 */
};

/** One code of an enumeration, or one bit of a flag word. */
struct bb_code {
	int32_t raw;   /* as in the register: the code (0 to 65535), or the bit (0 to 15, 31) */
	int64_t value; /* as in the point: the member's value, or its bit */
	const char *
		name; /* of the point's member; of numbers, which have codes only to be read by people: what it means */
};

/** `other` of a register that has no such code. */
#define BB_NO_OTHER (-1)

/** One entry of a map: a point, where it is, and how it is coded. */
struct bb_register {
	uint16_t address; /* as transmitted, from 0 */
	uint8_t count;    /* words, or 1 for a bit */
	enum bb_register_type type;
	enum bb_register_role role;
	uint8_t spaces;            /* bit 1 << bb_space for each space that answers at this address */
	bool writable;             /* by functions 05 or 06, where control is allowed */
	bool feeds;                /* read into its point: of several with one point the one with the finest step */
	bool low_word_first;       /* of 32-bit types */
	bool time_left;            /* rounds down and never shows 0 before it is (minutes left) */
	bool minus_1_is_absent;    /* raw −1 means: not supported */
	bool minus_9999_is_absent; /* raw −9999 (0xD8F1) means: not supported */
	const char *symbol;        /* the vendor's name */
	const char *point;         /* dictionary name or vendor point; NULL: reserved, served as absent, never read */
	const char *fallback;      /* the point served instead on a device without `point`, or NULL */
	enum bb_unit unit;         /* of the point */
	uint8_t decimals;          /* of the point */
	enum bb_kind kind;         /* of the point */
	const struct bb_member *members; /* of the point, enum and flags */
	size_t member_count;
	int64_t multiplier; /* point value (scaled by its decimals) = raw × multiplier / divisor + offset */
	int64_t divisor;
	int64_t offset;
	int64_t least, most; /* what raw may be; beyond it is cut when encoded, BAD when decoded */
	int64_t mask; /* flags: the point's bits in this register. Several may hold parts of one point: OR them */
	const struct bb_code *codes; /* enum, flags where bits change places, and what numbers mean */
	size_t code_count;
	int32_t other; /* enum: raw code for members that the map cannot say, BB_NO_OTHER: none (absent then) */
	const char *note;
};

/** A loaded map. */
struct bb_regmap {
	const char *id; /* "socomec" */
	const char *vendor;
	const char *models; /* "" when the source does not say */
	int oem;            /* OEM id of the vendor's card, 0: unknown */
	const char *file;   /* where it was loaded from */
	size_t count;
	const struct bb_register *registers; /* sorted by address, then by space */
};

/**
 * The map of that id, or NULL when there is none, or its file is faulty (which is logged). It is loaded when first
 * asked for and lives as long as the agent. Any thread; may read a file.
 */
const struct bb_regmap *bb_regmap_find(const char *id);

/** Id of map @index in order of id, NULL past the end. Loads nothing. Any thread. */
const char *bb_regmap_id(size_t index);

/** The id that @id was probably meant to be, or NULL. Any thread. */
const char *bb_regmap_suggest(const char *id);

/** The register at @address of @space (also one that covers it from before), or NULL. Any thread. */
const struct bb_register *bb_regmap_register(const struct bb_regmap *map, enum bb_space space, uint16_t address);

/**
 * Read @words (count of them; 0 or 1 in words[0] for a bit) as the point's value. Strings and commands are not for this
 * function.
 * @ret_value is written only for BB_QUALITY_GOOD. Returns GOOD, UNSUPPORTED (a code for "not supported") or BAD (a code
 * the map does not know). Any thread.
 */
enum bb_quality bb_register_decode(const struct bb_register *entry, const uint16_t *words, int64_t *ret_value);

/** What bb_register_encode() had to do to the value. */
enum bb_encoding {
	BB_ENCODED,           /* as it is, rounded to the register's step */
	BB_ENCODED_SATURATED, /* cut to the register's range */
	BB_ENCODED_OTHER,     /* the map has no code for the member: `other` */
	BB_ENCODED_ABSENT,    /* no value, or none that the map can say: the words are those of an absent value */
};

/** Write the point's @value (of @quality GOOD, else it is absent) into @words. Any thread. */
enum bb_encoding bb_register_encode(const struct bb_register *entry, enum bb_quality quality, int64_t value,
				    uint16_t *words);

/** The same for strings; @size of the buffer, of which no more than 2 × count bytes are used. Any thread. */
size_t bb_register_decode_text(const struct bb_register *entry, const uint16_t *words, char *buffer, size_t size);
void bb_register_encode_text(const struct bb_register *entry, const char *text, uint16_t *words);

/** One request of a plan: @count registers (or bits) of @space from @address. */
struct bb_block {
	enum bb_space space;
	uint16_t address;
	uint16_t count;
};

/**
 * Plan reading the registers of @map whose `wanted` is true (one flag for each of its registers; NULL: all that feed):
 * neighbours in blocks of at most @most registers (1 to 125; sixteen times as many bits), over gaps of up to @gap
 * unlisted addresses where that saves a request. What answers in both spaces is read from the holding registers.
 * Blocks come in order of space and address. Writes up to @room of them. Returns their number, which may be larger
 * than @room. Any thread.
 */
size_t bb_regmap_plan(const struct bb_regmap *map, const bool *wanted, unsigned most, unsigned gap,
		      struct bb_block *ret_blocks, size_t room);

#endif
