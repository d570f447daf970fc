/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_tree.h - the BUSBAR-MIB: tables over all devices, for discovery; in the default context.
 */
#ifndef AGENTX_AGENT_TREE_H
#define AGENTX_AGENT_TREE_H

#include <busbar/registry.h>

#include "picture.h"

/*
 * Below base-oid (mibs/BUSBAR-MIB.txt):
 *   .0.N           notifications of our own (none so far)
 *   .1.1.x.0       the agent: version, uptime, counters
 *   .1.2.1.c.*     busbarDeviceTable, INDEX { IMPLIED busbarDeviceName }
 *   .1.3.1.c.*     busbarPointTable, INDEX { busbarDeviceName, IMPLIED busbarPointName }
 *   .1.4.1.c.N     busbarAlarmTable, INDEX { busbarAlarmId } (the event number)
 *   .1.5.x.0       objects of notifications: busbarNotificationDeviceName(1), busbarEventNumber(2), busbarEventTime(3), …
 */

/** The tree over all devices of @registry, rooted at @base. */
int agent_tree_create(struct bb_registry *registry, const struct oid *base, struct subtree **ret_subtree);

#endif
