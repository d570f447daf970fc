/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap_row.c - from the cells of one row to the registers it stands for.
 *
 * Most rows are one register. A row in the range of a `# repeat:` is many, in whose symbol and point <n> is a number;
 * one in the range of a `# copy:` is itself and, at other addresses and under another name, its copies. All of them
 * are coded alike, so the row is understood once and then written down as often as it takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/text.h>

#include "regmap_file.h"

/* Names longer than this are no names of points. */
#define NAME_MAX_LENGTH 127

/* The most words a string may have: one answer has to hold it. */
#define STRING_MAX 125

/* What stands in the cells of a row besides the entry that is made of it. */
struct row {
	const char *symbol, *point, *fallback; /* may hold <n> */
	bool numbered;                         /* they do */
	struct bb_register entry;              /* as the first of them */
};

/* ---- names with a number in them ---- */

/* Put @number in the place of <n>, <nn> and <nnn> (as many digits at least) and of <n-1>. False: too long. */
static bool expand(char *buffer, const char *text, unsigned number)
{
	size_t used = 0;

	for (; *text != '\0'; text++) {
		const size_t digits = *text == '<' ? strspn(text + 1, "n") : 0;
		const bool less = digits == 1 && strncmp(text + 2, "-1>", 3) == 0;
		int length;

		if (digits == 0 || (!less && text[1 + digits] != '>')) {
			buffer[used++] = *text;
		} else {
			length = snprintf(buffer + used, NAME_MAX_LENGTH + 1 - used, "%0*u", (int)digits,
					  less ? number - 1 : number);
			used += (size_t)length;
			text += less ? 4 : 1 + digits;
		}
		if (used > NAME_MAX_LENGTH)
			return false;
	}
	buffer[used] = '\0';
	return true;
}

static bool has_number(const char *text)
{
	char first[NAME_MAX_LENGTH + 12], second[NAME_MAX_LENGTH + 12];

	return expand(first, text, 1) && expand(second, text, 2) && strcmp(first, second) != 0;
}

