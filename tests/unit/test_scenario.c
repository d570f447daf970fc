/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of the simulator's scenario files.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/macros.h>

#include "physics.h"
#include "scenario.h"

struct fault {
	unsigned line;
	char text[256];
};

struct log {
	unsigned count;
	struct fault faults[8];
};

static void note(void *context, unsigned line, const char *text)
{
	struct log *log = context;

	if (log->count < 8) {
		log->faults[log->count].line = line;
		(void)snprintf(log->faults[log->count].text, sizeof(log->faults[0].text), "%s", text);
	}
	log->count++;
}

static int parse(const char *text, struct log *log, struct scenario **ret_scenario)
{
	const struct scenario_faults faults = {note, log};

	*log = (struct log){0};
	return scenario_parse(text, &faults, ret_scenario);
}

Test(scenario, every_action_is_read)
{
	static const char text[] = "# a comment\n"
				   "at 30s mains off\n"
				   "at 90s\tmains on   # back\r\n"
				   "\n"
				   "at 2m load 130%\n"
				   "at 2m30s load 12.5%\n"
				   "at 3m sensor fail\n"
				   "at 4m silence 20s\n"
				   "at 5m temperature 45\n"
				   "at 5m1s temperature -3.5\n"
				   "at 6m battery replace\n"
				   "at 7m test start\n"
				   "at 8m mains 180V\n"
				   "at 9m bypass on\n"
				   "at 9m30s load normal\n"
				   "at 1h alarm fan-failure on\n"
				   "repeat 2h";
	static const struct scenario_entry expected[] = {
		{30000, SCENARIO_MAINS, 0, 0, 2},
		{90000, SCENARIO_MAINS, 0, -1, 3},
		{120000, SCENARIO_LOAD, 0, 130000, 5},
		{150000, SCENARIO_LOAD, 0, 12500, 6},
		{180000, SCENARIO_SENSOR, 0, 0, 7},
		{240000, SCENARIO_SILENCE, 0, 20000, 8},
		{300000, SCENARIO_TEMPERATURE, 0, 45000, 9},
		{301000, SCENARIO_TEMPERATURE, 0, -3500, 10},
		{360000, SCENARIO_BATTERY, 0, PHYSICS_REPLACE, 11},
		{420000, SCENARIO_TEST, 0, 1, 12},
		{480000, SCENARIO_MAINS, 0, 180000, 13},
		{540000, SCENARIO_BYPASS, 0, 1, 14},
		{570000, SCENARIO_LOAD, 0, -1, 15},
		{3600000, SCENARIO_ALARM, PHYSICS_ALARM_FAN_FAILURE, 1, 16},
	};
	struct scenario *scenario;
	struct log log;

	cr_assert_eq(parse(text, &log, &scenario), 0, "line %u: %s", log.faults[0].line, log.faults[0].text);
	cr_assert_eq(scenario->count, BB_LENGTH(expected));
	cr_assert_eq(scenario->repeat_ms, 7200000);
	for (size_t i = 0; i < scenario->count; i++) {
		const struct scenario_entry *is = &scenario->entries[i], *should = &expected[i];

		cr_assert(is->at_ms == should->at_ms && is->action == should->action && is->alarm == should->alarm &&
				  is->value == should->value && is->line == should->line,
			  "entry %zu: at %lld, action %d, value %lld, line %u", i, (long long)is->at_ms, is->action,
			  (long long)is->value, is->line);
	}
	scenario_free(scenario);
}

Test(scenario, entries_are_sorted_by_time_and_keep_their_order_otherwise)
{
	struct scenario *scenario;
	struct log log;

	cr_assert_eq(parse("at 2s load 1%\nat 1s load 2%\nat 2s load 3%\nat 0s load 4%\n", &log, &scenario), 0);
	cr_assert_eq(scenario->entries[0].line, 4);
	cr_assert_eq(scenario->entries[1].line, 2);
	cr_assert_eq(scenario->entries[2].line, 1);
	cr_assert_eq(scenario->entries[3].line, 3);
	scenario_free(scenario);
}

Test(scenario, an_empty_file_is_fine)
{
	struct scenario *scenario;
	struct log log;

	cr_assert_eq(parse("", &log, &scenario), 0);
	cr_assert_eq(scenario->count, 0);
	scenario_free(scenario);
	cr_assert_eq(parse("# nothing\n\n   \nrepeat 1m\n", &log, &scenario), 0);
	scenario_free(scenario);
}

