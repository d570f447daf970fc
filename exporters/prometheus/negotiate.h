/* SPDX-License-Identifier: Apache-2.0
 *
 * negotiate.h - what format and coding a client asked for (RFC 9110, 12.5). Pure functions.
 */
#ifndef PROMETHEUS_NEGOTIATE_H
#define PROMETHEUS_NEGOTIATE_H

#include <stdbool.h>

#include "families.h"

/**
 * The format for an Accept header (NULL: there is none). OpenMetrics only for who names it and does not like plain
 * text better; everybody else, whatever they accept, gets the plain text that every tool reads.
 */
enum page_format negotiate_format(const char *accept);

/** Does an Accept-Encoding header (NULL: there is none) allow gzip, and not prefer plain bytes? */
bool negotiate_gzip(const char *accept_encoding);

#endif
