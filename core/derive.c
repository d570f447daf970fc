/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules by which one point follows from others.
 *
 * A management card has a status word, an RFC 1628 agent has an alarm table and an output source, NUT has tokens:
 * each says "on battery" in its own way, and every output wants all of them. The table below says once how they
 * follow from one another. Two things keep it from running in circles: a delivered value always wins, and a rule
 * sees only points that are delivered or that an earlier row of the table derives. So alarms come first, from what
 * the device delivers; all others follow from alarms.
 *
 * A rule is a list of conditions on other points. Which of them a device has is found out once for a generation;
 * filling a reading then only goes over indexes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "derive.h"
#include "derive_battery.h"
#include "draft.h"
#include "reading.h"
#include "text.h"

#define CONDITIONS_MAX 16

/* Values of the dictionary's enumerations, and bits of the status word, as rules below name them. */
enum {
	SOURCE_NONE = 2,
	SOURCE_NORMAL,
	SOURCE_BYPASS,
	SOURCE_BATTERY,
	SOURCE_BOOSTER,
	SOURCE_REDUCER,
	BATTERY_UNKNOWN = 1,
	BATTERY_NORMAL,
	BATTERY_LOW,
	BATTERY_DEPLETED,
	CONDITION_REPLACE = 2,
	TEST_ID_DEEP = 5,
	TEST_IN_PROGRESS = 5,
	WORD_BYPASS = 0,
	WORD_SHUTDOWN = 1,
	WORD_OUTPUT = 2,
	WORD_BATTERY = 3,
	WORD_BATTERY_LOW = 4,
	WORD_TEMPERATURE = 5,
	WORD_TEST = 6,
	WORD_OVERLOAD = 8,
	WORD_INVERTER = 9,
	WORD_BATTERY_BAD = 10,
	WORD_FAILED = 13,
	WORD_LOST = 14,
};

/* How a condition looks at its input. */
enum test {
	TEST_END,    /* behind the last condition */
	TEST_ONE_OF, /* the value is one of the bits of the mask */
	TEST_BIT,    /* that bit of the value is set */
	TEST_ABOVE,  /* the value is greater */
	TEST_KNOWN,  /* there is a good value */
	TEST_TOKEN,  /* the text has that word */
	TEST_ELSE,   /* always */
};

struct condition {
	const char *input;
	enum test test;
	int64_t argument;
	int64_t then;      /* what follows: a value or a bit */
	const char *token; /* TEST_TOKEN: the word looked for; in ups.status: the word that follows */
	bool with_next;    /* holds only if the next one does, which has no meaning of its own */
};

/* What a rule makes of its conditions. */
enum combine {
	COMBINE_ANY,    /* 1 when one holds, else 0 */
	COMBINE_NONE,   /* 0 when one holds, else 1 */
	COMBINE_FIRST,  /* what the first that holds says */
	COMBINE_BITS,   /* the bits of all that hold */
	COMBINE_TOKENS, /* the words of all that hold */
	COMBINE_COUNT,  /* how many alarms are active */
};

struct rule {
	const char *target;
	enum combine combine;
	unsigned keys; /* a device must have one of so many first inputs, 0: of all; the reading must know one */
	bool always;   /* every device has the target; what is not known is 0 */
	struct condition conditions[CONDITIONS_MAX];
};

#define MASK(value)         (INT64_C(1) << (value))
#define ACTIVE(alarm)       .input = "alarm." alarm, .test = TEST_ONE_OF, .argument = MASK(1)
#define INACTIVE(alarm)     .input = "alarm." alarm, .test = TEST_ONE_OF, .argument = MASK(0)
#define ONE_OF(point, mask) .input = point, .test = TEST_ONE_OF, .argument = (mask)
#define WORD(bit)           .input = "ups.status.word", .test = TEST_BIT, .argument = (bit)
#define STATUS(word)        .input = "ups.status", .test = TEST_TOKEN, .token = (word)
#define SOURCE_SUPPLIES_MASK                                                                                           \
	(MASK(SOURCE_NORMAL) | MASK(SOURCE_BYPASS) | MASK(SOURCE_BATTERY) | MASK(SOURCE_BOOSTER) | MASK(SOURCE_REDUCER))

