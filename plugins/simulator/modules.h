/* SPDX-License-Identifier: Apache-2.0
 *
 * modules.h - the measuring modules of a battery monitoring system, one a battery: option `modules` of the simulator.
 */
#ifndef SIMULATOR_MODULES_H
#define SIMULATOR_MODULES_H

#include <busbar/plugin.h>

/** Add the points of @count modules behind those there are; nothing for 0. Returns the first one's place or an errno. */
int modules_add(struct bb_builder *builder, size_t count);

/** Fill them: poll number @tick. None of them is urgent. */
void modules_fill(struct bb_reading *reading, size_t first, size_t count, uint64_t tick);

#endif
