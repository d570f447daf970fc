/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry of `alarms:`.
 *
 * An entry is a mapping that options.c checks against the table below; limits are texts there, because their units
 * depend on the point. What a point counts in says the dictionary, so a limit in the wrong unit is refused here, with
 * its place. Only of points that a device describes itself the unit is not known before that device has answered
 * (rule_plan.c looks again then).
 */
#include "rule_section.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "options.h"
#include "rule_point.h"
#include "rule_preset.h"
#include "text.h"

#define NAME_MAX_LENGTH 63

/* clang-format off */
const struct bb_option rule_options[] = {
	{.name = "device", .type = BB_OPTION_STRING, .preset = "*", .help = "devices it is for, a name or a glob"},
	{.name = "preset", .type = BB_OPTION_ENUM, .choices = RULE_PRESET_NAMES,
	 .help = "a usual threshold: says point, comparison, text and hysteresis"},
	{.name = "name", .type = BB_OPTION_STRING, .help = "of the alarm, such as battery-cold; default: from the point"},
	{.name = "point", .type = BB_OPTION_STRING, .help = "what it looks at, a name or a glob"},
	{.name = "difference-to", .type = BB_OPTION_STRING,
	 .help = "another point: what counts is how far the two are apart"},
	{.name = "below", .type = BB_OPTION_STRING, .help = "wrong when less than this, such as 40%"},
	{.name = "above", .type = BB_OPTION_STRING, .help = "wrong when more than this, such as 90%"},
	{.name = "outside", .type = BB_OPTION_STRING, .help = "wrong when not in this range, such as 210..250 V"},
	{.name = "inside", .type = BB_OPTION_STRING, .help = "wrong when in this range"},
	{.name = "is", .type = BB_OPTION_STRING, .help = "wrong when it is this: true, false, or a member's name"},
	{.name = "is-not", .type = BB_OPTION_STRING, .help = "wrong when it is anything else"},
	{.name = "severity", .type = BB_OPTION_ENUM, .preset = "warning", .choices = "info warning alarm",
	 .help = "how bad that is"},
	{.name = "warning", .type = BB_OPTION_STRING,
	 .help = "instead of the above: a limit for a warning, such as below 40%"},
	{.name = "alarm", .type = BB_OPTION_STRING, .help = "and one for an alarm"},
	{.name = "hysteresis", .type = BB_OPTION_STRING, .help = "how far it must come back for the alarm to clear"},
	{.name = "delay", .type = BB_OPTION_DURATION, .preset = "0s", .min = 0, .max = INT64_C(31536000000),
	 .help = "how long it must be wrong before the alarm is raised"},
	{.name = "clear-delay", .type = BB_OPTION_DURATION, .preset = "0s", .min = 0, .max = INT64_C(31536000000),
	 .help = "how long it must be fine before the alarm clears"},
	{.name = "only-while", .type = BB_OPTION_STRING, .help = "an alarm of the device: counts only while it is active"},
	{.name = "not-while", .type = BB_OPTION_STRING,
	 .help = "an alarm of the device: does not count while it is active"},
	{.name = "hold-off", .type = BB_OPTION_DURATION, .min = 0, .max = INT64_C(31536000000),
	 .help = "with not-while: nor for this long after that alarm has cleared"},
	{.name = "text", .type = BB_OPTION_STRING, .help = "what the alarm says to people"},
	{0},
};
/* clang-format on */

/* How a limit is said: as an option of its own, or as a word before a level's limit. */
static const char *const compare_words[] = {
	[RULE_BELOW] = "below",
	[RULE_ABOVE] = "above",
	[RULE_OUTSIDE] = "outside",
	[RULE_INSIDE] = "inside",
};

/* And how the alarm is called when nobody says it. */
static const char *const compare_endings[] = {
	[RULE_BELOW] = "-low",
	[RULE_ABOVE] = "-high",
	[RULE_OUTSIDE] = "-out-of-range",
	[RULE_INSIDE] = "-in-range",
};

#define COMPARES BB_LENGTH(compare_words)

/* ---- limits ---- */

static bool needs_range(enum rule_compare compare)
{
	return compare == RULE_OUTSIDE || compare == RULE_INSIDE;
}

