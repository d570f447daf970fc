/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of exporters/prometheus/memory.c.
 */
#include <criterion/criterion.h>

#include "memory.h"

Test(prometheus_memory, a_block_is_used_again)
{
	struct memory memory = {0};
	struct memory_block *first = memory_take(&memory, 100000), *second;

	memory_give(first);
	second = memory_take(&memory, 90000);
	cr_expect_eq(first, second);
	memory_give(second);
	memory_finish(&memory);
}

Test(prometheus_memory, blocks_in_use_are_never_given_twice)
{
	struct memory memory = {0};
	struct memory_block *blocks[8];

	for (size_t i = 0; i < 8; i++) {
		blocks[i] = memory_take(&memory, 1000 + i);
		cr_assert_geq(blocks[i]->size, 1000 + i);
		for (size_t j = 0; j < i; j++)
			cr_expect_neq(blocks[i], blocks[j]);
	}
	for (size_t i = 0; i < 8; i++)
		memory_give(blocks[i]);

	size_t kept = 0;

	for (size_t i = 0; i < MEMORY_KEPT; i++)
		kept += memory.kept[i] != NULL;
	cr_expect_eq(kept, MEMORY_KEPT, "what a burst of clients needed goes back");
	memory_finish(&memory);
}

Test(prometheus_memory, a_block_too_large_for_what_is_left_is_let_go)
{
	struct memory memory = {0};

	memory_give(memory_take(&memory, 100 << 20));

	struct memory_block *small = memory_take(&memory, 4096);

	cr_expect_lt(small->size, 1 << 20);
	memory_give(small);
	memory_finish(&memory);
}
