/* SPDX-License-Identifier: Apache-2.0
 *
 * api_points.c - answers with points and their values, batch by batch.
 *
 * An answer holds the list of devices and one snapshot at a time. A batch borrows its texts from that snapshot, so a
 * batch is sent before the snapshot is given back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>
#include <busbar/registry.h>

#include "api_internal.h"
#include "text.h"

#define FLAGS_MAX 64 /* members a flag word can show: its bits */

/* Kinds and qualities travel as their numbers. */
_Static_assert((int)BUSBAR__POINT__KIND__NUMBER == (int)BB_KIND_NUMBER, "kinds must agree");
_Static_assert((int)BUSBAR__POINT__KIND__ALARM_STATE == (int)BB_KIND_ALARM, "kinds must agree");
_Static_assert((int)BUSBAR__POINT__KIND__COMMAND == (int)BB_KIND_COMMAND, "kinds must agree");
_Static_assert((int)BUSBAR__POINT__QUALITY__STALE == (int)BB_QUALITY_STALE, "qualities must agree");
_Static_assert((int)BUSBAR__POINT__QUALITY__BAD == (int)BB_QUALITY_BAD, "qualities must agree");

bool api_batch_has_room(const struct api_batch *batch)
{
	return batch->count < API_BATCH && batch->member_count + FLAGS_MAX <= BB_LENGTH(batch->members);
}

/* The names of the flags that are set. Two members of one bit would both show, so their number is bounded here. */
static void batch_add_members(struct api_batch *batch, Busbar__Point *row, const struct bb_point *point)
{
	row->members = &batch->members[batch->member_count];
	for (size_t i = 0; i < point->member_count && row->n_members < FLAGS_MAX; i++) {
		const struct bb_member *member = &point->members[i];

		if (member->value >= 0 && member->value < 64 && ((uint64_t)row->number >> member->value & 1) != 0)
			row->members[row->n_members++] = api_text(member->name);
	}
	batch->member_count += row->n_members;
}

void api_batch_add(struct api_batch *batch, const char *device, const struct bb_snapshot *snapshot, size_t index,
		   int64_t now_ms)
{
	const struct bb_reading *reading = snapshot->reading;
	const struct bb_point *point = bb_reading_point(reading, index);
	const enum bb_quality quality = bb_snapshot_quality(snapshot, index);
	const int64_t refreshed_ms = bb_reading_time(reading, bb_reading_group(reading, index));
	Busbar__Point *row = &batch->rows[batch->count];

	batch->pointers[batch->count++] = row;
	busbar__point__init(row);
	row->device = api_text(device);
	row->name = api_text(point->name);
	row->kind = (Busbar__Point__Kind)point->kind;
	row->quality = (Busbar__Point__Quality)quality;
	row->known = (quality == BB_QUALITY_GOOD || quality == BB_QUALITY_STALE) && point->kind != BB_KIND_COMMAND;
	row->hidden = quality == BB_QUALITY_STALE && !point->keep && point->kind != BB_KIND_ALARM;
	row->derived = bb_reading_is_derived(reading, index);
	row->decimals = point->decimals;
	row->unit = api_text(bb_unit_name(point->unit));
	/* What was published after the clock was looked at is new: -1 would mean that it never came. */
	row->age_ms = refreshed_ms == 0 ? -1 : refreshed_ms > now_ms ? 0 : now_ms - refreshed_ms;
	if (!row->known)
		return;

	row->number = bb_reading_values(reading)[index];
	if (point->kind == BB_KIND_STRING) {
		row->number = 0; /* where the text is kept is nobody's business */
		row->text = api_text(bb_reading_text(reading, index));
	} else if (point->kind == BB_KIND_ENUM) {
		const struct bb_member *member = bb_point_member(point, row->number);

		row->text = api_text(member != NULL ? member->name : NULL);
	} else if (point->kind == BB_KIND_FLAGS) {
		batch_add_members(batch, row, point);
	}
}

void api_batch_attach(struct api_batch *batch, Busbar__Response *response)
{
	response->n_points = batch->count;
	response->points = batch->pointers;
}

bool api_sweep_fill(struct api_sweep *sweep, const char *pattern, struct api_batch *batch)
{
	const struct bb_reading *reading = sweep->snapshot.reading;
	const size_t count = reading != NULL ? bb_reading_count(reading) : 0;

	for (; sweep->next < count; sweep->next++) {
		if (!api_batch_has_room(batch))
			return false;
		if (api_fits(pattern, bb_reading_point(reading, sweep->next)->name))
			api_batch_add(batch, sweep->device, &sweep->snapshot, sweep->next, sweep->now_ms);
	}
	return true;
}

