/* SPDX-License-Identifier: Apache-2.0
 *
 * test_syslog_message.c - events as syslog messages: lines known by heart, the grammar of RFC 5424 as judge of all
 * others, and what devices and people might say to break one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>
#include <busbar/text.h>

#include "datagram.h"
#include "message.h"

static struct message_origin origin = {
	.facility = 3, .enterprise = 32473, .host = "host.example", .process = 817, .version = "0.1.0"};

static const struct bb_event on_battery = {
	.number = 17,
	.kind = BB_EVENT_ALARM_RAISED,
	.severity = BB_SEVERITY_ALARM,
	.device = "ups-a",
	.subject = "on-battery",
	.point = "alarm.on-battery",
	.value = "97.0",
	.unit = "%",
	.source = "",
	.text = "running on battery",
	.wall_ms = 1795166445125, /* date -u -d @1795166445 */
	.boot_id = "",
};

/* ---- the grammar of RFC 5424, section 6 ---- */

#define PARAMETERS_MOST 64

struct parsed {
	unsigned priority;
	char header[5][256]; /* timestamp, host, application, process, message id */
	struct {
		char element[64], name[64], value[1024]; /* without escapes */
	} parameters[PARAMETERS_MOST];
	size_t parameter_count;
	char text[MESSAGE_MAX];
	bool has_mark;
};

static bool is_printable(char byte)
{
	return byte > ' ' && byte <= '~';
}

static const char *parse_word(const char *at, size_t most, char *ret_word)
{
	size_t length = 0;

	while (is_printable(at[length]))
		length++;
	if (length == 0 || length > most || at[length] != ' ')
		return NULL;
	memcpy(ret_word, at, length);
	ret_word[length] = '\0';
	return at + length + 1;
}

static const char *parse_name(const char *at, const char *end, char *ret_name)
{
	size_t length = 0;

	while (is_printable(at[length]) && !strchr("= ]\"", at[length]))
		length++;
	if (length == 0 || length > 32 || !strchr(end, at[length]))
		return NULL;
	memcpy(ret_name, at, length);
	ret_name[length] = '\0';
	return at + length;
}

static const char *parse_value(const char *at, char *ret_value)
{
	for (; *at != '"'; at++) {
		if (*at == '\0' || *at == ']')
			return NULL;
		if (*at == '\\' && !strchr("\"\\]", *++at))
			return NULL;
		*ret_value++ = *at;
	}
	*ret_value = '\0';
	return at + 1;
}

static const char *parse_element(const char *at, struct parsed *parsed)
{
	char element[64];

	if (*at++ != '[')
		return NULL;
	at = parse_name(at, " ]", element);
	while (at && *at == ' ') {
		cr_assert_lt(parsed->parameter_count, PARAMETERS_MOST);
		strcpy(parsed->parameters[parsed->parameter_count].element, element);
		at = parse_name(at + 1, "=", parsed->parameters[parsed->parameter_count].name);
		if (!at || at[1] != '"')
			return NULL;
		at = parse_value(at + 2, parsed->parameters[parsed->parameter_count].value);
		parsed->parameter_count++;
	}
	return at && *at == ']' ? at + 1 : NULL;
}

/* Is @message what the RFC allows? Where it is not, returns what comes next. */
static const char *parse(const char *message, struct parsed *ret)
{
	static const size_t most[] = {32, 255, 48, 128, 32};
	const char *at = message;
	char clean[MESSAGE_MAX];
	int read = 0;

	memset(ret, 0, sizeof(*ret));
	if (sscanf(at, "<%3u>1 %n", &ret->priority, &read) != 1 || read == 0 || ret->priority > 191)
		return "priority and version";
	at += read;
	for (size_t i = 0; i < 5; i++) {
		at = parse_word(at, most[i], ret->header[i]);
		if (!at)
			return "header";
	}
	while (*at == '[') {
		at = parse_element(at, ret);
		if (!at)
			return "structured data";
	}
	if (*at != ' ')
		return "blank before the text";
	at++;
	ret->has_mark = strncmp(at, "\xef\xbb\xbf", 3) == 0;
	strcpy(ret->text, at + 3 * ret->has_mark);
	for (const char *byte = ret->text; *byte; byte++)
		if (!ret->has_mark && ((unsigned char)*byte > '~'))
			return "text that is not ASCII without a mark";
	/* The whole of it is UTF-8 and without control characters when cleaning changes nothing. */
	bb_text_clean(clean, sizeof(clean), message, strlen(message));
	return strcmp(clean, message) == 0 ? NULL : "characters";
}

