/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - what can be written to a simulated UPS, and what comes of it: texts, switches, battery tests, and the
 * timers that turn the output off and on again (RFC 1628, upsControl).
 *
 * Time is the model's, as everywhere in the simulator.
 */
#ifndef SIMULATOR_SETTINGS_H
#define SIMULATOR_SETTINGS_H

#include <busbar/plugin.h>

#include "physics.h"

#define SETTINGS_TEXTS     4
#define SETTINGS_TEXT_SIZE 256

struct settings {
	size_t first; /* the first of its points */
	char texts[SETTINGS_TEXTS][SETTINGS_TEXT_SIZE];
	int64_t shutdown_type, auto_restart, beeper; /* members of the points */
	int64_t shutdown_ms, startup_ms;             /* when that happens; −1: not pending */
	int64_t reboot_ms;                           /* when the reboot is over; −1: none */
	bool mains_failed;                           /* when, or since, the output was turned off */
	int64_t test_id;                             /* of the last test */
	int64_t test_started_ms;                     /* of the last that was asked for here */
};

/** Add its points; @name is what the device says it is called. Returns 0 or a negative errno. */
int settings_add(struct bb_builder *builder, const char *name, struct settings *settings);

/** Do what is due at @physics->now_ms. */
void settings_advance(struct settings *settings, struct physics *physics);

/** Fill its points, all or only the urgent ones. */
void settings_fill(const struct settings *settings, const struct physics *physics, enum bb_group group,
		   struct bb_reading *reading);

/**
 * Write @value to point @index, one of its own or not. 0; -EACCES: cannot be written; -ERANGE; -EREMOTEIO: not now, such
 * as a test while one is running.
 */
int settings_write(struct settings *settings, struct physics *physics, size_t index, const struct bb_value *value);

#endif
