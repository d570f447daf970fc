/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_file.c - reads a map file: lines, head, columns, cells.
 *
 * A map is a small file that people edit, so every fault is told with its line, and reading goes on behind it: one look
 * shows them all. What a row means is regmap_row.c's business, what all rows mean together regmap_settle.c's.
 */
#include "regmap_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/text.h>

#define FAULT_TEXT_SIZE 256
#define CHUNK_SIZE      4000

static const char *const column_names[REGMAP_COLUMNS + 1] = {
	[REGMAP_ADDRESS] = "address",     [REGMAP_WORDS] = "count",   [REGMAP_TYPE] = "type",
	[REGMAP_FUNCTIONS] = "functions", [REGMAP_SYMBOL] = "symbol", [REGMAP_POINT] = "point",
	[REGMAP_SCALE] = "scale",         [REGMAP_OFFSET] = "offset", [REGMAP_VALUES] = "values",
	[REGMAP_NOTE] = "note",           [REGMAP_MODELS] = "models",
};

/* ---- texts of a map ---- */

struct regmap_chunk {
	struct regmap_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

static void *take_room(struct regmap_texts *texts, size_t size, size_t align)
{
	struct regmap_chunk *chunk = texts->chunks;
	size_t start = chunk ? (chunk->used + align - 1) / align * align : 0;

	if (!chunk || start + size > chunk->size) {
		const size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct regmap_chunk){.next = texts->chunks, .size = room};
		texts->chunks = chunk;
		start = 0;
	}
	chunk->used = start + size;
	return chunk->bytes + start;
}

void *regmap_room(struct regmap_texts *texts, size_t size)
{
	return take_room(texts, size, _Alignof(max_align_t));
}

