/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.c - see scenario.h.
 *
 * A line is cut into words; `at` takes a time and an action, and each action knows from a table what its argument
 * looks like. All faults of a file are told, not just the first, since people fix files, not lines.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>
#include <busbar/text.h>

#include "physics.h"
#include "scenario.h"

#define WORDS_MAX 6
#define DAY_MS    (24 * INT64_C(3600000))

/* A word that stands for a value, in a list that ends with NULL. */
struct word {
	const char *text;
	int64_t value;
};

static const struct word mains_words[] = {{"off", 0}, {"on", -1}, {NULL, 0}};
static const struct word load_words[] = {{"normal", -1}, {NULL, 0}};
static const struct word sensor_words[] = {{"fail", 0}, {"ok", 1}, {NULL, 0}};
static const struct word battery_words[] = {
	{"good", PHYSICS_GOOD}, {"weak", PHYSICS_WEAK}, {"replace", PHYSICS_REPLACE}, {NULL, 0}};
static const struct word test_words[] = {{"start", 1}, {NULL, 0}};
static const struct word switch_words[] = {{"off", 0}, {"on", 1}, {NULL, 0}};
static const struct word no_words[] = {{NULL, 0}};

/* Units of time, as elsewhere in the configuration. */
static const struct word time_units[] = {{"ms", 1},      {"s", 1000},   {"m", 60000},
					 {"h", 3600000}, {"d", DAY_MS}, {NULL, 0}};

/* What an argument may be: one of @words, or a number with @unit (NULL: none) in @min to @max thousandths. */
static const struct action {
	const char *name;
	enum scenario_action action;
	const struct word *words;
	const char *unit;
	int64_t min, max;
	const char *example;
} actions[] = {
	{"mains", SCENARIO_MAINS, mains_words, "V", 0, 400000, "mains off, mains on, mains 180V"},
	{"load", SCENARIO_LOAD, load_words, "%", 0, 200000, "load 130%, load normal"},
	{"sensor", SCENARIO_SENSOR, sensor_words, NULL, 0, -1, "sensor fail, sensor ok"},
	{"silence", SCENARIO_SILENCE, no_words, NULL, 0, -1, "silence 20s"},
	{"temperature", SCENARIO_TEMPERATURE, no_words, "", -40000, 100000, "temperature 45"},
	{"battery", SCENARIO_BATTERY, battery_words, NULL, 0, -1, "battery good, battery weak, battery replace"},
	{"test", SCENARIO_TEST, test_words, NULL, 0, -1, "test start"},
	{"bypass", SCENARIO_BYPASS, switch_words, NULL, 0, -1, "bypass on, bypass off"},
	{"alarm", SCENARIO_ALARM, switch_words, NULL, 0, -1, "alarm fan-failure on"},
};

#define ACTION_COUNT BB_LENGTH(actions)

/* A file while it is read. */
struct parser {
	const struct scenario_faults *faults;
	struct scenario *scenario;
	size_t room;
	unsigned line, repeat_line, fault_count;
};

