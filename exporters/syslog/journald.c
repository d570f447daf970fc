/* SPDX-License-Identifier: Apache-2.0
 *
 * journald.c - events for the journal of systemd on this machine, in its native protocol: a datagram of lines
 * FIELD=value. What syslog keeps in structured data are fields of their own here:
 *
 *	journalctl SYSLOG_IDENTIFIER=busbar BUSBAR_DEVICE=ups-a BUSBAR_STATE=raised
 *
 * A value with a line feed would need the protocol's binary form; ours have none, since all text passes
 * bb_text_clean(). The socket is not connected, so that a journald that was restarted is found again by itself.
 */
#include "datagram.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <busbar/text.h>

/* How much of a value is given. */
#define VALUE_SHOWN 255

struct journald {
	struct datagram_setup setup;
	struct sockaddr_un address;
	int fd;
	struct bb_complaint complaint;
};

/* Fields are far shorter than the buffer all together: the sum of all bounds is less than JOURNALD_MAX. */
static size_t put_field(char *buffer, size_t length, const char *name, const char *value)
{
	char clean[VALUE_SHOWN + 1];

	if (!value || bb_text_clean(clean, sizeof(clean), value, strlen(value)) == 0)
		return length;
	return length + (size_t)snprintf(buffer + length, JOURNALD_MAX - length, "%s=%s\n", name, clean);
}

static size_t put_number(char *buffer, size_t length, const char *name, unsigned long long value)
{
	return length + (size_t)snprintf(buffer + length, JOURNALD_MAX - length, "%s=%llu\n", name, value);
}

size_t journald_format(const struct message_origin *origin, const struct bb_event *event, char *buffer)
{
	char text[3 * VALUE_SHOWN + 1];
	size_t length = 0;

	(void)message_text(event, text, sizeof(text));
	length = (size_t)snprintf(buffer, JOURNALD_MAX, "MESSAGE=%s\n", text);
	length = put_number(buffer, length, "PRIORITY", message_severity(event));
	length = put_number(buffer, length, "SYSLOG_FACILITY", origin->facility);
	length = put_field(buffer, length, "SYSLOG_IDENTIFIER", "busbar");
	length = put_number(buffer, length, "SYSLOG_PID", origin->process);
	length = put_field(buffer, length, "BUSBAR_KIND", message_id(event));
	length = put_number(buffer, length, "BUSBAR_EVENT", event->number);
	length = put_field(buffer, length, "BUSBAR_DEVICE", event->device);
	length = put_field(buffer, length, message_is_of_alarm(event) ? "BUSBAR_ALARM" : "BUSBAR_SUBJECT",
			   event->subject);
	length = put_field(buffer, length, "BUSBAR_POINT", event->point);
	length = put_field(buffer, length, "BUSBAR_STATE", message_state(event));
	length = put_field(buffer, length, "BUSBAR_VALUE", event->value);
	length = put_field(buffer, length, "BUSBAR_UNIT", event->unit);
	length = put_field(buffer, length, "BUSBAR_SEVERITY", bb_severity_name(event->severity));
	return put_field(buffer, length, "BUSBAR_SOURCE", event->source);
}

int journald_start(const struct datagram_setup *setup, struct journald **ret_journald)
{
	struct journald *journald = calloc(1, sizeof(*journald));
	const size_t length = strlen(setup->target->path);
	int r = -ENOMEM;

	if (!journald)
		goto fail;
	journald->setup = *setup;
	journald->address.sun_family = AF_UNIX;
	r = -ENAMETOOLONG;
	if (length >= sizeof(journald->address.sun_path))
		goto fail;
	memcpy(journald->address.sun_path, setup->target->path, length + 1);
	journald->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = -errno;
	if (journald->fd < 0)
		goto fail;
	*ret_journald = journald;
	return 0;
fail:
	free(journald);
	return bb_log_error(setup->log, r, "%s", setup->target->name);
}

void journald_send(struct journald *journald, const struct bb_event *event)
{
	char buffer[JOURNALD_MAX];
	const size_t length = journald_format(journald->setup.origin, event, buffer);

	if (sendto(journald->fd, buffer, length, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)&journald->address, sizeof(journald->address)) < 0)
		(void)bb_complain(journald->setup.log, &journald->complaint, -errno, "%s: a message was not taken",
				  journald->setup.target->path); /* there is nobody to return the error to */
	else
		bb_complaint_over(journald->setup.log, &journald->complaint, "journald: takes messages again");
}

void journald_stop(struct journald *journald)
{
	if (!journald)
		return;
	close(journald->fd);
	free(journald);
}
