/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - small services for text that only the core needs: UTF-8, lists, names. The others are in
 * busbar/text.h.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <busbar/text.h>

/** The longest text a device may say, in bytes without NUL; longer ones are cut between characters. */
#define TEXT_MAX 255

/**
 * Bytes of the UTF-8 character (RFC 3629) that begins at @text, of which @length bytes are there: 0 when it is none. Any
 * thread, as all here.
 */
size_t text_utf8_length(const char *text, size_t length);

/** Is the word of @length bytes at @word one of @words, which have a blank between them? */
bool text_has_word(const char *words, const char *word, size_t length);

/** A copy of @list, which ends with NULL, and of its texts. NULL when memory lacks. */
char **text_list_copy(const char *const *list);

/** Free such a list; accepts NULL. */
void text_list_free(char **list);

/** Is @name a valid device name, [a-z0-9][a-z0-9-]{0,31}? */
bool text_is_device_name(const char *name);

#endif
