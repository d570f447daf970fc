/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - a writer of JSON (RFC 8259) that holds nothing but where it is.
 *
 * Texts may come from devices. busbard has cleaned them, but a document has to be valid even if somebody else did
 * not, so every byte is looked at again. Errors of the stream are found by main() when it flushes stdout.
 */
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <busbar/decimal.h>

#include "text.h"

/* Puts what belongs between the last item and the next. */
static void json_next(struct json *json)
{
	if (json->keyed) {
		json->keyed = false;
		return;
	}
	if (json->depth == 0)
		return;
	if (json->started[json->depth - 1])
		(void)fputc(',', json->out);
	if (json->lines[json->depth - 1])
		(void)fputc('\n', json->out);
	else if (json->started[json->depth - 1])
		(void)fputc(' ', json->out);
	json->started[json->depth - 1] = true;
}

static void json_open(struct json *json, char bracket, bool lines)
{
	assert(json->depth < JSON_DEPTH);
	json_next(json);
	(void)fputc(bracket, json->out);
	json->started[json->depth] = false;
	json->lines[json->depth] = lines;
	json->depth++;
}

static void json_close(struct json *json, char bracket)
{
	assert(json->depth > 0 && !json->keyed);
	json->depth--;
	if (json->lines[json->depth] && json->started[json->depth])
		(void)fputc('\n', json->out);
	(void)fputc(bracket, json->out);
	if (json->depth == 0)
		(void)fputc('\n', json->out);
}

void json_array(struct json *json, bool lines)
{
	json_open(json, '[', lines);
}

void json_object(struct json *json, bool lines)
{
	json_open(json, '{', lines);
}

void json_end_array(struct json *json)
{
	json_close(json, ']');
}

void json_end_object(struct json *json)
{
	json_close(json, '}');
}

static void json_text(FILE *out, const char *text)
{
	size_t left = strlen(text);

	(void)fputc('"', out);
	while (left > 0) {
		const size_t length = text_utf8_length(text, left), step = length > 0 ? length : 1;

		if (length == 0)
			(void)fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			(void)fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			(void)fprintf(out, "\\u%04x", (unsigned)*text);
		else
			(void)fwrite(text, 1, length, out);
		text += step;
		left -= step;
	}
	(void)fputc('"', out);
}

void json_key(struct json *json, const char *key)
{
	assert(json->depth > 0 && !json->keyed);
	json_next(json);
	json_text(json->out, key);
	(void)fputs(": ", json->out);
	json->keyed = true;
}

static void json_word(struct json *json, const char *word)
{
	json_next(json);
	(void)fputs(word, json->out);
}

void json_string(struct json *json, const char *text)
{
	if (text == NULL) {
		json_null(json);
		return;
	}
	json_next(json);
	json_text(json->out, text);
}

void json_bool(struct json *json, bool value)
{
	json_word(json, value ? "true" : "false");
}

void json_null(struct json *json)
{
	json_word(json, "null");
}

void json_integer(struct json *json, int64_t value)
{
	json_next(json);
	(void)fprintf(json->out, "%" PRId64, value);
}

void json_unsigned(struct json *json, uint64_t value)
{
	json_next(json);
	(void)fprintf(json->out, "%" PRIu64, value);
}

void json_decimal(struct json *json, int64_t value, unsigned decimals)
{
	char text[BB_DECIMAL_SIZE];

	/* The number of decimals has come over the socket. */
	(void)bb_decimal_print(text, value, decimals <= BB_DECIMALS_MAX ? decimals : BB_DECIMALS_MAX);
	json_word(json, text);
}
