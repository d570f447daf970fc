/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_view.c - see agent_view.h.
 */
#include "agent_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_rows.h"

/* Of an instance of busbarPointTable, between base-oid and the names: .1.3.1.c and the length of the device's name. */
#define POINT_ARCS 5

/* The longest name that busbarPointIndex of mibs/BUSBAR-MIB.txt allows. */
#define POINT_NAME_MAX 80

/* ---- devices ---- */

static void devices_unref(struct agent_devices *devices)
{
	if (!devices || --devices->references > 0)
		return;
	bb_device_list_unref(devices->list);
	free(devices->checked);
	free(devices->by_length);
	free(devices);
}

static int compare_by_length(const void *a, const void *b, void *context)
{
	const struct bb_device_list *list = context;
	const char *one = bb_device_name(list->devices[*(const uint32_t *)a]);
	const char *other = bb_device_name(list->devices[*(const uint32_t *)b]);
	const size_t length = strlen(one), other_length = strlen(other);

	return length != other_length ? (length > other_length ? 1 : -1) : strcmp(one, other);
}

/* Keep what is known of the devices that were there before; both lists are sorted by name. */
static void take_over(struct agent_devices *devices, const struct agent_devices *before)
{
	size_t old = 0;

	for (size_t i = 0; i < devices->list->count; i++) {
		const struct bb_device *device = devices->list->devices[i];

		while (old < before->list->count &&
		       strcmp(bb_device_name(before->list->devices[old]), bb_device_name(device)) < 0)
			old++;
		if (old < before->list->count && before->list->devices[old] == device)
			devices->checked[i] = before->checked[old];
	}
}

/* The devices as they are now; takes @take_list. NULL when memory lacks. */
static struct agent_devices *devices_create(struct bb_device_list *take_list, const struct agent_devices *before)
{
	struct agent_devices *devices = calloc(1, sizeof(*devices));

	if (!devices) {
		bb_device_list_unref(take_list);
		return NULL;
	}
	devices->references = 1;
	devices->list = take_list;
	devices->checked = calloc(take_list->count + 1, sizeof(*devices->checked)); /* one more: none is no failure */
	devices->by_length = calloc(take_list->count + 1, sizeof(*devices->by_length));
	if (!devices->checked || !devices->by_length) {
		devices_unref(devices);
		return NULL;
	}
	for (uint32_t i = 0; i < take_list->count; i++)
		devices->by_length[i] = i;
	qsort_r(devices->by_length, take_list->count, sizeof(devices->by_length[0]), compare_by_length, take_list);
	if (before)
		take_over(devices, before);
	return devices;
}

/* The newest devices, borrowed from @shared. NULL when memory lacks. */
static struct agent_devices *devices_now(struct agent_shared *shared)
{
	struct bb_registry *registry = shared->setup->registry;
	struct agent_devices *devices;

	if (shared->devices && shared->devices->list->version == bb_registry_version(registry))
		return shared->devices;
	devices = devices_create(bb_registry_devices(registry), shared->devices);
	if (!devices)
		return NULL;
	devices_unref(shared->devices);
	return shared->devices = devices;
}

/* ---- the alarm table ---- */

static void alarms_unref(struct agent_alarms *alarms)
{
	if (!alarms || --alarms->references > 0)
		return;
	for (size_t i = 0; alarms->sets && i < alarms->set_count; i++)
		bb_alarm_set_unref(alarms->sets[i]);
	free(alarms->sets);
	devices_unref(alarms->devices);
	free(alarms->rows);
	free(alarms);
}

/* Alarms that nobody was told of have no number: those kept quiet. */
static bool has_row(const struct bb_alarm *alarm)
{
	return alarm->active && alarm->event > 0;
}

static int compare_alarms(const void *a, const void *b)
{
	const uint32_t one = ((const struct agent_alarm *)a)->id, other = ((const struct agent_alarm *)b)->id;

	return (one > other) - (one < other);
}