static const char *parameter(const struct parsed *parsed, const char *element, const char *name)
{
	for (size_t i = 0; i < parsed->parameter_count; i++)
		if (strcmp(parsed->parameters[i].element, element) == 0 &&
		    strcmp(parsed->parameters[i].name, name) == 0)
			return parsed->parameters[i].value;
	return "(absent)";
}

static void format(const struct bb_event *event, char *message, struct parsed *ret)
{
	const size_t length = message_format(&origin, event, 4, true, message);
	const char *fault;

	cr_assert_lt(length, MESSAGE_MAX);
	cr_assert_eq(length, strlen(message));
	fault = parse(message, ret);
	cr_assert_null(fault, "%s: %s", fault, message);
}

/* ---- lines known by heart ---- */

Test(syslog_message, an_alarm_is_a_line_known_by_heart)
{
	char message[MESSAGE_MAX];
	struct parsed parsed;

	format(&on_battery, message, &parsed);
	cr_assert_str_eq(message,
			 "<26>1 2026-11-20T09:20:45.125Z host.example busbar 817 alarm-raised "
			 "[busbar@32473 event=\"17\" device=\"ups-a\" alarm=\"on-battery\" point=\"alarm.on-battery\" "
			 "state=\"raised\" value=\"97.0\" unit=\"%\" severity=\"alarm\"]"
			 "[origin software=\"busbar\" swVersion=\"0.1.0\"][timeQuality tzKnown=\"1\" isSynced=\"1\"]"
			 "[meta sequenceId=\"4\"] ups-a: on-battery raised: running on battery");
}

Test(syslog_message, what_an_event_does_not_have_is_left_out)
{
	const struct bb_event event = {.number = 1, .kind = BB_EVENT_AGENT_STARTED, .text = "busbar 0.1.0 started"};
	char message[MESSAGE_MAX];

	message_format(&origin, &event, 1, false, message);
	cr_assert_str_eq(message, "<29>1 1970-01-01T00:00:00.000Z host.example busbar 817 agent-started "
				  "[busbar@32473 event=\"1\" state=\"started\" severity=\"info\"]"
				  "[origin software=\"busbar\" swVersion=\"0.1.0\"]"
				  "[timeQuality tzKnown=\"1\" isSynced=\"0\"][meta sequenceId=\"1\"] "
				  "busbar 0.1.0 started");
}

/* Does the core have such a kind of event? */
static bool is_known(int kind)
{
	return strcmp(bb_event_kind_name((enum bb_event_kind)kind), "unknown") != 0;
}

Test(syslog_message, every_kind_of_event_has_its_own_name_and_state)
{
	char message[MESSAGE_MAX], seen[8192] = "";
	struct parsed parsed;

	for (int kind = 0; is_known(kind); kind++) {
		const struct bb_event event = {.number = 1, .kind = (enum bb_event_kind)kind};
		char word[264];

		format(&event, message, &parsed);
		cr_expect_str_eq(parsed.header[4], bb_event_kind_name(event.kind), "names never change");
		snprintf(word, sizeof(word), " %s ", parsed.header[4]);
		cr_expect_null(strstr(seen, word), "%s twice", word);
		strcat(seen, word);
		cr_expect_str_neq(parameter(&parsed, "busbar@32473", "state"), "unknown");
	}
	cr_assert_str_eq(message_id(&(struct bb_event){.kind = (enum bb_event_kind)999}), "event",
			 "a newer core may know more kinds than we do");
}

/* ---- hostile text ---- */

