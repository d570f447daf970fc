/* SPDX-License-Identifier: Apache-2.0
 *
 * info.c - see info.h.
 */
#include "info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct info {
	struct buffer line;
	struct buffer texts; /* what it was made from, each with its NUL */
};

struct info *info_create(size_t count)
{
	return calloc(count + 1, sizeof(struct info)); /* one more, so that none is no failure */
}

void info_destroy(struct info *infos, size_t count)
{
	for (size_t i = 0; infos && i < count; i++) {
		buffer_finish(&infos[i].line);
		buffer_finish(&infos[i].texts);
	}
	free(infos);
}

struct info *info_at(struct info *infos, size_t index)
{
	return &infos[index];
}

/* The text of label @which, "" when the device does not say it. */
static const char *text_of(const struct plan_device *planned, const struct bb_reading *reading, size_t which)
{
	const int index = planned->info[which];

	if (index < 0 || bb_reading_qualities(reading)[index] != BB_QUALITY_GOOD)
		return "";
	return bb_reading_text(reading, (size_t)index);
}

/* Does the line still say what the device says? */
static bool is_current(const struct info *info, const struct plan_device *planned, const struct bb_reading *reading)
{
	const char *had = info->texts.data;

	if (!info->line.length)
		return false;
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++) {
		if (strcmp(had, text_of(planned, reading, i)) != 0)
			return false;
		had += strlen(had) + 1;
	}
	return true;
}

static void renew(struct info *info, const struct plan_device *planned, const struct facts_device *device)
{
	buffer_reset(&info->line);
	buffer_reset(&info->texts);
	buffer_add_text(&info->line, "busbar_device_info{");
	buffer_add_label(&info->line, "device", device->name);
	buffer_add_text(&info->line, ",");
	buffer_add_label(&info->line, "plugin", device->plugin);
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++) {
		const char *text = text_of(planned, device->snapshot.reading, i);

		buffer_add_text(&info->line, ",");
		buffer_add_label(&info->line, plan_info_labels[i], text);
		buffer_add(&info->texts, text, strlen(text) + 1);
	}
	buffer_add_text(&info->line, "} 1\n");
}

int info_add(struct info *info, const struct plan_device *planned, const struct facts_device *device,
	     struct buffer *buffer)
{
	if (!is_current(info, planned, device->snapshot.reading))
		renew(info, planned, device);
	if (info->line.failed || info->texts.failed) {
		buffer_reset(&info->line); /* half a line must not count as current the next time */
		return -ENOMEM;
	}
	buffer_add(buffer, info->line.data, info->line.length);
	return buffer->failed ? -ENOMEM : 0;
}
