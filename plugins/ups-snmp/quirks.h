/* SPDX-License-Identifier: Apache-2.0
 *
 * quirks.h - how devices differ from what the MIB says: quirks.csv, compiled in.
 *
 * A row names the devices it is about by the beginning of their sysObjectID and of "MANUFACTURER MODEL" (many cards
 * carry the sysObjectID of the SNMP agent they were built with), the object, and what is different.
 */
#ifndef UPS_SNMP_QUIRKS_H
#define UPS_SNMP_QUIRKS_H

#include "objects.h"

enum quirk_kind {
	QUIRK_ANY_NUMBER,  /* any numeric type will do */
	QUIRK_TEXT_NUMBER, /* whole numbers as text */
	QUIRK_NULL,        /* NULL means not there */
	QUIRK_EXTRA_ZERO,  /* column.row.0 */
	QUIRK_NO_INSTANCE, /* scalar without .0 */
	QUIRK_LINE_ZERO,   /* rows count from 0 */
	QUIRK_UNKNOWN,     /* @value means unknown */
	QUIRK_SIGNED,      /* values below 0 are values, whatever the rows for "unsigned" say */
	QUIRK_SCALE,       /* multiply by @multiplier over @divisor first */
	QUIRK_SCALE_RANGE, /* the same, from the first number between @low and @high on */
	QUIRK_ABSENT,      /* the object says nothing of use */
	QUIRK_ALARM_TEXT,  /* an alarm's identity as text */
	QUIRK_ALARM_ZERO,  /* an alarm's identity with one more .0 */
};

struct quirk {
	const char *sysobjectid; /* beginning, "" for any */
	const char *identity;    /* beginning of manufacturer and model, "" for any */
	const char *object;      /* name, "*" for all, "unsigned" for those that have no negative numbers */
	enum quirk_kind kind;
	int64_t value, low, high, multiplier, divisor;
};

extern const struct quirk quirk_table[];
extern const size_t quirk_count;

/* The most rows that may be about one object of one device. */
#define QUIRKS_MAX 12

/* The rows that hold for one object of one device, by their places in the table: a device has a hundred of these. */
struct quirks {
	uint8_t rows[QUIRKS_MAX];
	uint8_t count;
};

/* Who the device is. Texts may be empty. */
struct identity {
	char sysobjectid[128];
	char name[128]; /* "MANUFACTURER MODEL" */
};

/* Collect the rows about @object (@is_unsigned: whether it has no negative numbers) of the device. */
void quirks_select(const struct identity *identity, const char *object, bool is_unsigned, struct quirks *ret_quirks);

/* The first row of that kind, or NULL. */
const struct quirk *quirks_find(const struct quirks *quirks, enum quirk_kind kind);

/* Does a row say that @number means unknown? */
bool quirks_means_unknown(const struct quirks *quirks, int64_t number);

#endif
