/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - writes JSON as it goes, valid whatever bytes the texts have.
 */
#ifndef BUSBARCTL_JSON_H
#define BUSBARCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

/** Where a document is. Initialise with { .out = … }; use again for the next document. */
struct json {
	FILE *out;
	unsigned depth;
	bool started[JSON_DEPTH]; /* something is there: a comma comes next */
	bool lines[JSON_DEPTH];   /* one item a line */
	bool keyed;               /* a key was written, its value is due */
};

/** Open an array or object; @lines: its items stand on lines of their own. */
void json_array(struct json *json, bool lines);
void json_object(struct json *json, bool lines);

/** Close what was opened last; at the end of a document, with a newline. */
void json_end_array(struct json *json);
void json_end_object(struct json *json);

/** Inside an object, before each value. */
void json_key(struct json *json, const char *key);

/** Text; bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void json_string(struct json *json, const char *text);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_integer(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);

/** A fixed-point number, exactly. */
void json_decimal(struct json *json, int64_t value, unsigned decimals);

#endif
