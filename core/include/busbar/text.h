/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/text.h - services for text: foreign text made harmless, suggestions for typing errors, a hash.
 *
 * What a device says passes here once, when it becomes a value (bb_reading_set_text()). Who writes text that came
 * another way, such as the lines of people and programs in events, lets it pass here, too; an output then only adds
 * the escapes of its own format.
 */
#ifndef BUSBAR_TEXT_H
#define BUSBAR_TEXT_H

#include <stddef.h>
#include <stdint.h>

/**
 * Copy @length bytes into @buffer (@size bytes), NUL-terminated: trailing NULs and blanks dropped; control characters,
 * characters that break or turn around a line on a screen, and bytes that are not UTF-8 replaced by '?'; cut between
 * characters. Returns the new length. Any thread.
 */
size_t bb_text_clean(char *buffer, size_t size, const char *text, size_t length);

/**
 * The word of @words (ended by NULL) that @text was probably meant to be: at most two letters typed, left out, replaced
 * or swapped, one in words under 4 characters. NULL when none is near. Any thread.
 */
const char *bb_text_suggest(const char *text, const char *const *words);

/** FNV-1a of @length bytes: short, and spreads names that differ in one digit. Not for secrets. Any thread. */
uint32_t bb_text_hash(const char *text, size_t length);

#endif
