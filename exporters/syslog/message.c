/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - an event as a syslog message:
 *
 *	<130>1 2026-11-20T09:30:00.125Z host busbar 817 alarm-raised [busbar@32473 event="17" device="ups-a"
 *	alarm="on-battery" state="raised" severity="alarm"][origin software="busbar" swVersion="0.1.0"]
 *	[timeQuality tzKnown="1" isSynced="1"][meta sequenceId="4"] ups-a: on-battery raised: running on battery
 *
 * on one line. Machines read the structured data, people the text behind it.
 *
 * What is foreign in it, such as a device's own words, passes bb_text_clean() on its way, so that no line feed can
 * forge a second message and no broken character can upset a reader; then the three characters that could end a value
 * get their backslash. Lengths are bounded per value, so that all structured data always fits and only the free text
 * is ever cut: half an element would make the whole message unreadable.
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <busbar/macros.h>
#include <busbar/text.h>

/* RFC 5424, 6.2.1 */
enum severity {
	CRITICAL = 2,
	ERROR,
	WARNING,
	NOTICE,
	INFORMATIONAL,
};

/*
 * Every kind of event, and how bad it is to syslog for each severity of ours: info, warning, alarm. What is over, or
 * somebody wanted, is a notice whatever it was before. docs/alarms.md has the same table, and a test compares them.
 */
static const struct kind {
	const char *id, *state;
	bool of_alarm;
	unsigned char severities[3];
} kinds[] = {
	[BB_EVENT_ALARM_RAISED] = {"alarm-raised", "raised", true, {INFORMATIONAL, WARNING, CRITICAL}},
	[BB_EVENT_ALARM_CLEARED] = {"alarm-cleared", "cleared", true, {INFORMATIONAL, NOTICE, NOTICE}},
	[BB_EVENT_DEVICE_FOUND] = {"device-found", "found", false, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_DEVICE_LOST] = {"device-lost", "lost", false, {ERROR, ERROR, ERROR}},
	[BB_EVENT_DEVICE_CHANGED] = {"device-changed", "changed", false, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_AGENT_STARTED] = {"agent-started", "started", false, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_AGENT_STOPPING] = {"agent-stopping", "stopping", false, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_CONFIG_LOADED] = {"config-loaded", "loaded", false, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_CONFIG_REJECTED] = {"config-rejected", "rejected", false, {ERROR, ERROR, ERROR}},
	[BB_EVENT_PLUGIN_FAILED] = {"plugin-failed", "failed", false, {ERROR, ERROR, ERROR}},
	[BB_EVENT_CLOCK_GAP] = {"clock-gap", "jumped", false, {WARNING, WARNING, WARNING}},
	[BB_EVENT_ALARM_ACKNOWLEDGED] = {"alarm-acknowledged", "acknowledged", true, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_ALARM_INHIBITED] = {"alarm-inhibited", "inhibited", true, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_ALARM_RELEASED] = {"alarm-released", "released", true, {NOTICE, NOTICE, NOTICE}},
	[BB_EVENT_JOURNAL_GAP] = {"journal-gap", "gap", false, {ERROR, ERROR, ERROR}},
	[BB_EVENT_WRITE] = {"write", "attempted", false, {NOTICE, WARNING, WARNING}},
	[BB_EVENT_TEST] = {"test", "asked", false, {NOTICE, NOTICE, NOTICE}},
};

static const struct kind *kind_of(const struct bb_event *event)
{
	static const struct kind unknown = {"event", "unknown", false, {NOTICE, NOTICE, NOTICE}};

	return (size_t)event->kind < BB_LENGTH(kinds) && kinds[event->kind].id ? &kinds[event->kind] : &unknown;
}

unsigned message_severity(const struct bb_event *event)
{
	const size_t place = (size_t)event->severity;

	return kind_of(event)->severities[place <= BB_SEVERITY_ALARM ? place : BB_SEVERITY_ALARM];
}

const char *message_id(const struct bb_event *event)
{
	return kind_of(event)->id;
}

const char *message_state(const struct bb_event *event)
{
	return kind_of(event)->state;
}

bool message_is_of_alarm(const struct bb_event *event)
{
	return kind_of(event)->of_alarm;
}

