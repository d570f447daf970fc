/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.h - which registers of a map a device really has, and the fewest requests that read them.
 *
 * A map lists what a whole family of devices can have. A block that a device refuses is split until it is clear which
 * register it lacks; that one is left out from then on, until the device is surveyed anew.
 */
#ifndef UPS_MODBUS_SURVEY_H
#define UPS_MODBUS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/link.h>
#include <busbar/regmap.h>

struct survey {
	const struct bb_regmap *map;
	unsigned most, gap; /* see bb_regmap_plan() */
	bool *present;      /* for each register of the map: it feeds a point and the device has it */
	bool input;         /* the device answers function 04, not 03, where the map allows both */
	uint16_t *words;    /* for each register of the map, where its words are: offsets[i] on */
	size_t *offsets;
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

/**
 * Find out what the device has, by reading everything once. 0; a negative errno when it did not answer; -EAGAIN when
 * it is busy (exceptions 05, 06, 0A, 0B); -ENODATA when it has nothing of the map.
 */
int survey_take(struct survey *survey, const struct survey_reader *reader);

/**
 * Read what was found into @words; only what is urgent with @urgent. As survey_take(), and -ESTALE when the device
 * refuses what it had: it has become another, and must be surveyed anew.
 */
int survey_read(struct survey *survey, const struct survey_reader *reader, bool urgent);

/** The words of register @index of the map, as last read. */
const uint16_t *survey_words(const struct survey *survey, size_t index);

/** Is the point of register @index one of those that are polled by themselves? */
bool survey_is_urgent(const struct bb_register *entry);

#endif
