/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c - makes the plan of a page, see plan.h.
 *
 * In three steps: every series-to-be of every device becomes a draft, device by device, as the registry gives them;
 * the drafts are sorted by family, since a family must be written in one piece; then each draft becomes one or, for
 * enumerations and flags, several entries with their text. Sorting is by counting, which keeps devices and points
 * in order.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/log.h>

const char *const plan_info_labels[PLAN_INFO_LABELS] = {"mfr", "model", "serial", "firmware"};
static const char *const info_points[PLAN_INFO_LABELS] = {"device.mfr", "device.model", "device.serial",
							  "ups.firmware"};

const char *const plan_link_families[2] = {"busbar_link_polls_total", "busbar_link_poll_errors_total"};
static const char *const link_help[2] = {"Polls of all devices on the link.",
					 "Polls on the link that got no answer, or one without sense."};

static const struct {
	const char *name;
	unsigned decimals;
	const char *help;
} own_families[PLAN_OWN_COUNT] = {
	[PLAN_OWN_UP] = {"busbar_device_up", 0, "1 while the last good reading of the device is fresh."},
	[PLAN_OWN_AGE] = {"busbar_device_reading_age_seconds", 3, "Age of the newest good reading."},
	[PLAN_OWN_DURATION] = {"busbar_device_poll_duration_seconds", 6, "How long the last successful poll took."},
	[PLAN_OWN_POLLS] = {"busbar_device_polls_total", 0, "Polls of the device."},
	[PLAN_OWN_ERRORS] = {"busbar_device_poll_errors_total", 0, "Polls that got no answer, or one without sense."},
	[PLAN_OWN_BAD] = {"busbar_device_bad_values_total", 0, "Values the device sent that cannot be."},
};

/* A series, or several that differ in their member only. */
struct draft {
	uint32_t family;
	uint32_t device; /* device_count stands for the agent */
	uint32_t index;
	uint32_t source; /* enum plan_source */
};

struct maker {
	const struct facts *facts;
	struct plan *plan;
	struct families families;
	struct draft *drafts;
	size_t draft_count, draft_capacity;
	size_t entry_capacity;
	struct buffer labels; /* of the draft at hand */
	uint32_t *seen;       /* hashes of the labels of one family and device */
	size_t seen_count, seen_capacity;
};

static int add_draft(struct maker *maker, int family, size_t device, enum plan_source source, size_t index)
{
	if (family < 0)
		return family;
	if (maker->draft_count == maker->draft_capacity) {
		const size_t capacity = maker->draft_capacity ? 2 * maker->draft_capacity : 1024;
		struct draft *drafts = reallocarray(maker->drafts, capacity, sizeof(*drafts));

		if (!drafts)
			return -ENOMEM;
		maker->drafts = drafts;
		maker->draft_capacity = capacity;
	}
	maker->families.list[family].drafts++;
	maker->drafts[maker->draft_count++] = (struct draft){
		.family = (uint32_t)family,
		.device = (uint32_t)device,
		.index = (uint32_t)index,
		.source = source,
	};
	return 0;
}

/* Where the value of a point is taken from, or PLAN_SOURCES when it is not exported. */
static enum plan_source point_source(const struct bb_reading *reading, size_t index)
{
	const struct bb_point *point = bb_reading_point(reading, index);

	if (!point->metric)
		return PLAN_SOURCES;
	switch (point->kind) {
	case BB_KIND_ALARM:
		if (point->alarm)
			return PLAN_SOURCES; /* it is in the alarm set */
		break;
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
	case BB_KIND_ENUM:
	case BB_KIND_FLAGS:
	case BB_KIND_BOOL:
	case BB_KIND_TIMESTAMP:
		break;
	case BB_KIND_UNSET:
	case BB_KIND_STRING: /* only labels of busbar_device_info are texts */
	case BB_KIND_COMMAND:
		return PLAN_SOURCES;
	}
	if (point->keep)
		return PLAN_KEEP;
	return bb_reading_group(reading, index) == BB_GROUP_URGENT ? PLAN_DROP_URGENT : PLAN_DROP_REST;
}

static int draft_points(struct maker *maker, size_t device)
{
	struct bb_reading *reading = maker->facts->devices[device].snapshot.reading;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);
		const enum plan_source source = point_source(reading, i);

		if (source == PLAN_SOURCES)
			continue;
		r = add_draft(maker,
			      families_find(&maker->families, point->metric, *point->help ? point->help : point->name),
			      device, source, i);
	}
	return r;
}

