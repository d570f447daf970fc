/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/macros.h - two expressions that everybody needs and nobody should write out.
 */
#ifndef BUSBAR_MACROS_H
#define BUSBAR_MACROS_H

#include <stddef.h>

/** Number of elements of @array, which is an array and no pointer. */
#define BB_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/** The @type whose @member @pointer points at: how a callback finds what its bb_task is embedded in. */
#define BB_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