Test(scenario, faults_name_line_and_trouble)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *part;
	} cases[] = {
		{"at 30s mians off", 1, "unknown action 'mians', did you mean 'mains'?"},
		{"at 30s explode now", 1, "unknown action 'explode'"},
		{"\nat 30 mains off", 2, "'30' is no time"},
		{"at soon mains off", 1, "'soon' is no time"},
		{"at 30x mains off", 1, "'30x' is no time"},
		{"at -5s mains off", 1, "'-5s' is no time"},
		{"at 99999999d mains off", 1, "is no time"},
		{"at 5s", 1, "after 'at' come a time"},
		{"at 5s mains", 1, "'mains' is written as"},
		{"at 5s mains off now", 1, "'mains' is written as"},
		{"at 5s mains maybe", 1, "cannot read 'mains maybe'"},
		{"at 5s mains 180", 1, "cannot read 'mains 180'"},
		{"at 5s mains V", 1, "cannot read 'mains V'"},
		{"at 5s mains 9000V", 1, "out of range, which is 0 to 400V"},
		{"at 5s load 100", 1, "written as: load 130%"},
		{"at 5s load -1%", 1, "out of range"},
		{"at 5s sensor 3", 1, "written as: sensor fail"},
		{"at 5s silence", 1, "'silence' is written as"},
		{"at 5s silence long", 1, "'long' is no length of time"},
		{"at 5s silence 0s", 1, "no length of time"},
		{"at 5s alarm on-batery on", 1, "unknown alarm 'on-batery', did you mean 'on-battery'?"},
		{"at 5s alarm on-battery", 1, "'alarm' is written as"},
		{"at 5s alarm on-battery perhaps", 1, "cannot read 'alarm perhaps'"},
		{"on 5s mains off", 1, "begins with 'at' or 'repeat', not with 'on'"},
		{"at 5s alarm a b c d e f", 1, "too many words"},
		{"repeat", 1, "written as: repeat 10m"},
		{"repeat 10ms", 1, "at least 1s"},
		{"repeat 1m\nrepeat 2m", 2, "stands in line 1 already"},
		{"repeat 1m\nat 2m mains off", 1, "comes before line 2 has happened"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct scenario *scenario = NULL;
		struct log log;

		cr_assert_eq(parse(cases[i].text, &log, &scenario), -EINVAL, "'%s'", cases[i].text);
		cr_assert_null(scenario, "output must stay untouched on failure");
		cr_assert_eq(log.count, 1, "'%s': %u faults", cases[i].text, log.count);
		cr_assert_eq(log.faults[0].line, cases[i].line, "'%s': line %u", cases[i].text, log.faults[0].line);
		cr_assert_not_null(strstr(log.faults[0].text, cases[i].part), "'%s': %s", cases[i].text,
				   log.faults[0].text);
	}
}

Test(scenario, all_faults_are_told)
{
	struct scenario *scenario = NULL;
	struct log log;

	cr_assert_eq(parse("at 1s foo bar\nat 2s mains on\nat x mains on\nfoo\n", &log, &scenario), -EINVAL);
	cr_assert_eq(log.count, 3);
	cr_assert_eq(log.faults[0].line, 1);
	cr_assert_eq(log.faults[1].line, 3);
	cr_assert_eq(log.faults[2].line, 4);
}

Test(scenario, long_words_do_no_harm)
{
	struct scenario *scenario = NULL;
	struct log log;
	char *text = malloc(60000);

	memset(text, 'a', 59999);
	text[59999] = '\0';
	memcpy(text, "at 1s ", 6);
	text[30000] = ' ';
	cr_assert_eq(parse(text, &log, &scenario), -EINVAL);
	cr_assert_eq(log.count, 1);
	free(text);
}

static int load(const char *content, size_t length, struct log *log)
{
	const struct scenario_faults faults = {note, log};
	struct scenario *scenario = NULL;
	char path[] = "/tmp/scenario-XXXXXX";
	const int fd = mkstemp(path);
	int r;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, content, length), (ssize_t)length);
	close(fd);
	*log = (struct log){0};
	r = scenario_load(path, &faults, &scenario);
	unlink(path);
	scenario_free(scenario);
	return r;
}

Test(scenario, files_that_are_no_scenarios_are_refused)
{
	static char large[SCENARIO_SIZE_MAX + 1];
	const struct scenario_faults faults = {note, &(struct log){0}};
	struct scenario *scenario = NULL;
	struct log log;

	cr_assert_eq(load("at 1s mains off\n", 16, &log), 0);
	cr_assert_eq(load("at 1s\0mains off\n", 16, &log), -EINVAL);
	cr_assert_not_null(strstr(log.faults[0].text, "no text file"));
	memset(large, '\n', sizeof(large));
	cr_assert_eq(load(large, sizeof(large), &log), -EINVAL);
	cr_assert_not_null(strstr(log.faults[0].text, "larger than"));
	cr_assert_eq(load(large, sizeof(large) - 1, &log), 0, "the largest that is allowed");
	cr_assert_eq(scenario_load("/nonexistent/scenario", &faults, &scenario), -ENOENT);
	cr_assert_eq(scenario_load("/", &faults, &scenario), -EISDIR);
}