static int fault(struct parser *parser, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fault(struct parser *parser, unsigned line, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* a text that is cut still tells the story */
	va_end(arguments);
	parser->fault_count++;
	parser->faults->fault(parser->faults->context, line, text);
	return -EINVAL;
}

/* The name that @text was probably meant to be, as ", did you mean 'mains'?"; "" where none is near. */
static const char *suggestion(char *buffer, size_t size, const char *text, const char *(*name)(size_t index))
{
	const char *names[ACTION_COUNT + PHYSICS_ALARM_COUNT + 1] = {NULL}; /* more than either list has */
	const char *nearest;

	for (size_t i = 0; name(i); i++)
		names[i] = name(i);
	nearest = bb_text_suggest(text, names);
	buffer[0] = '\0';
	if (nearest)
		(void)snprintf(buffer, size, ", did you mean '%s'?", nearest); /* names are short */
	return buffer;
}

static const char *action_name(size_t index)
{
	return index < ACTION_COUNT ? actions[index].name : NULL;
}

static const char *alarm_name(size_t index)
{
	return index < PHYSICS_ALARM_COUNT ? physics_alarm_name((enum physics_alarm)index) : NULL;
}

static bool find_word(const struct word *words, const char *text, int64_t *ret_value)
{
	for (; words->text; words++) {
		if (strcmp(words->text, text) != 0)
			continue;
		*ret_value = words->value;
		return true;
	}
	return false;
}

/* "180V" as 180000: a number, then @unit. */
static bool parse_quantity(const char *text, const char *unit, int64_t *ret_value)
{
	char number[32];
	const size_t length = strspn(text, "+-.0123456789");

	if (length >= sizeof(number) || strcmp(text + length, unit) != 0)
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	return bb_decimal_parse(number, 3, ret_value) == 0;
}

/* "90s", "1m30s": at most ten years, so that sums of times fit anywhere. */
static bool parse_time(const char *text, int64_t *ret_ms)
{
	int64_t sum = 0;

	if (!*text)
		return false;
	while (*text) {
		char unit[3] = "";
		const size_t digits = strspn(text, "0123456789"), letters = strspn(text + digits, "dhms");
		int64_t factor;

		if (digits == 0 || digits > 9 || letters == 0 || letters >= sizeof(unit))
			return false;
		memcpy(unit, text + digits, letters);
		if (!find_word(time_units, unit, &factor))
			return false;
		sum += strtoll(text, NULL, 10) * factor;
		if (sum > 3650 * DAY_MS)
			return false;
		text += digits + letters;
	}
	*ret_ms = sum;
	return true;
}

static int parse_argument(struct parser *parser, const struct action *action, const char *text, int64_t *ret_value)
{
	int64_t value;

	if (action->action == SCENARIO_SILENCE) {
		if (!parse_time(text, &value) || value == 0)
			return fault(parser, parser->line, "'%s' is no length of time, such as 20s or 2m", text);
	} else if (!find_word(action->words, text, &value)) {
		if (!action->unit || !parse_quantity(text, action->unit, &value))
			return fault(parser, parser->line, "cannot read '%s %s', which is written as: %s", action->name,
				     text, action->example);
		if (value < action->min || value > action->max)
			return fault(parser, parser->line, "'%s %s' is out of range, which is %lld to %lld%s",
				     action->name, text, (long long)action->min / 1000, (long long)action->max / 1000,
				     action->unit);
	}
	*ret_value = value;
	return 0;
}

static int add(struct parser *parser, const struct scenario_entry *entry)
{
	struct scenario *scenario = parser->scenario;

	if (scenario->count == parser->room) {
		const size_t room = parser->room ? parser->room * 2 : 16;
		struct scenario_entry *grown = reallocarray(scenario->entries, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		scenario->entries = grown;
		parser->room = room;
	}
	scenario->entries[scenario->count++] = *entry;
	return 0;
}

/* at TIME ACTION [ALARM] ARGUMENT */
static int parse_at(struct parser *parser, char **words, size_t count)
{
	struct scenario_entry entry = {.line = parser->line};
	const struct action *action = NULL;
	char hint[64];
	int r;

	if (count < 3)
		return fault(parser, parser->line, "after 'at' come a time and what happens then: at 30s mains off");
	if (!parse_time(words[1], &entry.at_ms))
		return fault(parser, parser->line, "'%s' is no time, such as 500ms, 30s, 2m or 1m30s", words[1]);
	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (strcmp(actions[i].name, words[2]) == 0)
			action = &actions[i];
	if (!action)
		return fault(parser, parser->line, "unknown action '%s'%s", words[2],
			     suggestion(hint, sizeof(hint), words[2], action_name));
	entry.action = action->action;

	const size_t expected = action->action == SCENARIO_ALARM ? 5 : 4;

	if (count != expected)
		return fault(parser, parser->line, "'%s' is written as: %s", action->name, action->example);
	if (action->action == SCENARIO_ALARM) {
		while (alarm_name(entry.alarm) && strcmp(alarm_name(entry.alarm), words[3]) != 0)
			entry.alarm++;
		if (!alarm_name(entry.alarm))
			return fault(parser, parser->line, "unknown alarm '%s'%s", words[3],
				     suggestion(hint, sizeof(hint), words[3], alarm_name));
	}
	r = parse_argument(parser, action, words[expected - 1], &entry.value);
	return r < 0 ? r : add(parser, &entry);
}

/* repeat TIME */
static int parse_repeat(struct parser *parser, char **words, size_t count)
{
	if (count != 2 || !parse_time(words[1], &parser->scenario->repeat_ms) || parser->scenario->repeat_ms < 1000)
		return fault(parser, parser->line, "'repeat' is written as: repeat 10m, of at least 1s");
	if (parser->repeat_line > 0)
		return fault(parser, parser->line, "'repeat' stands in line %u already", parser->repeat_line);
	parser->repeat_line = parser->line;
	return 0;
}

static int parse_line(struct parser *parser, char *line)
{
	char *words[WORDS_MAX] = {NULL};
	char *rest = NULL;
	size_t count = 0;

	line[strcspn(line, "#")] = '\0';
	for (char *word = strtok_r(line, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
		if (count == WORDS_MAX)
			return fault(parser, parser->line, "too many words");
		words[count++] = word;
	}
	if (count == 0)
		return 0;
	if (strcmp(words[0], "at") == 0)
		return parse_at(parser, words, count);
	if (strcmp(words[0], "repeat") == 0)
		return parse_repeat(parser, words, count);
	return fault(parser, parser->line, "a line begins with 'at' or 'repeat', not with '%s'", words[0]);
}

static int by_time(const void *a, const void *b)
{
	const struct scenario_entry *first = a, *second = b;

	if (first->at_ms != second->at_ms)
		return first->at_ms < second->at_ms ? -1 : 1;
	return first->line < second->line ? -1 : 1; /* a line holds one entry */
}

static int parse_lines(struct parser *parser, char *text)
{
	struct scenario *scenario = parser->scenario;

	while (text) {
		char *line = strsep(&text, "\n");

		parser->line++;
		if (parse_line(parser, line) == -ENOMEM)
			return -ENOMEM;
	}
	if (scenario->count > 1)
		qsort(scenario->entries, scenario->count, sizeof(scenario->entries[0]), by_time);
	if (scenario->repeat_ms > 0 && scenario->count > 0) {
		const struct scenario_entry *last = &scenario->entries[scenario->count - 1];

		if (last->at_ms >= scenario->repeat_ms)
			(void)fault(parser, parser->repeat_line, "'repeat' comes before line %u has happened",
				    last->line);
	}
	return parser->fault_count > 0 ? -EINVAL : 0;
}

int scenario_parse(const char *text, const struct scenario_faults *faults, struct scenario **ret_scenario)
{
	struct parser parser = {.faults = faults, .scenario = calloc(1, sizeof(struct scenario))};
	char *copy = strdup(text);
	int r = -ENOMEM;

	if (parser.scenario && copy)
		r = parse_lines(&parser, copy);
	free(copy);
	if (r < 0) {
		scenario_free(parser.scenario);
		return r;
	}
	*ret_scenario = parser.scenario;
	return 0;
}

int scenario_load(const char *path, const struct scenario_faults *faults, struct scenario **ret_scenario)
{
	struct parser parser = {.faults = faults};
	FILE *file = fopen(path, "re");
	char *text = malloc(SCENARIO_SIZE_MAX + 1);
	size_t length = 0;
	int r = 0;

	if (!file)
		r = -errno;
	else if (!text)
		r = -ENOMEM;
	if (r == 0) {
		length = fread(text, 1, SCENARIO_SIZE_MAX + 1, file);
		if (ferror(file))
			r = errno ? -errno : -EIO;
	}
	if (file)
		(void)fclose(file); /* it was only read */
	if (r < 0) {
		(void)fault(&parser, 0, "cannot read it: %s", strerror(-r));
	} else if (length > SCENARIO_SIZE_MAX) {
		r = fault(&parser, 0, "it is larger than %d bytes", SCENARIO_SIZE_MAX);
	} else if (memchr(text, '\0', length)) {
		r = fault(&parser, 0, "it is no text file");
	} else {
		text[length] = '\0';
		r = scenario_parse(text, faults, ret_scenario);
	}
	free(text);
	return r;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	free(scenario->entries);
	free(scenario);
}
