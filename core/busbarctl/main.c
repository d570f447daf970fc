/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - busbarctl: reads the command line, runs one command, and sees to it that its output has arrived.
 *
 * Options may stand anywhere, before or after the command, because nobody remembers where they belong; which command
 * takes which is in the table of options here and in the table of commands.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <busbar/macros.h>

#include "ctl.h"
#include "table.h"
#include "text.h"
#include "when.h"

#define DEFAULT_SOCKET "/run/busbar/busbar.sock"
#define ARGUMENTS_MAX  128
#define COMMANDS_MAX   32

/* The command line, taken apart. */
struct line {
	struct ctl ctl;
	const char *colour; /* auto, always, never */
	bool help, version;
	unsigned given; /* bits of enum ctl_option */
	int argc;       /* without options; the command is the first */
	char *argv[ARGUMENTS_MAX + 1];
};

enum option_id {
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_COLOR,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_OF_COMMAND
};

static const struct option {
	const char *name;
	char letter;
	const char *argument; /* NULL: none */
	const char *help;
	enum option_id id;
	unsigned bit; /* OPTION_OF_COMMAND: enum ctl_option */
} options[] = {
	{"socket", 's', "PATH", "busbard's socket (default $BUSBAR_SOCKET or " DEFAULT_SOCKET ")", OPTION_SOCKET, 0},
	{"json", 0, NULL, "print JSON", OPTION_JSON, 0},
	{"color", 0, "WHEN", "colours: auto (default), always, never", OPTION_COLOR, 0},
	{"help", 'h', NULL, "show help, also about a command", OPTION_HELP, 0},
	{"version", 'V', NULL, "show the version of busbarctl", OPTION_VERSION, 0},
	{"all", 'a', NULL, "every alarm there can be, not just the active ones", OPTION_OF_COMMAND, CTL_ALL},
	{"follow", 'f', NULL, "go on with events as they happen", OPTION_OF_COMMAND, CTL_FOLLOW},
	{"since", 0, "WHEN", "only what came after: a time, a duration, an event's number", OPTION_OF_COMMAND,
	 CTL_SINCE},
	{"last", 0, "COUNT", "only the newest COUNT events", OPTION_OF_COMMAND, CTL_LAST},
	{"count", 'n', "COUNT", "stop after COUNT lines", OPTION_OF_COMMAND, CTL_COUNT},
	{"device", 'd', "NAME", "the device it is about; -: the agent itself", OPTION_OF_COMMAND, CTL_DEVICE},
	{"csv", 0, NULL, "print CSV (RFC 4180)", OPTION_OF_COMMAND, CTL_CSV},
	{"check", 0, NULL, "read files and say what is wrong with them", OPTION_OF_COMMAND, CTL_CHECK},
	{"list", 'l', NULL, "send nothing, list what there is to send", OPTION_OF_COMMAND, CTL_LIST},
	{"maps-dir", 0, "FOLDER", "your own maps (default " BUSBAR_SYSCONFDIR "/maps.d)", OPTION_OF_COMMAND,
	 CTL_MAPS_DIR},
};
#define OPTION_COUNT BB_LENGTH(options)

static int parse_number(const struct option *option, const char *text, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9')
		return ctl_fail(CTL_USAGE, "--%s wants a number, not '%s'", option->name, text);
	return CTL_FINE;
}

static int parse_since(const char *text, struct ctl *ctl)
{
	struct timespec now;
	enum when_kind kind;
	int64_t value;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return ctl_fail(CTL_USAGE, "what time it is cannot be told: %s", strerror(errno));
	if (when_parse(text, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, &kind, &value) < 0)
		return ctl_fail(CTL_USAGE,
				"--since wants a time (2026-05-01T12:00:00Z, '2026-05-01 12:00', 12:00), a duration "
				"(90m, 2d), or an event's number, not '%s'",
				text);
	ctl->since = kind == WHEN_NUMBER ? (uint64_t)value : 0;
	ctl->since_wall_ms = kind == WHEN_TIME ? value : 0;
	return CTL_FINE;
}

