/* SPDX-License-Identifier: Apache-2.0
 *
 * image.c - what a Modbus unit shows, see image.h.
 *
 * Each listed word has a slot in its address space; slots stand in order of address, so consecutive addresses have
 * consecutive slots and a gap shows as a jump in the addresses. A register of both 03 and 04 has slots in both spaces.
 */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_POINT     "ups.status.word"
#define STATUS_COMM_LOST 0x4000 /* bit 14 of the UPSMAN status word */

/* A word of a register. */
struct slot {
	uint16_t address;
	uint16_t view;
	uint32_t entry; /* register of the view's map */
	uint8_t word;   /* which of its words */
	bool drop;      /* a stale value must not be shown */
	bool urgent;    /* which group's age counts */
	bool status;    /* the status word, which is served in any case */
};

struct space {
	size_t count;
	struct slot *slots;
	uint16_t *words; /* what each slot shows */
};

/* What is known about a view. */
struct source {
	struct view view;
	struct bb_reading *shown; /* that the words were made of; a reference */
	int *points;              /* for each register of the map: its point in @shown, negative: absent */
	enum bb_device_state state;
	bool stale[BB_GROUP_COUNT];
};

struct image {
	struct source *sources;
	size_t source_count;
	struct space spaces[BB_SPACE_COUNT];
	uint64_t saturated;
};

/* ---- making ---- */

static int compare_slots(const void *a, const void *b)
{
	const struct slot *one = a, *other = b;

	return (one->address > other->address) - (one->address < other->address);
}

/* A register without a point is reserved: always absent, so nothing of it can be stale or unanswered. */
static const struct bb_point *point_of(const struct bb_register *entry)
{
	return entry->point != NULL ? bb_dictionary_find(entry->point) : NULL;
}

static void fill_slots(struct space *space, enum bb_space kind, uint16_t view, const struct bb_regmap *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct bb_register *entry = &map->registers[i];
		const struct bb_point *point = point_of(entry);

		if (!(entry->spaces & 1u << kind))
			continue;
		for (uint8_t word = 0; word < entry->count; word++)
			space->slots[space->count++] = (struct slot){
				.address = (uint16_t)(entry->address + word),
				.view = view,
				.entry = (uint32_t)i,
				.word = word,
				.drop = entry->point != NULL && (point == NULL || !point->keep),
				.urgent = point != NULL && point->urgent,
				.status = entry->point != NULL && strcmp(entry->point, STATUS_POINT) == 0,
			};
	}
}

static int make_space(struct image *image, enum bb_space kind, unsigned *ret_address)
{
	struct space *space = &image->spaces[kind];
	size_t most = 0;

	for (size_t i = 0; i < image->source_count; i++)
		for (size_t k = 0; k < image->sources[i].view.map->count; k++)
			most += image->sources[i].view.map->registers[k].count;
	space->slots = calloc(most + 1, sizeof(*space->slots));
	if (space->slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < image->source_count; i++)
		fill_slots(space, kind, (uint16_t)i, image->sources[i].view.map);
	qsort(space->slots, space->count, sizeof(*space->slots), compare_slots);
	for (size_t i = 1; i < space->count; i++)
		if (space->slots[i].address == space->slots[i - 1].address) {
			*ret_address = space->slots[i].address;
			return -EEXIST;
		}
	space->words = calloc(space->count + 1, sizeof(*space->words));
	return space->words == NULL ? -ENOMEM : 0;
}

int image_create(const struct view *views, size_t count, struct image **ret_image, unsigned *ret_address)
{
	struct image *image = calloc(1, sizeof(*image));
	int r = 0;

	if (image == NULL)
		return -ENOMEM;
	image->sources = calloc(count, sizeof(*image->sources));
	if (image->sources == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct source *source = &image->sources[image->source_count++];

		source->view = views[i];
		source->points = malloc((views[i].map->count + 1) * sizeof(*source->points));
		if (source->points == NULL)
			r = -ENOMEM;
	}
	for (int kind = 0; r >= 0 && kind < BB_SPACE_COUNT; kind++)
		r = make_space(image, (enum bb_space)kind, ret_address);
	if (r < 0) {
		image_destroy(image);
		return r;
	}
	*ret_image = image;
	return 0;
}

void image_destroy(struct image *image)
{
	if (image == NULL)
		return;
	for (size_t i = 0; i < image->source_count; i++) {
		bb_reading_unref(image->sources[i].shown);
		free(image->sources[i].points);
	}
	for (int kind = 0; kind < BB_SPACE_COUNT; kind++) {
		free(image->spaces[kind].slots);
		free(image->spaces[kind].words);
	}
	free(image->sources);
	free(image);
}

/* ---- filling ---- */

static int find_point(const struct bb_reading *reading, const struct bb_register *entry)
{
	int point = entry->point != NULL ? bb_reading_find(reading, entry->point) : -ENOENT;

	if (point < 0 && entry->fallback != NULL)
		point = bb_reading_find(reading, entry->fallback);
	return point;
}

static void find_points(struct source *source)
{
	for (size_t i = 0; i < source->view.map->count; i++)
		source->points[i] = find_point(source->shown, &source->view.map->registers[i]);
}

