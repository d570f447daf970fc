/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h - writes comma-separated values (RFC 4180) that a spreadsheet shows and never executes.
 */
#ifndef BUSBARCTL_CSV_H
#define BUSBARCTL_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Where a document is. Initialise with { .out = … }. */
struct csv {
	FILE *out;
	bool started; /* the record has a field: a comma comes next */
};

/**
 * A field of text. One that begins with = + - or @ gets an apostrophe in front, since spreadsheets take it for a
 * formula otherwise, unless it is a plain number; control characters and bytes that are not UTF-8 become '?'.
 */
void csv_text(struct csv *csv, const char *text);

/** Fields of numbers, which are never touched. */
void csv_unsigned(struct csv *csv, uint64_t value);
void csv_decimal(struct csv *csv, int64_t value, unsigned decimals);

/** End the record. */
void csv_end(struct csv *csv);

/** A whole record of @count texts: the header. */
void csv_header(struct csv *csv, const char *const *names, size_t count);

#endif
