/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - small services for text, see text.h.
 *
 * bb_text_clean() is the boundary that foreign text passes once: behind it everybody may rely on valid UTF-8 without
 * control characters, and each output only adds the escapes of its own format.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* The longest word bb_text_suggest() compares; no option, plugin or point of ours is that long. */
#define SUGGEST_MAX 64

/*
 * Characters that break a line or turn its direction around on a screen, so that text could pass for other text: U+2028
 * and U+2029, U+202A to U+202E, U+2066 to U+2069. @bytes: a whole character of three.
 */
static bool is_treacherous(const unsigned char *bytes)
{
	return bytes[0] == 0xe2 && ((bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
				    (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9));
}

/* The ranges of the second byte exclude overlong forms, surrogates and what lies above U+10FFFF (RFC 3629, 4). */
size_t text_utf8_length(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	unsigned char first;
	size_t size;

	if (length == 0)
		return 0;
	first = bytes[0];
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf) {
		size = 2;
	} else if (first >= 0xe0 && first <= 0xef) {
		size = 3;
		if (first == 0xe0)
			low = 0xa0;
		else if (first == 0xed)
			high = 0x9f;
	} else if (first >= 0xf0 && first <= 0xf4) {
		size = 4;
		if (first == 0xf0)
			low = 0x90;
		else if (first == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (length < size || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* U+0000 to U+001F, U+007F, and the C1 control characters U+0080 to U+009F. @bytes: a whole character. */
static bool is_control(const unsigned char *bytes)
{
	return bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

/* Length of the character at @text when it may be shown as it is, else 0. */
static size_t text_character(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	const size_t size = text_utf8_length(text, length);

	return size == 0 || is_control(bytes) || (size == 3 && is_treacherous(bytes)) ? 0 : size;
}

size_t bb_text_clean(char *buffer, size_t size, const char *text, size_t length)
{
	size_t filled = 0;

	if (size == 0)
		return 0;
	while (length > 0 && strchr(" \t\r\n", text[length - 1])) /* finds NUL too */
		length--;
	while (length > 0) {
		size_t step = text_character(text, length);
		size_t bytes = step > 0 ? step : 1;

		if (filled + bytes >= size)
			break;
		if (step > 0)
			memcpy(buffer + filled, text, bytes);
		else
			buffer[filled] = '?';
		filled += bytes;
		text += bytes;
		length -= bytes;
	}
	while (filled > 0 && buffer[filled - 1] == ' ') /* a cut may have left some */
		filled--;
	buffer[filled] = '\0';
	return filled;
}

uint32_t bb_text_hash(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

bool text_has_word(const char *words, const char *word, size_t length)
{
	while (*words != '\0') {
		const size_t next = strcspn(words, " ");

		if (next == length && memcmp(words, word, length) == 0)
			return true;
		words += next;
		words += strspn(words, " ");
	}
	return false;
}

/* As suggestions compare it: words are ASCII, whatever the locale. */
static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * How many letters must be typed, left out, replaced or swapped with their neighbour to make @b from @a
 * (Damerau and Levenshtein, three rows at a time). Both are at most SUGGEST_MAX long.
 */
static unsigned text_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	size_t length = strlen(b);

	for (unsigned j = 0; j <= length; j++)
		last[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			row[j] = smallest(last[j] + 1, row[j - 1] + 1,
					  last[j - 1] + (lower(a[i - 1]) != lower(b[j - 1])));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		unsigned *spare = before;

		before = last;
		last = row;
		row = spare;
	}
	return last[length];
}

const char *bb_text_suggest(const char *text, const char *const *words)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	if (strlen(text) > SUGGEST_MAX)
		return NULL;
	for (; *words; words++) {
		size_t length = strlen(*words);

		if (length > SUGGEST_MAX)
			continue;
		unsigned distance = text_distance(text, *words);

		if (distance < best_distance && distance <= (length < 4 ? 1u : 2u)) {
			best = *words;
			best_distance = distance;
		}
	}
	return best;
}

char **text_list_copy(const char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			text_list_free(copy);
			return NULL;
		}
	}
	return copy;
}

void text_list_free(char **list)
{
	for (char **text = list; text && *text; text++)
		free(*text);
	free(list);
}

bool text_is_device_name(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length >= 1 && length <= 32 && name[length] == '\0' && strchr(first, name[0]) != NULL;
}
