/* SPDX-License-Identifier: Apache-2.0
 *
 * ups-snmp.h - one device: what its three state machines share.
 *
 *   ups-snmp.c  when: names, the peer, the pace
 *   learn.c     at first contact and after a restart: who is it, what does it have?
 *   poll.c      what are the values now?
 *
 * All of it runs on the SNMP client's loop; the main loop only starts and stops it.
 */
#ifndef UPS_SNMP_H
#define UPS_SNMP_H

#include <semaphore.h>

#include <busbar/plugin.h>
#include <busbar/resolve.h>
#include <busbar/snmp.h>

#include "access.h"
#include "alarms.h"
#include "plan.h"

struct learn; /* learn.c; lives while learning */
struct poll;  /* poll.c; lives while polling */

struct ups_snmp {
	/* Set by open() and start(), constant while the device runs. */
	struct bb_device *device;
	const struct bb_log *log;
	const struct bb_config *config;
	struct secrets secrets;
	struct bb_snmp_client *client;
	struct bb_loop *loop;
	struct bb_task task; /* begins, then ends the device on the loop */
	sem_t confirmed;
	int begun; /* what the beginning came to */

	/* The client's loop only. */
	struct bb_snmp_agent *agent;
	struct bb_lookup *lookup;
	char address[64]; /* numeric, as the agent was opened with */
	bool answers;     /* there, the last time it was asked */
	struct bb_timer *timer;
	struct bb_pace pace;
	enum bb_group group; /* of the work in hand */
	int64_t started_ms;
	struct bb_complaint unresolved;

	struct identity identity;
	struct plan plan;
	struct alarms alarms;
	struct decode_clock clock;
	bool learned;
	bool restarted;     /* since it was learned */
	int64_t learned_ms; /* bb_clock_ms() */
	unsigned relearned; /* how often, because its instances changed */
	uint32_t boots;     /* snmpEngineBoots when it was learned */
	bool said_unknown;  /* an unknown alarm identity was logged */
	bool said_loop;     /* so was a GETNEXT that goes round in circles */

	struct learn *learn;
	struct poll *poll;
};

/* sysUpTime.0 and the column upsAlarmDescr. */
extern const struct bb_snmp_oid ups_snmp_uptime;
extern const struct suffix ups_snmp_alarm_column;

/* The work in hand came to an end: plan the next. */
void ups_snmp_finished(struct ups_snmp *ups, int result);

/* Does GETNEXT go round in circles? Said once. */
void ups_snmp_say_loop(struct ups_snmp *ups);

/* Find out what the device has; goes on with a poll of everything, or ends with ups_snmp_finished(). */
void learn_start(struct ups_snmp *ups);
void learn_stop(struct ups_snmp *ups);

/* Ask for values and publish them; ends with ups_snmp_finished(). */
void poll_start(struct ups_snmp *ups, enum bb_group group);
void poll_stop(struct ups_snmp *ups);

#endif
