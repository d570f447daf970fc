/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_numbers.h - the file journal.next: which event numbers may have been used.
 */
#ifndef CORE_JOURNAL_NUMBERS_H
#define CORE_JOURNAL_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/** Numbers are reserved this many at a time; so many at most are skipped after a crash. */
#define NUMBERS_STEP 20000

struct numbers {
	int fd;            /* −1: not open */
	uint64_t limit;    /* only numbers below it may be used */
	uint32_t sequence; /* of the newest entry */
};

/** What the file said. */
struct numbers_found {
	uint64_t next; /* no number from here on has been used; 0: the file does not know */
	bool clean;    /* the agent ended in order, and @next is the very next */
};

/** Open journal.next in @folder, make it when it is not there. Returns 0 or a negative errno. */
int numbers_open(struct numbers *numbers, int folder, struct numbers_found *ret_found);

/** Note durably that numbers below @next may be used; @clean: that the one before was the last. 0 or a negative errno. */
int numbers_write(struct numbers *numbers, uint64_t next, bool clean);

/** Reserve more when @newest comes near the limit. 0 or a negative errno. */
int numbers_extend(struct numbers *numbers, uint64_t newest);

void numbers_close(struct numbers *numbers);

#endif
