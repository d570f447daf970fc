/* SPDX-License-Identifier: Apache-2.0
 *
 * device_tree.h - a device as RFC 1628 with the vendor's extensions shows it: 1.3.6.1.2.1.33 in one context.
 *
 * layout.c sorts the instances that a generation of the device can have; for each reading, the picture keeps those that
 * there are, with the rows of the alarm tables among them.
 */
#ifndef AGENTX_DEVICE_TREE_H
#define AGENTX_DEVICE_TREE_H

#include <busbar/registry.h>

#include "picture.h"
#include "set.h"

/** The tree of the device named @device (which may come and go). @lock: its spin lock, shared by all its contexts. */
int device_tree_create(struct bb_registry *registry, const char *device, struct spin_lock *lock,
		       struct subtree **ret_subtree);

/**
 * Append the value part (syntax is written by this function too, the name as given by @name) of the object with OID
 * @name, for notifications; 0 or empty, of the object's own syntax, where the device has none.
 */
void device_tree_put_or_empty(struct picture *picture, const struct moment *moment, const struct oid *name,
			      struct codec_buffer *varbinds);

#endif