/* clang-format off */
static const struct rule rules[] = {
	{ "alarm.on-battery", COMBINE_ANY, .conditions = {
		{ ONE_OF("output.source", MASK(SOURCE_BATTERY)) }, { WORD(WORD_BATTERY) } } },
	{ "alarm.on-bypass", COMBINE_ANY, .conditions = {
		{ ONE_OF("output.source", MASK(SOURCE_BYPASS)) }, { WORD(WORD_BYPASS) } } },
	{ "alarm.low-battery", COMBINE_ANY, .conditions = {
		{ ONE_OF("battery.status", MASK(BATTERY_LOW) | MASK(BATTERY_DEPLETED)) }, { WORD(WORD_BATTERY_LOW) } } },
	{ "alarm.depleted-battery", COMBINE_ANY, .conditions = {
		{ ONE_OF("battery.status", MASK(BATTERY_DEPLETED)) } } },
	{ "alarm.temp-bad", COMBINE_ANY, .conditions = { { WORD(WORD_TEMPERATURE) } } },
	{ "alarm.test-in-progress", COMBINE_ANY, .conditions = {
		{ WORD(WORD_TEST) }, { ONE_OF("ups.test.result", MASK(TEST_IN_PROGRESS)) } } },
	{ "alarm.output-overload", COMBINE_ANY, .conditions = { { WORD(WORD_OVERLOAD) }, { STATUS("OVER") } } },
	{ "alarm.battery-bad", COMBINE_ANY, .conditions = {
		{ WORD(WORD_BATTERY_BAD) }, { ONE_OF("battery.condition", MASK(CONDITION_REPLACE)) },
		{ STATUS("RB") } } },
	{ "alarm.general-fault", COMBINE_ANY, .conditions = { { WORD(WORD_FAILED) }, { WORD(WORD_INVERTER) } } },
	{ "alarm.communications-lost", COMBINE_ANY, .always = true, .conditions = { { WORD(WORD_LOST) } } },

	{ "output.source", COMBINE_FIRST, .keys = 1, .conditions = {
		{ ACTIVE("on-battery"), .then = SOURCE_BATTERY }, { ACTIVE("on-bypass"), .then = SOURCE_BYPASS },
		{ ACTIVE("ups-output-off"), .then = SOURCE_NONE }, { ACTIVE("ups-system-off"), .then = SOURCE_NONE },
		{ .test = TEST_ELSE, .then = SOURCE_NORMAL } } },
	{ "battery.status", COMBINE_FIRST, .keys = 3, .conditions = {
		{ ACTIVE("depleted-battery"), .then = BATTERY_DEPLETED }, { ACTIVE("low-battery"), .then = BATTERY_LOW },
		{ .input = "battery.charge", .test = TEST_KNOWN, .then = BATTERY_NORMAL },
		{ .test = TEST_ELSE, .then = BATTERY_UNKNOWN } } },
	{ "ups.status.word", COMBINE_BITS, .keys = 2, .conditions = {
		{ ACTIVE("on-battery"), .then = WORD_BATTERY },
		{ ONE_OF("output.source", SOURCE_SUPPLIES_MASK), .then = WORD_OUTPUT },
		{ ACTIVE("on-bypass"), .then = WORD_BYPASS }, { ACTIVE("low-battery"), .then = WORD_BATTERY_LOW },
		{ ACTIVE("temp-bad"), .then = WORD_TEMPERATURE }, { ACTIVE("test-in-progress"), .then = WORD_TEST },
		{ ACTIVE("output-overload"), .then = WORD_OVERLOAD }, { ACTIVE("battery-bad"), .then = WORD_BATTERY_BAD },
		{ ACTIVE("general-fault"), .then = WORD_FAILED }, { ACTIVE("communications-lost"), .then = WORD_LOST },
		{ ACTIVE("shutdown-imminent"), .then = WORD_SHUTDOWN },
		{ ACTIVE("shutdown-pending"), .then = WORD_SHUTDOWN } } },
	{ "ups.normal", COMBINE_NONE, .keys = 1, .conditions = {
		{ ACTIVE("on-battery") }, { ACTIVE("on-bypass") }, { ACTIVE("ups-output-off") },
		{ ACTIVE("ups-system-off") } } },
	{ "alarm.count", COMBINE_COUNT, .always = true },
	{ "ups.status", COMBINE_TOKENS, .keys = 1, .conditions = {
		{ INACTIVE("on-battery"), .token = "OL" }, { ACTIVE("on-battery"), .token = "OB" },
		{ ACTIVE("low-battery"), .token = "LB" }, { ACTIVE("battery-bad"), .token = "RB" },
		{ ACTIVE("on-bypass"), .token = "BYPASS" }, { ACTIVE("output-overload"), .token = "OVER" },
		{ ACTIVE("ups-output-off"), .token = "OFF" }, { ACTIVE("status-charging"), .token = "CHRG" },
		{ ACTIVE("status-discharging"), .token = "DISCHRG" },
		{ ONE_OF("ups.test.id", MASK(TEST_ID_DEEP)), .token = "CAL", .with_next = true },
		{ ACTIVE("test-in-progress") },
		{ ONE_OF("output.source", MASK(SOURCE_BOOSTER)), .token = "BOOST" },
		{ ONE_OF("output.source", MASK(SOURCE_REDUCER)), .token = "TRIM" },
		{ .input = "alarm.count", .test = TEST_ABOVE, .argument = 0, .token = "ALARM" } } },
};
/* clang-format on */

