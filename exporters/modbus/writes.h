/* SPDX-License-Identifier: Apache-2.0
 *
 * writes.h - what a client writes: functions 05, 06, 15 and 16, register by register, each through the core.
 *
 * A write takes as long as the device does, so its client waits for the answer (client.h) while others are served.
 * Thread: the server's.
 */
#ifndef MODBUS_WRITES_H
#define MODBUS_WRITES_H

#include <busbar/registry.h>

#include "client.h"
#include "image.h"

/**
 * Begin what @request (well-formed, taken from the client's frame, which is copied) asks of @image; client_reply() is
 * called when it is done. Returns 0, or the exception code to answer at once: 01 the unit grants no writes, 02 the map
 * does not grant this one, 03 a value the register cannot have, 04 memory lacks.
 */
int writes_begin(struct client *client, struct image *image, struct bb_registry *registry,
		 const struct bb_modbus_request *request);

/** The client has gone: forget what it waits for. */
void writes_forget(struct client *client);

#endif