static int append_entry(struct regmap_reader *reader, const struct bb_register *entry)
{
	if (reader->count == reader->room) {
		const size_t room = reader->room ? reader->room * 2 : 128;
		struct regmap_entry *entries = reallocarray(reader->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		reader->entries = entries;
		reader->room = room;
	}
	reader->entries[reader->count++] = (struct regmap_entry){.entry = *entry, .line = reader->number};
	return 0;
}

/* The text as it stands in the map: @prefix and @text with their numbers put in. NULL: none, or no memory. */
static int settle_text(struct regmap_reader *reader, const char *prefix, const char *text, unsigned number,
		       const char **ret_text)
{
	char buffer[2 * (NAME_MAX_LENGTH + 12)];

	if (!text) {
		*ret_text = NULL;
		return 0;
	}
	if (!expand(buffer, prefix, number) || !expand(buffer + strlen(buffer), text, number) ||
	    strlen(buffer) > NAME_MAX_LENGTH)
		return regmap_fault(reader, "'%s%s' gets longer than %d characters", prefix, text, NAME_MAX_LENGTH);
	*ret_text = regmap_text(&reader->texts, buffer, strlen(buffer));
	return *ret_text ? 0 : -ENOMEM;
}

/* ---- one register, or many ---- */

static const struct regmap_repeat *find_repeat(const struct regmap_reader *reader, const struct bb_register *entry,
					       bool copy, size_t from, size_t *ret_index)
{
	for (size_t i = from; i < reader->head.repeat_count; i++) {
		const struct regmap_repeat *repeat = &reader->head.repeats[i];

		if (entry->address >= repeat->first && entry->address <= repeat->last && !repeat->prefix == !copy) {
			*ret_index = i;
			return repeat;
		}
	}
	return NULL;
}

static int write_row(struct regmap_reader *reader, const struct row *row, unsigned address, const char *prefix,
		     unsigned number)
{
	struct bb_register entry = row->entry;
	int r;

	entry.address = (uint16_t)address;
	r = settle_text(reader, prefix, row->point, number, &entry.point);
	if (r == 0)
		r = settle_text(reader, prefix, row->fallback, number, &entry.fallback);
	if (r == 0 && has_number(row->symbol))
		r = settle_text(reader, "", row->symbol, number, &entry.symbol);
	return r < 0 ? r : append_entry(reader, &entry);
}

static int write_repeats(struct regmap_reader *reader, const struct row *row)
{
	size_t index;
	const struct regmap_repeat *repeat = find_repeat(reader, &row->entry, false, 0, &index);
	int r = 0;

	if (!repeat && row->numbered)
		return regmap_fault(reader, "<n> stands here, but no '# repeat:' is about address %u",
				    row->entry.address);
	if (!repeat)
		return write_row(reader, row, row->entry.address, "", 0);
	if (row->entry.address + row->entry.count - 1u > repeat->last)
		return regmap_fault(reader, "reaches beyond the range %u-%u that is repeated", repeat->first,
				    repeat->last);
	for (unsigned i = 0; r == 0 && i < repeat->times; i++)
		r = write_row(reader, row, row->entry.address + i * repeat->every, "", repeat->number + i);
	return r;
}

/* Points of a module are those of the whole under a longer name; an alarm of one is no alarm of the device. */
static int write_copies(struct regmap_reader *reader, const struct row *row)
{
	size_t index = 0;
	const struct regmap_repeat *copy;

	for (; (copy = find_repeat(reader, &row->entry, true, index, &index)); index++) {
		struct row module = *row;
		const unsigned first = copy->to + row->entry.address - copy->first;
		char name[2 * (NAME_MAX_LENGTH + 12)];
		int r = 0;

		if (row->point) {
			if (!expand(name, copy->prefix, copy->number))
				return regmap_fault(reader, "'%s' is too long", copy->prefix);
			strcat(name, row->point);
			r = regmap_point_resolve(reader, name, &module.entry);
		}
		for (unsigned i = 0; r == 0 && i < copy->times; i++)
			r = write_row(reader, &module, first + i * copy->every, copy->prefix, copy->number + i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- cells ---- */

static int parse_number(struct regmap_reader *reader, const char *what, const char *text, unsigned most,
			unsigned *ret_number)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > most)
		return regmap_fault(reader, "%s '%s' is no number up to %u", what, text, most);
	*ret_number = (unsigned)number;
	return 0;
}

static int parse_type(struct regmap_reader *reader, const char *text, unsigned count, struct bb_register *entry)
{
	static const char *const names[] = {"u16", "s16", "u32", "s32", "bit", "string", NULL};
	static const enum bb_register_type types[] = {BB_REGISTER_U16, BB_REGISTER_S16, BB_REGISTER_U32,
						      BB_REGISTER_S32, BB_REGISTER_BIT, BB_REGISTER_STRING};
	unsigned most = 1, least = 1;
	size_t i = 0;

	while (names[i] && strcmp(names[i], text) != 0)
		i++;
	if (!names[i]) {
		const char *suggestion = bb_text_suggest(text, names);

		return regmap_fault(reader, "type '%s' is none of u16, s16, u32, s32, bit, string%s%s%s", text,
				    suggestion ? ", did you mean '" : "", suggestion ? suggestion : "",
				    suggestion ? "'?" : "");
	}
	entry->type = types[i];
	if (count == 2 && (entry->type == BB_REGISTER_U16 || entry->type == BB_REGISTER_S16))
		entry->type = entry->type == BB_REGISTER_U16 ? BB_REGISTER_U32 : BB_REGISTER_S32;
	if (entry->type == BB_REGISTER_U32 || entry->type == BB_REGISTER_S32)
		least = most = 2;
	if (entry->type == BB_REGISTER_STRING)
		most = STRING_MAX;
	if (count < least || count > most)
		return regmap_fault(reader, "count %u does not fit type %s", count, text);
	entry->count = (uint8_t)count;
	return 0;
}

/* "3/4" answers alike in two spaces; 05, 06, 15 and 16 grant writing. */
static int parse_functions(struct regmap_reader *reader, const char *text, struct bb_register *entry)
{
	for (const char *rest = text;; rest++) {
		char *end;
		const unsigned long function = strtoul(rest, &end, 10);

		switch (end == rest ? 0 : function) {
		case 1:
		case 5:
		case 15:
			entry->spaces |= 1u << BB_SPACE_COIL;
			break;
		case 2:
			entry->spaces |= 1u << BB_SPACE_DISCRETE;
			break;
		case 3:
		case 6:
		case 16:
			entry->spaces |= 1u << BB_SPACE_HOLDING;
			break;
		case 4:
			entry->spaces |= 1u << BB_SPACE_INPUT;
			break;
		default:
			return regmap_fault(reader, "functions '%s' are not like 3/4, 1/5 or 3/4/6", text);
		}
		entry->writable = entry->writable || (function >= 5 && function != 0);
		rest = end;
		if (*rest == '\0')
			break;
		if (*rest != '/')
			return regmap_fault(reader, "functions '%s' are not like 3/4, 1/5 or 3/4/6", text);
	}
	const unsigned bits = 1u << BB_SPACE_COIL | 1u << BB_SPACE_DISCRETE;

	if ((entry->type == BB_REGISTER_BIT) != ((entry->spaces & bits) != 0) ||
	    (entry->type != BB_REGISTER_BIT) != ((entry->spaces & ~bits) != 0))
		return regmap_fault(reader, "functions '%s' are not for type %s", text, regmap_type_name(entry->type));
	return 0;
}

/* Of a map per model: a row whose `models` does not name it is there, but has no point. */
static int parse_models(struct regmap_reader *reader, char *text, bool *ret_has)
{
	bool has = reader->model == NULL || text[0] == '\0';
	char *rest = text;

	while (text[0] != '\0' && rest) {
		const char *model = strsep(&rest, ";");
		size_t i = 0;

		has = has || (reader->model && strcmp(model, reader->model) == 0);
		while (i < reader->head.variant_count && strcmp(reader->head.variants[i].model, model) != 0)
			i++;
		if (i == reader->head.variant_count && strcmp(model, "none") != 0)
			return regmap_fault(reader, "model '%s' has no '# variant:'", model);
	}
	*ret_has = has;
	return 0;
}

/* Point, and the one instead of it: "site.do.1.state output.1.state". */
static int parse_points(struct regmap_reader *reader, char *text, bool has, struct row *row)
{
	char name[2 * (NAME_MAX_LENGTH + 12)];
	struct bb_register ignored;
	size_t index;
	const struct regmap_repeat *repeat = find_repeat(reader, &row->entry, false, 0, &index);
	const unsigned number = repeat ? repeat->number : 1;
	char *blank = strchr(text, ' ');
	int r;

	if (blank)
		*blank = '\0';
	if (text[0] == '\0') {
		row->entry.kind = row->entry.type == BB_REGISTER_STRING ? BB_KIND_STRING : BB_KIND_NUMBER;
		return 0;
	}
	if (!expand(name, text, number))
		return regmap_fault(reader, "point '%s' is too long", text);
	r = regmap_point_resolve(reader, name, &row->entry);
	if (r < 0)
		return r;
	if (blank) {
		ignored = row->entry;
		if (!expand(name, blank + 1, number))
			return regmap_fault(reader, "point '%s' is too long", blank + 1);
		r = regmap_point_resolve(reader, name, &ignored);
		if (r < 0)
			return r;
		if (ignored.kind != row->entry.kind || ignored.unit != row->entry.unit ||
		    ignored.decimals != row->entry.decimals)
			return regmap_fault(reader, "'%s' and '%s' are not the same kind of point", text, blank + 1);
		row->fallback = has ? blank + 1 : NULL;
	}
	row->point = has ? text : NULL;
	row->numbered = row->numbered || has_number(text);
	return 0;
}

int regmap_row_parse(struct regmap_reader *reader, char *const cells[REGMAP_COLUMNS])
{
	struct row row = {.symbol = cells[REGMAP_SYMBOL]};
	struct bb_register *entry = &row.entry;
	unsigned address, count = 1;
	bool has = false;
	int r = parse_number(reader, "address", cells[REGMAP_ADDRESS], UINT16_MAX, &address);

	if (r == 0 && cells[REGMAP_WORDS][0] != '\0')
		r = parse_number(reader, "count", cells[REGMAP_WORDS], STRING_MAX, &count);
	if (r == 0)
		r = parse_type(reader, cells[REGMAP_TYPE], count, entry);
	if (r == 0)
		r = parse_functions(reader, cells[REGMAP_FUNCTIONS], entry);
	if (r == 0)
		r = parse_models(reader, cells[REGMAP_MODELS], &has);
	if (r < 0)
		return r;
	if (address + count - 1 > UINT16_MAX)
		return regmap_fault(reader, "address %u and count %u reach beyond 65535", address, count);

	entry->address = (uint16_t)address;
	entry->low_word_first = reader->head.low_word_first;
	row.numbered = has_number(row.symbol);
	r = parse_points(reader, cells[REGMAP_POINT], has, &row);
	if (r == 0)
		r = regmap_coding_parse(reader, cells, entry);
	if (r < 0)
		return r;
	entry->symbol = regmap_text(&reader->texts, row.symbol, strlen(row.symbol));
	entry->note = regmap_text(&reader->texts, cells[REGMAP_NOTE], strlen(cells[REGMAP_NOTE]));
	if (!entry->symbol || !entry->note)
		return -ENOMEM;
	r = write_repeats(reader, &row);
	return r < 0 ? r : write_copies(reader, &row);
}
