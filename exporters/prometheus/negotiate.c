/* SPDX-License-Identifier: Apache-2.0
 *
 * negotiate.c - see negotiate.h. Both headers are lists of `name;parameter=value;q=0.5`; what cannot be read is taken
 * as an item that matches nothing, because a client with a strange header is still served.
 */
#include "negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* One item of the list. */
struct item {
	const char *name;
	size_t name_length;
	const char *version; /* NULL: none was said */
	size_t version_length;
	int quality; /* thousandths */
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* "0.75" as 750. Digits after the third do not matter. */
static int parse_quality(const char *text, size_t length)
{
	int quality = 0, weight = 1000;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && i == 1)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return 0;
		quality += (text[i] - '0') * weight;
		weight /= 10;
	}
	return quality > 1000 ? 1000 : quality;
}

static bool is(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && !strncasecmp(text, word, length);
}

static void take_parameter(struct item *item, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);

	if (!equals)
		return;

	const size_t name = (size_t)(equals - text);
	const char *value = equals + 1;
	size_t value_length = length - name - 1;

	if (value_length >= 2 && value[0] == '"' && value[value_length - 1] == '"') {
		value++;
		value_length -= 2;
	}
	if (is(text, name, "q")) {
		item->quality = parse_quality(value, value_length);
	} else if (is(text, name, "version")) {
		item->version = value;
		item->version_length = value_length;
	}
}

/* Read the item at @text. Returns where the next one begins, NULL behind the last. */
static const char *next_item(const char *text, struct item *ret_item)
{
	struct item item = {.quality = 1000};

	for (bool first = true;; first = false) {
		text = skip_blanks(text);

		size_t length = strcspn(text, ",;");
		const char end = text[length];
		const char *part = text;

		text += length;
		while (length && (part[length - 1] == ' ' || part[length - 1] == '\t'))
			length--;
		if (first) {
			item.name = part;
			item.name_length = length;
		} else {
			take_parameter(&item, part, length);
		}
		if (end != ';') {
			*ret_item = item;
			return end ? text + 1 : NULL;
		}
		text++;
	}
}

enum page_format negotiate_format(const char *accept)
{
	int openmetrics = 0, text = 0;
	int specific = 0; /* how exactly the best match for plain text was named: 1 for any, 2 for text, 3 for itself */

	while (accept) {
		struct item item;
		int how = 0;

		accept = next_item(accept, &item);
		if (is(item.name, item.name_length, "application/openmetrics-text")) {
			/* Other versions are not spoken here. */
			if ((!item.version || is(item.version, item.version_length, "1.0.0")) &&
			    item.quality > openmetrics)
				openmetrics = item.quality;
		} else if (is(item.name, item.name_length, "text/plain")) {
			how = !item.version || is(item.version, item.version_length, "0.0.4") ? 3 : 0;
		} else if (is(item.name, item.name_length, "text/*")) {
			how = 2;
		} else if (is(item.name, item.name_length, "*/*")) {
			how = 1;
		}
		if (how > specific) {
			specific = how;
			text = item.quality;
		}
	}
	return openmetrics && openmetrics >= text ? PAGE_OPENMETRICS : PAGE_TEXT;
}

bool negotiate_gzip(const char *accept_encoding)
{
	int gzip = -1, identity = -1, any = -1; /* −1: not mentioned */

	while (accept_encoding) {
		struct item item;

		accept_encoding = next_item(accept_encoding, &item);
		if (is(item.name, item.name_length, "gzip") || is(item.name, item.name_length, "x-gzip"))
			gzip = item.quality;
		else if (is(item.name, item.name_length, "identity"))
			identity = item.quality;
		else if (is(item.name, item.name_length, "*"))
			any = item.quality;
	}
	if (gzip < 0)
		gzip = any;
	return gzip > 0 && gzip >= identity;
}
