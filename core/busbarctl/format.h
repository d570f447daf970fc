/* SPDX-License-Identifier: Apache-2.0
 *
 * format.h - values, times and durations as text. Pure functions.
 */
#ifndef BUSBARCTL_FORMAT_H
#define BUSBARCTL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "busbar.pb-c.h"
#include "table.h"

/** Room for the text of any value: 64 flags with long names. */
#define FORMAT_VALUE_SIZE 8192

/** Room for a time or a duration. */
#define FORMAT_TIME_SIZE 40

/** The value of a point that is known, exactly: 97.0, battery, OL CHRG, true. Points into @buffer or @point. */
const char *format_value(char buffer[FORMAT_VALUE_SIZE], const Busbar__Point *point);

/** A fixed-point number, exactly. */
const char *format_number(char buffer[FORMAT_TIME_SIZE], int64_t number, unsigned decimals);

/** A number of bytes for people: 512 B, 20.0 KiB, 3.4 MiB. */
const char *format_bytes(char buffer[FORMAT_TIME_SIZE], int64_t bytes);

/** RFC 3339 in UTC; milliseconds only where there are any. */
const char *format_utc(char buffer[FORMAT_TIME_SIZE], int64_t wall_ms);

/** Date and time of day where the user is. */
const char *format_local(char buffer[FORMAT_TIME_SIZE], int64_t wall_ms);

/** A duration for people, in at most two units: 0.4s, 45s, 23m10s, 3h05m, 12d04h. "-" when negative. */
const char *format_span(char buffer[FORMAT_TIME_SIZE], int64_t ms);

/** A value of an option of @type ("duration", "size", "decimal" …) as the configuration would have it. */
const char *format_option(char buffer[FORMAT_TIME_SIZE], const char *type, int64_t value);

/** "unknown", "good" … and "grey", "blue" … and "info", "warning", "alarm" ("" for none). */
const char *format_quality(Busbar__Point__Quality quality);
const char *format_light(Busbar__Device__Light light);
const char *format_severity(Busbar__Severity severity);

/** How a severity looks where there are colours. */
enum style format_severity_style(Busbar__Severity severity);

#endif