#define RULE_COUNT BB_LENGTH(rules)

/* One rule of one generation. */
struct step {
	const struct rule *rule;
	uint32_t target;
	int32_t inputs[CONDITIONS_MAX]; /* places, −1: the device does not have it */
};

struct derive_plan {
	struct battery_plan battery;
	int32_t lost; /* place of alarm.communications-lost */
	int32_t word; /* place of the status word, which may be the device's own; negative: none */
	size_t count;
	struct step steps[RULE_COUNT];
};

/* ---- once for a generation ---- */

static bool step_bind(const struct draft *draft, const struct rule *rule, struct step *step)
{
	bool there = rule->always;

	step->rule = rule;
	for (unsigned i = 0; i < CONDITIONS_MAX && rule->conditions[i].test != TEST_END; i++) {
		const char *input = rule->conditions[i].input;
		const int place = input ? draft_find(draft, input) : -1;

		step->inputs[i] = place < 0 ? -1 : place;
		there |= place >= 0 && (rule->keys == 0 || i < rule->keys);
	}
	return there;
}

int derive_extend(struct draft *draft, const struct battery_settings *battery, struct derive_plan **ret_plan)
{
	struct derive_plan *plan = calloc(1, sizeof(*plan)), *smaller;
	int r;

	if (!plan)
		return -ENOMEM;
	r = battery_extend(draft, battery, &plan->battery);
	if (r < 0) {
		free(plan);
		return r;
	}
	for (size_t i = 0; i < RULE_COUNT; i++) {
		struct step *step = &plan->steps[plan->count];
		int place;

		if (draft_find(draft, rules[i].target) >= 0 || !step_bind(draft, &rules[i], step))
			continue;
		place = draft_add_derived(draft, rules[i].target);
		if (place < 0) {
			free(plan);
			return place;
		}
		step->target = (uint32_t)place;
		plan->count++;
	}
	plan->lost = draft_find(draft, "alarm.communications-lost");
	plan->word = draft_find(draft, "ups.status.word");
	smaller = realloc(plan, offsetof(struct derive_plan, steps) + plan->count * sizeof(struct step));
	*ret_plan = smaller ? smaller : plan;
	return 0;
}

void derive_plan_free(struct derive_plan *plan)
{
	free(plan);
}

/* ---- for every reading ---- */

static bool is_known(const struct bb_reading *reading, int32_t input)
{
	return input >= 0 && reading->qualities[input] == BB_QUALITY_GOOD;
}

