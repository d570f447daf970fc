/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h - the memory that pages are written into, used again from one scrape to the next.
 *
 * A page of a hundred thousand series is seven megabytes. Fresh memory of that size comes as seventeen hundred page
 * faults, which would cost a scrape more than writing the page does. So the last few blocks are kept; more are made
 * when several clients scrape at once, and those go back to the system when they have been sent.
 */
#ifndef PROMETHEUS_MEMORY_H
#define PROMETHEUS_MEMORY_H

#include <stddef.h>

/** How many unused blocks are kept: a page and its compressed form. */
#define MEMORY_KEPT 2

struct memory_block;

/** Zero-initialise. Not shared between threads. */
struct memory {
	struct memory_block *kept[MEMORY_KEPT];
};

struct memory_block {
	struct memory *memory; /* where it goes back to */
	size_t size;
	char data[];
};

/** A block of at least @size bytes with undefined content, or NULL when memory lacks. */
struct memory_block *memory_take(struct memory *memory, size_t size);

/** Give a block back; accepts NULL. Its type suits MHD_ContentReaderFreeCallback. */
void memory_give(void *block);

/** Free what is kept. All blocks must have been given back. */
void memory_finish(struct memory *memory);

#endif