/* Does a quantity suit the points that @section looks at? */
static int check_quantity(const struct rule_section *section, const char *option, const struct rule_point *point,
			  struct rule_quantity quantity)
{
	if (!point->known)
		return 0;
	if (quantity.unit != point->unit && point->unit == BB_UNIT_NONE)
		return bb_config_error(section->config, option, "%s is a plain number, without a unit", section->point);
	if (quantity.unit != point->unit)
		return bb_config_error(section->config, option, "%s is counted in %s: needs a unit of %s",
				       section->point, bb_unit_name(point->unit), rule_quantity_units(point->unit));
	if (!rule_quantity_is_exact(quantity, point->decimals))
		return bb_config_error(section->config, option, "is finer than %s, which has %u decimals",
				       section->point, point->decimals);
	return 0;
}

/* Read the limit @text of @option into @level, whose comparison is known. */
static int parse_limit(const struct rule_section *section, const char *option, const char *text,
		       const struct rule_point *point, struct rule_level *level)
{
	struct option_fault fault;
	int r;

	if (needs_range(level->compare)) {
		r = rule_range_parse(text, &level->low, &level->high, &fault);
	} else {
		r = rule_quantity_parse(text, &level->low, &fault);
		level->high = level->low;
	}
	if (r < 0)
		return bb_config_error(section->config, option, "%s", fault.text);
	r = check_quantity(section, option, point, level->low);
	return r < 0 ? r : check_quantity(section, option, point, level->high);
}

static struct rule_level *add_level(struct rule_section *section, enum bb_severity severity, enum rule_compare compare,
				    const char *limit)
{
	struct rule_level *level = &section->levels[section->level_count++];

	*level = (struct rule_level){.severity = severity, .compare = compare};
	if (asprintf(&level->text, "%s %s", compare_words[compare], limit) < 0)
		level->text = NULL;
	return level->text ? level : NULL;
}

/* "below 40%", or where a preset or a word says how to compare, just "40%". */
static int parse_level(struct rule_section *section, const char *option, const char *text,
		       const struct rule_preset *preset, enum bb_severity severity, const struct rule_point *point)
{
	enum rule_compare compare = preset ? preset->compare : RULE_BELOW;
	const size_t length = strcspn(text, " ");
	bool said = preset != NULL;
	struct rule_level *level;

	for (size_t i = 0; i < COMPARES; i++)
		if (strlen(compare_words[i]) == length && memcmp(compare_words[i], text, length) == 0) {
			compare = (enum rule_compare)i;
			text += length + strspn(text + length, " ");
			said = true;
			break;
		}
	if (!said)
		return bb_config_error(section->config, option,
				       "must say how to compare: below, above, outside or inside, such as below 40%%");
	level = add_level(section, severity, compare, text);
	return level ? parse_limit(section, option, text, point, level) : -ENOMEM;
}

/* below, above, outside, inside: exactly one of them, or is, or is-not, or levels. */
static int parse_comparison(struct rule_section *section, const struct rule_preset *preset,
			    const struct rule_point *point)
{
	const struct bb_config *config = section->config;
	const enum bb_severity severity = (enum bb_severity)bb_config_int(config, "severity");
	const char *warning = bb_config_string(config, "warning"), *alarm = bb_config_string(config, "alarm");
	const char *is = bb_config_string(config, "is"), *is_not = bb_config_string(config, "is-not");
	const char *single = NULL;
	int result = 0, ways = (is != NULL) + (is_not != NULL) + (warning || alarm);
	enum rule_compare compare = RULE_BELOW;

	for (size_t i = 0; i < COMPARES; i++)
		if (bb_config_is_set(config, compare_words[i])) {
			single = compare_words[i];
			compare = (enum rule_compare)i;
			ways++;
		}
	if (ways == 0 && preset) {
		warning = preset->warning;
		alarm = preset->alarm;
		ways += warning || alarm;
	}
	if (ways != 1)
		return bb_config_error(config, NULL,
				       "needs one of below, above, outside, inside, is, is-not, or warning and alarm%s",
				       ways > 1 ? ", not several" : "");
	if (single) {
		struct rule_level *level = add_level(section, severity, compare, bb_config_string(config, single));

		return level ? parse_limit(section, single, bb_config_string(config, single), point, level) : -ENOMEM;
	}
	if (is || is_not) {
		struct rule_level *level = &section->levels[section->level_count++];

		section->member = is ? is : is_not;
		*level = (struct rule_level){.severity = severity, .compare = is ? RULE_INSIDE : RULE_OUTSIDE};
		return asprintf(&level->text, is ? "is %s" : "is not %s", section->member) < 0 ? -ENOMEM : 0;
	}
	section->levelled = true;
	if (bb_config_is_set(config, "severity"))
		result = bb_config_error(config, "severity", "warning and alarm say it already");
	if (warning && result == 0)
		result = parse_level(section, "warning", warning, preset, BB_SEVERITY_WARNING, point);
	if (alarm && result == 0)
		result = parse_level(section, "alarm", alarm, preset, BB_SEVERITY_ALARM, point);
	return result;
}

