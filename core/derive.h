/* SPDX-License-Identifier: Apache-2.0
 *
 * derive.h - fills what a device does not deliver from what it does: alarms, status word, output source, battery
 * status and NUT's tokens say the same things in different words.
 */
#ifndef CORE_DERIVE_H
#define CORE_DERIVE_H

#include <stdbool.h>

#include "generation.h"

struct bb_reading;

/** Which derived points a generation has, and where their inputs are. Immutable. */
struct derive_plan;

struct battery_settings;

/**
 * Add to @draft every point that can be derived from those in it and that the device does not deliver; always
 * alarm.communications-lost and alarm.count. @battery: what the configuration knows of it (NULL: nothing). Returns 0 or
 * -ENOMEM.
 */
int derive_extend(struct draft *draft, const struct battery_settings *battery, struct derive_plan **ret_plan);
void derive_plan_free(struct derive_plan *plan);

/**
 * Fill the derived points of @reading. @lost: the device does not answer any more, so communications-lost is set,
 * even where the device delivers that alarm itself. Thread: the one that fills @reading.
 */
void derive_fill(const struct derive_plan *plan, struct bb_reading *reading, bool lost);

#endif
