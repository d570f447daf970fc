/* SPDX-License-Identifier: Apache-2.0
 *
 * notification_put.c - the variables of a notification, see notification.h.
 *
 * snmpd adds sysUpTime.0 in front. Whatever a MIB lists is there, since receivers count variables: what the device
 * lacks is 0 or empty. Objects show the device as it is when the notification is sent; when snmpd was away for an hour,
 * that is an hour after the event, whose own time stands behind them.
 */
#include "notification.h"

#include <assert.h>
#include <string.h>

#include <busbar/text.h>

#include "agent_tree.h"
#include "alarm_rows.h"
#include "date_and_time.h"
#include "device_tree.h"

#define TRAP_OID "1.3.6.1.6.3.1.1.4.1.0"

/* Longest SnmpAdminString (RFC 3411). */
#define TEXT_MOST 255

#define TRUTH_TRUE 1

/* Columns of both alarm tables. */
enum alarm_column {
	COLUMN_ID = 1,
	COLUMN_DESCRIPTION = 2,
};

static struct oid constant_oid(const char *dotted)
{
	struct oid oid = {0};
	const int r = oid_parse(dotted, &oid);

	assert(r == 0); /* all are in the tables of busbar */
	(void)r;
	return oid;
}

static struct oid below(const struct oid *base, const uint32_t *arcs, size_t count)
{
	struct oid oid = *base;
	const int r = oid_append(&oid, arcs, count);

	assert(r == 0); /* a base is much shorter than OID_MAX */
	(void)r;
	return oid;
}

static struct oid kind_oid(const struct notification_kind *kind, const struct oid *base)
{
	struct oid oid = constant_oid(kind->oid);

	return kind->oid[0] == '.' ? below(base, oid.arcs, oid.length) : oid;
}

static void put_oid(struct codec_buffer *varbinds, const struct oid *name, const struct oid *value)
{
	codec_put_syntax(varbinds, CODEC_OBJECT_IDENTIFIER);
	codec_put_oid(varbinds, name, false);
	codec_put_oid(varbinds, value, false);
}

static void put_number(struct codec_buffer *varbinds, enum codec_syntax syntax, const struct oid *name, uint32_t value)
{
	codec_put_syntax(varbinds, syntax);
	codec_put_oid(varbinds, name, false);
	codec_put_u32(varbinds, value);
}

static void put_octets(struct codec_buffer *varbinds, const struct oid *name, const void *bytes, size_t length)
{
	codec_put_syntax(varbinds, CODEC_OCTET_STRING);
	codec_put_oid(varbinds, name, false);
	codec_put_octets(varbinds, bytes, length);
}

/* The row of the alarm table that came or went. */
static void put_alarm_row(const struct notification *notification, struct codec_buffer *varbinds)
{
	const uint32_t id = alarm_row_id(notification->alarm_id);
	const struct oid entry = constant_oid(notification->kind->alarm_entry);
	const struct oid id_name = below(&entry, (const uint32_t[]){COLUMN_ID, id}, 2);
	const struct oid description_name = below(&entry, (const uint32_t[]){COLUMN_DESCRIPTION, id}, 2);
	const struct oid identity = constant_oid(notification->identity);

	put_number(varbinds, CODEC_INTEGER, &id_name, id);
	put_oid(varbinds, &description_name, &identity);
}

/* The scalar @number of those that only notifications carry. */
static struct oid own_name(const struct oid *base, enum agent_notification number)
{
	return below(base, (const uint32_t[]){1, 5, number, 0}, 4);
}

static void put_own_text(const struct oid *base, enum agent_notification number, const char *text,
			 struct codec_buffer *varbinds)
{
	const struct oid name = own_name(base, number);
	char clean[TEXT_MOST + 1];

	put_octets(varbinds, &name, clean, bb_text_clean(clean, sizeof(clean), text, strlen(text)));
}

static void put_own_number(const struct oid *base, enum agent_notification number, enum codec_syntax syntax,
			   uint32_t value, struct codec_buffer *varbinds)
{
	const struct oid name = own_name(base, number);

	put_number(varbinds, syntax, &name, value);
}

static void put_own_objects(const struct notification *notification, const struct oid *base,
			    struct codec_buffer *varbinds)
{
	const struct oid time_name = own_name(base, AGENT_NOTIFICATION_EVENT_TIME);
	uint8_t time[DATE_AND_TIME_SIZE];

	date_and_time(notification->wall_ms, time);
	put_own_text(base, AGENT_NOTIFICATION_DEVICE_NAME, notification->device, varbinds);
	put_own_number(base, AGENT_NOTIFICATION_EVENT_NUMBER, CODEC_GAUGE32, alarm_row_id(notification->number),
		       varbinds);
	put_octets(varbinds, &time_name, time, sizeof(time));
	put_own_text(base, AGENT_NOTIFICATION_TEXT, notification->text, varbinds);
	put_own_text(base, AGENT_NOTIFICATION_ALARM, notification->alarm, varbinds);
	put_own_number(base, AGENT_NOTIFICATION_SEVERITY, CODEC_INTEGER, (uint32_t)notification->severity + 1,
		       varbinds);
	if (notification->test)
		put_own_number(base, AGENT_NOTIFICATION_TEST, CODEC_INTEGER, TRUTH_TRUE, varbinds);
}

void notification_put(const struct notification *notification, const struct oid *base, struct picture *picture,
		      const struct moment *moment, struct codec_buffer *varbinds)
{
	const struct notification_kind *kind = notification->kind;
	const struct oid trap_name = constant_oid(TRAP_OID), trap = kind_oid(kind, base);

	put_oid(varbinds, &trap_name, &trap);
	if (kind->alarm_entry)
		put_alarm_row(notification, varbinds);
	for (const char *const *object = kind->objects; object && *object; object++) {
		const struct oid name = constant_oid(*object);

		device_tree_put_or_empty(picture, moment, &name, varbinds);
	}
	put_own_objects(notification, base, varbinds);
}
