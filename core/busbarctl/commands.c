/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.c - the table of commands: what main() dispatches by, prints as help, and suggests from.
 */
#include <string.h>

#include "ctl.h"

const struct command commands[] = {
	{
		.name = "status",
		.summary = "all devices with their traffic lights",
		.help = "One line a device: grey while initialising, blue when it has never answered, green when it is "
			"fine,\n"
			"yellow with a warning, red with an alarm or when it is lost. The last line is about busbard "
			"itself.\n"
			"\n"
			"Exit status 1 when something is red.\n",
		.run = status_run,
	},
	{
		.name = "points",
		.arguments = "[DEVICE] [GLOB]",
		.summary = "data points and their values",
		.help = "DEVICE is a name or a glob; without it, all devices. GLOB chooses points.\n"
			"\n"
			"  busbarctl points ups-a\n"
			"  busbarctl points ups-a 'battery.*'\n"
			"  busbarctl points '*.voltage' --json\n",
		.most = 2,
		.run = points_run,
	},
	{
		.name = "get",
		.arguments = "DEVICE POINT",
		.summary = "one value and nothing else",
		.help = "Prints the value alone, without its unit. A value that is stale or unknown is not printed; "
			"the\n"
			"reason goes to stderr, and the exit status is 1.\n"
			"\n"
			"  busbarctl get ups-a battery.charge\n",
		.least = 2,
		.most = 2,
		.run = get_run,
	},
	{
		.name = "watch",
		.arguments = "[DEVICE] [GLOB]",
		.summary = "values now, then each change",
		.help = "Prints the values as they are, then every change as it comes, until interrupted. With --json, "
			"one\n"
			"object a line.\n"
			"\n"
			"  busbarctl watch ups-a 'input.*'\n",
		.options = CTL_COUNT,
		.most = 2,
		.run = watch_run,
	},
	{
		.name = "alarms",
		.arguments = "[DEVICE]",
		.summary = "active alarms",
		.help = "Since when, which event said so, the value for those that come from a rule, and whether "
			"somebody has\n"
			"acknowledged it. DEVICE is a name or a glob; '-' is the agent itself. Exit status 1 when an "
			"alarm of\n"
			"severity alarm is active.\n",
		.options = CTL_ALL,
		.most = 1,
		.run = alarms_run,
	},
	{
		.name = "ack",
		.arguments = "DEVICE ALARM",
		.summary = "say that somebody has seen an alarm",
		.help = "The alarm stays active and is open no longer, until it clears. DEVICE '-' is the agent "
			"itself.\n"
			"\n"
			"  busbarctl ack ups-a on-battery\n",
		.least = 2,
		.most = 2,
		.run = ack_run,
	},
	{
		.name = "inhibit",
		.arguments = "DEVICE ALARM DURATION",
		.summary = "keep an alarm quiet for a time",
		.help = "Until then the alarm makes no events and starts no jobs. A DURATION of 0s ends that, as does "
			"'release'.\n"
			"\n"
			"  busbarctl inhibit ups-a test-in-progress 2h\n",
		.least = 3,
		.most = 3,
		.run = inhibit_run,
	},
	{
		.name = "release",
		.arguments = "DEVICE ALARM",
		.summary = "stop keeping an alarm quiet",
		.help = "Ends what 'inhibit' began.\n",
		.least = 2,
		.most = 2,
		.run = release_run,
	},
	{
		.name = "events",
		.arguments = "[DEVICE]",
		.summary = "what has happened",
		.help = "All events that the journal keeps, the oldest first. WHEN is a time, a duration before now, "
			"or the number\n"
			"of an event. With --follow and --json, one object a line.\n"
			"\n"
			"  busbarctl events --last 20 --follow\n"
			"  busbarctl events ups-a --since 2d\n"
			"  busbarctl events --since '2026-05-01 12:00' --csv\n",
		.options = CTL_FOLLOW | CTL_SINCE | CTL_LAST | CTL_COUNT | CTL_CSV | CTL_DEVICE,
		.most = 1,
		.run = events_run,
	},
	{
		.name = "log",
		.arguments = "POINT...",
		.summary = "what was measured, from the data log",
		.help = "POINT is a name or a glob. Which points are logged, how often and how long they are kept is "
			"in the\n"
			"configuration. A device that is configured no more is found by its name.\n"
			"\n"
			"  busbarctl log battery.charge output.L1.load --device ups-a --since 7d\n"
			"  busbarctl log 'battery.*' --csv\n",
		.options = CTL_SINCE | CTL_COUNT | CTL_CSV | CTL_DEVICE,
		.least = 1,
		.most = 100,
		.run = log_run,
	},
	{
		.name = "journal",
		.arguments = "check",
		.summary = "is everything remembered, and readable?",
		.help = "Reads the whole journal once, in the agent, and says what is in it, what waits for the disk, "
			"and how far\n"
			"those have come who are owed every event. Exit status 1 when something is wrong.\n",
		.least = 1,
		.most = 1,
		.run = journal_run,
	},
	{
		.name = "plugins",
		.summary = "plugins that are loaded or were refused",
		.help = "Refused ones are shown with the reason.\n",
		.run = plugins_run,
	},
	{
		.name = "plugin",
		.arguments = "NAME",
		.summary = "options of one plugin",
		.help = "Every option that a section of the configuration may have for it: type, default, range, "
			"meaning.\n",
		.least = 1,
		.most = 1,
		.run = plugin_run,
	},
	{
		.name = "maps",
		.summary = "register maps of Modbus devices",
		.help = "Those that come with busbar, and your own in /etc/busbar/maps.d. No agent is needed.\n",
		.options = CTL_MAPS_DIR,
		.run = maps_run,
	},
	{
		.name = "map",
		.arguments = "ID | --check FILE...",
		.summary = "the registers of one map, or what is wrong with a file",
		.help = "With --check, every fault of a map file is told with its line: unknown points, registers that "
			"overlap,\n"
			"scales that cannot be. No agent is needed. Exit status 1 when there is a fault.\n"
			"\n"
			"  busbarctl map socomec\n"
			"  busbarctl map --check my-ups.csv\n",
		.options = CTL_CHECK | CTL_MAPS_DIR,
		.least = 1,
		.most = 100,
		.run = map_run,
	},
	{
		.name = "probe",
		.arguments = "ADDRESS [KEY=VALUE...]",
		.summary = "try a device once and show what it has",
		.help = "The scheme of ADDRESS chooses the plugin; its options follow as they would stand in the\n"
			"configuration. Nothing is changed: the device is closed again.\n"
			"\n"
			"  busbarctl probe snmp://10.0.0.6 version=2c community=public\n",
		.least = 1,
		.most = 100,
		.run = probe_run,
	},
	{
		.name = "reload",
		.summary = "read the configuration again",
		.help = "A configuration with a fault changes nothing: what is wrong is printed with file, line and "
			"column,\n"
			"and the exit status is 1.\n",
		.run = reload_run,
	},
	{
		.name = "log-level",
		.arguments = "[LEVEL]",
		.summary = "show or set what busbard logs",
		.help = "LEVEL is error, warning, notice, info or debug. It holds until the configuration is read "
			"again.\n",
		.most = 1,
		.run = log_level_run,
	},
	{
		.name = "trap-test",
		.arguments = "[NAME]",
		.summary = "send a message to receivers as a test",
		.help = "Every exporter that knows a message NAME sends it, marked as a test; without NAME each sends "
			"its usual\n"
			"one. It comes as if from the first device, or the one that --device names; '-' is none. The "
			"event by\n"
			"which exporters are told stays in the journal.\n"
			"\n"
			"  busbarctl trap-test --list\n"
			"  busbarctl trap-test upsTrapOnBattery --device ups-a\n",
		.options = CTL_DEVICE | CTL_LIST,
		.most = 1,
		.run = trap_test_run,
	},
	{
		.name = "version",
		.summary = "versions of busbarctl and busbard",
		.help = "busbarctl's own is printed even when no agent answers.\n",
		.run = version_run,
	},
	{
		.name = "complete",
		.arguments = "alarms|commands|devices|maps|points|plugins|schemes|tests [DEVICE]",
		.summary = "names, for the completion of shells",
		.help = "Prints names, one a line, and never says anything else.\n",
		.least = 1,
		.most = 2,
		.run = complete_run,
		.hidden = true,
	},
	{.name = NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name != NULL; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}
