/* SPDX-License-Identifier: Apache-2.0
 *
 * binding.h - the variables of a version 1 or 2c answer, straight from the datagram. Pure.
 */
#ifndef SNMP_BINDING_H
#define SNMP_BINDING_H

#include "ber.h"

/** How many variables @list holds, counted no further than @most + 1; -EBADMSG when it is not a list of elements. */
int binding_count(struct ber list, size_t most);

/** Read the first @count variables of @list; their strings point into it. Returns 0 or -EBADMSG. */
int binding_read(struct ber list, struct bb_snmp_variable *variables, size_t count);

#endif
