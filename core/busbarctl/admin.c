/* SPDX-License-Identifier: Apache-2.0
 *
 * admin.c - ack, inhibit and release: what people tell busbard about alarms. It knows who they are from the socket, and
 * its journal says so.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "json.h"
#include "when.h"

struct told {
	const struct ctl *ctl;
	const char *device, *alarm, *done; /* "acknowledged", … */
};

/* "alarm." in front is what its point is called. */
static const char *alarm_name(const char *name)
{
	static const char prefix[] = "alarm.";

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

static int told_frame(void *context, const Busbar__Response *response)
{
	const struct told *told = context;

	(void)response; /* that it is no error is all it says */
	if (told->ctl->json) {
		struct json json = {.out = stdout};

		json_object(&json, false);
		json_key(&json, "device");
		json_string(&json, strcmp(told->device, "-") != 0 ? told->device : NULL);
		json_key(&json, "alarm");
		json_string(&json, told->alarm);
		json_key(&json, "done");
		json_string(&json, told->done);
		json_end_object(&json);
	} else if (strcmp(told->device, "-") == 0) {
		(void)printf("%s of the agent is %s.\n", told->alarm, told->done);
	} else {
		(void)printf("%s of %s is %s.\n", told->alarm, told->device, told->done);
	}
	return CONNECTION_GO_ON;
}

int ack_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__AcknowledgeRequest acknowledge = BUSBAR__ACKNOWLEDGE_REQUEST__INIT;
	struct told told = {.ctl = ctl, .device = argv[0], .alarm = alarm_name(argv[1]), .done = "acknowledged"};

	(void)argc; /* the table of commands says how many */
	acknowledge.device = argv[0];
	acknowledge.alarm = argv[1];
	request.command_case = BUSBAR__REQUEST__COMMAND_ACKNOWLEDGE;
	request.acknowledge = &acknowledge;
	return connection_ask(ctl, &request, false, told_frame, &told);
}

static int inhibit(struct ctl *ctl, char **argv, int64_t duration_ms)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__InhibitRequest inhibit = BUSBAR__INHIBIT_REQUEST__INIT;
	struct told told = {.ctl = ctl,
			    .device = argv[0],
			    .alarm = alarm_name(argv[1]),
			    .done = duration_ms > 0 ? "inhibited" : "released"};

	inhibit.device = argv[0];
	inhibit.alarm = argv[1];
	inhibit.duration_ms = duration_ms;
	request.command_case = BUSBAR__REQUEST__COMMAND_INHIBIT;
	request.inhibit = &inhibit;
	return connection_ask(ctl, &request, false, told_frame, &told);
}

int inhibit_run(struct ctl *ctl, int argc, char **argv)
{
	int64_t duration_ms;
	const int r = when_parse_duration(argv[2], &duration_ms);

	(void)argc; /* the table of commands says how many */
	if (r == -ERANGE)
		return ctl_fail(CTL_USAGE, "'%s' is too long", argv[2]);
	if (r < 0)
		return ctl_fail(CTL_USAGE, "a duration is written 90m, 2h or 7d, not '%s'", argv[2]);
	return inhibit(ctl, argv, duration_ms);
}

int release_run(struct ctl *ctl, int argc, char **argv)
{
	(void)argc; /* the table of commands says how many */
	return inhibit(ctl, argv, 0);
}
