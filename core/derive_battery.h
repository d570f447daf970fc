/* SPDX-License-Identifier: Apache-2.0
 *
 * derive_battery.h - what the configuration knows of a device's battery and the device does not say: how old it is, and
 * how long it would last.
 */
#ifndef CORE_DERIVE_BATTERY_H
#define CORE_DERIVE_BATTERY_H

#include <busbar/config.h>

#include "generation.h"

struct bb_reading;

/** From the options of a device; all zero: nothing is known. */
struct battery_settings {
	const char *installed;   /* as written; NULL: not said. Lives as long as the settings are used */
	int64_t expires_wall_ms; /* wall clock from which on it is too old; 0: never */
	int64_t hold_ms;         /* how long the full battery carries the rated load; 0: not said */
	int64_t rated_va;        /* 0: not said */
	int64_t load_va;         /* that is assumed where the device says nothing; 0: none */
};

/** Read a date such as 2023-05-01: @ret_wall_ms is its first moment in UTC. 0 or -EINVAL. */
int battery_date_parse(const char *text, int64_t *ret_wall_ms);

/** Fill @ret_settings from the options of a device. They have been checked (battery_check()). */
void battery_settings(const struct bb_config *config, struct battery_settings *ret_settings);

/** Check the options of a device. 0, or -EINVAL (said). */
int battery_check(const struct bb_config *config);

/** Lines a UPS can have. */
#define BATTERY_LINES 3

/** Where the points are; −1: the device has none such, or delivers what would be derived. */
struct battery_plan {
	struct battery_settings settings;
	char installed[12];
	int32_t date, too_old, runtime;          /* what is derived */
	int32_t charge, discharge_time, nominal; /* from what */
	int32_t total;
	int32_t power[BATTERY_LINES], load[BATTERY_LINES];
};

/** Add to @draft what the settings allow and the device does not deliver. 0 or -ENOMEM. */
int battery_extend(struct draft *draft, const struct battery_settings *settings, struct battery_plan *ret_plan);

/** Fill those points of @reading. Thread: the one that fills @reading. */
void battery_fill(const struct battery_plan *plan, struct bb_reading *reading);

/**
 * Time left on battery, in seconds rounded down: @hold_ms for a full battery at the rated load, in proportion to the
 * charge (@charge, tenths of a percent) and in inverse proportion to the load (@load_ppm, millionths of the rated one).
 * Loads below 1 % count as 1 %. Less @spent_s, for which it has been discharging already.
 */
int64_t battery_time_left(int64_t hold_ms, int64_t charge, int64_t load_ppm, int64_t spent_s);

#endif
