/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.c - makes the plan of a page, see plan.h.
 *
 * drafts.c says which series there are, family by family; here each draft becomes one entry with its text, or several
 * for enumerations and flags.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/log.h>
#include <busbar/text.h>

#include "drafts.h"

const char *const plan_info_labels[PLAN_INFO_LABELS] = {"mfr", "model", "serial", "firmware"};
const char *const plan_link_families[2] = {"busbar_link_polls_total", "busbar_link_poll_errors_total"};
static const char *const link_help[2] = {"polls of all devices on the link",
					 "polls on the link that got no answer, or one without sense"};

struct maker {
	const struct facts *facts;
	struct plan *plan;
	struct drafts drafts;
	size_t entry_capacity;
	struct buffer labels; /* of the draft at hand */
	uint32_t group;       /* counts pairs of family and device, from 1 */
	uint64_t *seen;       /* a hash set: the group above the hash of a text; those of other groups are free */
	size_t seen_count, seen_size;
};

/* Append the text before a number. @member and @point may be NULL; then they are no labels. */
static void add_prefix(struct maker *maker, const char *family, const char *member_label, const char *member,
		       const char *point)
{
	struct buffer *arena = &maker->plan->prefixes;
	const char *comma = maker->labels.length ? "," : "";

	buffer_add_text(arena, family);
	if (maker->labels.length || member) {
		buffer_add_text(arena, "{");
		buffer_add(arena, maker->labels.data, maker->labels.length);
		if (member) {
			buffer_add_text(arena, comma);
			buffer_add_label(arena, member_label, member);
		}
		if (point) {
			buffer_add_text(arena, ",");
			buffer_add_label(arena, "point", point);
		}
		buffer_add_text(arena, "}");
	}
	buffer_add_text(arena, " ");
}

/* Make room for one more in the set of texts seen. */
static int grow_seen(struct maker *maker)
{
	const size_t size = maker->seen_size ? 2 * maker->seen_size : 256;
	uint64_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < maker->seen_size; i++) {
		size_t slot = maker->seen[i] & (size - 1);

		if (maker->seen[i] >> 32 != maker->group)
			continue;
		while (slots[slot])
			slot = (slot + 1) & (size - 1);
		slots[slot] = maker->seen[i];
	}
	free(maker->seen);
	maker->seen = slots;
	maker->seen_size = size;
	return 0;
}

/* Has this family a series of that text for this device already? Remembers it. Returns 1, 0 or -ENOMEM. */
static int seen(struct maker *maker, const char *prefix, size_t length)
{
	/* Should two texts share it, one only gets a label that it does not need. */
	const uint32_t sum = bb_text_hash(prefix, length);

	if (2 * maker->seen_count >= maker->seen_size && grow_seen(maker) < 0)
		return -ENOMEM;

	const uint64_t mark = (uint64_t)maker->group << 32 | sum;
	size_t slot = sum & (maker->seen_size - 1);

	for (; maker->seen[slot] >> 32 == maker->group; slot = (slot + 1) & (maker->seen_size - 1)) {
		if (maker->seen[slot] == mark)
			return 1;
	}
	maker->seen[slot] = mark;
	maker->seen_count++;
	return 0;
}

/*
 * One series: its text goes to the arena. @member may be NULL.
 *
 * Two points of a device with the same family and labels would be one series with two values. That is a mistake of the
 * plugin that forgot a label; the second one then gets its name (@point, NULL for what are no points) as a label.
 */