/* Does @alarms show @agent's set and those of the snapshots of @view? */
static bool alarms_are_current(const struct agent_alarms *alarms, const struct agent_view *view,
			       const struct bb_alarm_set *agent)
{
	const size_t count = view->devices->list->count;

	if (!alarms || alarms->devices != view->devices || alarms->sets[count] != agent)
		return false;
	for (size_t i = 0; i < count; i++)
		if (alarms->sets[i] != view->seen[i].snapshot.alarms)
			return false;
	return true;
}

static void add_rows(struct agent_alarms *alarms, const struct bb_alarm_set *set, const char *device)
{
	for (size_t i = 0; set && set->active > 0 && i < set->count; i++)
		if (has_row(&set->alarms[i]))
			alarms->rows[alarms->count++] = (struct agent_alarm){
				.id = alarm_row_id(set->alarms[i].event), .device = device, .alarm = &set->alarms[i]};
}

/* The alarm table of what @view sees, all snapshots taken; takes @take_agent. NULL when memory lacks. */
static struct agent_alarms *alarms_create(const struct agent_view *view, struct bb_alarm_set *take_agent)
{
	struct agent_alarms *alarms = calloc(1, sizeof(*alarms));
	const size_t devices = view->devices->list->count;
	size_t most = take_agent->count + 1; /* one more: none is no failure */

	if (!alarms) {
		bb_alarm_set_unref(take_agent);
		return NULL;
	}
	alarms->references = 1;
	alarms->devices = view->devices;
	alarms->devices->references++;
	alarms->set_count = devices + 1;
	alarms->sets = calloc(alarms->set_count, sizeof(struct bb_alarm_set *));
	if (!alarms->sets) {
		bb_alarm_set_unref(take_agent);
		alarms_unref(alarms);
		return NULL;
	}
	alarms->sets[devices] = take_agent;
	for (size_t i = 0; i < devices; i++) {
		struct bb_alarm_set *const set = view->seen[i].snapshot.alarms;

		if (!set)
			continue;
		alarms->sets[i] = bb_alarm_set_ref(set);
		most += set->active;
	}
	alarms->rows = calloc(most, sizeof(*alarms->rows));
	if (!alarms->rows) {
		alarms_unref(alarms);
		return NULL;
	}
	for (size_t i = 0; i < devices; i++)
		add_rows(alarms, alarms->sets[i], bb_device_name(view->devices->list->devices[i]));
	add_rows(alarms, alarms->sets[devices], "");
	qsort(alarms->rows, alarms->count, sizeof(alarms->rows[0]), compare_alarms);
	return alarms;
}

/* ---- views ---- */

void agent_shared_finish(struct agent_shared *shared)
{
	alarms_unref(shared->alarms);
	devices_unref(shared->devices);
}

int agent_view_init(struct agent_view *view, struct agent_shared *shared, const struct moment *moment)
{
	struct agent_devices *devices = devices_now(shared);

	if (!devices)
		return -ENOMEM;
	*view = (struct agent_view){.shared = shared, .moment = *moment};
	view->seen = calloc(devices->list->count + 1, sizeof(*view->seen));
	if (!view->seen)
		return -ENOMEM;
	view->devices = devices;
	devices->references++;
	return 0;
}

void agent_view_finish(struct agent_view *view)
{
	for (size_t i = 0; i < view->devices->list->count; i++)
		bb_snapshot_release(&view->seen[i].snapshot);
	free(view->seen);
	alarms_unref(view->alarms);
	devices_unref(view->devices);
}

struct bb_device *agent_view_device(const struct agent_view *view, uint32_t place)
{
	return view->devices->list->devices[place];
}