static int draft_device(struct maker *maker, size_t device, int first_own, int alarms)
{
	const struct facts_device *facts = &maker->facts->devices[device];
	struct plan_device *planned = &maker->plan->devices[device];
	const struct bb_alarm_set *set = facts->snapshot.alarms;
	struct bb_reading *reading = facts->snapshot.reading;
	int r = 0;

	for (int i = 0; r >= 0 && i < PLAN_OWN_COUNT; i++)
		r = add_draft(maker, first_own + i, device, PLAN_OWN, (size_t)i);
	for (size_t i = 0; r >= 0 && set && i < set->count; i++) {
		/* Of a device that never answered only this much is known. */
		if (reading || !strcmp(set->alarms[i].type->name, "communications-lost"))
			r = add_draft(maker, alarms, device, PLAN_ALARMS, i);
	}

	planned->generation = reading ? bb_reading_generation(reading) : 0;
	planned->alarms = set ? set->count : 0;
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++)
		planned->info[i] = reading ? bb_reading_find(reading, info_points[i]) : -ENOENT;
	if (r >= 0 && reading)
		r = draft_points(maker, device);
	return r;
}

static int draft_all(struct maker *maker)
{
	const struct facts *facts = maker->facts;
	struct families *families = &maker->families;
	const struct bb_alarm_set *agent = facts->agent_alarms;
	int r, first_own = 0, alarms, agent_alarms;

	r = add_draft(maker, families_find(families, "busbar_build_info", "1, and what the running agent is."),
		      facts->device_count, PLAN_OWN, 0);
	for (int i = 0; i < PLAN_OWN_COUNT; i++) {
		const int place = families_find(families, own_families[i].name, own_families[i].help);

		first_own = i ? first_own : place;
		r = place < 0 ? place : r;
	}
	alarms = families_find(families, "busbar_alarm_active", "1 while the alarm is active.");
	agent_alarms =
		families_find(families, "busbar_agent_alarm_active", "1 while the alarm of the agent is active.");
	if (r >= 0)
		r = families_add_dictionary(families);
	for (size_t i = 0; r >= 0 && agent && i < agent->count; i++)
		r = add_draft(maker, agent_alarms, facts->device_count, PLAN_ALARMS, i);
	maker->plan->devices[facts->device_count].alarms = agent ? agent->count : 0;
	for (size_t i = 0; r >= 0 && i < facts->device_count; i++)
		r = draft_device(maker, i, first_own, alarms);
	return r;
}

/* Sort by family: counting, so that what is equal stays in order. */
static int sort_drafts(struct maker *maker)
{
	struct draft *sorted = reallocarray(NULL, maker->draft_count, sizeof(*sorted));
	size_t *next = reallocarray(NULL, maker->families.count, sizeof(*next));
	size_t sum = 0;

	if (!sorted || !next) {
		free(sorted);
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < maker->families.count; i++) {
		next[i] = sum;
		sum += maker->families.list[i].drafts;
	}
	for (size_t i = 0; i < maker->draft_count; i++)
		sorted[next[maker->drafts[i].family]++] = maker->drafts[i];
	free(next);
	free(maker->drafts);
	maker->drafts = sorted;
	return 0;
}

/* One series: the text before its number goes to the arena. @member may be NULL. */
static int add_entry(struct maker *maker, const struct draft *draft, const char *member_label, const char *member,
		     struct plan_entry entry)
{
	struct plan *plan = maker->plan;
	struct buffer *arena = &plan->prefixes;
	const size_t begin = arena->length;

	buffer_add_text(arena, maker->families.list[draft->family].name);
	if (maker->labels.length || member) {
		buffer_add_text(arena, "{");
		buffer_add(arena, maker->labels.data, maker->labels.length);
		if (member) {
			if (maker->labels.length)
				buffer_add_text(arena, ",");
			buffer_add_label(arena, member_label, member);
		}
		buffer_add_text(arena, "}");
	}
	buffer_add_text(arena, " ");
	if (arena->length - begin > UINT16_MAX) {
		bb_log_warning(NULL, 0, "prometheus: a series of %s is left out: its labels are too long",
			       maker->families.list[draft->family].name);
		arena->length = begin;
		return 0;
	}

