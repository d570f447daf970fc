/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.h - counts events as they happen, on the main loop, for pages that are made on another thread.
 *
 * It counts from the exporter's start: a counter that begins anew is what Prometheus expects of a restart.
 */
#ifndef PROMETHEUS_TALLY_H
#define PROMETHEUS_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <busbar/event.h>

/** More kinds than there are; those beyond are not counted. */
#define TALLY_KINDS_MAX 64

/** Zero-initialise. */
struct tally {
	_Atomic uint64_t counts[TALLY_KINDS_MAX]; /* by enum bb_event_kind */
	_Atomic uint64_t newest;                  /* number of the last event, 0: none yet */
};

/** Count @event. Thread: main loop. */
void tally_add(struct tally *tally, const struct bb_event *event);

/** How many kinds have a name; they are the numbers below. Any thread. */
size_t tally_kinds(void);

#endif