bool agent_view_is_too_long(const struct agent_view *view, uint32_t place, const struct bb_point *point)
{
	const size_t arcs =
		view->shared->setup->base->length + POINT_ARCS + strlen(bb_device_name(agent_view_device(view, place)));
	const size_t length = strlen(point->name);

	return length > POINT_NAME_MAX || arcs + length > OID_MAX;
}

/* Say once a generation which points cannot be named. */
static void check_names(struct agent_view *view, uint32_t place)
{
	const struct bb_reading *reading = view->seen[place].snapshot.reading;
	const char *first = NULL;
	size_t count = 0;

	if (!reading || view->devices->checked[place] == bb_reading_generation(reading))
		return;
	view->devices->checked[place] = bb_reading_generation(reading);
	for (size_t i = 0; i < bb_reading_count(reading); i++) {
		const struct bb_point *point = bb_reading_point(reading, i);

		if (!agent_view_is_too_long(view, place, point))
			continue;
		if (count++ == 0)
			first = point->name;
	}
	if (count > 0)
		(void)bb_log_warning(view->shared->setup->log, 0,
				     "busbarPointTable leaves out %zu of the points of %s, whose names are too long; "
				     "the first is '%s'",
				     count, bb_device_name(agent_view_device(view, place)), first);
}

static const struct agent_seen *see(struct agent_view *view, uint32_t place)
{
	struct agent_seen *const seen = &view->seen[place];

	if (!seen->taken) {
		bb_device_snapshot(agent_view_device(view, place), view->moment.now_ms, &seen->snapshot);
		bb_device_stats(agent_view_device(view, place), &seen->stats);
		seen->taken = true;
		check_names(view, place);
	}
	return seen;
}

const struct bb_snapshot *agent_view_snapshot(struct agent_view *view, uint32_t place)
{
	return &see(view, place)->snapshot;
}

const struct bb_device_stats *agent_view_stats(struct agent_view *view, uint32_t place)
{
	return &see(view, place)->stats;
}

static void see_all(struct agent_view *view)
{
	for (uint32_t i = 0; !view->all_taken && i < view->devices->list->count; i++)
		(void)see(view, i); /* for seen[] */
	view->all_taken = true;
}

const struct agent_totals *agent_view_totals(struct agent_view *view)
{
	struct agent_totals *totals = &view->totals;
	struct bb_alarm_set *agent;

	if (view->summed)
		return totals;
	see_all(view);
	for (uint32_t i = 0; i < view->devices->list->count; i++) {
		const struct agent_seen *seen = &view->seen[i];

		totals->polls += seen->stats.polls;
		totals->errors += seen->stats.errors;
		totals->bad_values += seen->stats.bad_values;
		totals->up += seen->snapshot.state == BB_DEVICE_UP;
		totals->active += seen->snapshot.alarms ? seen->snapshot.alarms->active : 0;
	}
	agent = bb_registry_agent_alarms(view->shared->setup->registry);
	totals->active += agent->active;
	bb_alarm_set_unref(agent);
	view->summed = true;
	return totals;
}

const struct agent_figures *agent_view_figures(struct agent_view *view)
{
	const struct agent_tree_setup *setup = view->shared->setup;

	if (!view->counted && setup->figures)
		setup->figures(setup->context, &view->figures);
	view->counted = true;
	return &view->figures;
}

const struct agent_alarms *agent_view_alarms(struct agent_view *view)
{
	struct agent_shared *shared = view->shared;
	struct bb_alarm_set *agent;

	if (view->alarms)
		return view->alarms;
	see_all(view);
	agent = bb_registry_agent_alarms(shared->setup->registry);
	if (alarms_are_current(shared->alarms, view, agent)) {
		bb_alarm_set_unref(agent);
	} else {
		struct agent_alarms *alarms = alarms_create(view, agent);

		if (!alarms) {
			view->failed = true;
			return NULL;
		}
		alarms_unref(shared->alarms);
		shared->alarms = alarms;
	}
	view->alarms = shared->alarms;
	view->alarms->references++;
	return view->alarms;
}
