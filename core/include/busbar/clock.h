/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/clock.h - the clocks of the agent.
 *
 * Ages, deadlines and delays count bb_clock_ms(), which goes on while the machine sleeps, so that a
 * value read before a suspend is old after it. The wall clock is for time stamps that people read;
 * no decision may depend on it, because an administrator or NTP can move it at any moment. The third only measures
 * how long something took.
 */
#ifndef BUSBAR_CLOCK_H
#define BUSBAR_CLOCK_H

#include <stdint.h>

/** Milliseconds of CLOCK_BOOTTIME. Any thread; cannot fail. */
int64_t bb_clock_ms(void);

/** Milliseconds since 1970-01-01 UTC, as far as this machine knows. Any thread; cannot fail. */
int64_t bb_clock_wall_ms(void);

/** Microseconds of CLOCK_MONOTONIC, which stands still while the machine sleeps. Any thread; cannot fail. */
int64_t bb_clock_us(void);

#endif
