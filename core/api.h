/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h - the local socket: answers busbarctl and other local programs in protobuf-c messages (busbar.proto).
 */
#ifndef CORE_API_H
#define CORE_API_H

#include "agent.h"

struct api;

/**
 * Listen on the UNIX socket @path, mode 0660, group @group (NULL: as it is). A socket left over by a dead agent is
 * replaced; one that answers is -EADDRINUSE. Thread: main loop.
 */
int api_create(struct bb_loop *loop, struct agent *agent, const char *path, const char *group, struct api **ret_api);

/** Close all clients and remove the socket. Accepts NULL. */
void api_destroy(struct api *api);

#endif
