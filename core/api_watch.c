/* SPDX-License-Identifier: Apache-2.0
 *
 * api_watch.c - points and each of their changes, for as long as the client likes.
 *
 * Four times a second every device that is watched is compared with what was shown of it last, which is a snapshot
 * that the answer keeps. So a client that reads slowly misses values in between but never shows a wrong one, and
 * nobody who publishes has to know about watchers. A device that has not changed costs one comparison of pointers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/registry.h>

#include "api_internal.h"

#define WATCH_PERIOD_MS 250

/* One device and what the client knows of it. */
struct watched {
	struct bb_snapshot shown; /* all zero: nothing yet */
};

struct watch_answer {
	struct api_answer answer;
	char *device, *point; /* globs */
	struct bb_device_list *list;
	struct watched *watched; /* one for each device of @list */
	struct bb_timer *timer;
	size_t current; /* device being compared; list->count: waiting for the next period */
	bool comparing; /* @present is held */
	struct bb_snapshot present;
	int64_t present_ms;
	size_t next; /* point to be compared */
};

static void watch_fire(void *context)
{
	struct watch_answer *watch = context;

	api_client_wake(watch->answer.client);
}

/* Takes the present list of devices; what was shown of those that stay is kept. Only between two comparisons. */
static int watch_take_list(struct watch_answer *watch)
{
	struct bb_device_list *list = bb_registry_devices(agent_registry(watch->answer.client->api->agent));
	struct watched *watched = calloc(list->count + 1, sizeof(*watched));
	const size_t old_count = watch->list != NULL ? watch->list->count : 0;

	if (watched == NULL) {
		bb_device_list_unref(list);
		return -ENOMEM;
	}
	/* Both lists are sorted by name. */
	for (size_t old = 0, new = 0; old < old_count; old++) {
		const char *name = bb_device_name(watch->list->devices[old]);

		while (new < list->count && strcmp(bb_device_name(list->devices[new]), name) < 0)
			new ++;
		if (new < list->count && list->devices[new] == watch->list->devices[old])
			watched[new] = watch->watched[old];
		else
			bb_snapshot_release(&watch->watched[old].shown);
	}
	bb_device_list_unref(watch->list);
	free(watch->watched);
	watch->list = list;
	watch->watched = watched;
	return 0;
}

static int watch_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct watch_answer *watch = (struct watch_answer *)answer;
	int r;

	watch->device = api_copy(request->points->device);
	watch->point = api_copy(request->points->point);
	watch->timer = bb_timer_create(answer->client->api->loop, watch_fire, watch);
	if (watch->device == NULL || watch->point == NULL || watch->timer == NULL)
		return -ENOMEM;
	r = api_check_device(answer->client, watch->device);
	if (r != API_MORE)
		return r;
	r = watch_take_list(watch);
	if (r < 0)
		return r;
	bb_timer_start(watch->timer, WATCH_PERIOD_MS, WATCH_PERIOD_MS);
	return API_MORE;
}

/* Do both snapshots say the same of all points, as far as that can be told without looking at them? */
static bool watch_same(const struct bb_snapshot *a, const struct bb_snapshot *b)
{
	return a->reading == b->reading && memcmp(a->stale, b->stale, sizeof(a->stale)) == 0;
}

static bool watch_point_changed(const struct bb_snapshot *shown, const struct bb_snapshot *present, size_t index)
{
	if (shown->reading == NULL ||
	    bb_reading_generation(shown->reading) != bb_reading_generation(present->reading) ||
	    bb_snapshot_quality(shown, index) != bb_snapshot_quality(present, index))
		return true;
	if (bb_reading_point(present->reading, index)->kind == BB_KIND_STRING)
		return strcmp(bb_reading_text(shown->reading, index), bb_reading_text(present->reading, index)) != 0;
	return bb_reading_values(shown->reading)[index] != bb_reading_values(present->reading)[index];
}

/* Adds what changed until the batch is full. True: the device is done. */
static bool watch_fill(struct watch_answer *watch, const char *name, struct api_batch *batch)
{
	const struct bb_snapshot *shown = &watch->watched[watch->current].shown;
	const struct bb_snapshot *present = &watch->present;

	if (present->reading == NULL || watch_same(shown, present))
		return true;
	for (; watch->next < bb_reading_count(present->reading); watch->next++) {
		if (!api_batch_has_room(batch))
			return false;
		if (watch_point_changed(shown, present, watch->next) &&
		    api_fits(watch->point, bb_reading_point(present->reading, watch->next)->name))
			api_batch_add(batch, name, present, watch->next, watch->present_ms);
	}
	return true;
}

static int watch_more(struct api_answer *answer)
{
	struct watch_answer *watch = (struct watch_answer *)answer;

	if (watch->current == watch->list->count) { /* woken: a new period */
		watch->current = 0;
		if (bb_registry_version(agent_registry(answer->client->api->agent)) != watch->list->version &&
		    watch_take_list(watch) < 0)
			return -ENOMEM;
	}
	for (; watch->current < watch->list->count; watch->current++) {
		struct bb_device *device = watch->list->devices[watch->current];
		const char *name = bb_device_name(device);
		struct api_batch batch = {.count = 0};
		Busbar__Response response = BUSBAR__RESPONSE__INIT;
		bool done;
		int r;

		if (!api_fits(watch->device, name))
			continue;
		if (!watch->comparing) {
			watch->present_ms = bb_clock_ms();
			bb_device_snapshot(device, watch->present_ms, &watch->present);
			watch->comparing = true;
			watch->next = 0;
		}
		done = watch_fill(watch, name, &batch);
		api_batch_attach(&batch, &response);
		response.protocol = API_PROTOCOL;
		r = batch.count > 0 ? api_send(answer->client, &response) : 0;
		if (done) {
			bb_snapshot_release(&watch->watched[watch->current].shown);
			watch->watched[watch->current].shown = watch->present;
			watch->comparing = false;
		}
		if (r < 0)
			return r;
		if (batch.count > 0) {
			watch->current += done;
			return API_MORE;
		}
	}
	return API_WAIT;
}

static void watch_end(struct api_answer *answer)
{
	struct watch_answer *watch = (struct watch_answer *)answer;

	bb_timer_destroy(watch->timer);
	if (watch->comparing)
		bb_snapshot_release(&watch->present);
	if (watch->list != NULL) {
		for (size_t i = 0; i < watch->list->count && watch->watched != NULL; i++)
			bb_snapshot_release(&watch->watched[i].shown);
		bb_device_list_unref(watch->list);
	}
	free(watch->watched);
	free(watch->device);
	free(watch->point);
}

const struct api_answer_type api_watch = {
	.size = sizeof(struct watch_answer),
	.begin = watch_begin,
	.more = watch_more,
	.end = watch_end,
};
