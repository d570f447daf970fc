/* SPDX-License-Identifier: Apache-2.0
 *
 * identify.h - which register map a device has, from what it says about itself.
 */
#ifndef UPS_MODBUS_IDENTIFY_H
#define UPS_MODBUS_IDENTIFY_H

#include "survey.h"

/** Room for what a device says about itself. */
#define IDENTIFY_TEXT_SIZE 256

/**
 * Find the map whose identifying text the device has. Returns 1, with the map and the text; 0 when it says nothing of
 * the kind; or a negative errno when it does not answer.
 */
int identify_map(const struct survey_reader *reader, const struct bb_regmap **ret_map,
		 char ret_text[IDENTIFY_TEXT_SIZE]);

/** Are these words a text, of three characters at least, and padding behind it? */
bool identify_is_text(const uint16_t *words, size_t count);

#endif
