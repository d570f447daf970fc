/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding rules to devices, see rule_plan.h.
 *
 * A rule may be for many devices and, with a glob, for many points of each; a plan holds one bound rule for every
 * alarm that can come of that, with the limits in the decimals of the point and the name of the alarm spelled out.
 * What the configuration could not check, because only the device knows it, is checked here: a rule whose unit does
 * not suit is left out with a warning rather than compared wrongly.
 */
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "reading.h"
#include "rule_config.h"
#include "rule_plan.h"
#include "rule_point.h"

/* What stands in front of every plan; behind it, since the plan ends with an array. */
struct header {
	_Alignas(max_align_t) atomic_uint references;
	struct rule_set *rules;
	struct generation *generation; /* whose points the plan names */
};

/* A plan under construction. */
struct builder {
	const struct bb_log *log;
	struct generation *generation;
	struct rule_bound *bounds;
	size_t count, room;
};

/* What of the alarms' identities a MIB can say of a rule that its user has named. */
static const char *identity_of(enum bb_severity severity)
{
	return bb_alarm_type_find(severity == BB_SEVERITY_ALARM ? "threshold-alarm" : "threshold-warning")->oid;
}

/* Append what tells @point from others that fit the glob: its parts where the glob is not plain, "L1" as "l1". */
static void append_match(FILE *stream, const char *glob, const char *point)
{
	size_t glob_parts = 1, point_parts = 1;

	for (const char *at = glob; *at; at++)
		glob_parts += *at == '.';
	for (const char *at = point; *at; at++)
		point_parts += *at == '.';
	while (*point) {
		const size_t glob_length = strcspn(glob, "."), length = strcspn(point, ".");
		const bool plain = glob_parts == point_parts && strcspn(glob, "*?[\\") >= glob_length;

		if (!plain) {
			(void)fputc('-', stream);
			for (size_t i = 0; i < length; i++)
				(void)fputc(isalnum((unsigned char)point[i]) ? tolower((unsigned char)point[i]) : '-',
					    stream);
		}
		point += length + (point[length] == '.');
		glob += glob_length + (glob[glob_length] == '.');
	}
}

/* Name and title of the alarm, both freed with the plan. */
static int name_alarm(struct rule_bound *bound, const struct rule_section *section, const struct rule_level *level)
{
	char *name = NULL, *title = NULL;
	size_t size;
	FILE *stream = open_memstream(&name, &size);
	int r;

	if (!stream)
		return -ENOMEM;
	(void)fputs(level->name, stream);
	if (rule_is_glob(section->point))
		append_match(stream, section->point, bound->point->name);
	r = fclose(stream) == 0 ? 0 : -ENOMEM;
	if (r == 0 && section->title)
		r = asprintf(&title, "%s", section->title);
	else if (r == 0 && section->subject)
		r = asprintf(&title, "%s %s", section->subject, level->text);
	else if (r == 0 && section->other)
		r = asprintf(&title, "difference of %s to %s %s", bound->point->name, section->other, level->text);
	else if (r == 0)
		r = asprintf(&title, "%s %s", bound->point->name, level->text);
	if (r < 0) {
		free(name);
		return -ENOMEM;
	}
	bound->type = (struct bb_alarm_type){
		.name = name,
		.title = title,
		.oid = identity_of(level->severity),
		.severity = level->severity,
		.bit = -1,
	};
	return 0;
}

/* Does the device, or a rule before, have an alarm of that name? Then its place in the alarm set. */
static int32_t find_alarm(const struct builder *builder, const char *name)
{
	const struct generation *generation = builder->generation;

	for (size_t i = 0; i < generation->alarm_count; i++)
		if (strcmp(generation->points[generation->alarms[i]]->alarm->name, name) == 0)
			return (int32_t)i;
	for (size_t i = 0; i < builder->count; i++)
		if (strcmp(builder->bounds[i].type.name, name) == 0)
			return (int32_t)(generation->alarm_count + i);
	return -1;
}

