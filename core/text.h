/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - small services for text: cleaning what foreign devices send, suggestions for typing errors, names.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** The longest text a device may say, in bytes without NUL; longer ones are cut between characters. */
#define TEXT_MAX 255

/**
 * What plugins know as bb_text_clean(), see busbar/text.h.
 */
size_t text_clean(char *buffer, size_t size, const char *text, size_t length);

/**
 * The word of @words (ended by NULL) that @text was probably meant to be, at an edit distance of at most 2
 * (1 for words under 4 characters), or NULL.
 */
const char *text_suggest(const char *text, const char *const *words);

/** Is @name a valid device name, [a-z0-9][a-z0-9-]{0,31}? */
bool text_is_device_name(const char *name);

#endif
