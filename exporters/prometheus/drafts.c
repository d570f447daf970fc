/* SPDX-License-Identifier: Apache-2.0
 *
 * drafts.c - see drafts.h. Drafts come device by device, as the registry gives them; a page wants them family by
 * family. Sorting is by counting, which is quick and keeps devices and points in order.
 */
#include "drafts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const info_points[PLAN_INFO_LABELS] = {"device.mfr", "device.model", "device.serial",
							  "ups.firmware"};

static const struct {
	const char *name;
	unsigned decimals;
	const char *help;
} own_families[PLAN_OWN_COUNT] = {
	[PLAN_OWN_UP] = {"busbar_device_up", 0, "1 while the last good reading of the device is fresh"},
	[PLAN_OWN_AGE] = {"busbar_device_reading_age_seconds", 3, "age of the newest good reading"},
	[PLAN_OWN_DURATION] = {"busbar_device_poll_duration_seconds", 6, "how long the last successful poll took"},
	[PLAN_OWN_POLLS] = {"busbar_device_polls_total", 0, "polls of the device"},
	[PLAN_OWN_ERRORS] = {"busbar_device_poll_errors_total", 0, "polls that got no answer, or one without sense"},
	[PLAN_OWN_BAD] = {"busbar_device_bad_values_total", 0, "values the device sent that cannot be"},
};

unsigned drafts_own_decimals(enum plan_own which)
{
	return own_families[which].decimals;
}

/* @family is a place, or the error that came of looking for it. */
static int add(struct drafts *drafts, int family, size_t device, enum plan_source source, size_t index)
{
	if (family < 0)
		return family;
	if (drafts->count == drafts->capacity) {
		const size_t capacity = drafts->capacity ? 2 * drafts->capacity : 1024;
		struct draft *list = reallocarray(drafts->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		drafts->list = list;
		drafts->capacity = capacity;
	}
	drafts->families.list[family].drafts++;
	drafts->list[drafts->count++] = (struct draft){
		.family = (uint32_t)family,
		.device = (uint32_t)device,
		.index = (uint32_t)index,
		.source = source,
	};
	return 0;
}

/* Where the value of a point is taken from, or PLAN_SOURCES when it is not exported. */
static enum plan_source source_of_point(const struct bb_reading *reading, size_t index)
{
	const struct bb_point *point = bb_reading_point(reading, index);

	if (!point->metric)
		return PLAN_SOURCES;
	switch (point->kind) {
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
	case BB_KIND_ENUM:
	case BB_KIND_FLAGS:
	case BB_KIND_BOOL:
	case BB_KIND_TIMESTAMP:
		break;
	case BB_KIND_ALARM:  /* in the alarm set */
	case BB_KIND_STRING: /* at most a label of busbar_device_info */
	case BB_KIND_COMMAND:
	case BB_KIND_UNSET:
		return PLAN_SOURCES;
	}
	if (point->keep)
		return PLAN_KEEP;
	return bb_reading_group(reading, index) == BB_GROUP_URGENT ? PLAN_DROP_URGENT : PLAN_DROP_REST;
}

static int add_points(struct drafts *drafts, const struct bb_reading *reading, size_t device)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);
		const enum plan_source source = source_of_point(reading, i);
		const char *help = *point->help ? point->help : point->name;

		if (source != PLAN_SOURCES)
			r = add(drafts, families_find_point(&drafts->families, point->metric, help), device, source, i);
	}
	return r;
}

/* Places of the families that are not the dictionary's. */
struct own_places {
	int own; /* the first of PLAN_OWN_COUNT */
	int alarms, acknowledged, agent_alarms, agent_acknowledged;
	int events, newest_event;
};

/* The two series of an alarm: is it active, and has somebody seen it? */
static int add_alarm(struct drafts *drafts, int active, int acknowledged, size_t device, size_t index)
{
	const int r = add(drafts, active, device, PLAN_ALARMS, index);

	return r < 0 ? r : add(drafts, acknowledged, device, PLAN_ACKNOWLEDGED, index);
}

