/* SPDX-License-Identifier: Apache-2.0
 *
 * device_tree.c - the UPS-MIB of one device as a subtree, see device_tree.h.
 *
 * The device is known by its name: it may be taken out of the configuration and come back while the subtree stands. A
 * picture is kept until anything it was made from is another: the reading, the alarms, what is too old, the spin lock.
 */
#include "device_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "device_picture.h"

struct device_tree {
	struct subtree head;
	struct bb_registry *registry;
	struct spin_lock *lock;
	uint64_t version; /* of the registry when @device was looked up */
	struct bb_device *device;
	struct layout *layout; /* of the generation that was last seen */
	struct device_picture *picture;
	char name[];
};

static struct device_tree *tree_of(struct subtree *subtree)
{
	return BB_CONTAINER(subtree, struct device_tree, head);
}

static void device_tree_look_up(struct device_tree *tree)
{
	const uint64_t version = bb_registry_version(tree->registry);

	if (version == tree->version)
		return;
	tree->version = version;
	bb_device_unref(tree->device);
	tree->device = bb_registry_find(tree->registry, tree->name);
}

/* The layout for @reading (NULL: none), made when its generation is a new one. 0 or -ENOMEM. */
static int device_tree_lay_out(struct device_tree *tree, const struct bb_reading *reading)
{
	struct layout *layout = NULL;
	int r;

	if (reading && tree->layout && tree->layout->generation == bb_reading_generation(reading))
		return 0;
	if (reading) {
		r = layout_create(reading, &layout);
		if (r < 0)
			return r;
	}
	layout_unref(tree->layout);
	tree->layout = layout;
	return 0;
}

static bool is_still_right(const struct device_picture *picture, const struct bb_snapshot *snapshot, uint32_t lock)
{
	return picture && picture->lock == lock && picture->snapshot.reading == snapshot->reading &&
	       picture->snapshot.alarms == snapshot->alarms &&
	       memcmp(picture->snapshot.stale, snapshot->stale, sizeof(snapshot->stale)) == 0;
}

static struct picture *device_tree_picture(struct subtree *subtree, const struct moment *moment)
{
	struct device_tree *tree = tree_of(subtree);
	struct bb_snapshot snapshot = {0};

	device_tree_look_up(tree);
	if (tree->device)
		bb_device_snapshot(tree->device, moment->now_ms, &snapshot);
	if (is_still_right(tree->picture, &snapshot, tree->lock->value)) {
		bb_snapshot_release(&snapshot);
		return picture_ref(&tree->picture->head);
	}
	if (device_tree_lay_out(tree, snapshot.reading) < 0) {
		bb_snapshot_release(&snapshot);
		return NULL;
	}
	if (tree->picture)
		picture_unref(&tree->picture->head);
	tree->picture = device_picture_create(&snapshot, tree->layout, tree->lock->value);
	return tree->picture ? picture_ref(&tree->picture->head) : NULL;
}

/* ---- SETs ---- */

/* The point that a variable is written to; NULL: the device has no such instance. */
static const struct bb_point *point_of(const struct device_picture *picture, const struct object_place *at)
{
	const struct layout_item *item;

	if (!at->exact || !picture->layout)
		return NULL;
	item = layout_find(picture->layout, at->object, at->row);
	return item ? bb_reading_point(picture->snapshot.reading, item->point) : NULL;
}

/* In the order of RFC 3416, section 4.2.5: what is not writable, whatever is written; type, length, value; the row. */
static enum codec_error check_variable(const struct device_tree *tree, const struct device_picture *picture,
				       const struct codec_varbind *varbind, struct set_target *target)
{
	const struct bb_point *point;
	const struct object *object;
	struct object_place at;
	enum codec_error error;

	object_locate(&varbind->name, &at);
	if (!at.known || at.object >= object_count || !object_table[at.object].writable)
		return CODEC_NOT_WRITABLE;
	object = &object_table[at.object];
	point = point_of(picture, &at);
	if (point && !point->writable)
		return CODEC_NOT_WRITABLE;
	error = object_take(object, point, varbind, &target->value, target->text);
	if (error != CODEC_NO_ERROR)
		return error;
	if (!point)
		return CODEC_NO_CREATION;
	if (object->source == OBJECT_LOCK) {
		target->lock = tree->lock;
		return CODEC_NO_ERROR;
	}
	if (strlen(point->name) >= sizeof(target->point))
		return CODEC_RESOURCE_UNAVAILABLE;
	strcpy(target->point, point->name);
	target->needs_lock = object->coding == OBJECT_TEST;
	target->device = bb_device_ref(tree->device);
	return CODEC_NO_ERROR;
}

static enum codec_error device_tree_test(struct subtree *subtree, const struct codec_varbind *varbind,
					 struct set_target *ret_target)
{
	/* What can be written hangs on the generation alone, so no more is needed of the moment. */
	const struct moment moment = {.now_ms = bb_clock_ms()};
	struct picture *picture = device_tree_picture(subtree, &moment);
	struct set_target target = {0};
	enum codec_error error;

	if (!picture)
		return CODEC_RESOURCE_UNAVAILABLE;
	error = check_variable(tree_of(subtree), (const struct device_picture *)picture, varbind, &target);
	picture_unref(picture);
	if (error == CODEC_NO_ERROR)
		*ret_target = target;
	return error;
}

/* ---- life ---- */

static void device_tree_destroy(struct subtree *subtree)
{
	struct device_tree *tree = tree_of(subtree);

	if (tree->picture)
		picture_unref(&tree->picture->head);
	layout_unref(tree->layout);
	bb_device_unref(tree->device);
	free(tree);
}

static const struct subtree_ops device_tree_ops = {
	.picture = device_tree_picture,
	.test = device_tree_test,
	.destroy = device_tree_destroy,
};

int device_tree_create(struct bb_registry *registry, const char *device, struct spin_lock *lock,
		       struct subtree **ret_subtree)
{
	struct device_tree *tree = calloc(1, sizeof(*tree) + strlen(device) + 1);

	if (!tree)
		return -ENOMEM;
	tree->head = (struct subtree){.ops = &device_tree_ops, .root = {OBJECT_ROOT_ARCS, {1, 3, 6, 1, 2, 1, 33}}};
	tree->registry = registry;
	tree->lock = lock;
	tree->version = UINT64_MAX; /* of no list */
	strcpy(tree->name, device);
	*ret_subtree = &tree->head;
	return 0;
}

void device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
			      struct codec_buffer *varbinds)
{
	const struct device_picture *its = (const struct device_picture *)picture;
	struct object_place at;
	int64_t place = -1;

	object_locate(name, &at);
	if (!at.known || at.object >= object_count) {
		codec_put_syntax(varbinds, CODEC_NULL);
		codec_put_oid(varbinds, name, false);
		return;
	}
	if (its && at.exact)
		place = device_picture_find(its, at.object, at.row);
	if (place >= 0) {
		device_picture_put(its, moment, at.object, (uint32_t)place, name, varbinds);
		return;
	}
	codec_put_syntax(varbinds, object_table[at.object].syntax);
	codec_put_oid(varbinds, name, false);
	object_put_empty(&object_table[at.object], varbinds);
}
