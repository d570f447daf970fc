/* SPDX-License-Identifier: Apache-2.0
 *
 * objects.h - what UPS-MIB (RFC 1628, with a vendor's extensions) has that feeds a point: config/objects.csv,
 * compiled in.
 *
 * All of it lies below 1.3.6.1.2.1.33, so names are kept without those seven arcs: a device with a hundred instances
 * then needs 4 KB for their names rather than 50.
 */
#ifndef UPS_SNMP_OBJECTS_H
#define UPS_SNMP_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/snmp.h>

/* upsModuleStatus.71.0 has 6 arcs; what is longer than this feeds nothing. */
#define SUFFIX_MAX 10

/* What follows 1.3.6.1.2.1.33 in a name. */
struct suffix {
	uint32_t arcs[SUFFIX_MAX];
	uint8_t length;
};

enum object_syntax {
	OBJECT_TEXT,
	OBJECT_UNSIGNED, /* a number that cannot be below 0 as the MIB has it */
	OBJECT_SIGNED,
	OBJECT_COUNTER,
	OBJECT_ENUM,     /* and on or off, no or yes */
	OBJECT_IDENTITY, /* an OBJECT IDENTIFIER whose last arc is the enumeration's value */
	OBJECT_MOMENT,   /* a TimeStamp: what sysUpTime was when it happened */
};

struct object {
	const char *name;  /* as the MIB has it */
	struct suffix id;  /* without the instance */
	const char *point; /* with a * where the row's number goes */
	enum object_syntax syntax;
	bool probed;                 /* worth asking for where no walk can tell whether it is there */
	int64_t multiplier, divisor; /* value in the point's unit = number × multiplier / divisor */
	int64_t low, high;           /* numbers outside cannot be */
};

/* In the MIB's order. */
extern const struct object object_table[];
extern const size_t object_count;

/* How an instance is spelled. */
enum instance {
	INSTANCE_PLAIN,      /* object.0, column.row */
	INSTANCE_NONE,       /* object */
	INSTANCE_EXTRA_ZERO, /* column.row.0 */
};

/* The part of @name below upsMIB; false when it lies elsewhere or is too long. */
bool suffix_from_oid(const struct bb_snmp_oid *name, struct suffix *ret_suffix);
void suffix_to_oid(const struct suffix *suffix, struct bb_snmp_oid *ret_name);

/* As the MIB orders them: <0, 0, >0. */
int suffix_compare(const struct suffix *a, const struct suffix *b);

/* A name from which a GETNEXT comes to @suffix without meeting many others: the one just before it, as far as that
 * can be known. */
struct suffix suffix_before(const struct suffix *suffix);

/* The object that @name is an instance of, its row (0 for scalars) and its spelling; NULL: feeds no point. */
const struct object *object_find(const struct suffix *name, uint32_t *ret_row, enum instance *ret_instance);

/* Is the object a column of a table? */
bool object_is_column(const struct object *object);

/* Is it a column with a row for each line? */
bool object_is_line(const struct object *object);

/* Name of the point that row @row of @object feeds. Returns its length, 0 when there is no such point. */
size_t object_point(const struct object *object, uint32_t row, char *buffer, size_t size);

#endif