struct points_answer {
	struct api_answer answer;
	char *device, *point; /* globs */
	struct bb_device_list *list;
	size_t next; /* device after the one of @sweep */
	bool sweeping;
	struct api_sweep sweep;
};

/* The names of a reading's points, for a suggestion. */
static const char *suggest_point(const struct bb_reading *reading, const char *name)
{
	const size_t count = bb_reading_count(reading);
	const char **names = calloc(count + 1, sizeof(*names));
	const char *suggestion;

	if (names == NULL)
		return NULL; /* the refusal itself matters more */
	for (size_t i = 0; i < count; i++)
		names[i] = bb_reading_point(reading, i)->name;
	suggestion = bb_text_suggest(name, names);
	free(names);
	return suggestion;
}

/* One named point of one named device: nothing but a row or an error. */
static int points_one(struct points_answer *points)
{
	struct api_client *client = points->answer.client;
	struct bb_device *device = bb_registry_find(agent_registry(client->api->agent), points->device);
	const int64_t now_ms = bb_clock_ms();
	struct bb_snapshot snapshot;
	int index, step;

	if (device == NULL) /* an empty name; any other has been checked */
		return api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, NULL, "no device '%s'", points->device);
	bb_device_snapshot(device, now_ms, &snapshot);
	if (snapshot.reading == NULL) {
		step = api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, NULL, "%s has not answered yet",
				  points->device);
	} else if ((index = bb_reading_find(snapshot.reading, points->point)) < 0) {
		step = api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND,
				  suggest_point(snapshot.reading, points->point), "%s has no point '%s'",
				  points->device, points->point);
	} else {
		struct api_batch batch = {.count = 0};
		Busbar__Response response = BUSBAR__RESPONSE__INIT;

		api_batch_add(&batch, points->device, &snapshot, (size_t)index, now_ms);
		api_batch_attach(&batch, &response);
		response.last = true;
		response.protocol = API_PROTOCOL;
		step = api_send(client, &response) < 0 ? -ENOMEM : API_LAST;
	}
	bb_snapshot_release(&snapshot);
	bb_device_unref(device);
	return step;
}

static int points_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct points_answer *points = (struct points_answer *)answer;
	int step;

	points->device = api_copy(request->points->device);
	points->point = api_copy(request->points->point);
	if (points->device == NULL || points->point == NULL)
		return -ENOMEM;
	step = api_check_device(answer->client, points->device);
	if (step != API_MORE)
		return step;
	if (request->points->exact)
		return points_one(points);
	points->list = bb_registry_devices(agent_registry(answer->client->api->agent));
	return API_MORE;
}

/* Goes to the next device that is asked for. False: there is none. */
static bool points_next_device(struct points_answer *points)
{
	while (points->next < points->list->count) {
		struct bb_device *device = points->list->devices[points->next++];

		if (!api_fits(points->device, bb_device_name(device)))
			continue;
		points->sweep = (struct api_sweep){.device = bb_device_name(device), .now_ms = bb_clock_ms()};
		bb_device_snapshot(device, points->sweep.now_ms, &points->sweep.snapshot);
		points->sweeping = true;
		return true;
	}
	return false;
}

static int points_more(struct api_answer *answer)
{
	struct points_answer *points = (struct points_answer *)answer;
	struct api_batch batch = {.count = 0};
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	bool done = false;
	int r;

	/* A frame may hold the end of one device only, because a snapshot has to outlive its batch. */
	if (!points->sweeping && !points_next_device(points))
		response.last = true;
	else
		done = api_sweep_fill(&points->sweep, points->point, &batch);
	response.protocol = API_PROTOCOL;
	api_batch_attach(&batch, &response);
	r = batch.count > 0 || response.last ? api_send(answer->client, &response) : 0;
	if (done) {
		bb_snapshot_release(&points->sweep.snapshot);
		points->sweeping = false;
	}
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

static void points_end(struct api_answer *answer)
{
	struct points_answer *points = (struct points_answer *)answer;

	if (points->sweeping)
		bb_snapshot_release(&points->sweep.snapshot);
	bb_device_list_unref(points->list);
	free(points->device);
	free(points->point);
}

const struct api_answer_type api_points = {
	.size = sizeof(struct points_answer),
	.begin = points_begin,
	.more = points_more,
	.end = points_end,
};
