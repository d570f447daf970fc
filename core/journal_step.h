/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_step.h - the moments at which a crash would be most awkward, by name.
 */
#ifndef CORE_JOURNAL_STEP_H
#define CORE_JOURNAL_STEP_H

/**
 * The journal's writer has come to the step @name. Does nothing: it is a place for tests to put a function of their own
 * (with the linker's --wrap) that kills the process there. Thread: the journal's writer, or whoever opens the journal.
 *
 * taken: events are in the writer's hands · numbers-ahead: more numbers are reserved · begun: a transaction · written:
 * all its rows · committed · told: cursors know · reserve-written, reserve-synced: events are in the reserve file ·
 * reserve-cleared · recovery-copied: a damaged database was copied · recovery-aside: it was set aside ·
 * recovery-replaced: the copy has taken its place
 */
void journal_step(const char *name);

#endif
