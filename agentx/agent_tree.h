/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_tree.h - the BUSBAR-MIB: tables over all devices, for discovery; in the default context.
 */
#ifndef AGENTX_AGENT_TREE_H
#define AGENTX_AGENT_TREE_H

#include <stdint.h>

#include <busbar/log.h>
#include <busbar/registry.h>

#include "picture.h"

/*
 * Below base-oid (mibs/BUSBAR-MIB.txt):
 *   .0.N           notifications of our own: 1 busbarAlarmRaised, 2 busbarAlarmCleared, 3 busbarEventsLost (notification.c)
 *   .1.1.x.0       the agent: version, uptime, counters
 *   .1.2.1.c.*     busbarDeviceTable, INDEX { IMPLIED busbarDeviceIndex }, the device's name
 *   .1.3.1.c.*     busbarPointTable, INDEX { busbarDeviceIndex, IMPLIED busbarPointIndex }, the point's name
 *   .1.4.1.c.N     busbarAlarmTable, INDEX { busbarAlarmId } (the event number)
 *   .1.5.x.0       what notifications carry besides the objects of RFC 1628: enum agent_notification
 */

/** Numbers below base-oid.1.5 of the objects that only notifications carry. */
enum agent_notification {
	AGENT_NOTIFICATION_DEVICE_NAME = 1,  /* busbarDeviceName: OCTET STRING */
	AGENT_NOTIFICATION_EVENT_NUMBER = 2, /* busbarEventNumber: Unsigned32; a Counter64 would keep it from SNMPv1 */
	AGENT_NOTIFICATION_EVENT_TIME = 3,   /* busbarEventTime: DateAndTime, an OCTET STRING: date_and_time.h */
	AGENT_NOTIFICATION_TEST = 4,         /* busbarNotificationTest: TruthValue, an INTEGER: 1 true, 2 false */
	AGENT_NOTIFICATION_TEXT = 5,         /* busbarNotificationText: OCTET STRING, one line for people */
	AGENT_NOTIFICATION_ALARM = 6,        /* busbarNotificationAlarm: OCTET STRING, the alarm's name, "" for none */
	AGENT_NOTIFICATION_SEVERITY = 7,     /* busbarNotificationSeverity: INTEGER info(1), warning(2), alarm(3) */
};

/** What others have counted since the exporter started. */
struct agent_figures {
	uint64_t events;        /* told to the exporter by the core */
	uint64_t requests;      /* taken from the master */
	uint64_t notifications; /* acknowledged by the master */
	uint64_t connections;   /* sessions opened with a master */
};

struct agent_tree_setup {
	struct bb_registry *registry;
	const struct oid *base;   /* copied */
	const struct bb_log *log; /* must outlive the tree */
	/** Says what has been counted. NULL: all are 0. Thread: the AgentX thread. */
	void (*figures)(void *context, struct agent_figures *ret_figures);
	void *context;
};

/** The tree over all devices. 0, -E2BIG when the base leaves no room for the names of devices, or -ENOMEM. */
int agent_tree_create(const struct agent_tree_setup *setup, struct subtree **ret_subtree);

#endif
