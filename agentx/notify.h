/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.h - notifications: events of the journal as the traps of RFC 1628 and of the BACS MIB.
 *
 * Events come from a cursor of the journal, in order; each that has a notification is sent through the session, and when
 * snmpd has answered, the cursor moves on. So what happens while snmpd is away follows in order when it is back, and
 * nothing is lost over restarts of either side; a notification may come twice, told by its busbarEventNumber.
 * upsTrapOnBattery is repeated every minute for as long as a device runs on battery; repeats are never queued.
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_NOTIFY_H
#define AGENTX_NOTIFY_H

#include <stdbool.h>

#include <busbar/log.h>
#include <busbar/loop.h>
#include <busbar/registry.h>

#include "context.h"
#include "session.h"

struct notifier; /* opaque */

struct notifier_setup {
	struct bb_loop *loop;
	const struct bb_log *log;
	struct bb_registry *registry;
	struct contexts *contexts;
	struct session *session;
	const struct oid *base;     /* of BUSBAR-MIB: the objects that every notification carries */
	const char *default_device; /* NULL: none */
};

int notifier_create(const struct notifier_setup *setup, struct notifier **ret_notifier);
void notifier_destroy(struct notifier *notifier); /* accepts NULL */

/** The session came up, or went: what was on its way comes again. */
void notifier_session_changed(struct notifier *notifier, bool up);

/** Names of all notifications, NULL at the end: for `busbarctl trap-test`. */
extern const char *const notifier_names[];

#endif
