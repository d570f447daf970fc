/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.c - see memory.h.
 */
#include "memory.h"

#include <stdlib.h>

/* A kept block that is larger than this many times what was asked for is a relic of more devices: it is let go. */
#define WASTE 8
#define SMALL (256 * 1024)

struct memory_block *memory_take(struct memory *memory, size_t size)
{
	struct memory_block **best = NULL;

	for (size_t i = 0; i < MEMORY_KEPT; i++) {
		struct memory_block **slot = &memory->kept[i];

		if (*slot && (*slot)->size > SMALL && (*slot)->size / WASTE > size) {
			free(*slot);
			*slot = NULL;
		}
		if (*slot && (*slot)->size >= size && (!best || (*slot)->size < (*best)->size))
			best = slot;
	}

	struct memory_block *block;

	if (best) {
		block = *best;
		*best = NULL;
		return block;
	}
	/* A sixteenth more, so that a page that grows by a device finds its memory again. */
	size += size / 16;
	block = malloc(sizeof(*block) + size);
	if (block)
		*block = (struct memory_block){.memory = memory, .size = size};
	return block;
}

void memory_give(void *pointer)
{
	struct memory_block *block = pointer;

	if (!block)
		return;
	for (size_t i = 0; i < MEMORY_KEPT; i++) {
		struct memory_block **slot = &block->memory->kept[i];

		if (!*slot) {
			*slot = block;
			return;
		}
	}
	for (size_t i = 0; i < MEMORY_KEPT; i++) {
		struct memory_block **slot = &block->memory->kept[i];

		if ((*slot)->size < block->size) { /* the smaller one goes */
			free(*slot);
			*slot = block;
			return;
		}
	}
	free(block);
}

void memory_finish(struct memory *memory)
{
	for (size_t i = 0; i < MEMORY_KEPT; i++) {
		free(memory->kept[i]);
		memory->kept[i] = NULL;
	}
}
