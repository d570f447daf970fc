/* SPDX-License-Identifier: Apache-2.0
 *
 * physics_internal.h - what physics.c (what happens) and physics_measure.c (what a meter shows of it) share.
 */
#ifndef SIMULATOR_PHYSICS_INTERNAL_H
#define SIMULATOR_PHYSICS_INTERNAL_H

#include "physics.h"

/** Real power at the output, all lines, without noise: 0 when it is off. */
int64_t physics_output_mw(const struct physics *physics);

/** Fill everything that a meter shows from what the model knows. */
void physics_measure(struct physics *physics);

#endif
