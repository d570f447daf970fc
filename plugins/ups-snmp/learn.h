/* SPDX-License-Identifier: Apache-2.0
 *
 * learn.h - what the files of learning share: learn.c leads it and asks who the device is, learn_walk.c what it has.
 */
#ifndef UPS_SNMP_LEARN_H
#define UPS_SNMP_LEARN_H

#include "ups-snmp.h"

enum learn_phase {
	LEARN_WHO,
	LEARN_WALK,
	LEARN_PROBE,
	LEARN_DONE,
};

struct learn {
	enum learn_phase phase;
	int64_t deadline_ms;
	struct plan plan;
	struct alarms alarms;
	struct identity identity;
	struct decode_clock clock;

	/* WHO: the object that is asked for. */
	unsigned name;
	char manufacturer[64], model[64];

	/* WALK */
	struct bb_snmp_oid position;
	size_t root;
	unsigned variables;
	unsigned repetitions; /* 1: GETNEXT */
	bool faulty;          /* something went wrong: do not believe that this was all */

	/* PROBE: the next instance, and the first one of the request in flight. */
	size_t object, first_object;
	uint32_t row, first_row;
	size_t asked;
	size_t singly; /* so many of the next are asked for one by one */
	unsigned silences;
};

/* ---- learn.c ---- */

void learn_next(struct ups_snmp *ups);
void learn_fail(struct ups_snmp *ups, int error);
void learn_send(struct ups_snmp *ups, const struct bb_snmp_request *request, bb_snmp_answer *answer);

/* ---- learn_walk.c ---- */

void learn_walk_begin(struct learn *learn);
void learn_ask_walk(struct ups_snmp *ups);

/* Ask for what may be there; false when all was asked for, or when there is no need to. */
bool learn_ask_probe(struct ups_snmp *ups);

#endif
