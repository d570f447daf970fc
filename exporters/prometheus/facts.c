/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.c - takes the registry's references for one page, see facts.h.
 */
#include "facts.h"

#include <errno.h>
#include <stdlib.h>

#include <busbar/clock.h>

/* Make room for @count elements; what was in the array is not kept. */
static void *grown(void *array, size_t *capacity, size_t count, size_t size)
{
	if (count <= *capacity)
		return array;

	void *larger = reallocarray(array, count, size);

	if (larger)
		*capacity = count;
	return larger;
}

static void add_link(void *context, const char *name, uint64_t polls, uint64_t errors)
{
	struct facts *facts = context;
	const size_t begin = facts->link_labels.length;
	size_t capacity = facts->link_capacity;
	struct facts_link *links = facts->links;

	if (facts->link_count == capacity) {
		links = grown(links, &capacity, capacity ? 2 * capacity : 8, sizeof(*links));
		if (!links) {
			facts->link_labels.failed = true; /* facts_gather() looks there */
			return;
		}
		facts->links = links;
		facts->link_capacity = capacity;
	}
	buffer_add_label(&facts->link_labels, "link", name);
	links[facts->link_count++] = (struct facts_link){
		.name = begin,
		.name_length = facts->link_labels.length - begin,
		.polls = polls,
		.errors = errors,
	};
}

void facts_count_events(struct facts_events *events, const struct tally *tally)
{
	const uint64_t newest = atomic_load_explicit(&tally->newest, memory_order_relaxed);

	for (size_t i = 0; i < TALLY_KINDS_MAX; i++) {
		events->values[i] = (int64_t)atomic_load_explicit(&tally->counts[i], memory_order_relaxed);
		events->qualities[i] = BB_QUALITY_GOOD;
	}
	events->values[FACTS_NEWEST_EVENT] = (int64_t)newest;
	events->qualities[FACTS_NEWEST_EVENT] = newest > 0 ? BB_QUALITY_GOOD : BB_QUALITY_UNKNOWN;
}

int facts_gather(struct facts *facts, struct bb_registry *registry)
{
	const int64_t now_ms = bb_clock_ms();

	facts->agent_version = bb_version();
	facts->list = bb_registry_devices(registry);
	facts->version = facts->list->version;

	struct facts_device *devices =
		grown(facts->devices, &facts->device_capacity, facts->list->count, sizeof(*devices));

	if (!devices && facts->list->count)
		return -ENOMEM;
	facts->devices = devices;
	for (size_t i = 0; i < facts->list->count; i++) {
		struct bb_device *device = facts->list->devices[i];

		devices[i].name = bb_device_name(device);
		devices[i].plugin = bb_device_plugin(device);
		bb_device_snapshot(device, now_ms, &devices[i].snapshot);
		bb_device_stats(device, &devices[i].stats);
	}
	facts->device_count = facts->list->count;

	facts->agent_alarms = bb_registry_agent_alarms(registry);
	if (facts->tally)
		facts_count_events(&facts->events, facts->tally);
	bb_registry_links(registry, add_link, facts);
	return facts->link_labels.failed ? -ENOMEM : 0;
}

void facts_release(struct facts *facts)
{
	for (size_t i = 0; i < facts->device_count; i++)
		bb_snapshot_release(&facts->devices[i].snapshot);
	facts->device_count = 0;
	facts->link_count = 0;
	buffer_reset(&facts->link_labels);
	bb_alarm_set_unref(facts->agent_alarms);
	facts->agent_alarms = NULL;
	bb_device_list_unref(facts->list);
	facts->list = NULL;
}

void facts_finish(struct facts *facts)
{
	facts_release(facts);
	free(facts->devices);
	free(facts->links);
	buffer_finish(&facts->link_labels);
	*facts = (struct facts){0};
}