static int add_entry(struct maker *maker, const struct draft *draft, const char *point, const char *member_label,
		     const char *member, struct plan_entry entry)
{
	const char *family = maker->drafts.families.list[draft->family].name;
	struct plan *plan = maker->plan;
	struct buffer *arena = &plan->prefixes;
	const size_t begin = arena->length;

	add_prefix(maker, family, member_label, member, NULL);
	if (point && !arena->failed) {
		const int r = seen(maker, arena->data + begin, arena->length - begin);

		if (r < 0)
			return r;
		if (r > 0) {
			arena->length = begin;
			add_prefix(maker, family, member_label, member, point);
		}
	}
	if (arena->length - begin > UINT16_MAX) {
		bb_log_warning(NULL, 0, "prometheus: a series of %s is left out: its labels are too long", family);
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

static int add_members(struct maker *maker, const struct draft *draft, const struct bb_point *point)
{
	const bool flags = point->kind == BB_KIND_FLAGS;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < point->member_count; i++) {
		const struct bb_member *member = &point->members[i];
		const struct plan_entry entry = {.kind = flags ? PLAN_BIT : PLAN_MEMBER, .argument = member->value};

		if (flags && (member->value < 0 || member->value > 63))
			continue;
		r = add_entry(maker, draft, point->name, point->member_label, member->name, entry);
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
	return add_entry(maker, draft, point->name, NULL, NULL, entry);
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
	if (draft->source == PLAN_ALARMS || draft->source == PLAN_ACKNOWLEDGED) {
		const struct bb_alarm_set *set =
			agent ? facts->agent_alarms : facts->devices[draft->device].snapshot.alarms;

		entry.kind = draft->source == PLAN_ALARMS ? PLAN_ALARM : PLAN_SEEN;
		return add_entry(maker, draft, NULL, "alarm", set->alarms[draft->index].type->name, entry);
	}
	if (draft->source == PLAN_EVENTS)
		return add_entry(maker, draft, NULL, "kind",
				 draft->index == FACTS_NEWEST_EVENT
					 ? NULL
					 : bb_event_kind_name((enum bb_event_kind)draft->index),
				 entry);
	if (draft->source != PLAN_OWN)
		return add_point(maker, draft);
	if (agent)
		return add_entry(maker, draft, NULL, "version", facts->agent_version, entry);
	entry.decimals = (uint8_t)drafts_own_decimals(draft->index);
	return add_entry(maker, draft, NULL, NULL, NULL, entry);
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
	const struct draft *draft = maker->drafts.list;
	int r = 0;

	plan->families = calloc(maker->drafts.families.count, sizeof(*plan->families));
	if (!plan->families)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < maker->drafts.families.count; i++) {
		const struct family *family = &maker->drafts.families.list[i];
		const struct plan_family planned = {.first = plan->entry_count, .prefixes = plan->prefixes.length};
		const struct draft *end = draft + family->drafts;
		uint32_t device = UINT32_MAX;

		for (; r >= 0 && draft < end; draft++) {
			if (draft->device != device) {
				maker->group++;
				maker->seen_count = 0;
			}
			device = draft->device;
			r = add_entries(maker, draft);
		}
		if (plan->entry_count == planned.first)
			continue;
		plan->families[plan->family_count] = planned;
		plan->families[plan->family_count].count = plan->entry_count - planned.first;
		add_header(plan, family->name, family->help, &plan->families[plan->family_count].header);
		plan->family_count++;
	}
	add_header(plan, "busbar_device_info", "1, and what the device says it is", &plan->info);
	for (int i = 0; i < 2; i++)
		add_header(plan, plan_link_families[i], link_help[i], &plan->links[i]);
	return r;
}

/* Which alarms the agent had, for plan_fits(). */
static int note_agent_alarms(struct maker *maker)
{
	const struct bb_alarm_set *set = maker->facts->agent_alarms;
	struct plan *plan = maker->plan;

	plan->agent_types = calloc(set ? set->count + 1 : 1, sizeof(const struct bb_alarm_type *));
	if (!plan->agent_types)
		return -ENOMEM;
	for (size_t i = 0; set && i < set->count; i++)
		plan->agent_types[i] = set->alarms[i].type;
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
		r = drafts_collect(&maker.drafts, facts, plan->devices);
	if (r >= 0)
		r = write_families(&maker);
	if (r >= 0)
		r = note_agent_alarms(&maker);
	if (r >= 0 && (!buffer_reserve(&plan->prefixes, PLAN_SLACK) || plan->headers.failed || maker.labels.failed))
		r = -ENOMEM;

	drafts_finish(&maker.drafts);
	free(maker.seen);
	buffer_finish(&maker.labels);
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