static int take_option(struct line *line, const struct option *option, const char *value)
{
	switch (option->id) {
	case OPTION_SOCKET:
		line->ctl.socket = value;
		return CTL_FINE;
	case OPTION_JSON:
		line->ctl.json = true;
		return CTL_FINE;
	case OPTION_COLOR:
		line->colour = value;
		if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 && strcmp(value, "never") != 0)
			return ctl_fail(CTL_USAGE, "--color is auto, always or never, not '%s'", value);
		return CTL_FINE;
	case OPTION_HELP:
		line->help = true;
		return CTL_FINE;
	case OPTION_VERSION:
		line->version = true;
		return CTL_FINE;
	case OPTION_OF_COMMAND:
		break;
	}
	line->given |= option->bit;
	switch ((enum ctl_option)option->bit) {
	case CTL_ALL:
		line->ctl.all = true;
		return CTL_FINE;
	case CTL_FOLLOW:
		line->ctl.follow = true;
		return CTL_FINE;
	case CTL_SINCE:
		return parse_since(value, &line->ctl);
	case CTL_LAST:
		return parse_number(option, value, &line->ctl.last);
	case CTL_COUNT:
		return parse_number(option, value, &line->ctl.count);
	case CTL_CSV:
		line->ctl.csv = true;
		return CTL_FINE;
	case CTL_DEVICE:
		line->ctl.device = value;
		return CTL_FINE;
	case CTL_CHECK:
		line->ctl.check = true;
		return CTL_FINE;
	case CTL_LIST:
		line->ctl.list = true;
		return CTL_FINE;
	case CTL_MAPS_DIR:
		line->ctl.maps_dir = value;
		return CTL_FINE;
	}
	return CTL_FINE;
}

/* Finds "--name", "--name=value" or "-l"; @ret_value is what stands behind it in the same word, or NULL. */
static const struct option *find_option(const char *word, const char **ret_value)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &options[i];
		const size_t length = strlen(option->name);

		if (word[1] != '-') {
			if (word[1] != option->letter)
				continue;
			*ret_value = word[2] != '\0' ? word + 2 : NULL;
			return option;
		}
		if (strncmp(word + 2, option->name, length) != 0)
			continue;
		if (word[2 + length] == '\0' || word[2 + length] == '=') {
			*ret_value = word[2 + length] == '=' ? word + 3 + length : NULL;
			return option;
		}
	}
	return NULL;
}

static int fail_unknown_option(const char *word)
{
	const char *names[OPTION_COUNT + 1] = {NULL};
	const char *suggestion;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = options[i].name;
	suggestion = word[1] == '-' ? bb_text_suggest(word + 2, names) : NULL;
	if (suggestion != NULL)
		return ctl_fail(CTL_USAGE, "no option '%s', did you mean '--%s'?", word, suggestion);
	return ctl_fail(CTL_USAGE, "no option '%s'; try 'busbarctl --help'", word);
}

static int parse_line(int argc, char **argv, struct line *line)
{
	bool literal = false;

	for (int i = 1; i < argc; i++) {
		const struct option *option;
		const char *value = NULL;
		int result;

		if (literal || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (line->argc == ARGUMENTS_MAX)
				return ctl_fail(CTL_USAGE, "more than %d arguments", ARGUMENTS_MAX);
			line->argv[line->argc++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			literal = true;
			continue;
		}
		option = find_option(argv[i], &value);
		if (option == NULL)
			return fail_unknown_option(argv[i]);
		if (option->argument == NULL && value != NULL)
			return ctl_fail(CTL_USAGE, "--%s takes no value", option->name);
		if (option->argument != NULL && value == NULL && ++i < argc)
			value = argv[i];
		if (option->argument != NULL && value == NULL)
			return ctl_fail(CTL_USAGE, "--%s wants a %s", option->name, option->argument);
		result = take_option(line, option, value);
		if (result != CTL_FINE)
			return result;
	}
	return CTL_FINE;
}

static void print_option(const struct option *option)
{
	char left[40];

	(void)snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
		       option->argument != NULL ? option->argument : "");
	if (option->letter != 0)
		(void)printf("  -%c, %-16s  %s\n", option->letter, left, option->help);
	else
		(void)printf("      %-16s  %s\n", left, option->help);
}

static void print_options(bool common, unsigned bits)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (options[i].id == OPTION_OF_COMMAND ? (options[i].bit & bits) != 0 : common)
			print_option(&options[i]);
	}
}