/* The limits in the decimals of the point. False: the unit does not suit. */
static bool scale_limits(struct rule_bound *bound, const struct rule_section *section, const struct rule_level *level)
{
	const struct bb_point *point = bound->point;

	if (!rule_point_is_number(point->kind) || level->low.unit != point->unit || level->high.unit != point->unit ||
	    (section->has_hysteresis && section->hysteresis.unit != point->unit))
		return false;
	bound->rule.low = rule_quantity_scale(level->low, point->decimals);
	bound->rule.high = rule_quantity_scale(level->high, point->decimals);
	bound->rule.hysteresis = rule_quantity_scale(section->hysteresis, point->decimals);
	return true;
}

/* is and is-not: the value, or the bit of a flag word, is inside or outside of one number. */
static bool scale_member(struct rule_bound *bound, const struct rule_section *section)
{
	int64_t value;

	if (!rule_point_member(bound->point, section->member, &value))
		return false;
	if (bound->point->kind == BB_KIND_FLAGS) {
		bound->bit = (int32_t)value;
		value = 1;
	}
	bound->rule.low = bound->rule.high = value;
	return true;
}

/* The other point of a difference. False: the device does not have it, or counts it in something else. */
static bool find_other(struct rule_bound *bound, const struct rule_section *section,
		       const struct generation *generation)
{
	bound->other = section->other ? generation_find(generation, section->other) : -1;
	if (!section->other)
		return true;
	return bound->other >= 0 && generation->points[bound->other]->unit == bound->point->unit &&
	       rule_point_is_number(generation->points[bound->other]->kind);
}

static int bind_level(struct builder *builder, const struct rule_section *section, const struct rule_level *level,
		      size_t place)
{
	const struct bb_point *point = builder->generation->points[place];
	struct rule_bound bound = {
		.rule = {.compare = level->compare,
			 .delay_ms = section->delay_ms,
			 .clear_delay_ms = section->clear_delay_ms,
			 .gate = section->gate,
			 .hold_off_ms = section->hold_off_ms},
		.point = point,
		.place = (uint32_t)place,
		.bit = -1,
		.gate = section->gate_alarm ? find_alarm(builder, section->gate_alarm) : -1,
	};
	int r;

	if (!find_other(&bound, section, builder->generation))
		return 0;
	if (section->member ? !scale_member(&bound, section) : !scale_limits(&bound, section, level)) {
		(void)bb_log_warning(builder->log, 0, "rule %s is not for %s (unit: '%s'), left out", level->name,
				     point->name, bb_unit_name(point->unit));
		return 0;
	}
	r = name_alarm(&bound, section, level);
	if (r < 0)
		return r;
	if (find_alarm(builder, bound.type.name) >= 0) {
		(void)bb_log_warning(builder->log, 0, "there is an alarm %s already, the rule of that name is left out",
				     bound.type.name);
		free((char *)(uintptr_t)bound.type.name);
		free((char *)(uintptr_t)bound.type.title);
		return 0;
	}
	builder->bounds[builder->count++] = bound;
	return 0;
}

static int bind_point(struct builder *builder, const struct rule_section *section, size_t place)
{
	if (builder->count + section->level_count > builder->room) {
		const size_t room = 2 * builder->room + 8;
		struct rule_bound *more = reallocarray(builder->bounds, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		builder->bounds = more;
		builder->room = room;
	}
	for (size_t i = 0; i < section->level_count; i++) {
		int r = bind_level(builder, section, &section->levels[i], place);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Points that a glob fits by the way, such as texts, are passed over; one that is named is looked at by bind_level(). */
static bool suits(const struct rule_section *section, const struct bb_point *point)
{
	if (!rule_fits(section->point, point->name))
		return false;
	if (section->member)
		return point->member_count > 0 || point->kind == BB_KIND_BOOL || point->kind == BB_KIND_ALARM;
	return rule_point_is_number(point->kind);
}

static int bind_section(struct builder *builder, const struct rule_section *section)
{
	const struct generation *generation = builder->generation;
	int place, r = 0;

	if (!rule_is_glob(section->point)) {
		place = generation_find(generation, section->point);
		return place >= 0 ? bind_point(builder, section, (size_t)place) : 0;
	}
	for (size_t i = 0; i < generation->count && r == 0; i++)
		if (suits(section, generation->points[i]))
			r = bind_point(builder, section, i);
	return r;
}

static void free_names(struct rule_bound *bounds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)bounds[i].type.name);
		free((char *)(uintptr_t)bounds[i].type.title);
	}
}

