/* SPDX-License-Identifier: Apache-2.0
 *
 * units.h - the unit ids of the server: which devices each shows, through which maps, and the answer to a request.
 */
#ifndef MODBUS_UNITS_H
#define MODBUS_UNITS_H

#include <busbar/config.h>
#include <busbar/registry.h>

#include "client.h"
#include "image.h"

struct units; /* opaque; its images belong to the server's thread */

/** The table of the sections under `units:`. */
extern const struct bb_option units_options[];

/** Check the option `units` of @config: unit ids, maps, overlaps. 0 or -EINVAL, said with its place. */
int units_check(const struct bb_config *config);

/** Make them; @config must outlive them. 0 or a negative errno, said. */
int units_create(const struct bb_config *config, struct bb_registry *registry, struct units **ret_units);
void units_destroy(struct units *units); /* accepts NULL */

/**
 * Answer the whole TCP frame @frame of @client into @reply. Returns the length of the answer, 0 for a write that has been
 * begun: client_reply() brings its answer. Thread: the server's.
 */
size_t units_answer(struct units *units, struct client *client, const uint8_t *frame, size_t length,
		    uint8_t reply[BB_MODBUS_TCP_MAX]);

#endif