	if (plan->entry_count == maker->entry_capacity) {
		const size_t capacity = maker->entry_capacity ? 2 * maker->entry_capacity : 1024;
		struct plan_entry *entries = reallocarray(plan->entries, capacity, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		plan->entries = entries;
		maker->entry_capacity = capacity;
	}
	entry.source = draft->device * PLAN_SOURCES + draft->source;
	entry.index = draft->index;
	entry.prefix = (uint16_t)(arena->length - begin);
	plan->entries[plan->entry_count++] = entry;
	return arena->failed ? -ENOMEM : 0;
}

/*
 * Two points of a device with the same family and labels would be one series with two values. That is a mistake of the
 * plugin that forgot a label; its points are told apart by name then.
 */
static int tell_apart(struct maker *maker, const struct bb_point *point)
{
	uint32_t sum = 2166136261U;

	for (size_t i = 0; i < maker->labels.length; i++)
		sum = (sum ^ (uint8_t)maker->labels.data[i]) * 16777619U;
	for (size_t i = 0; i < maker->seen_count; i++) {
		if (maker->seen[i] == sum) {
			buffer_add_text(&maker->labels, ",");
			buffer_add_label(&maker->labels, "point", point->name);
			return 0;
		}
	}
	if (maker->seen_count == maker->seen_capacity) {
		const size_t capacity = maker->seen_capacity ? 2 * maker->seen_capacity : 64;
		uint32_t *seen = reallocarray(maker->seen, capacity, sizeof(*seen));

		if (!seen)
			return -ENOMEM;
		maker->seen = seen;
		maker->seen_capacity = capacity;
	}
	maker->seen[maker->seen_count++] = sum;
	return 0;
}

static int add_members(struct maker *maker, const struct draft *draft, const struct bb_point *point)
{
	const bool flags = point->kind == BB_KIND_FLAGS;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < point->member_count; i++) {
		const struct bb_member *member = &point->members[i];
		const struct plan_entry entry = {.kind = flags ? PLAN_BIT : PLAN_MEMBER, .argument = member->value};

		if (flags && (member->value < 0 || member->value > 63))
			continue;
		r = add_entry(maker, draft, point->member_label, member->name, entry);
	}
	return r;
}

static int add_point(struct maker *maker, const struct draft *draft)
{
	const struct bb_point *point =
		bb_reading_point(maker->facts->devices[draft->device].snapshot.reading, draft->index);
	struct plan_entry entry = {.kind = PLAN_NUMBER};
	unsigned more = 0;

	if (*point->labels) {
		buffer_add_text(&maker->labels, ",");
		buffer_add_text(&maker->labels, point->labels);
	}
	const int r = tell_apart(maker, point);

	if (r < 0)
		return r;
	if (point->member_label && point->member_count && (point->kind == BB_KIND_ENUM || point->kind == BB_KIND_FLAGS))
		return add_members(maker, draft, point);

	if (point->kind == BB_KIND_NUMBER || point->kind == BB_KIND_COUNTER) {
		int64_t multiplier;

		bb_unit_base(point->unit, &multiplier, &more);
		more += point->decimals;
		for (; more && multiplier % 10 == 0; more--)
			multiplier /= 10;
		if (multiplier != 1)
			entry.kind = PLAN_SCALED;
		entry.argument = multiplier;
	} else if (point->kind == BB_KIND_TIMESTAMP) {
		more = 3; /* it is counted in ms */
	}
	entry.decimals = (uint8_t)more;
	return add_entry(maker, draft, NULL, NULL, entry);
}

/* The entries of a draft. */
static int add_entries(struct maker *maker, const struct draft *draft)
{
	const struct facts *facts = maker->facts;
	const bool agent = draft->device == facts->device_count;
	struct plan_entry entry = {.kind = PLAN_NUMBER};

	buffer_reset(&maker->labels);
	if (!agent)
		buffer_add_label(&maker->labels, "device", facts->devices[draft->device].name);
	if (draft->source == PLAN_ALARMS) {
		const struct bb_alarm_set *set =
			agent ? facts->agent_alarms : facts->devices[draft->device].snapshot.alarms;

		return add_entry(maker, draft, "alarm", set->alarms[draft->index].type->name, entry);
	}
	if (draft->source != PLAN_OWN)
		return add_point(maker, draft);
	if (agent)
		return add_entry(maker, draft, "version", facts->agent_version, entry);
	entry.decimals = (uint8_t)own_families[draft->index].decimals;
	return add_entry(maker, draft, NULL, NULL, entry);
}