/* The words of register @entry as the reading says; absent where it says nothing. */
static void encode(struct image *image, const struct source *source, const struct bb_register *entry, int point,
		   uint16_t *ret_words)
{
	const enum bb_quality quality =
		point >= 0 ? (enum bb_quality)bb_reading_qualities(source->shown)[point] : BB_QUALITY_UNSUPPORTED;
	enum bb_encoding encoding;

	if (entry->type == BB_REGISTER_STRING) {
		const bool there = quality == BB_QUALITY_GOOD;

		bb_register_encode_text(entry, there ? bb_reading_text(source->shown, (size_t)point) : "", ret_words);
		return;
	}
	encoding =
		bb_register_encode(entry, quality, point >= 0 ? bb_reading_values(source->shown)[point] : 0, ret_words);
	image->saturated += encoding == BB_ENCODED_SATURATED;
	if (encoding == BB_ENCODED_ABSENT && source->view.absent >= 0 && entry->role == BB_ROLE_MEASUREMENT)
		for (uint8_t word = 0; word < entry->count; word++)
			ret_words[word] = (uint16_t)source->view.absent;
}

static void fill_words(struct image *image, size_t view)
{
	const struct source *source = &image->sources[view];
	uint16_t words[256];

	for (int kind = 0; kind < BB_SPACE_COUNT; kind++) {
		struct space *space = &image->spaces[kind];

		for (size_t i = 0; i < space->count; i++) {
			const struct slot *slot = &space->slots[i];

			if (slot->view != view)
				continue;
			if (slot->word == 0) /* its other words follow it at once */
				encode(image, source, &source->view.map->registers[slot->entry],
				       source->points[slot->entry], words);
			space->words[i] = words[slot->word];
		}
	}
}

/* Bring the words of a view up to date. */
static void refresh(struct image *image, size_t view, struct bb_registry *registry, int64_t now_ms)
{
	struct source *source = &image->sources[view];
	struct bb_device *device = bb_registry_find(registry, source->view.device);
	struct bb_snapshot snapshot = {.state = BB_DEVICE_UNKNOWN};

	if (device != NULL)
		bb_device_snapshot(device, now_ms, &snapshot);
	source->state = snapshot.reading != NULL ? snapshot.state : BB_DEVICE_NEVER;
	memcpy(source->stale, snapshot.stale, sizeof(source->stale));
	if (snapshot.reading != NULL && snapshot.reading != source->shown) {
		const bool other = source->shown == NULL ||
				   bb_reading_generation(source->shown) != bb_reading_generation(snapshot.reading);

		bb_reading_unref(source->shown);
		source->shown = bb_reading_ref(snapshot.reading);
		if (other)
			find_points(source);
		fill_words(image, view);
	}
	bb_snapshot_release(&snapshot);
	bb_device_unref(device);
}

/* ---- answering ---- */

/* The slot of @address, or the count of slots. */
static size_t find_slot(const struct space *space, uint16_t address)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (space->slots[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->count && space->slots[low].address == address ? low : space->count;
}

static enum bb_space space_of(uint8_t function)
{
	static const enum bb_space spaces[] = {BB_SPACE_COIL, BB_SPACE_DISCRETE, BB_SPACE_HOLDING, BB_SPACE_INPUT};

	return spaces[function - 1];
}

/* May the slot be shown as it is? Returns 0 or the exception. */
static int judge(const struct source *source, const struct slot *slot)
{
	if (source->state == BB_DEVICE_NEVER)
		return slot->status ? 0 : BB_MODBUS_BUSY;
	if (slot->drop && !source->view.hold && source->stale[slot->urgent ? BB_GROUP_URGENT : BB_GROUP_REST])
		return BB_MODBUS_GATEWAY_TARGET;
	return 0;
}

int image_read(struct image *image, struct bb_registry *registry, int64_t now_ms,
	       const struct bb_modbus_request *request, uint16_t *ret_words)
{
	const struct space *space = &image->spaces[space_of(request->function)];
	const size_t first = find_slot(space, request->address);
	const size_t last = first + request->quantity - 1;
	size_t refreshed = SIZE_MAX;

	if (first + request->quantity > space->count ||
	    space->slots[last].address != request->address + request->quantity - 1)
		return BB_MODBUS_ILLEGAL_ADDRESS;
	for (size_t i = first; i <= last; i++) {
		const struct slot *slot = &space->slots[i];
		int exception;

		if (slot->view != refreshed) {
			refresh(image, slot->view, registry, now_ms);
			refreshed = slot->view;
		}
		exception = judge(&image->sources[slot->view], slot);
		if (exception)
			return exception;
	}
	for (size_t i = first; i <= last; i++) {
		const bool never = image->sources[space->slots[i].view].state == BB_DEVICE_NEVER;

		ret_words[i - first] = never ? STATUS_COMM_LOST : space->words[i];
	}
	return 0;
}

bool image_find(const struct image *image, enum bb_space space, uint16_t address, const struct view **ret_view,
		const struct bb_register **ret_register)
{
	const size_t slot = find_slot(&image->spaces[space], address);
	const struct source *source;

	if (slot == image->spaces[space].count)
		return false;
	source = &image->sources[image->spaces[space].slots[slot].view];
	*ret_view = &source->view;
	*ret_register = &source->view.map->registers[image->spaces[space].slots[slot].entry];
	return true;
}

bool image_allows_writes(const struct image *image)
{
	for (size_t i = 0; i < image->source_count; i++)
		if (image->sources[i].view.allow_write)
			return true;
	return false;
}

uint64_t image_saturated(const struct image *image)
{
	return image->saturated;
}
