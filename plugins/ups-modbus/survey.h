/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.h - which registers of a map a device really has, and the fewest requests that read them.
 *
 * A map lists what a whole family of devices can have. A block that a device refuses is split until it is clear which
 * register it lacks; that one is left out from then on, until the device is surveyed from the start. Every block that is
 * read later has been read once before, so a refusal means that the device has become another.
 */
#ifndef UPS_MODBUS_SURVEY_H
#define UPS_MODBUS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/regmap.h>

/** What is known of a register. */
enum survey_state {
	SURVEY_UNWANTED,  /* it feeds no point, or cannot be read */
	SURVEY_UNKNOWN,   /* not asked yet */
	SURVEY_PRESENT,   /* the device has it */
	SURVEY_LACKING,   /* the device refuses it */
	SURVEY_POSTPONED, /* the device could not say (exceptions 04, 05, 06, 0A, 0B): ask again later */
};

struct survey {
	const struct bb_regmap *map;
	unsigned most, gap; /* see bb_regmap_plan() */
	bool input;         /* the device has input registers (04), not holding registers, where the map allows both */
	bool refused;       /* it has refused a block, so there may be more blocks than needed */
	enum survey_state *states; /* for each register of the map */
	bool *urgent_points;       /* for each: its point is polled by itself */
	size_t *offsets;           /* for each: where its words are */
	uint16_t *words;
	struct bb_block *blocks; /* that read what is present */
	size_t block_count;
	struct bb_block *urgent; /* that read what is present and urgent */
	size_t urgent_count;
};

/** How a survey asks: bb_modbus_read() of a link and unit, or a test's own device. Returns as that does. */
struct survey_reader {
	int (*read)(void *context, uint8_t function, uint16_t address, uint16_t count, uint16_t *ret_words);
	void *context;
};

/** Prepare for @map. 0 or -ENOMEM. survey_finish() accepts one that is all zero. */
int survey_init(struct survey *survey, const struct bb_regmap *map, unsigned most, unsigned gap);
void survey_finish(struct survey *survey);

/** Forget what is known; the next survey_take() begins from the start. */
void survey_reset(struct survey *survey);

/**
 * Find out what the device has, by reading what is not known yet, and what was postponed. Returns 0; -EAGAIN when it
 * needs more time, or the device is busy: call again later, what is known stays known; another negative errno when the
 * device did not answer at all; -ENODATA when it has nothing of the map.
 */
int survey_take(struct survey *survey, const struct survey_reader *reader);

/** How many registers were postponed. */
size_t survey_postponed(const struct survey *survey);

/**
 * Read what was found; only what is urgent with @urgent (or, where nothing is, one register, to see that the device is
 * there). 0; -EAGAIN when the device is busy; -ESTALE when it refuses what it had; another negative errno when it did not
 * answer.
 */
int survey_read(struct survey *survey, const struct survey_reader *reader, bool urgent);

/** The request for @block: its function. */
uint8_t survey_function(const struct survey *survey, const struct bb_block *block);

/** Keep the @words that the device answered for @block. */
void survey_keep(struct survey *survey, const struct bb_block *block, const uint16_t *words);

/** The words of register @index of the map, as last read. */
const uint16_t *survey_words(const struct survey *survey, size_t index);

#endif