/* Pack what was bound; takes the names. */
static struct rule_plan *pack(const struct builder *builder, struct rule_set *rules)
{
	struct header *header =
		calloc(1, sizeof(*header) + sizeof(struct rule_plan) + builder->count * sizeof(struct rule_bound));
	struct rule_plan *plan = (struct rule_plan *)(header + 1);

	if (!header)
		return NULL;
	atomic_init(&header->references, 1);
	header->rules = rule_set_ref(rules);
	header->generation = generation_ref(builder->generation);
	plan->count = builder->count;
	memcpy(plan->bounds, builder->bounds, builder->count * sizeof(struct rule_bound));
	return plan;
}

int rule_plan_create(struct rule_set *rules, const char *device, struct generation *generation,
		     const struct bb_log *log, struct rule_plan **ret_plan)
{
	struct builder builder = {.log = log, .generation = generation};
	struct rule_plan *plan = NULL;
	int r = 0;

	for (size_t i = 0; rules && i < rules->count && r == 0; i++)
		if (rule_fits(rules->sections[i].device, device))
			r = bind_section(&builder, &rules->sections[i]);
	if (r == 0 && builder.count > 0) {
		plan = pack(&builder, rules);
		r = plan ? 0 : -ENOMEM;
	}
	if (r < 0)
		free_names(builder.bounds, builder.count);
	free(builder.bounds);
	if (r == 0)
		*ret_plan = plan;
	return r;
}

static struct header *header_of(struct rule_plan *plan)
{
	return (struct header *)plan - 1;
}

struct rule_plan *rule_plan_ref(struct rule_plan *plan)
{
	if (plan)
		atomic_fetch_add_explicit(&header_of(plan)->references, 1, memory_order_relaxed);
	return plan;
}

void rule_plan_unref(struct rule_plan *plan)
{
	if (!plan || atomic_fetch_sub_explicit(&header_of(plan)->references, 1, memory_order_acq_rel) != 1)
		return;
	free_names(plan->bounds, plan->count);
	rule_set_unref(header_of(plan)->rules);
	generation_unref(header_of(plan)->generation);
	free(header_of(plan));
}

/* ---- values ---- */

/* How far two numbers are apart; as far as can be said where that is more. */
static int64_t distance(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference) || difference == INT64_MIN)
		return INT64_MAX;
	return difference < 0 ? -difference : difference;
}

bool rule_bound_value(const struct rule_bound *bound, const struct bb_reading *reading, int64_t *ret_value)
{
	int64_t value;

	if (reading->qualities[bound->place] != BB_QUALITY_GOOD)
		return false;
	value = reading->values[bound->place];
	if (bound->bit >= 0)
		value = value >> bound->bit & 1;
	if (bound->other >= 0) {
		const unsigned decimals = reading->generation->points[bound->other]->decimals;

		if (reading->qualities[bound->other] != BB_QUALITY_GOOD)
			return false;
		value = distance(value,
				 bb_decimal_rescale(reading->values[bound->other], decimals, bound->point->decimals));
	}
	*ret_value = value;
	return true;
}

bool rule_plan_crossed(const struct rule_plan *plan, const struct bb_reading *before, const struct bb_reading *after)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct rule_bound *bound = &plan->bounds[i];
		int64_t was, is;
		const bool knew = rule_bound_value(bound, before, &was), knows = rule_bound_value(bound, after, &is);

		if (knew != knows || (knows && rule_region(&bound->rule, was) != rule_region(&bound->rule, is)))
			return true;
	}
	return false;
}
