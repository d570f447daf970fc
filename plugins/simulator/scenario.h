/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.h - what is going to happen to a simulated UPS, read from a text file.
 *
 *	# comment
 *	at 30s mains off
 *	at 90s mains on
 *	at 2m  load 130%
 *	repeat 10m
 *
 * The language is described in busbar-simulator(7). Reading is separate from playing (player.h), so that a faulty
 * file refuses the configuration before anything runs.
 */
#ifndef SIMULATOR_SCENARIO_H
#define SIMULATOR_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Larger files are refused. */
#define SCENARIO_SIZE_MAX 65536

enum scenario_action {
	SCENARIO_MAINS,       /* value: mV, −1: nominal */
	SCENARIO_LOAD,        /* value: thousandths of a percent, −1: as configured */
	SCENARIO_SENSOR,      /* value: 1 works, 0 does not */
	SCENARIO_SILENCE,     /* value: for how many ms */
	SCENARIO_TEMPERATURE, /* value: thousandths of a degree */
	SCENARIO_BATTERY,     /* value: enum physics_condition */
	SCENARIO_TEST,        /* value: 1 */
	SCENARIO_BYPASS,      /* value: 1 on, 0 off */
	SCENARIO_ALARM,       /* value: 1 forced, 0 as the model says; @alarm */
};

/** One thing that happens. */
struct scenario_entry {
	int64_t at_ms;
	enum scenario_action action;
	unsigned alarm; /* enum physics_alarm */
	int64_t value;
	unsigned line; /* of the file */
};

/** The whole file, entries in order of time (of the file, where the time is the same). */
struct scenario {
	struct scenario_entry *entries;
	size_t count;
	int64_t repeat_ms; /* 0: once */
};

/** Told of each fault: the line (0: the file as a whole) and what is wrong with it. */
struct scenario_faults {
	void (*fault)(void *context, unsigned line, const char *text);
	void *context;
};

/**
 * Read @text. Returns 0; -EINVAL after all faults have been told; -ENOMEM. @ret_scenario is written only on success;
 * free it with scenario_free().
 */
int scenario_parse(const char *text, const struct scenario_faults *faults, struct scenario **ret_scenario);

/** Read the file at @path; as scenario_parse(), or a negative errno (told as a fault, too). */
int scenario_load(const char *path, const struct scenario_faults *faults, struct scenario **ret_scenario);

/** Free; accepts NULL. */
void scenario_free(struct scenario *scenario);

#endif
