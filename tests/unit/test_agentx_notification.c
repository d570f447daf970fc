/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_notification.c - which notification an event becomes, and what stands in it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "agent_tree.h"
#include "alarm_rows.h"
#include "device_tree.h"
#include "notification.h"

#define BASE "1.3.6.1.4.1.8072.9999.9999.4711"

void __wrap_device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
				     struct codec_buffer *varbinds);

/* A device that has nothing but numbers: each is its object's second last arc. */
void __wrap_device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
				     struct codec_buffer *varbinds)
{
	(void)picture;
	(void)moment;
	codec_put_syntax(varbinds, CODEC_INTEGER);
	codec_put_oid(varbinds, name, false);
	codec_put_u32(varbinds, name->arcs[name->length - 2]);
}

static struct bb_event make_event(enum bb_event_kind kind, const char *device, const char *subject)
{
	return (struct bb_event){
		.number = 817,
		.raised = kind == BB_EVENT_ALARM_RAISED    ? 817
			  : kind == BB_EVENT_ALARM_CLEARED ? 803
							   : 0,
		.kind = kind,
		.severity = BB_SEVERITY_WARNING,
		.device = device,
		.subject = subject,
		.text = "a line for people",
		.wall_ms = 1795167000125,
	};
}

/* ---- which ---- */

static const char *name_for(const struct bb_event *event)
{
	struct notification notification;

	return notification_of_event(event, notification_identity(event, NULL), &notification) ? notification.kind->name
											       : "nothing";
}

