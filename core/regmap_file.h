/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_file.h - what the parts of the reader of map files share: lines, cells, texts that live as long as the map.
 */
#ifndef CORE_REGMAP_FILE_H
#define CORE_REGMAP_FILE_H

#include <stdarg.h>
#include <stdio.h>

#include "regmap.h"

/** Columns of a map file. */
enum regmap_column {
	REGMAP_ADDRESS,
	REGMAP_WORDS, /* "count" */
	REGMAP_TYPE,
	REGMAP_FUNCTIONS,
	REGMAP_SYMBOL,
	REGMAP_POINT,
	REGMAP_SCALE,
	REGMAP_OFFSET,
	REGMAP_VALUES,
	REGMAP_NOTE,
	REGMAP_MODELS,
	REGMAP_COLUMNS,
};

/** The texts of a map, freed together. */
struct regmap_texts {
	struct regmap_chunk *chunks;
};

/** @length bytes of @text as a text of the map; NULL without memory. */
char *regmap_text(struct regmap_texts *texts, const char *text, size_t length);
/** Room of @size bytes, aligned for anything, freed with the texts; NULL without memory. */
void *regmap_room(struct regmap_texts *texts, size_t size);
void regmap_texts_free(struct regmap_texts *texts);

/** A register, and the line of the file it comes from. */
struct regmap_entry {
	struct bb_register entry;
	unsigned line;
};

/** A map being read. */
struct regmap_reader {
	const char *path;
	const struct regmap_listener *listener;
	FILE *file;
	char *line; /* the current one, without its end; cut up by cells */
	size_t line_room;
	unsigned number; /* of the line, from 1 */
	unsigned faults;
	struct regmap_head head;
	const char *model; /* of the variant that is wanted, or NULL */
	bool columns_said;
	int columns[REGMAP_COLUMNS + 1]; /* which enum regmap_column each cell of a row is */
	size_t column_count;
	struct regmap_texts texts;
	struct regmap_entry *entries;
	size_t count, room;
};

/** Open the file. Returns 0 or the error. */
int regmap_reader_open(struct regmap_reader *reader, const char *path, const struct regmap_listener *listener);
void regmap_reader_close(struct regmap_reader *reader);
/** Take the next line. False at the end. */
bool regmap_reader_next(struct regmap_reader *reader);

/** Tell the listener what is wrong on the current line. Returns −EINVAL. */
int regmap_fault(struct regmap_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
int regmap_fault_at(struct regmap_reader *reader, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Read the lines of the head; the reader then stands on the row of column names. Returns 0 or −EINVAL. */
int regmap_head_parse(struct regmap_reader *reader);

/** Make registers of a row's cells. Returns 0, −EINVAL (told) or −ENOMEM. */
int regmap_row_parse(struct regmap_reader *reader, char *const cells[REGMAP_COLUMNS]);

/** What the cells about coding say: scale, offset, values. The point is known already. Returns as above. */
int regmap_coding_parse(struct regmap_reader *reader, char *const cells[REGMAP_COLUMNS], struct bb_register *entry);

/** Find out what @point is and put it into @entry (kind, unit, decimals, members). Returns as above. */
int regmap_point_resolve(struct regmap_reader *reader, const char *point, struct bb_register *entry);

/** Sort the registers, find overlaps, decide which feed. Returns as above. */
int regmap_settle(struct regmap_reader *reader);

#endif