static int parse_hysteresis(struct rule_section *section, const struct rule_preset *preset,
			    const struct rule_point *point)
{
	const char *text = bb_config_string(section->config, "hysteresis");
	struct option_fault fault;
	int r;

	if (!text && preset)
		text = preset->hysteresis;
	if (!text)
		return 0;
	if (section->member)
		return bb_config_error(section->config, "hysteresis", "only numbers have one");
	if (rule_quantity_parse(text, &section->hysteresis, &fault) < 0)
		return bb_config_error(section->config, "hysteresis", "%s", fault.text);
	if (section->hysteresis.micro < 0)
		return bb_config_error(section->config, "hysteresis", "must not be negative");
	section->has_hysteresis = true;
	r = check_quantity(section, "hysteresis", point, section->hysteresis);
	for (size_t i = 0; i < section->level_count && r == 0; i++) {
		const struct rule_level *level = &section->levels[i];

		if (level->compare == RULE_OUTSIDE && section->hysteresis.unit == level->low.unit &&
		    level->high.micro - level->low.micro < 2 * section->hysteresis.micro)
			r = bb_config_error(section->config, "hysteresis",
					    "is more than half of the range: nothing would be fine in it");
	}
	return r;
}

/* ---- names ---- */

static bool name_is_valid(const char *name)
{
	const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length >= 1 && length <= NAME_MAX_LENGTH && name[length] == '\0' && name[0] != '-';
}

/* A name for people who give none: "input.*.voltage" and a lower limit are input-voltage-low. */
static void make_name(char *name, size_t size, const struct rule_section *section)
{
	const struct rule_level *level = &section->levels[0];
	size_t length = 0;

	for (const char *part = section->point; *part;) {
		const size_t end = strcspn(part, ".");

		/* A part that is not plain is not the same for all points: it follows when a point is known. */
		for (size_t i = 0; i < end && strcspn(part, "*?[\\") >= end && length + 2 < size; i++) {
			if (i == 0 && length > 0)
				name[length++] = '-';
			name[length++] = isalnum((unsigned char)part[i]) ? (char)tolower((unsigned char)part[i]) : '-';
		}
		part += end + (part[end] == '.');
	}
	name[length] = '\0';
	if (section->member)
		(void)snprintf(name + length, size - length, "-%s%s", level->compare == RULE_INSIDE ? "" : "not-",
			       section->member); /* one that is cut is refused for its length */
	else
		(void)snprintf(name + length, size - length, "%s", compare_endings[level->compare]);
}

static int name_levels(struct rule_section *section, const struct rule_preset *preset)
{
	const char *said = bb_config_string(section->config, "name");
	const char *base = said;
	char made[2 * NAME_MAX_LENGTH];

	if (!base && preset) {
		base = preset->name;
	} else if (!base) {
		make_name(made, sizeof(made), section);
		base = made;
	}
	for (size_t i = 0; i < section->level_count; i++) {
		struct rule_level *level = &section->levels[i];

		if (asprintf(&level->name, "%s%s%s", base, section->levelled ? "-" : "",
			     section->levelled ? bb_severity_name(level->severity) : "") < 0) {
			level->name = NULL;
			return -ENOMEM;
		}
		if (!name_is_valid(level->name))
			return bb_config_error(section->config, said ? "name" : NULL,
					       "'%s' cannot be the name of an alarm: 1 to %d of a-z, 0-9 and '-'%s",
					       level->name, NAME_MAX_LENGTH, said ? "" : "; give it a name");
		if (bb_alarm_type_find(level->name))
			return bb_config_error(section->config, said ? "name" : NULL,
					       "there is an alarm %s already, which devices raise; take another name",
					       level->name);
	}
	return 0;
}

/* ---- gates ---- */

static bool is_name_of(const struct rule_section *section, const char *name)
{
	for (size_t i = 0; i < section->level_count; i++) {
		const size_t length = strlen(section->levels[i].name);

		if (strcmp(section->levels[i].name, name) == 0)
			return true;
		/* Of a glob, what matched follows; which that is, the device will say. */
		if (rule_is_glob(section->point) && strncmp(section->levels[i].name, name, length) == 0 &&
		    name[length] == '-')
			return true;
	}
	return false;
}