Test(agentx_notification, an_event_becomes_the_notification_that_its_mib_has_for_it)
{
	static const struct {
		enum bb_event_kind kind;
		const char *device, *subject, *name;
	} cases[] = {
		{BB_EVENT_ALARM_RAISED, "ups-a", "on-battery", "upsTrapOnBattery"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "on-battery", "upsTrapAlarmEntryRemoved"},
		{BB_EVENT_ALARM_RAISED, "ups-a", "test-in-progress", "nothing"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "test-in-progress", "upsTrapTestCompleted"},
		{BB_EVENT_ALARM_RAISED, "ups-a", "low-battery", "upsTrapAlarmEntryAdded"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "low-battery", "upsTrapAlarmEntryRemoved"},
		{BB_EVENT_ALARM_RAISED, "ups-a", "communications-lost", "upsTrapAlarmEntryAdded"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "communications-lost", "upsTrapAlarmEntryRemoved"},
		{BB_EVENT_ALARM_RAISED, "bacs", "bacs-thermal-runaway", "bacsTrapAlarmEntryAdded"},
		{BB_EVENT_ALARM_CLEARED, "bacs", "bacs-thermal-runaway", "bacsTrapAlarmEntryRemoved"},
		{BB_EVENT_ALARM_RAISED, "ups-a", "a-rule-of-somebody", "upsTrapAlarmEntryAdded"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "a-rule-of-somebody", "upsTrapAlarmEntryRemoved"},
		{BB_EVENT_ALARM_RAISED, "ups-a", "rectifier-failure", "busbarAlarmRaised"},
		{BB_EVENT_ALARM_CLEARED, "ups-a", "rectifier-failure", "busbarAlarmCleared"},
		{BB_EVENT_ALARM_RAISED, "", "journal-trouble", "busbarAlarmRaised"},
		{BB_EVENT_ALARM_CLEARED, "", "journal-trouble", "busbarAlarmCleared"},
		{BB_EVENT_JOURNAL_GAP, "", "", "busbarEventsLost"},
		{BB_EVENT_TEST, "ups-a", "upsTrapOnBattery", "upsTrapOnBattery"},
		{BB_EVENT_TEST, "ups-a", "busbarEventsLost", "busbarEventsLost"},
		{BB_EVENT_TEST, "", "", "upsTrapAlarmEntryAdded"},
		{BB_EVENT_TEST, "", "an e-mail", "nothing"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const struct bb_event event = make_event(cases[i].kind, cases[i].device, cases[i].subject);

		cr_expect_str_eq(name_for(&event), cases[i].name, "%s of %s is told by %s, not %s",
				 bb_event_kind_name(event.kind), event.subject, name_for(&event), cases[i].name);
	}
}

Test(agentx_notification, whatever_else_happens_is_not_told)
{
	for (int kind = 0; kind <= BB_EVENT_TEST; kind++) {
		const struct bb_event event = make_event((enum bb_event_kind)kind, "ups-a", "on-battery");

		if (kind != BB_EVENT_ALARM_RAISED && kind != BB_EVENT_ALARM_CLEARED && kind != BB_EVENT_JOURNAL_GAP)
			cr_expect_str_eq(name_for(&event), "nothing", "%s", bb_event_kind_name(event.kind));
	}
}

Test(agentx_notification, every_alarm_of_the_table_is_told_when_it_ends)
{
	const struct bb_alarm_type *type;

	for (size_t i = 0; (type = bb_alarm_type_row(i)) != NULL; i++) {
		const struct bb_event event = make_event(BB_EVENT_ALARM_CLEARED, "ups-a", type->name);

		cr_expect_str_neq(name_for(&event), "nothing", "%s", type->name);
	}
}

Test(agentx_notification, every_name_is_that_of_a_notification_and_none_is_there_twice)
{
	size_t count = 0;

	for (; notification_names[count]; count++) {
		cr_assert_not_null(notification_kind_find(notification_names[count]), "%s", notification_names[count]);
		for (size_t i = 0; i < count; i++)
			cr_assert_str_neq(notification_names[i], notification_names[count]);
	}
	cr_assert_eq(count, 9, "a notification without a name cannot be tried");
	cr_assert_null(notification_kind_find("upsTrap"));
}

/* ---- identities ---- */

Test(agentx_notification, an_alarm_of_a_rule_has_the_identity_that_its_device_knows)
{
	static const struct bb_alarm_type type = {.name = "charge", .oid = "1.3.6.1.2.1.33.1.6.3.174"};
	struct bb_alarm_set *alarms = calloc(1, sizeof(*alarms) + sizeof(alarms->alarms[0]));
	struct bb_event event = make_event(BB_EVENT_ALARM_RAISED, "ups-a", "charge");

	alarms->count = 1;
	alarms->alarms[0].type = &type;
	cr_assert_str_eq(notification_identity(&event, alarms), "1.3.6.1.2.1.33.1.6.3.174");
	event.subject = "gone";
	cr_assert_str_eq(notification_identity(&event, alarms), "1.3.6.1.2.1.33.1.6.3.175", "of a warning");
	event.severity = BB_SEVERITY_ALARM;
	cr_assert_str_eq(notification_identity(&event, NULL), "1.3.6.1.2.1.33.1.6.3.174", "of an alarm");
	event.subject = "on-battery";
	cr_assert_str_eq(notification_identity(&event, alarms), "1.3.6.1.2.1.33.1.6.3.2");
	event.subject = "rectifier-failure";
	cr_assert_str_eq(notification_identity(&event, alarms), "", "one without is not given that of a rule");
	free(alarms);
}

Test(agentx_notification, the_end_of_an_alarm_names_the_row_that_its_beginning_made)
{
	struct bb_event event = make_event(BB_EVENT_ALARM_CLEARED, "ups-a", "low-battery");
	struct notification notification;

	cr_assert(notification_of_event(&event, "1.3.6.1.2.1.33.1.6.3.3", &notification));
	cr_assert_eq(notification.alarm_id, 803);
	cr_assert_eq(notification.number, 817);
	event.raised = 0;
	cr_assert(notification_of_event(&event, "1.3.6.1.2.1.33.1.6.3.3", &notification));
	cr_assert_eq(notification.alarm_id, 817, "an id is never 0 (PositiveInteger)");
}

/* ---- variables ---- */

struct variables {
	struct codec_buffer buffer;
	struct codec_reader reader;
};

static void begin(struct variables *variables, const struct notification *notification)
{
	struct codec_header header = {.type = CODEC_NOTIFY};
	const struct moment moment = {.now_ms = 1000};
	struct codec_octets context;
	struct oid base;
	const size_t place = codec_begin(&variables->buffer, &header, "");

	cr_assert_eq(oid_parse(BASE, &base), 0);
	notification_put(notification, &base, NULL, &moment, &variables->buffer);
	cr_assert_eq(codec_end(&variables->buffer, place), 0);
	cr_assert_eq(codec_header_parse(variables->buffer.bytes, &header), 0);
	cr_assert_eq(
		codec_reader_init(&variables->reader, &header, variables->buffer.bytes + CODEC_HEADER_SIZE, &context),
		0);
}

/* The next variable, which must be @name. */
static struct codec_varbind next(struct variables *variables, const char *name, enum codec_syntax syntax)
{
	struct codec_varbind varbind;
	char text[OID_TEXT_SIZE];

	cr_assert_eq(codec_read_varbind(&variables->reader, &varbind), 0, "%s is missing", name);
	cr_assert_str_eq(oid_print(&varbind.name, text), name);
	cr_assert_eq(varbind.type, syntax, "%s has type %d", name, varbind.type);
	return varbind;
}

static void next_number(struct variables *variables, const char *name, enum codec_syntax syntax, uint32_t number)
{
	cr_assert_eq(next(variables, name, syntax).number, number, "%s", name);
}

static void next_oid(struct variables *variables, const char *name, const char *oid)
{
	const struct codec_varbind varbind = next(variables, name, CODEC_OBJECT_IDENTIFIER);
	char text[OID_TEXT_SIZE];

	cr_assert_str_eq(oid_print(&varbind.oid, text), oid);
}

static void next_text(struct variables *variables, const char *name, const char *text)
{
	const struct codec_octets octets = next(variables, name, CODEC_OCTET_STRING).octets;

	cr_assert_eq(octets.length, strlen(text), "%s has %u bytes", name, octets.length);
	cr_assert_eq(memcmp(octets.bytes, text, octets.length), 0, "%s", name);
}

/* What every notification ends with. */
static void expect_end(struct variables *variables, const char *device, const char *alarm, bool test)
{
	struct codec_octets time;

	next_text(variables, BASE ".1.5.1.0", device);
	next_number(variables, BASE ".1.5.2.0", CODEC_GAUGE32, 817);
	time = next(variables, BASE ".1.5.3.0", CODEC_OCTET_STRING).octets;
	cr_assert_eq(time.length, 11, "DateAndTime with a time zone");
	cr_assert_eq(time.bytes[0] << 8 | time.bytes[1], 2026);
	next_text(variables, BASE ".1.5.5.0", "a line for people");
	next_text(variables, BASE ".1.5.6.0", alarm);
	next_number(variables, BASE ".1.5.7.0", CODEC_INTEGER, 2);
	if (test)
		next_number(variables, BASE ".1.5.4.0", CODEC_INTEGER, 1);
	cr_assert(codec_at_end(&variables->reader), "that is all");
	codec_buffer_free(&variables->buffer);
}

/* The variables of the notification that @event becomes. */
static struct variables variables_of(const struct bb_event *event)
{
	struct variables variables = {0};
	struct notification notification;

	cr_assert(notification_of_event(event, notification_identity(event, NULL), &notification));
	begin(&variables, &notification);
	return variables;
}

Test(agentx_notification, on_battery_carries_what_rfc_1628_lists_and_who_it_is_about)
{
	const struct bb_event event = make_event(BB_EVENT_ALARM_RAISED, "ups-a", "on-battery");
	struct variables variables = variables_of(&event);

	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.2.1");
	next_number(&variables, "1.3.6.1.2.1.33.1.2.3.0", CODEC_INTEGER, 3);
	next_number(&variables, "1.3.6.1.2.1.33.1.2.2.0", CODEC_INTEGER, 2);
	next_number(&variables, "1.3.6.1.2.1.33.1.9.7.0", CODEC_INTEGER, 7);
	expect_end(&variables, "ups-a", "on-battery", false);
}

Test(agentx_notification, a_completed_test_carries_the_test_group)
{
	const struct bb_event event = make_event(BB_EVENT_ALARM_CLEARED, "ups-a", "test-in-progress");
	struct variables variables = variables_of(&event);

	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.2.2");
	next_number(&variables, "1.3.6.1.2.1.33.1.7.1.0", CODEC_INTEGER, 1);
	next_number(&variables, "1.3.6.1.2.1.33.1.7.2.0", CODEC_INTEGER, 2);
	next_number(&variables, "1.3.6.1.2.1.33.1.7.3.0", CODEC_INTEGER, 3);
	next_number(&variables, "1.3.6.1.2.1.33.1.7.4.0", CODEC_INTEGER, 4);
	next_number(&variables, "1.3.6.1.2.1.33.1.7.5.0", CODEC_INTEGER, 5);
	next_number(&variables, "1.3.6.1.2.1.33.1.7.6.0", CODEC_INTEGER, 6);
	expect_end(&variables, "ups-a", "test-in-progress", false);
}

Test(agentx_notification, a_row_of_an_alarm_table_carries_its_id_and_its_identity)
{
	const struct bb_event added = make_event(BB_EVENT_ALARM_RAISED, "ups-a", "low-battery");
	const struct bb_event removed = make_event(BB_EVENT_ALARM_CLEARED, "bacs", "bacs-voltage");
	struct variables variables = variables_of(&added);

	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.2.3");
	next_number(&variables, "1.3.6.1.2.1.33.1.6.2.1.1.817", CODEC_INTEGER, 817);
	next_oid(&variables, "1.3.6.1.2.1.33.1.6.2.1.2.817", "1.3.6.1.2.1.33.1.6.3.3");
	expect_end(&variables, "ups-a", "low-battery", false);

	variables = variables_of(&removed);
	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.5.4.2");
	next_number(&variables, "1.3.6.1.2.1.33.5.3.2.1.1.803", CODEC_INTEGER, 803);
	next_oid(&variables, "1.3.6.1.2.1.33.5.3.2.1.2.803", "1.3.6.1.2.1.33.5.3.3.4");
	expect_end(&variables, "bacs", "bacs-voltage", false);
}

Test(agentx_notification, what_no_other_mib_knows_stands_below_our_own)
{
	const struct bb_event event = make_event(BB_EVENT_ALARM_CLEARED, "", "journal-trouble");
	struct variables variables = variables_of(&event);

	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", BASE ".0.2");
	expect_end(&variables, "", "journal-trouble", false);
}

Test(agentx_notification, a_test_is_marked_and_names_a_row_that_does_not_exist)
{
	const struct bb_event event = make_event(BB_EVENT_TEST, "ups-a", "upsTrapAlarmEntryRemoved");
	struct variables variables = variables_of(&event);

	next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.2.4");
	next_number(&variables, "1.3.6.1.2.1.33.1.6.2.1.1.817", CODEC_INTEGER, 817);
	next_oid(&variables, "1.3.6.1.2.1.33.1.6.2.1.2.817", "1.3.6.1.2.1.33.1.6.3.18");
	expect_end(&variables, "ups-a", "", true);
}

Test(agentx_notification, a_repeat_tells_of_the_raise)
{
	const struct bb_alarm alarm = {
		.type = bb_alarm_type_find("on-battery"), .active = true, .event = 803, .since_wall_ms = 1795167000125};
	const struct notification notification = notification_of_battery("ups-a", &alarm);

	cr_assert_str_eq(notification.kind->name, "upsTrapOnBattery");
	cr_assert_eq(notification.number, 803);
	cr_assert_eq(notification.wall_ms, 1795167000125);
	cr_assert_eq(notification.severity, BB_SEVERITY_ALARM);
	cr_assert_not(notification.test);
}

/* Without a journal's notes numbers begin at the milliseconds since 1970 (core/journal_files.c). */
Test(agentx_notification, events_with_large_numbers_can_be_told_apart_and_by_the_ids_of_their_rows)
{
	struct bb_event event = make_event(BB_EVENT_ALARM_RAISED, "ups-a", "low-battery");
	struct variables variables;

	for (uint32_t i = 0; i < 2; i++) {
		event.number = event.raised = UINT64_C(1795167000125) + i;
		variables = variables_of(&event);
		next_oid(&variables, "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.33.2.3");
		cr_assert_eq(codec_read_varbind(&variables.reader, &(struct codec_varbind){0}), 0, "the row's id");
		cr_assert_eq(codec_read_varbind(&variables.reader, &(struct codec_varbind){0}), 0, "what is wrong");
		next_text(&variables, BASE ".1.5.1.0", "ups-a");
		next_number(&variables, BASE ".1.5.2.0", CODEC_GAUGE32, alarm_row_id(event.number));
		codec_buffer_free(&variables.buffer);
	}
	cr_assert_neq(alarm_row_id(event.number), alarm_row_id(event.number - 1));
}

Test(agentx_notification, a_text_is_cut_to_what_its_syntax_allows)
{
	struct bb_event event = make_event(BB_EVENT_ALARM_RAISED, "", "journal-trouble");
	struct variables variables;
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event.text = text;
	variables = variables_of(&event);
	for (int i = 0; i < 4; i++) {
		struct codec_varbind varbind;

		cr_assert_eq(codec_read_varbind(&variables.reader, &varbind), 0);
	}
	cr_assert_eq(next(&variables, BASE ".1.5.5.0", CODEC_OCTET_STRING).octets.length, 255, "SnmpAdminString");
	codec_buffer_free(&variables.buffer);
}
