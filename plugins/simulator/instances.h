/* SPDX-License-Identifier: Apache-2.0
 *
 * instances.h - which points the profile everything has beyond the one of each row of the dictionary: as many inputs,
 * relays, sensors and lines as there are objects for in the UPS-MIB, and what only a name can tell.
 */
#ifndef SIMULATOR_INSTANCES_H
#define SIMULATOR_INSTANCES_H

#include <busbar/device.h>

/** Number @index of them: its name in @buffer, its kind, unit and decimals in @ret_spec. False: there are no more. */
bool instances_at(size_t index, char *buffer, size_t size, struct bb_point_spec *ret_spec);

#endif