static void add_header(struct plan *plan, const char *name, const char *help, struct plan_header *ret_header)
{
	for (enum page_format format = 0; format < PAGE_FORMAT_COUNT; format++) {
		ret_header->offset[format] = plan->headers.length;
		families_header(&plan->headers, name, help, format);
		ret_header->length[format] = plan->headers.length - ret_header->offset[format];
	}
}

static int write_families(struct maker *maker)
{
	struct plan *plan = maker->plan;
	const struct draft *draft = maker->drafts;
	int r = 0;

	plan->families = calloc(maker->families.count, sizeof(*plan->families));
	if (!plan->families)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < maker->families.count; i++) {
		const struct family *family = &maker->families.list[i];
		const size_t before = plan->entry_count;
		const struct draft *end = draft + family->drafts;
		uint32_t device = UINT32_MAX;

		for (; r >= 0 && draft < end; draft++) {
			if (draft->device != device)
				maker->seen_count = 0;
			device = draft->device;
			r = add_entries(maker, draft);
		}
		if (plan->entry_count == before)
			continue;
		plan->families[plan->family_count].entries = plan->entry_count - before;
		add_header(plan, family->name, family->help, &plan->families[plan->family_count].header);
		plan->family_count++;
	}
	add_header(plan, "busbar_device_info", "1, and what the device says it is.", &plan->info);
	for (int i = 0; i < 2; i++)
		add_header(plan, plan_link_families[i], link_help[i], &plan->links[i]);
	return r;
}

/* Note the shape of the facts, for plan_fits(), and where the alarms of each device will lie. */
static int note_shape(struct maker *maker)
{
	const struct facts *facts = maker->facts;
	struct plan *plan = maker->plan;
	size_t first = 0;

	for (size_t i = 0; i <= facts->device_count; i++) {
		plan->devices[i].first_alarm = first;
		first += plan->devices[i].alarms;
	}
	plan->agent_types = calloc(plan->devices[facts->device_count].alarms + 1, sizeof(const struct bb_alarm_type *));
	if (!plan->agent_types)
		return -ENOMEM;
	for (size_t i = 0; i < plan->devices[facts->device_count].alarms; i++)
		plan->agent_types[i] = facts->agent_alarms->alarms[i].type;
	return 0;
}

int plan_create(const struct facts *facts, struct plan **ret_plan)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct maker maker = {.facts = facts, .plan = plan};
	int r = -ENOMEM;

	if (!plan)
		return -ENOMEM;
	plan->version = facts->version;
	plan->device_count = facts->device_count;
	plan->devices = calloc(facts->device_count + 1, sizeof(*plan->devices));
	if (plan->devices)
		r = draft_all(&maker);
	if (r >= 0)
		r = sort_drafts(&maker);
	if (r >= 0)
		r = write_families(&maker);
	if (r >= 0)
		r = note_shape(&maker);
	if (r >= 0 && (!buffer_reserve(&plan->prefixes, PLAN_SLACK) || plan->headers.failed || maker.labels.failed))
		r = -ENOMEM;

	free(maker.drafts);
	free(maker.seen);
	buffer_finish(&maker.labels);
	families_finish(&maker.families);
	if (r < 0) {
		plan_destroy(plan);
		return r;
	}
	memset(plan->prefixes.data + plan->prefixes.length, 0, PLAN_SLACK);
	*ret_plan = plan;
	return 0;
}

bool plan_fits(const struct plan *plan, const struct facts *facts)
{
	const struct bb_alarm_set *agent = facts->agent_alarms;

	if (plan->version != facts->version || plan->device_count != facts->device_count)
		return false;
	for (size_t i = 0; i < facts->device_count; i++) {
		const struct bb_snapshot *snapshot = &facts->devices[i].snapshot;

		/* A device may have learned other points since the list was taken, or have answered for the first time. */
		if (plan->devices[i].generation != (snapshot->reading ? bb_reading_generation(snapshot->reading) : 0) ||
		    plan->devices[i].alarms != (snapshot->alarms ? snapshot->alarms->count : 0))
			return false;
	}
	if (plan->devices[facts->device_count].alarms != (agent ? agent->count : 0))
		return false;
	for (size_t i = 0; agent && i < agent->count; i++) {
		if (plan->agent_types[i] != agent->alarms[i].type)
			return false;
	}
	return true;
}

void plan_destroy(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->devices);
	free(plan->agent_types);
	free(plan->entries);
	free(plan->families);
	buffer_finish(&plan->headers);
	buffer_finish(&plan->prefixes);
	free(plan);
}