Test(syslog_message, no_byte_in_any_text_breaks_the_grammar)
{
	const char *const patterns[] = {"%c", "a%cb", "\"]%c[x", "\\%c", "%c\n<13>1 forged"};
	char message[MESSAGE_MAX], text[64];
	struct parsed parsed;

	for (int byte = 1; byte < 256; byte++)
		for (size_t i = 0; i < BB_LENGTH(patterns); i++) {
			struct bb_event event = on_battery;

			snprintf(text, sizeof(text), patterns[i], byte);
			event.device = event.subject = event.point = event.value = event.unit = event.source =
				event.text = text;
			format(&event, message, &parsed);
			cr_assert_null(strchr(message, '\n'));
			/* Blanks alone are nothing, and what is nothing is left out. */
			cr_assert_eq(parsed.parameter_count, i == 0 && strchr(" \t\r\n", byte) ? 8 : 14, "%s", message);
		}
}

Test(syslog_message, random_bytes_stay_inside_their_value)
{
	char message[MESSAGE_MAX], text[3000];
	struct parsed parsed;

	srandom(5424);
	for (int round = 0; round < 20000; round++) {
		struct bb_event event = on_battery;
		const size_t length = (size_t)random() % (round % 10 == 0 ? sizeof(text) : 40);

		for (size_t i = 0; i < length; i++)
			text[i] = (char)(random() % 255 + 1);
		text[length] = '\0';
		event.device = event.value = event.source = event.text = text;
		format(&event, message, &parsed);
		cr_assert_str_eq(parameter(&parsed, "busbar@32473", "event"), "17");
		cr_assert_str_eq(parameter(&parsed, "meta", "sequenceId"), "4");
	}
}

Test(syslog_message, what_could_end_a_value_comes_out_as_it_was)
{
	struct bb_event event = on_battery;
	char message[MESSAGE_MAX];
	struct parsed parsed;

	event.value = "a \"b\" [c] \\d\\";
	format(&event, message, &parsed);
	cr_assert_str_eq(parameter(&parsed, "busbar@32473", "value"), event.value);
}

Test(syslog_message, text_that_is_not_ascii_says_so)
{
	struct bb_event event = on_battery;
	char message[MESSAGE_MAX];
	struct parsed parsed;

	event.text = "Z\xc3\xbcrich: 20\xe2\x82\xac";
	format(&event, message, &parsed);
	cr_assert(parsed.has_mark);
	cr_assert_str_eq(parsed.text, "ups-a: on-battery raised: Z\xc3\xbcrich: 20\xe2\x82\xac");
	event.text = "Zurich";
	format(&event, message, &parsed);
	cr_assert_not(parsed.has_mark);
}

Test(syslog_message, the_longest_of_everything_cuts_the_text_only)
{
	char message[MESSAGE_MAX], longest[5000], two[5000];
	struct message_origin far = origin;
	struct bb_event event = on_battery;
	struct parsed parsed;

	memset(longest, ']', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof(two); i += 2)
		memcpy(two + i, "\xc3\xbc", 3);
	memset(far.host, 'h', MESSAGE_HOST_MAX);
	far.enterprise = UINT32_MAX;
	far.process = UINT32_MAX;
	far.version = longest;
	event.number = UINT64_MAX;
	event.device = event.subject = event.point = event.value = event.unit = event.source = longest;
	event.text = two;
	cr_assert_leq(message_format(&far, &event, MESSAGE_SEQUENCE_MAX, true, message), MESSAGE_MAX - 1);
	/* ']' in a version is ours to avoid; here it is only long. */
	far.version = "0.1.0";
	message_format(&far, &event, MESSAGE_SEQUENCE_MAX, true, message);
	cr_assert_null(parse(message, &parsed), "%s", message);
	cr_assert_str_eq(parameter(&parsed, "meta", "sequenceId"), "2147483647");
	cr_assert_geq(strlen(parsed.text), 300, "there is room for text");
	event.device = "ups-a";
	event.subject = "on-battery";
	message_format(&far, &event, 1, true, message);
	cr_assert_null(parse(message, &parsed), "cut between characters: %s", message);
	cr_assert(parsed.has_mark);
}