static void print_help(void)
{
	(void)printf("Usage: busbarctl [-s SOCKET] [--json] COMMAND\n"
		     "\n"
		     "Asks busbard, the monitoring agent for UPSs, batteries and sensors.\n"
		     "\n");
	for (const struct command *command = commands; command->name != NULL; command++) {
		char left[48];

		if (command->hidden)
			continue;
		(void)snprintf(left, sizeof(left), "%s %s", command->name,
			       command->arguments != NULL ? command->arguments : "");
		(void)printf("  %-30s  %s\n", left, command->summary);
	}
	(void)putchar('\n');
	print_options(true, 0);
	(void)printf("\n"
		     "'busbarctl COMMAND --help' says more. Exit status: 0 fine, 1 an alarm or something not found,\n"
		     "2 a wrong command line, 3 no agent.\n");
}

static void print_command_help(const struct command *command)
{
	(void)printf("Usage: busbarctl %s%s%s\n\n%c%s.\n\n", command->name, command->arguments != NULL ? " " : "",
		     command->arguments != NULL ? command->arguments : "", toupper((unsigned char)command->summary[0]),
		     command->summary + 1);
	(void)printf("%s\n", command->help);
	print_options(false, command->options);
	print_options(true, 0);
}

static int fail_unknown_command(const char *name)
{
	const char *names[COMMANDS_MAX + 1] = {NULL};
	const char *suggestion;

	for (size_t i = 0; i < COMMANDS_MAX && commands[i].name != NULL; i++)
		names[i] = commands[i].name;
	suggestion = bb_text_suggest(name, names);
	if (suggestion != NULL)
		return ctl_fail(CTL_USAGE, "no command '%s', did you mean '%s'?", name, suggestion);
	return ctl_fail(CTL_USAGE, "no command '%s'; try 'busbarctl --help'", name);
}

static int run_command(struct line *line)
{
	const struct command *command = command_find(line->argv[0]);
	const int argc = line->argc - 1;
	const char *no_color = getenv("NO_COLOR");

	if (command == NULL)
		return fail_unknown_command(line->argv[0]);
	if (line->help) {
		print_command_help(command);
		return CTL_FINE;
	}
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (options[i].id == OPTION_OF_COMMAND && (line->given & ~command->options & options[i].bit) != 0)
			return ctl_fail(CTL_USAGE, "'%s' takes no --%s", command->name, options[i].name);
	}
	if (line->ctl.csv && line->ctl.json)
		return ctl_fail(CTL_USAGE, "either --csv or --json");
	if (argc < command->least || argc > command->most)
		return ctl_fail(CTL_USAGE, "usage: busbarctl %s%s%s", command->name,
				command->arguments != NULL ? " " : "",
				command->arguments != NULL ? command->arguments : "");
	/* no-color.org: any value but the empty one */
	if (strcmp(line->colour, "auto") == 0)
		line->ctl.colour = isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
	else
		line->ctl.colour = strcmp(line->colour, "always") == 0;
	return command->run(&line->ctl, argc, line->argv + 1);
}

int main(int argc, char **argv)
{
	const char *socket = getenv("BUSBAR_SOCKET");
	struct line line = {.colour = "auto"};
	int result;

	line.ctl.socket = socket != NULL && socket[0] != '\0' ? socket : DEFAULT_SOCKET;
	result = parse_line(argc, argv, &line);
	if (result != CTL_FINE)
		return result;
	if (line.version) {
		(void)printf("busbarctl %s\n", BUSBAR_VERSION);
	} else if (line.argc > 0) {
		if (strcmp(line.argv[0], "help") == 0) { /* as many expect */
			line.help = true;
			line.argc--;
			memmove(line.argv, line.argv + 1, sizeof(line.argv) - sizeof(line.argv[0]));
		}
		if (line.argc > 0)
			result = run_command(&line);
		else
			print_help();
	} else if (line.help) {
		print_help();
	} else {
		result = ctl_fail(CTL_USAGE, "say what to do: 'busbarctl --help' lists the commands");
	}
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return ctl_fail(CTL_ALARM, "cannot write the output: %s", strerror(errno));
	return result;
}
