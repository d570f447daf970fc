/* SPDX-License-Identifier: Apache-2.0
 *
 * Alarm types and sets of alarms.
 *
 * The types are made from config/alarms.csv and never change. A set says of one device which of its alarms are
 * active; readers hold it while the monitor makes the next one, so it is immutable and counted. The counter stands in
 * front of the set, since the set itself is a public struct whose array has to come last.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "alarm.h"
#include "generation.h"
#include "rule_plan.h"
#include "tables.h"

/* What stands in front of every set. */
struct header {
	_Alignas(max_align_t) atomic_uint references;
	struct generation *owner;
	struct rule_plan *plan;
};

const char *bb_severity_name(enum bb_severity severity)
{
	static const char *const names[] = {"info", "warning", "alarm"};

	return (size_t)severity < BB_LENGTH(names) ? names[severity] : "alarm";
}

static int compare_with_name(const void *name, const void *index)
{
	return strcmp(name, alarm_types[*(const uint16_t *)index].name);
}

static int compare_with_oid(const void *oid, const void *index)
{
	return strcmp(oid, alarm_types[*(const uint16_t *)index].oid);
}

const struct bb_alarm_type *bb_alarm_type_find(const char *name)
{
	static const char prefix[] = "alarm.";
	const uint16_t *index;

	if (strncmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	index = bsearch(name, alarm_types_by_name, alarm_type_count, sizeof(alarm_types_by_name[0]), compare_with_name);
	return index ? &alarm_types[*index] : NULL;
}

const struct bb_alarm_type *bb_alarm_type_find_oid(const char *oid)
{
	const uint16_t *index =
		bsearch(oid, alarm_types_by_oid, alarm_oid_count, sizeof(alarm_types_by_oid[0]), compare_with_oid);

	return index ? &alarm_types[*index] : NULL;
}

const struct bb_alarm_type *bb_alarm_type_row(size_t index)
{
	return index < alarm_type_count ? &alarm_types[index] : NULL;
}

static struct header *header_of(const struct bb_alarm_set *set)
{
	return (struct header *)(uintptr_t)set - 1;
}

struct bb_alarm_set *alarm_set_create(size_t count, struct generation *owner)
{
	struct header *header =
		calloc(1, sizeof(*header) + sizeof(struct bb_alarm_set) + count * sizeof(struct bb_alarm));
	struct bb_alarm_set *set = (struct bb_alarm_set *)(header + 1);

	if (!header)
		return NULL;
	atomic_init(&header->references, 1);
	header->owner = owner ? generation_ref(owner) : NULL;
	set->count = count;
	return set;
}

void alarm_set_attach(struct bb_alarm_set *set, struct rule_plan *plan)
{
	header_of(set)->plan = rule_plan_ref(plan);
}

struct rule_plan *alarm_set_plan(const struct bb_alarm_set *set)
{
	return header_of(set)->plan;
}

bool alarm_set_alike(const struct bb_alarm_set *a, const struct bb_alarm_set *b)
{
	return header_of(a)->owner == header_of(b)->owner && header_of(a)->plan == header_of(b)->plan;
}

struct bb_alarm_set *alarm_set_copy(const struct bb_alarm_set *set)
{
	struct bb_alarm_set *copy = alarm_set_create(set->count, header_of(set)->owner);

	if (!copy)
		return NULL;
	alarm_set_attach(copy, header_of(set)->plan);
	copy->active = set->active;
	memcpy(copy->alarms, set->alarms, set->count * sizeof(set->alarms[0]));
	return copy;
}

void alarm_set_seal(struct bb_alarm_set *set)
{
	set->active = 0;
	for (size_t i = 0; i < set->count; i++)
		set->active += set->alarms[i].active;
}

int alarm_set_find(const struct bb_alarm_set *set, const struct bb_alarm_type *type)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->alarms[i].type == type || strcmp(set->alarms[i].type->name, type->name) == 0)
			return (int)i;
	return -1;
}

struct bb_alarm_set *bb_alarm_set_ref(struct bb_alarm_set *set)
{
	atomic_fetch_add_explicit(&header_of(set)->references, 1, memory_order_relaxed);
	return set;
}

void bb_alarm_set_unref(struct bb_alarm_set *set)
{
	struct header *header;

	if (!set)
		return;
	header = header_of(set);
	if (atomic_fetch_sub_explicit(&header->references, 1, memory_order_acq_rel) != 1)
		return;
	rule_plan_unref(header->plan);
	generation_unref(header->owner);
	free(header);
}

bool bb_alarm_set_worst(const struct bb_alarm_set *set, enum bb_severity *ret_severity)
{
	enum bb_severity worst = BB_SEVERITY_INFO;

	if (set->active == 0)
		return false;
	for (size_t i = 0; i < set->count; i++)
		if (set->alarms[i].active && set->alarms[i].type->severity > worst)
			worst = set->alarms[i].type->severity;
	*ret_severity = worst;
	return true;
}
