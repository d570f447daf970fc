/* SPDX-License-Identifier: Apache-2.0
 *
 * image.h - what a Modbus unit shows: the registers of its maps, filled from the readings of its devices.
 *
 * One image belongs to a unit id. For each address space it keeps all listed addresses in order and, beside them, the
 * words they show, so that answering a request is a search and a copy. Words are made again when a device has
 * published a reading since they were made, on the first request that touches the unit. No sockets in here; not shared
 * between threads.
 */
#ifndef MODBUS_IMAGE_H
#define MODBUS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <busbar/modbus.h>
#include <busbar/registry.h>
#include <busbar/regmap.h>

/** A device seen through a map. */
struct view {
	const char *device; /* name; borrowed from the configuration */
	const struct bb_regmap *map;
	bool allow_write;
	bool hold;      /* a stale device shows its last values, as the vendor's card does */
	int32_t absent; /* what an absent measurement shows, as a word; −1: as the map's role says */
};

struct image; /* opaque */

/** Make the image of @views (copied). -EEXIST when two list the same address: @ret_address says which. */
int image_create(const struct view *views, size_t count, struct image **ret_image, unsigned *ret_address);
void image_destroy(struct image *image); /* accepts NULL */

/**
 * Answer a read (functions 01 to 04) that bb_modbus_request_parse() found well-formed: writes request->quantity words (0
 * or 1 for bits). Returns 0, or the exception code: 02 an address no map lists, 06 a device that never answered, 0B a
 * stale one.
 */
int image_read(struct image *image, struct bb_registry *registry, int64_t now_ms,
	       const struct bb_modbus_request *request, uint16_t *ret_words);

/** The register at @address of @space and the view it is of; false when no map lists it. */
bool image_find(const struct image *image, enum bb_space space, uint16_t address, const struct view **ret_view,
		const struct bb_register **ret_register);

/** Does any view of the image allow writes? */
bool image_allows_writes(const struct image *image);

/** How many values did not fit their register so far. */
uint64_t image_saturated(const struct image *image);

#endif
