/* SPDX-License-Identifier: Apache-2.0
 *
 * buffer.c - see buffer.h. Doubles its memory when it is full, so appending costs the same on average however long
 * the text gets.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include <busbar/point.h>

bool buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->capacity - buffer->length >= more)
		return true;

	size_t capacity = buffer->capacity ? buffer->capacity : 256;

	while (capacity - buffer->length < more)
		capacity *= 2;

	char *data = realloc(buffer->data, capacity);

	if (!data) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

void buffer_add(struct buffer *buffer, const char *text, size_t length)
{
	if (!length || !buffer_reserve(buffer, length))
		return;
	memcpy(buffer->data + buffer->length, text, length);
	buffer->length += length;
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

void buffer_add_label(struct buffer *buffer, const char *name, const char *value)
{
	/* Escaping doubles a byte at most; ="" and NUL are the 4 more. */
	if (!buffer_reserve(buffer, strlen(name) + 2 * strlen(value) + 4))
		return;
	buffer->length +=
		(size_t)bb_label_print(buffer->data + buffer->length, buffer->capacity - buffer->length, name, value);
}

void buffer_reset(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
