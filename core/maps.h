/* SPDX-License-Identifier: Apache-2.0
 *
 * maps.h - where the agent looks for register maps.
 */
#ifndef CORE_MAPS_H
#define CORE_MAPS_H

#include <busbar/config.h>

/**
 * Find the maps that come with busbar, and the user's own in `maps-dir` of @config, or /etc/busbar/maps.d. What is
 * wrong with a file is logged and keeps no other from being found. Returns 0, -ENOMEM, or why the folder is unknown.
 */
int maps_open(const struct bb_config *config);

#endif
