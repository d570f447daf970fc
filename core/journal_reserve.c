/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_reserve.c - see journal_reserve.h.
 *
 * When the disk is full, what can still be written to is a file whose blocks exist already. This one is filled with
 * zeros when the journal is opened. Later, records are written over them one behind the other, each with a checksum, so
 * that a torn one is seen as the end. Clearing writes zeros over the beginning of the first record. Older records may
 * then still stand behind newer ones; a number that is drawn for each filling tells them apart.
 *
 * Numbers are in the order of this machine's bytes: nobody else reads the file.
 */
#include "journal_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <busbar/clock.h>

#include "checksum.h"
#include "journal_step.h"

#define RESERVE_FILE "journal.reserve"
#define MAGIC        0x62627266U /* "frbb" */
#define MAGIC_1      0x62627265U /* "erbb": of an older version, without the field raised */
#define TEXT_COUNT   8

struct record {
	uint32_t magic;
	uint32_t series;
	uint32_t length; /* of all: this, and the texts behind it */
	uint32_t sum;    /* of all behind this field */
	uint64_t number;
	int64_t wall_ms;
	uint32_t kind;
	uint32_t severity;
	uint64_t raised;
};

#define SUM_FROM (offsetof(struct record, sum) + sizeof(uint32_t))

/* ---- reading ---- */

/* The texts that end at @end, one behind the other. False when there are fewer. */
static int find_texts(const char *at, const char *end, const char **texts)
{
	for (int i = 0; i < TEXT_COUNT; i++) {
		const char *zero = memchr(at, '\0', (size_t)(end - at));

		if (!zero)
			return -EINVAL;
		texts[i] = at;
		at = zero + 1;
	}
	return 0;
}

/* The event of the record at @bytes, of which @room exist. Returns the record's length, 0: none, or -ENOMEM. */
static ssize_t record_read(struct reserve *reserve, const char *bytes, size_t room, struct event_list *events)
{
	struct record record;
	const char *texts[TEXT_COUNT];
	struct event_copy *copy;
	size_t size = sizeof(record);

	if (room < size) /* what lacks for the longer one lacks for a text, too */
		return 0;
	memcpy(&record, bytes, size);
	if (record.magic == MAGIC_1) {
		record.raised = record.kind == BB_EVENT_ALARM_RAISED ? record.number : 0;
		size = offsetof(struct record, raised);
	}
	if ((record.magic != MAGIC && record.magic != MAGIC_1) || record.length < size || record.length > room ||
	    (reserve->used > 0 && record.series != reserve->series) ||
	    checksum(bytes + SUM_FROM, record.length - SUM_FROM) != record.sum ||
	    find_texts(bytes + size, bytes + record.length, texts) < 0)
		return 0;
	copy = event_copy_create(&(struct bb_event){
		.number = record.number,
		.raised = record.raised,
		.wall_ms = record.wall_ms,
		.kind = (enum bb_event_kind)record.kind,
		.severity = (enum bb_severity)record.severity,
		.device = texts[0],
		.subject = texts[1],
		.point = texts[2],
		.value = texts[3],
		.unit = texts[4],
		.source = texts[5],
		.text = texts[6],
		.boot_id = texts[7],
	});
	if (!copy)
		return -ENOMEM;
	event_list_append(events, copy);
	reserve->series = record.series;
	return (ssize_t)record.length;
}

static int reserve_read(struct reserve *reserve, struct event_list *events)
{
	char *bytes = malloc(reserve->size + 1);
	ssize_t length;

	if (!bytes)
		return -ENOMEM;
	length = pread(reserve->fd, bytes, reserve->size, 0);
	if (length < 0)
		length = -errno;
	else
		reserve->size = (size_t)length;
	while (length > 0) {
		length = record_read(reserve, bytes + reserve->used, reserve->size - reserve->used, events);
		reserve->used += length > 0 ? (size_t)length : 0;
	}
	free(bytes);
	return (int)length;
}

