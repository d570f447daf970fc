/* SPDX-License-Identifier: Apache-2.0
 *
 * everything.h - the profile that has a point for every row of the dictionary and every object of the UPS-MIB, for
 * exporters to prove themselves on.
 */
#ifndef SIMULATOR_EVERYTHING_H
#define SIMULATOR_EVERYTHING_H

#include <busbar/plugin.h>

struct everything; /* opaque */

/** Add the points. Returns 0 or a negative errno; free with everything_close() in any case. */
int everything_open(struct bb_builder *builder, struct everything **ret_everything);

/** Fill them, all or only the urgent ones: poll number @tick at @now_ms of simulated time. */
void everything_fill(const struct everything *everything, uint64_t tick, int64_t now_ms, enum bb_group group,
		     struct bb_reading *reading);

/** From now on point @index has @value. 0 or -ENOMEM. A command does nothing, but is taken. */
int everything_write(struct everything *everything, size_t index, const struct bb_value *value);

/** Accepts NULL. */
void everything_close(struct everything *everything);

/**
 * The name of a point that fits the dictionary row @row, in @buffer: a pattern row gets its instance number 1, or
 * another one where 1 would be the name of another row.
 */
void everything_instance(char *buffer, size_t size, const char *row);

#endif
