/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.h - which line a row of a line table is about.
 *
 * The MIB counts lines from 1, some devices count rows from 0. One row 0 anywhere in a table tells, in whichever of its
 * columns: the column at hand may lack it. So rows are noted while a device is learned, and numbered when all of them
 * have been seen.
 */
#ifndef UPS_SNMP_LINES_H
#define UPS_SNMP_LINES_H

#include "objects.h"

/* A UPS has no more of them. */
#define LINES_MAX 3

/* Tables with lines: input, output, bypass, auxiliary input. */
#define LINES_TABLES 4

struct lines {
	struct {
		struct suffix entry;
		bool first; /* row 0 was seen */
		bool last;  /* row 3 was seen */
	} tables[LINES_TABLES];
	unsigned count;
};

/* The device has the instance @name, of whatever object. */
void lines_note(struct lines *lines, const struct suffix *name);

/**
 * The line that row @row of @object is about; 0: none. @may_begin_at_0: may its table count from 0? One that has rows 0
 * and 3 does not: there are three lines, so row 0 is something else.
 */
uint32_t lines_number(const struct lines *lines, const struct object *object, uint32_t row, bool may_begin_at_0);

#endif