/* ---- opening ---- */

/* Zeros, not fallocate(): a block that was never written may need room of its own when it is. */
static int reserve_grow(struct reserve *reserve, size_t size)
{
	static const char zeros[4096];

	while (reserve->size < size) {
		const ssize_t written = pwrite(reserve->fd, zeros, sizeof(zeros), (off_t)reserve->size);

		if (written <= 0)
			return written < 0 ? -errno : -ENOSPC;
		reserve->size += (size_t)written;
	}
	return fsync(reserve->fd) < 0 ? -errno : 0;
}

int reserve_open(struct reserve *reserve, int folder, size_t size, struct event_list *events)
{
	struct stat status;
	int r;

	*reserve = (struct reserve){.fd = openat(folder, RESERVE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0640)};
	if (reserve->fd < 0)
		return -errno;
	if (fstat(reserve->fd, &status) < 0)
		return -errno;
	reserve->size = (size_t)status.st_size;
	r = reserve_read(reserve, events);
	if (r < 0)
		return r;
	if (reserve->used == 0)
		reserve->series = (uint32_t)bb_clock_wall_ms();
	if (reserve->size >= size)
		return 0;
	r = reserve_grow(reserve, size);
	return fsync(folder) < 0 && r == 0 ? -errno : r;
}

/* ---- writing ---- */

static const char *put_text(char **room, const char *end, const char *text)
{
	const size_t size = strlen(text) + 1;

	if (size > (size_t)(end - *room))
		return NULL;
	memcpy(*room, text, size);
	*room += size;
	return text;
}

int reserve_put(struct reserve *reserve, const struct bb_event *event)
{
	const char *const texts[TEXT_COUNT] = {event->device, event->subject, event->point, event->value,
					       event->unit,   event->source,  event->text,  event->boot_id};
	struct record record = {
		.magic = MAGIC,
		.series = reserve->series,
		.number = event->number,
		.raised = event->raised,
		.wall_ms = event->wall_ms,
		.kind = event->kind,
		.severity = event->severity,
	};
	char bytes[8192];
	char *room = bytes + sizeof(record);
	ssize_t written;

	if (reserve->fd < 0)
		return -ENOSPC;
	for (int i = 0; i < TEXT_COUNT; i++)
		if (!put_text(&room, bytes + sizeof(bytes), texts[i]))
			return -ENOSPC; /* longer than any text of ours */
	record.length = (uint32_t)(room - bytes);
	if (record.length > reserve->size - reserve->used)
		return -ENOSPC;
	memcpy(bytes, &record, sizeof(record));
	record.sum = checksum(bytes + SUM_FROM, record.length - SUM_FROM);
	memcpy(bytes, &record, sizeof(record));
	written = pwrite(reserve->fd, bytes, record.length, (off_t)reserve->used);
	if (written != (ssize_t)record.length)
		return written < 0 ? -errno : -ENOSPC;
	reserve->used += record.length;
	return 0;
}

int reserve_sync(struct reserve *reserve)
{
	if (reserve->fd < 0)
		return -ENOSPC;
	journal_step("reserve-written");
	if (fdatasync(reserve->fd) < 0)
		return -errno;
	journal_step("reserve-synced");
	return 0;
}

int reserve_clear(struct reserve *reserve)
{
	static const struct record nothing;

	if (reserve->fd < 0 || reserve->used == 0)
		return 0;
	if (pwrite(reserve->fd, &nothing, sizeof(nothing), 0) != (ssize_t)sizeof(nothing) || fdatasync(reserve->fd) < 0)
		return errno ? -errno : -EIO;
	reserve->used = 0;
	reserve->full = false;
	reserve->series++;
	journal_step("reserve-cleared");
	return 0;
}

void reserve_close(struct reserve *reserve)
{
	if (reserve->fd >= 0)
		close(reserve->fd);
	reserve->fd = -1;
}
