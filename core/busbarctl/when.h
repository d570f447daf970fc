/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - points in time and durations as people write them. Pure functions.
 */
#ifndef BUSBARCTL_WHEN_H
#define BUSBARCTL_WHEN_H

#include <stdint.h>

/** What --since was. */
enum when_kind {
	WHEN_NUMBER, /* of an event */
	WHEN_TIME,
};

/**
 * Read "17" (a number), "90m" or "1h30m" (so long before @now_ms), an RFC 3339 time, or a local one:
 * "2026-05-01 12:00:00", "2026-05-01 12:00", "2026-05-01", "12:00" (of today). @ret_kind says what it was, @ret_value
 * is the number, or ms since 1970-01-01 UTC (never negative). Returns 0, or -EINVAL and writes nothing.
 */
int when_parse(const char *text, int64_t now_ms, enum when_kind *ret_kind, int64_t *ret_value);

/** Read "90s", "1h30m", "250ms", "7d", "2w" …: 0 or more ms. Returns 0, -EINVAL, or -ERANGE beyond 100 years. */
int when_parse_duration(const char *text, int64_t *ret_ms);

#endif