static int add_device(struct drafts *drafts, const struct own_places *places, size_t device,
		      const struct bb_snapshot *snapshot, struct plan_device *planned)
{
	const struct bb_alarm_set *set = snapshot->alarms;
	struct bb_reading *reading = snapshot->reading;
	int r = 0;

	for (int i = 0; r >= 0 && i < PLAN_OWN_COUNT; i++)
		r = add(drafts, places->own + i, device, PLAN_OWN, (size_t)i);
	for (size_t i = 0; r >= 0 && set && i < set->count; i++) {
		/* Of a device that never answered only this much is known. */
		if (reading || !strcmp(set->alarms[i].type->name, "communications-lost"))
			r = add_alarm(drafts, places->alarms, places->acknowledged, device, i);
	}
	if (r >= 0 && reading)
		r = add_points(drafts, reading, device);

	planned->generation = reading ? bb_reading_generation(reading) : 0;
	planned->alarms = set ? set->count : 0;
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++)
		planned->info[i] = reading ? bb_reading_find(reading, info_points[i]) : -ENOENT;
	return r;
}

/* The families of the agent itself come first on a page. */
static int add_own_families(struct families *families, struct own_places *ret_places)
{
	struct own_places places = {0};

	for (int i = 0; i < PLAN_OWN_COUNT; i++) {
		const int place = families_find(families, own_families[i].name, own_families[i].help);

		if (place < 0)
			return place;
		if (i == 0)
			places.own = place;
	}
	places.alarms = families_find(families, "busbar_alarm_active", "1 while the alarm is active");
	places.acknowledged = families_find(families, "busbar_alarm_acknowledged",
					    "1 while the alarm is active and somebody has seen it");
	places.agent_alarms =
		families_find(families, "busbar_agent_alarm_active", "1 while the alarm of the agent is active");
	places.agent_acknowledged = families_find(families, "busbar_agent_alarm_acknowledged",
						  "1 while the alarm of the agent is active and somebody has seen it");
	places.events = families_find(families, "busbar_events_total", "events since the exporter was started");
	places.newest_event = families_find(families, "busbar_journal_newest_event", "number of the newest event");
	*ret_places = places;
	return 0;
}

static int add_events(struct drafts *drafts, const struct own_places *places, size_t agent)
{
	const size_t kinds = tally_kinds();
	int r = 0;

	for (size_t i = 0; r >= 0 && i < kinds; i++)
		r = add(drafts, places->events, agent, PLAN_EVENTS, i);
	return r < 0 ? r : add(drafts, places->newest_event, agent, PLAN_EVENTS, FACTS_NEWEST_EVENT);
}

static int sort(struct drafts *drafts)
{
	const size_t families = drafts->families.count;
	struct draft *sorted = reallocarray(NULL, drafts->count, sizeof(*sorted));
	size_t *next = reallocarray(NULL, families, sizeof(*next));
	size_t sum = 0;

	if (!sorted || !next) {
		free(sorted);
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < families; i++) {
		next[i] = sum;
		sum += drafts->families.list[i].drafts;
	}
	for (size_t i = 0; i < drafts->count; i++)
		sorted[next[drafts->list[i].family]++] = drafts->list[i];
	free(next);
	free(drafts->list);
	drafts->list = sorted;
	drafts->capacity = drafts->count;
	return 0;
}

int drafts_collect(struct drafts *drafts, const struct facts *facts, struct plan_device *devices)
{
	const struct bb_alarm_set *agent_alarms = facts->agent_alarms;
	const size_t agent = facts->device_count;
	struct own_places places = {0};
	int r = add(drafts, families_find(&drafts->families, "busbar_build_info", "1, and what the running agent is"),
		    agent, PLAN_OWN, 0);

	if (r >= 0)
		r = add_own_families(&drafts->families, &places);
	if (r >= 0)
		r = families_add_dictionary(&drafts->families);
	for (size_t i = 0; r >= 0 && agent_alarms && i < agent_alarms->count; i++)
		r = add_alarm(drafts, places.agent_alarms, places.agent_acknowledged, agent, i);
	if (r >= 0 && facts->tally)
		r = add_events(drafts, &places, agent);
	for (size_t i = 0; r >= 0 && i < agent; i++)
		r = add_device(drafts, &places, i, &facts->devices[i].snapshot, &devices[i]);
	devices[agent].alarms = agent_alarms ? agent_alarms->count : 0;
	return r < 0 ? r : sort(drafts);
}

void drafts_finish(struct drafts *drafts)
{
	free(drafts->list);
	families_finish(&drafts->families);
	*drafts = (struct drafts){0};
}
