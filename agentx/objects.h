/* SPDX-License-Identifier: Apache-2.0
 *
 * objects.h - the objects below 1.3.6.1.2.1.33, and which point feeds each: config/objects.csv, compiled in.
 *
 * Every instance is the name of an object and one number more, 0 or that of a row, and no object's name is the beginning
 * of another's. So the order of names is the order of (object, row), and that is all that is ever kept of a name.
 */
#ifndef AGENTX_OBJECTS_H
#define AGENTX_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/reading.h>
#include <busbar/write.h>

#include "codec.h"
#include "oid.h"
#include "picture.h"

/** Arcs of 1.3.6.1.2.1.33, and the most that follow in the name of an object. */
#define OBJECT_ROOT_ARCS 7
#define OBJECT_ARCS_MAX  8

/** What an instance shows. */
enum object_source {
	OBJECT_POINT,    /* the value of a point */
	OBJECT_ROW,      /* the number of its row */
	OBJECT_LOCK,     /* the spin lock */
	OBJECT_ROWS,     /* how many rows the alarm table has */
	OBJECT_NUMBER,   /* of an alarm: the number of the event that raised it, */
	OBJECT_IDENTITY, /* what is wrong, */
	OBJECT_SINCE,    /* and since when */
};

/** How a value becomes a variable. */
enum object_coding {
	OBJECT_TEXT,
	OBJECT_MEMBER,  /* of an enumeration; on or off */
	OBJECT_SCALED,  /* a number, kept within low and high */
	OBJECT_COUNTER, /* a number that wraps */
	OBJECT_MOMENT,  /* the master's clock when it happened */
	OBJECT_TEST,    /* the identity of a test */
};

struct object {
	const char *name; /* as the MIB has it */
	uint32_t arcs[OBJECT_ARCS_MAX];
	uint8_t length;
	const char *point; /* with a * where the row's number goes; "": none */
	enum object_source source;
	enum object_coding coding;
	enum codec_syntax syntax;
	bool writable;               /* as far as the MIB is concerned */
	bool left;                   /* time that is left */
	int64_t multiplier, divisor; /* value in the point's unit = number × multiplier / divisor */
	int64_t low, high;           /* numbers, or lengths of a text, that the object may have */
};

/** In the MIB's order, and the places in it of those that have a point, sorted by the point's name. */
extern const struct object object_table[];
extern const size_t object_count;
extern const uint16_t object_by_point[];
extern const size_t object_by_point_count;

/** Where a name stands among all instances that there can be. */
struct object_place {
	size_t object; /* place in the table; object_count: behind all */
	uint32_t row;
	bool exact; /* the name is this instance; otherwise this is the first that can follow it */
	bool known; /* the name is that of an object, or lies below one */
};

void object_locate(const struct oid *name, struct object_place *ret_place);

/** The name of row @row of @object. Only as much of @ret_name is written as it has arcs. */
void object_name(const struct object *object, uint32_t row, struct oid *ret_name);

/** The first number after the root: 1 upsObjects, 5 the battery system … */
static inline uint32_t object_branch(const struct object *object)
{
	return object->arcs[0];
}

/** Are both columns of one table? */
bool object_is_beside(const struct object *object, const struct object *other);

/**
 * Which objects does the point @name feed, as far as its kind fits? Calls @each for each of them with the number of the
 * row (0: a scalar). Returns what @each returned when that was below 0, else 0.
 */
int object_match(const struct bb_point *point, int (*each)(void *context, size_t object, uint32_t row), void *context);

/* ---- object_value.c ---- */

/** Can @object say what point @index of @reading holds? Of a point that has a value. */
bool object_can_say(const struct object *object, const struct bb_reading *reading, size_t index);

/** Append what point @index of @reading holds as a value of @object (neither syntax nor name). */
void object_put_point(const struct object *object, const struct bb_reading *reading, size_t index,
		      const struct moment *moment, struct codec_buffer *buffer);

/** Append @number as it is, by the syntax of @object. */
void object_put_number(const struct object *object, int64_t number, struct codec_buffer *buffer);

/** Append 0 or an empty value. */
void object_put_empty(const struct object *object, struct codec_buffer *buffer);

/**
 * The value that a SET wants @point to have. Its text, if it is one, goes to @text, which has room for 256 bytes.
 * CODEC_NO_ERROR or why it cannot be; nothing is written then. @point NULL: only type and length are looked at.
 */
enum codec_error object_take(const struct object *object, const struct bb_point *point,
			     const struct codec_varbind *varbind, struct bb_value *ret_value, char *text);

#endif