char *regmap_text(struct regmap_texts *texts, const char *text, size_t length)
{
	char *copy = take_room(texts, length + 1, 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

void regmap_texts_free(struct regmap_texts *texts)
{
	while (texts->chunks) {
		struct regmap_chunk *next = texts->chunks->next;

		free(texts->chunks);
		texts->chunks = next;
	}
}

/* ---- faults ---- */

static int tell_fault(struct regmap_reader *reader, unsigned line, const char *format, va_list arguments)
{
	char text[FAULT_TEXT_SIZE];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	reader->faults++;
	if (reader->listener)
		reader->listener->fault(reader->listener->context, reader->path, line, text);
	return -EINVAL;
}

int regmap_fault(struct regmap_reader *reader, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)tell_fault(reader, reader->number, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int regmap_fault_at(struct regmap_reader *reader, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)tell_fault(reader, line, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* ---- lines ---- */

int regmap_reader_open(struct regmap_reader *reader, const char *path, const struct regmap_listener *listener)
{
	*reader = (struct regmap_reader){.path = path, .listener = listener};
	reader->file = fopen(path, "re");
	if (!reader->file) {
		const int error = -errno;

		(void)regmap_fault_at(reader, 0, "cannot be read: %s", strerror(-error));
		return error;
	}
	return 0;
}

void regmap_reader_close(struct regmap_reader *reader)
{
	if (reader->file)
		(void)fclose(reader->file); /* it was only read */
	free(reader->line);
	free(reader->entries);
	regmap_head_finish(&reader->head);
	regmap_texts_free(&reader->texts);
}

bool regmap_reader_next(struct regmap_reader *reader)
{
	ssize_t length = getline(&reader->line, &reader->line_room, reader->file);

	if (length < 0)
		return false;
	reader->number++;
	while (length > 0 && (reader->line[length - 1] == '\n' || reader->line[length - 1] == '\r'))
		reader->line[--length] = '\0';
	if (strlen(reader->line) != (size_t)length)
		(void)regmap_fault(reader, "is no text: it has a NUL byte");
	return true;
}

/* ---- cells ---- */

/* Cut the next cell off @rest, undoing quotes in place. NULL: a quote that does not end. */
static char *next_cell(char **rest)
{
	char *cell = *rest, *from = cell, *to = cell;
	const bool quoted = *from == '"';

	if (!quoted) {
		from += strcspn(from, ",");
		*rest = *from == ',' ? from + 1 : NULL;
		*from = '\0';
		return cell;
	}
	for (from++;; from++) {
		if (*from == '\0')
			return NULL;
		if (*from == '"' && *++from != '"')
			break;
		*to++ = *from;
	}
	if (*from != ',' && *from != '\0')
		return NULL;
	*rest = *from == ',' ? from + 1 : NULL;
	*to = '\0';
	return cell;
}

static int read_columns(struct regmap_reader *reader)
{
	static const enum regmap_column required[] = {REGMAP_ADDRESS, REGMAP_TYPE, REGMAP_FUNCTIONS, REGMAP_POINT};
	bool seen[REGMAP_COLUMNS] = {false};

	for (char *rest = reader->line; rest;) {
		const char *name = next_cell(&rest);
		int column = 0;

		while (name && column < REGMAP_COLUMNS && strcmp(name, column_names[column]) != 0)
			column++;
		if (!name || column == REGMAP_COLUMNS) {
			const char *suggestion = name ? bb_text_suggest(name, column_names) : NULL;

			return regmap_fault(reader, "unknown column '%s'%s%s%s", name ? name : "\"",
					    suggestion ? ", did you mean '" : "", suggestion ? suggestion : "",
					    suggestion ? "'?" : "");
		}
		if (seen[column])
			return regmap_fault(reader, "column '%s' stands there twice", name);
		seen[column] = true;
		reader->columns[reader->column_count++] = column;
	}
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (!seen[required[i]])
			return regmap_fault(reader, "no column '%s'", column_names[required[i]]);
	return 0;
}

static int read_row(struct regmap_reader *reader)
{
	static char empty[] = "";
	char *cells[REGMAP_COLUMNS];
	size_t count = 0;

	for (size_t i = 0; i < REGMAP_COLUMNS; i++)
		cells[i] = empty;
	for (char *rest = reader->line; rest; count++) {
		char *cell = next_cell(&rest);

		if (!cell)
			return regmap_fault(reader, "a quote is not closed, or text follows it");
		if (count == reader->column_count)
			return regmap_fault(reader, "more cells than columns: a text with a comma needs quotes");
		cells[reader->columns[count]] = cell;
	}
	return regmap_row_parse(reader, cells);
}

/* ---- the whole ---- */

static int find_variant(struct regmap_reader *reader, const char *id)
{
	if (!id || strcmp(id, reader->head.id) == 0)
		return 0;
	for (size_t i = 0; i < reader->head.variant_count; i++)
		if (strcmp(id, reader->head.variants[i].id) == 0) {
			reader->model = reader->head.variants[i].model;
			return 0;
		}
	return regmap_fault_at(reader, 0, "has no map '%s' any more", id);
}

static int read_map(struct regmap_reader *reader, const char *id)
{
	int r = regmap_head_parse(reader);

	/* A head without id is told already; the rows can be looked at all the same. */
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		r = find_variant(reader, id);
	if (reader->columns_said && (r = read_columns(reader)) < 0)
		return r;
	while (reader->columns_said && regmap_reader_next(reader)) {
		if (reader->line[0] == '\0' || reader->line[0] == '#')
			continue;
		r = read_row(reader);
		if (r == -ENOMEM)
			return r;
	}
	if (ferror(reader->file))
		return regmap_fault_at(reader, 0, "cannot be read to its end");
	if (reader->count == 0 && reader->faults == 0)
		(void)regmap_fault_at(reader, 0, "has no rows");
	if (reader->count == 0)
		return -EINVAL;
	r = regmap_settle(reader);
	return r < 0 ? r : reader->faults > 0 ? -EINVAL : 0;
}

/* A map and what it stands on. */
struct owned_map {
	struct bb_regmap map; /* first, so that one is the other */
	struct regmap_texts texts;
};

static int keep_map(struct regmap_reader *reader, const char *id, struct bb_regmap **ret_map)
{
	struct owned_map *owned = calloc(1, sizeof(*owned));
	struct bb_register *registers = calloc(reader->count + 1, sizeof(*registers));
	struct regmap_texts *texts = &reader->texts;
	const struct regmap_head *head = &reader->head;

	if (!owned || !registers)
		goto fail;
	owned->map = (struct bb_regmap){
		.id = regmap_text(texts, id ? id : head->id, strlen(id ? id : head->id)),
		.vendor = regmap_text(texts, head->vendor, strlen(head->vendor)),
		.models = reader->model ? regmap_text(texts, reader->model, strlen(reader->model))
					: regmap_text(texts, head->models, strlen(head->models)),
		.oem = head->oem,
		.file = regmap_text(texts, reader->path, strlen(reader->path)),
		.count = reader->count,
		.registers = registers,
	};
	if (!owned->map.id || !owned->map.vendor || !owned->map.models || !owned->map.file)
		goto fail;
	for (size_t i = 0; i < reader->count; i++)
		registers[i] = reader->entries[i].entry;
	owned->texts = reader->texts;
	reader->texts = (struct regmap_texts){0};
	*ret_map = &owned->map;
	return 0;
fail:
	free(owned);
	free(registers);
	return -ENOMEM;
}

int regmap_load(const char *path, const char *id, const struct regmap_listener *listener, struct bb_regmap **ret_map)
{
	struct regmap_reader reader;
	int r = regmap_reader_open(&reader, path, listener);

	if (r < 0)
		return r;
	r = read_map(&reader, id);
	if (r == 0)
		r = keep_map(&reader, id, ret_map);
	regmap_reader_close(&reader);
	return r;
}

void regmap_free(struct bb_regmap *map)
{
	struct owned_map *owned = (struct owned_map *)map;

	if (!owned)
		return;
	free((void *)map->registers);
	regmap_texts_free(&owned->texts);
	free(owned);
}

int regmap_head_read(const char *path, const struct regmap_listener *listener, struct regmap_head *ret_head)
{
	struct regmap_reader reader;
	int r = regmap_reader_open(&reader, path, listener);

	if (r < 0)
		return r;
	r = regmap_head_parse(&reader);
	if (r == 0) {
		*ret_head = reader.head;
		reader.head = (struct regmap_head){0};
	}
	regmap_reader_close(&reader);
	return r;
}