Test(syslog_message, moments_without_a_year_of_four_digits_are_left_out)
{
	struct bb_event event = on_battery;
	char message[MESSAGE_MAX];
	struct parsed parsed;

	event.wall_ms = INT64_MAX;
	format(&event, message, &parsed);
	cr_assert_str_eq(parsed.header[0], "-");
	event.wall_ms = -1;
	format(&event, message, &parsed);
	cr_assert_str_eq(parsed.header[0], "1969-12-31T23:59:59.999Z");
}

Test(syslog_message, a_host_name_is_made_of_what_may_stand_there)
{
	struct message_origin made;

	message_set_host(&made, "host.example");
	cr_assert_str_eq(made.host, "host.example");
	message_set_host(&made, "two words\n\xc3\xbc");
	cr_assert_str_eq(made.host, "two?words???");
	message_set_host(&made, "");
	cr_assert_str_eq(made.host, "-");
}

/* ---- severities ---- */

static unsigned severity_of(const char *word)
{
	static const char *const words[] = {"emergency", "alert",  "critical",      "error",
					    "warning",   "notice", "informational", "debug"};

	for (unsigned i = 0; i < 8; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	cr_assert_fail("no severity of syslog: '%s'", word);
	return 0;
}

Test(syslog_message, severities_are_those_that_the_documentation_shows)
{
	FILE *file = fopen(BUSBAR_ALARMS_PAGE, "r");
	char line[512], id[64], words[3][32];
	unsigned rows = 0, kinds = 0;

	cr_assert_not_null(file, "%s", BUSBAR_ALARMS_PAGE);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "| `%63[a-z-]` | %31[a-z] | %31[a-z] | %31[a-z] |", id, words[0], words[1],
			   words[2]) != 4)
			continue;
		for (int kind = 0; is_known(kind); kind++)
			for (int severity = 0; severity < 3; severity++) {
				const struct bb_event event = {.kind = (enum bb_event_kind)kind,
							       .severity = (enum bb_severity)severity};

				if (strcmp(message_id(&event), id) != 0)
					continue;
				rows += severity == 0;
				cr_expect_eq(message_severity(&event), severity_of(words[severity]), "%s, %s", id,
					     bb_severity_name(event.severity));
			}
	}
	fclose(file);
	while (is_known((int)kinds))
		kinds++;
	cr_assert_eq(rows, kinds, "the page has a row for every kind");
}

/* ---- journald ---- */

Test(syslog_message, journald_gets_fields)
{
	char datagram[JOURNALD_MAX];
	const size_t length = journald_format(&origin, &on_battery, datagram);

	cr_assert_eq(length, strlen(datagram));
	cr_assert_str_eq(datagram, "MESSAGE=ups-a: on-battery raised: running on battery\nPRIORITY=2\n"
				   "SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=busbar\nSYSLOG_PID=817\n"
				   "BUSBAR_KIND=alarm-raised\nBUSBAR_EVENT=17\nBUSBAR_DEVICE=ups-a\n"
				   "BUSBAR_ALARM=on-battery\nBUSBAR_POINT=alarm.on-battery\nBUSBAR_STATE=raised\n"
				   "BUSBAR_VALUE=97.0\nBUSBAR_UNIT=%\nBUSBAR_SEVERITY=alarm\n");
}

Test(syslog_message, nothing_makes_a_field_of_its_own_in_the_journal)
{
	char datagram[JOURNALD_MAX], longest[5000];
	struct bb_event event = on_battery;

	event.text = event.value = event.subject = "x\nPRIORITY=0\nMESSAGE=forged";
	cr_assert_lt(journald_format(&origin, &event, datagram), JOURNALD_MAX);
	cr_assert_null(strstr(datagram, "\nMESSAGE"));
	cr_assert_null(strstr(datagram, "\nPRIORITY=0"));

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	event.device = event.subject = event.point = event.value = event.unit = event.source = event.text = longest;
	event.number = UINT64_MAX;
	cr_assert_lt(journald_format(&origin, &event, datagram), JOURNALD_MAX);
	cr_assert_eq(datagram[strlen(datagram) - 1], '\n');
}
