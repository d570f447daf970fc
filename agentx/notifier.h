/* SPDX-License-Identifier: Apache-2.0
 *
 * notifier.h - notifications: events of the journal as the traps of RFC 1628 and of the BACS MIB.
 *
 * Events come from a cursor of the journal, in order; each that has a notification is sent through the session, and when
 * snmpd has answered, the cursor moves on. So what happens while snmpd is away follows in order when it is back, and
 * nothing is lost over restarts of either side; a notification may come twice, told by its busbarEventNumber.
 * upsTrapOnBattery is repeated every minute for as long as a device runs on battery (repeat.h); repeats are never queued.
 *
 * A notification is sent in the SNMP context of its device, which receivers of SNMPv3 see; alarms of the agent itself in
 * the default context. One that snmpd refuses is counted and left behind: it would keep all others from going out, and
 * it is refused for what it is, not for when it is sent.
 *
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_NOTIFIER_H
#define AGENTX_NOTIFIER_H

#include <stdbool.h>

#include <busbar/log.h>
#include <busbar/loop.h>
#include <busbar/registry.h>

#include "context.h"
#include "notification.h"
#include "session.h"

struct notifier; /* opaque */

struct notifier_setup {
	struct bb_loop *loop;
	const struct bb_log *log;
	struct bb_registry *registry;
	struct contexts *contexts;
	struct session *session;
	const struct oid *base; /* of BUSBAR-MIB; must outlive the notifier */
	const char *master;     /* where it is: names the cursor. Needed for the call only */
};

/** Open the cursor and wait for the session. 0 or a negative errno, said. */
int notifier_create(const struct notifier_setup *setup, struct notifier **ret_notifier);

/** After session_stop(), which still tells what became of notifications. Accepts NULL. */
void notifier_destroy(struct notifier *notifier);

/**
 * The session came up, or went: what was on its way comes again. What session_notify() promised must have been kept when
 * it comes up: done() has been called for all of the old session. Accepts NULL.
 */
void notifier_session_changed(struct notifier *notifier, bool up);

/** Room for the name of any cursor. */
#define NOTIFIER_CURSOR_SIZE 65

/** The name of the cursor of the master @master: "agentx:unix:_var_agentx_master-5b0a1c2d". */
void notifier_name_cursor(const char *master, char name[NOTIFIER_CURSOR_SIZE]);

#endif