static bool holds(const struct condition *condition, int32_t input, const struct bb_reading *reading)
{
	int64_t value;

	if (condition->test == TEST_ELSE)
		return true;
	if (!is_known(reading, input))
		return false;
	value = reading->values[input];
	switch (condition->test) {
	case TEST_ONE_OF:
		return value >= 0 && value < 63 && (condition->argument >> value & 1) != 0;
	case TEST_BIT:
		return (value >> condition->argument & 1) != 0;
	case TEST_ABOVE:
		return value > condition->argument;
	case TEST_TOKEN:
		return text_has_word(bb_reading_text(reading, (size_t)input), condition->token,
				     strlen(condition->token));
	default:
		return true; /* TEST_KNOWN */
	}
}

/* Does the reading know one of the inputs without which the rule says nothing? */
static bool step_is_decided(const struct step *step, const struct bb_reading *reading)
{
	const unsigned keys = step->rule->keys != 0 ? step->rule->keys : CONDITIONS_MAX;

	if (step->rule->always)
		return true;
	for (unsigned i = 0; i < keys && step->rule->conditions[i].test != TEST_END; i++)
		if (is_known(reading, step->inputs[i]))
			return true;
	return false;
}

static int64_t count_alarms(const struct bb_reading *reading)
{
	const struct generation *generation = reading->generation;
	int64_t count = 0;

	for (size_t i = 0; i < generation->alarm_count; i++) {
		const size_t place = generation->alarms[i];

		count += reading->qualities[place] == BB_QUALITY_GOOD && reading->values[place] != 0;
	}
	return count;
}

/* The words of all conditions that hold, with blanks between them. */
static void fill_tokens(const struct step *step, struct bb_reading *reading)
{
	char text[128] = ""; /* longer than all words of the table together */
	char *end = text;

	for (unsigned i = 0; i < CONDITIONS_MAX && step->rule->conditions[i].test != TEST_END; i++) {
		const struct condition *condition = &step->rule->conditions[i];
		bool held = holds(condition, step->inputs[i], reading);

		if (condition->with_next) {
			i++;
			held = held && holds(&step->rule->conditions[i], step->inputs[i], reading);
		}
		if (!held)
			continue;
		if (end != text)
			*end++ = ' ';
		end = stpcpy(end, condition->token);
	}
	/* Without memory the quality says so. */
	(void)bb_reading_set_text(reading, step->target, text, (size_t)(end - text));
}

static int64_t combine(const struct step *step, const struct bb_reading *reading)
{
	const enum combine how = step->rule->combine;
	int64_t bits = 0;

	if (how == COMBINE_COUNT)
		return count_alarms(reading);
	for (unsigned i = 0; i < CONDITIONS_MAX && step->rule->conditions[i].test != TEST_END; i++) {
		const struct condition *condition = &step->rule->conditions[i];

		if (!holds(condition, step->inputs[i], reading))
			continue;
		if (how == COMBINE_ANY || how == COMBINE_NONE)
			return how == COMBINE_ANY;
		if (how == COMBINE_FIRST)
			return condition->then;
		bits |= MASK(condition->then);
	}
	return how == COMBINE_NONE ? 1 : bits;
}

void derive_fill(const struct derive_plan *plan, struct bb_reading *reading, bool lost)
{
	if (lost) {
		reading_put(reading, (size_t)plan->lost, 1);
		if (is_known(reading, plan->word)) /* one of the device's own cannot say this by itself */
			reading_put(reading, (size_t)plan->word, reading->values[plan->word] | MASK(WORD_LOST));
	} else {
		battery_fill(&plan->battery, reading);
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (lost && step->target == (uint32_t)plan->lost)
			continue;
		if (!step_is_decided(step, reading))
			reading->qualities[step->target] = BB_QUALITY_UNKNOWN;
		else if (step->rule->combine == COMBINE_TOKENS)
			fill_tokens(step, reading);
		else
			reading_put(reading, step->target, combine(step, reading));
	}
}
