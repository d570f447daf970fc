/* SPDX-License-Identifier: Apache-2.0
 *
 * info.h - the lines of busbar_device_info. They are the only ones with texts that a device may change, so each is kept
 * with the texts it was made from, and made again when one of these is another.
 */
#ifndef PROMETHEUS_INFO_H
#define PROMETHEUS_INFO_H

#include "facts.h"
#include "plan.h"

struct info; /* the line of one device */

/** Lines for @count devices, none made yet. NULL when memory lacks. */
struct info *info_create(size_t count);
void info_destroy(struct info *infos, size_t count); /* accepts NULL */

/** Append the line of @device, which has a reading. Returns 0 or -ENOMEM. */
int info_add(struct info *info, const struct plan_device *planned, const struct facts_device *device,
	     struct buffer *buffer);

/** The line at @index. */
struct info *info_at(struct info *infos, size_t index);

#endif
