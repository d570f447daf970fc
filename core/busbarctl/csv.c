/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.c - see csv.h.
 *
 * Device texts end up here, and CSV ends up in spreadsheets, which run what begins like a formula. A quoted field does
 * not help: quotes are gone before the spreadsheet looks. So such a text is given the apostrophe that spreadsheets
 * read as "this is text". A negative number begins like a formula, too, but a formula of digits and one point is that
 * number and nothing else, so it stays one.
 *
 * Errors of the stream are found by main() when it flushes stdout.
 */
#include "csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "text.h"

static void csv_next(struct csv *csv)
{
	if (csv->started)
		(void)fputc(',', csv->out);
	csv->started = true;
}

/* Digits, with one sign before and one point between them at most. */
static bool is_number(const char *text)
{
	size_t digits;

	if (*text == '-')
		text++;
	digits = strspn(text, "0123456789");
	text += digits;
	if (digits > 0 && *text == '.') {
		text++;
		digits = strspn(text, "0123456789");
		text += digits;
	}
	return digits > 0 && *text == '\0';
}

void csv_text(struct csv *csv, const char *text)
{
	const size_t length = strlen(text);
	char *clean = malloc(length + 1); /* cleaning makes no text longer */
	bool guarded;

	if (clean == NULL) {
		(void)fputs("busbarctl: no memory left\n", stderr);
		exit(EXIT_FAILURE);
	}
	(void)bb_text_clean(clean, length + 1, text, length);
	csv_next(csv);
	guarded = clean[0] != '\0' && strchr("=+-@", clean[0]) != NULL && !is_number(clean);
	if (guarded || strpbrk(clean, ",\"") != NULL) {
		(void)fputs(guarded ? "\"'" : "\"", csv->out);
		for (const char *c = clean; *c != '\0'; c++) {
			if (*c == '"')
				(void)fputc('"', csv->out);
			(void)fputc(*c, csv->out);
		}
		(void)fputc('"', csv->out);
	} else {
		(void)fputs(clean, csv->out);
	}
	free(clean);
}

void csv_unsigned(struct csv *csv, uint64_t value)
{
	csv_next(csv);
	(void)fprintf(csv->out, "%" PRIu64, value);
}

void csv_decimal(struct csv *csv, int64_t value, unsigned decimals)
{
	char text[BB_DECIMAL_SIZE];

	csv_next(csv);
	/* The number of decimals has come over the socket. */
	(void)bb_decimal_print(text, value, decimals <= BB_DECIMALS_MAX ? decimals : BB_DECIMALS_MAX);
	(void)fputs(text, csv->out);
}

void csv_end(struct csv *csv)
{
	(void)fputs("\r\n", csv->out);
	csv->started = false;
}

void csv_header(struct csv *csv, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		csv_text(csv, names[i]);
	csv_end(csv);
}
