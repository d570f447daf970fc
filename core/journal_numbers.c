/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_numbers.c - see journal_numbers.h.
 *
 * An event is numbered, and told to those who do not wait for the disk, before it is in the database, and the database
 * may be lost altogether. So that a number is never used twice all the same, journal.next says durably, ahead of time,
 * below which number the agent stays. After a crash the agent goes on from there.
 *
 * The file has two entries of one line each, which are written in turns, in place: that needs no room on a full disk,
 * and an entry that was torn leaves the other one. The newer entry that is whole counts. When the other one is damaged,
 * it may have been the newer, so two steps are left out.
 */
#include "journal_numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "journal_step.h"

#define NUMBERS_FILE "journal.next"

/* Entries are this far apart: disks write 512 bytes whole, or not at all. */
#define ENTRY_SIZE 512

struct entry {
	uint64_t next;
	uint32_t sequence;
	bool clean;
};

enum entry_state {
	ENTRY_EMPTY,
	ENTRY_DAMAGED,
	ENTRY_GOOD,
};

/* "3 20001 ahead 1c291ca3": sequence, number, how, checksum of all before the last blank. */
static int entry_print(const struct entry *entry, char *buffer, size_t size)
{
	int length = snprintf(buffer, size, "%" PRIu32 " %" PRIu64 " %s", entry->sequence, entry->next,
			      entry->clean ? "clean" : "ahead");

	return length +
	       snprintf(buffer + length, size - (size_t)length, " %08" PRIx32 "\n", checksum(buffer, (size_t)length));
}

static enum entry_state entry_parse(const char *text, struct entry *ret_entry)
{
	struct entry entry;
	char how[8], printed[ENTRY_SIZE];

	if (text[0] == '\0')
		return ENTRY_EMPTY;
	if (sscanf(text, "%" SCNu32 " %" SCNu64 " %7s", &entry.sequence, &entry.next, how) != 3)
		return ENTRY_DAMAGED;
	entry.clean = strcmp(how, "clean") == 0;
	(void)entry_print(&entry, printed, sizeof(printed)); /* far shorter than the buffer */
	if (strcmp(printed, text) != 0)
		return ENTRY_DAMAGED;
	*ret_entry = entry;
	return ENTRY_GOOD;
}

static int numbers_read(struct numbers *numbers, struct numbers_found *ret_found)
{
	char text[2][ENTRY_SIZE + 1] = {"", ""};
	struct entry entries[2] = {{0}, {0}};
	enum entry_state states[2];
	int newer;

	for (int i = 0; i < 2; i++) {
		if (pread(numbers->fd, text[i], ENTRY_SIZE, (off_t)i * ENTRY_SIZE) < 0)
			return -errno;
		states[i] = entry_parse(text[i], &entries[i]);
	}
	*ret_found = (struct numbers_found){0};
	if (states[0] != ENTRY_GOOD && states[1] != ENTRY_GOOD)
		return 0;
	newer = states[0] != ENTRY_GOOD || (states[1] == ENTRY_GOOD && entries[1].sequence > entries[0].sequence);
	numbers->sequence = entries[newer].sequence;
	*ret_found = (struct numbers_found){.next = entries[newer].next, .clean = entries[newer].clean};
	if (states[!newer] == ENTRY_DAMAGED) {
		ret_found->next += 2 * (uint64_t)NUMBERS_STEP;
		ret_found->clean = false;
	}
	return 0;
}

int numbers_open(struct numbers *numbers, int folder, struct numbers_found *ret_found)
{
	int r;

	*numbers = (struct numbers){.fd = openat(folder, NUMBERS_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0640)};
	if (numbers->fd < 0)
		return -errno;
	r = numbers_read(numbers, ret_found);
	if (r == 0 && fsync(folder) < 0) /* the name must last as well as what stands in the file */
		r = -errno;
	if (r < 0)
		numbers_close(numbers);
	return r;
}

int numbers_write(struct numbers *numbers, uint64_t next, bool clean)
{
	const struct entry entry = {.next = next, .sequence = numbers->sequence + 1, .clean = clean};
	char text[ENTRY_SIZE] = {0};
	ssize_t written;

	(void)entry_print(&entry, text, sizeof(text)); /* far shorter than the buffer */
	written = pwrite(numbers->fd, text, sizeof(text), (off_t)(entry.sequence % 2) * ENTRY_SIZE);
	if (written != (ssize_t)sizeof(text))
		return written < 0 ? -errno : -ENOSPC;
	if (fdatasync(numbers->fd) < 0)
		return -errno;
	numbers->sequence = entry.sequence;
	numbers->limit = next;
	journal_step("numbers-ahead");
	return 0;
}

int numbers_extend(struct numbers *numbers, uint64_t newest)
{
	if (numbers->fd < 0 || newest + NUMBERS_STEP / 2 < numbers->limit)
		return 0;
	return numbers_write(numbers, newest + 1 + NUMBERS_STEP, false);
}

void numbers_close(struct numbers *numbers)
{
	if (numbers->fd >= 0)
		close(numbers->fd);
	numbers->fd = -1;
}