static int no_such_alarm(const struct rule_set *rules, const struct rule_section *section, const char *option,
			 const char *name)
{
	const struct bb_alarm_type *type;
	const char *suggestion, **names;
	size_t count = 0, types = 0;

	while (bb_alarm_type_row(types))
		types++;
	names = calloc(types + rules->count * RULE_LEVELS_MAX + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	while ((type = bb_alarm_type_row(count)))
		names[count++] = type->name;
	for (size_t i = 0; i < rules->count; i++)
		for (size_t j = 0; j < rules->sections[i].level_count; j++)
			names[count++] = rules->sections[i].levels[j].name;
	suggestion = bb_text_suggest(name, names);
	free(names);
	if (suggestion)
		return bb_config_error(section->config, option, "there is no alarm '%s', did you mean '%s'?", name,
				       suggestion);
	return bb_config_error(section->config, option,
			       "there is no alarm '%s', nor a rule of that name before this one (write alarm.%s when "
			       "the device has it)",
			       name, name);
}

static int parse_gate(const struct rule_set *rules, struct rule_section *section)
{
	static const char prefix[] = "alarm.";
	const struct bb_config *config = section->config;
	const bool not_while = bb_config_is_set(config, "not-while");
	const char *option = not_while ? "not-while" : "only-while";
	const char *name = bb_config_string(config, option);

	section->hold_off_ms = bb_config_int(config, "hold-off");
	if (not_while && bb_config_is_set(config, "only-while"))
		return bb_config_error(config, "only-while", "and not-while exclude each other");
	if (bb_config_is_set(config, "hold-off") && !not_while)
		return bb_config_error(config, "hold-off", "needs not-while");
	if (!name)
		return 0;
	section->gate = not_while ? RULE_NOT_WHILE : RULE_ONLY_WHILE;
	section->gate_alarm = name;
	if (strncmp(name, prefix, strlen(prefix)) == 0) {
		section->gate_alarm += strlen(prefix);
		return 0;
	}
	if (bb_alarm_type_find(name))
		return 0;
	for (size_t i = 0; i < rules->count; i++)
		if (is_name_of(&rules->sections[i], name))
			return 0;
	return no_such_alarm(rules, section, option, name);
}

/* ---- an entry ---- */

void rule_section_free(struct rule_section *section)
{
	for (size_t i = 0; i < RULE_LEVELS_MAX; i++) {
		free(section->levels[i].name);
		free(section->levels[i].text);
	}
	options_free(section->config);
}

static int check_section(const struct rule_set *rules, struct rule_section *section)
{
	const struct bb_config *config = section->config;
	const struct rule_preset *preset =
		bb_config_is_set(config, "preset") ? &rule_presets[bb_config_int(config, "preset")] : NULL;
	struct rule_point point;
	int r;

	section->device = bb_config_string(config, "device");
	section->point = bb_config_string(config, "point");
	section->other = bb_config_string(config, "difference-to");
	section->title = bb_config_string(config, "text");
	if (preset && !section->point) {
		section->point = preset->point;
		section->other = section->other ? section->other : preset->other;
		section->subject = rule_is_glob(preset->point) ? NULL : preset->title;
	}
	section->delay_ms = bb_config_int(config, "delay");
	section->clear_delay_ms = bb_config_int(config, "clear-delay");
	if (!section->point)
		return bb_config_error(config, NULL, "needs a point, or a preset");
	r = rule_point_check(section, &point);
	if (r == 0 && !bb_config_is_set(config, "is") && !bb_config_is_set(config, "is-not"))
		r = rule_point_check_number(section, &point);
	if (r == 0)
		r = parse_comparison(section, preset, &point);
	if (r == 0 && section->member)
		r = rule_point_check_member(section, &point);
	if (r == 0)
		r = parse_hysteresis(section, preset, &point);
	if (r == 0)
		r = name_levels(section, preset);
	return r == 0 ? parse_gate(rules, section) : r;
}

int rule_section_check(const struct rule_set *rules, const struct yaml_node *node, struct rule_section *ret_section)
{
	static const struct bb_option *const tables[] = {rule_options, NULL};
	struct rule_section section = {0};
	int r;

	if (node->kind != YAML_MAPPING)
		return yaml_error(node,
				  "%s: each entry must be a mapping such as { point: battery.charge, below: 40%% }, "
				  "not %s",
				  RULE_CONFIG_KEY, yaml_kind_name(node));
	r = options_parse(node, RULE_CONFIG_KEY, tables, &section.config);
	if (r < 0)
		return r;
	r = check_section(rules, &section);
	if (r < 0)
		rule_section_free(&section);
	else
		*ret_section = section;
	return r;
}
