/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_facts.c - the small facts that survive a restart, as the main loop sees them: a sorted list in memory, which
 * is filled when the journal is opened. What is put goes into it and, by journal.c, to the writer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal_data.h"

struct fact {
	struct fact *next;
	char *text; /* behind the key, in the same piece of memory */
	char key[];
};

int facts_put(struct fact **facts, const char *key, const char *text)
{
	struct fact **place = facts, *fact = NULL;
	int order = 1;

	if (text) {
		const size_t key_size = strlen(key) + 1, text_size = strlen(text) + 1;

		fact = malloc(sizeof(*fact) + key_size + text_size);
		if (!fact)
			return -ENOMEM;
		memcpy(fact->key, key, key_size);
		fact->text = memcpy(fact->key + key_size, text, text_size);
	}
	while (*place && (order = strcmp((*place)->key, key)) < 0)
		place = &(*place)->next;
	if (*place && order == 0) {
		struct fact *old = *place;

		*place = old->next;
		free(old);
	}
	if (fact) {
		fact->next = *place;
		*place = fact;
	}
	return 0;
}

void facts_clear(struct fact **facts)
{
	while (*facts) {
		struct fact *fact = *facts;

		*facts = fact->next;
		free(fact);
	}
}

void journal_each_state(const char *prefix, void (*each)(void *context, const char *key, const char *text),
			void *context)
{
	const size_t length = strlen(prefix);

	for (const struct fact *fact = journal_get()->facts; fact; fact = fact->next)
		if (strncmp(fact->key, prefix, length) == 0)
			each(context, fact->key, fact->text);
}