void message_set_host(struct message_origin *origin, const char *host)
{
	size_t length = 0;

	for (; host[length] != '\0' && length < MESSAGE_HOST_MAX; length++)
		origin->host[length] = host[length] > ' ' && host[length] <= '~' ? host[length] : '?';
	if (length == 0)
		origin->host[length++] = '-';
	origin->host[length] = '\0';
}

/* Where the next byte goes, and how many have place. What does not fit is left out. */
struct writer {
	char *at;
	size_t left; /* the NUL's place included */
};

static void put(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(writer->at, writer->left, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= writer->left)
		length = (int)writer->left - 1;
	writer->at += length;
	writer->left -= (size_t)length;
}

/* How much of a value is shown, before it is escaped. The sum of all, doubled, leaves a quarter of a message for text. */
#define NAME_SHOWN  64
#define VALUE_SHOWN 96

static void put_parameter(struct writer *writer, const char *name, const char *value, size_t most)
{
	char clean[VALUE_SHOWN + 1];

	if (!value || bb_text_clean(clean, most + 1, value, strlen(value)) == 0)
		return;
	put(writer, " %s=\"", name);
	for (const char *at = clean; *at; at++)
		put(writer, strchr("\"\\]", *at) ? "\\%c" : "%c", *at);
	put(writer, "\"");
}

static void put_event(struct writer *writer, const struct message_origin *origin, const struct bb_event *event)
{
	put(writer, "[busbar@%u event=\"%llu\"", (unsigned)origin->enterprise, (unsigned long long)event->number);
	put_parameter(writer, "device", event->device, NAME_SHOWN);
	put_parameter(writer, message_is_of_alarm(event) ? "alarm" : "subject", event->subject, VALUE_SHOWN);
	put_parameter(writer, "point", event->point, NAME_SHOWN);
	put_parameter(writer, "state", message_state(event), NAME_SHOWN);
	put_parameter(writer, "value", event->value, VALUE_SHOWN);
	put_parameter(writer, "unit", event->unit, NAME_SHOWN);
	put_parameter(writer, "severity", bb_severity_name(event->severity), NAME_SHOWN);
	put_parameter(writer, "source", event->source, VALUE_SHOWN);
	put(writer, "]");
}

/* In UTC, which every receiver understands and which no summer time repeats. */
static void put_time(struct writer *writer, int64_t wall_ms)
{
	const int64_t fraction = (wall_ms % 1000 + 1000) % 1000;
	const time_t seconds = (time_t)((wall_ms - fraction) / 1000);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900)
		put(writer, "- "); /* four digits are all there is for a year */
	else
		put(writer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", parts.tm_year + 1900, parts.tm_mon + 1,
		    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (int)fraction);
}

size_t message_text(const struct bb_event *event, char *buffer, size_t size)
{
	char text[MESSAGE_MAX];
	struct writer writer = {text, sizeof(text)};
	const bool of_device = event->device && event->device[0] != '\0';

	if (of_device)
		put(&writer, "%s: ", event->device);
	if (message_is_of_alarm(event) && event->subject)
		put(&writer, "%s %s: ", event->subject, message_state(event));
	put(&writer, "%s", event->text && event->text[0] != '\0' ? event->text : message_id(event));
	return bb_text_clean(buffer, size, text, strlen(text));
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > '~')
			return false;
	return true;
}

size_t message_format(const struct message_origin *origin, const struct bb_event *event, uint32_t sequence,
		      bool synchronised, char *buffer)
{
	static const char mark[] = "\xef\xbb\xbf"; /* how a text says that it is UTF-8 (RFC 5424, 6.4) */
	struct writer writer = {buffer, MESSAGE_MAX};
	char text[MESSAGE_MAX];

	put(&writer, "<%u>1 ", origin->facility * 8 + message_severity(event));
	put_time(&writer, event->wall_ms);
	put(&writer, "%s busbar %u %s ", origin->host, origin->process, message_id(event));
	put_event(&writer, origin, event);
	put(&writer, "[origin software=\"busbar\" swVersion=\"%.32s\"]", origin->version);
	put(&writer, "[timeQuality tzKnown=\"1\" isSynced=\"%d\"]", synchronised);
	put(&writer, "[meta sequenceId=\"%u\"] ", sequence);

	(void)message_text(event, text, writer.left - sizeof(mark) + 1);
	put(&writer, "%s%s", is_ascii(text) ? "" : mark, text);
	return (size_t)(writer.at - buffer);
}
