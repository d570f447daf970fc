/* SPDX-License-Identifier: Apache-2.0
 *
 * buffer.h - text that grows. Running out of memory is remembered rather than returned by every call, so that
 * whoever builds a text checks once, at its end.
 */
#ifndef PROMETHEUS_BUFFER_H
#define PROMETHEUS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data; /* not NUL-terminated; NULL while empty */
	size_t length;
	size_t capacity;
	bool failed; /* some text is missing because memory was */
};

/** Make room for @more bytes behind the text. False when memory lacks. */
bool buffer_reserve(struct buffer *buffer, size_t more);

/** Append. */
void buffer_add(struct buffer *buffer, const char *text, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);

/** Append name="value", escaped as Prometheus wants it. */
void buffer_add_label(struct buffer *buffer, const char *name, const char *value);

/** Forget the text, keep the memory. */
void buffer_reset(struct buffer *buffer);

/** Free the memory; the buffer is empty and can be used again. */
void buffer_finish(struct buffer *buffer);

#endif
