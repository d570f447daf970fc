/* SPDX-License-Identifier: Apache-2.0
 *
 * data_log.c - see data_log.h. On the main loop; the journal's writer does what takes time (journal_keep.c).
 *
 * Which points of a device are sampled, and how that is described in the database, is found out once for each
 * generation of the device and remembered. A sample has a place for each of them; what is stale, bad or not supported
 * has no value, and a device of which nothing is known has no sample at all.
 */
#include "data_log.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>

#include "journal_data.h"
#include "log.h"
#include "options.h"
#include "text.h"

/* What is sampled of one device. */
struct selection {
	struct selection *next;
	char *device;
	uint64_t generation;
	char *points;    /* as struct sample says */
	size_t *indexes; /* in the reading */
	size_t count;
	bool seen; /* in this round: those not seen belong to devices that have gone */
};

struct data_log {
	struct bb_registry *registry;
	struct bb_timer *timer;
	char **patterns;
	struct selection *selections;
};

/* ---- what a configuration comes to ---- */

/* "20,160,000": people count zeros badly. */
static const char *with_commas(uint64_t number, char *buffer, size_t size)
{
	char digits[32];
	const int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	size_t at = 0;

	for (int i = 0; i < length && at + 2 < size; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			buffer[at++] = ',';
		buffer[at++] = digits[i];
	}
	buffer[at] = '\0';
	return buffer;
}

int data_log_check(const struct bb_config *options, size_t devices)
{
	const uint64_t interval_ms = (uint64_t)bb_config_int(options, "log-interval");
	const uint64_t keep_ms = (uint64_t)bb_config_int(options, "keep-log");
	const uint64_t samples = keep_ms / interval_ms;
	const uint64_t rows = samples * devices;
	const char *option = bb_config_is_set(options, "keep-log") ? "keep-log" : "log-interval";
	char each[32], all[32], most[32];

	if (!bb_config_list(options, "log-points")[0] || rows <= DATA_LOG_ROWS_MAX)
		return 0;
	return bb_config_error(options, bb_config_is_set(options, option) ? option : NULL,
			       "the data log would have %s rows, more than %s: %zu devices x %s samples each"
			       " (keep-log %" PRIu64 " s / log-interval %" PRIu64 " s); a log-interval of %" PRIu64
			       "s would do",
			       with_commas(rows, all, sizeof(all)), with_commas(DATA_LOG_ROWS_MAX, most, sizeof(most)),
			       devices, with_commas(samples, each, sizeof(each)), keep_ms / 1000, interval_ms / 1000,
			       keep_ms * devices / DATA_LOG_ROWS_MAX / 1000 + 1);
}

/* ---- what is sampled of a device ---- */

static void selection_free(struct selection *selection)
{
	free(selection->device);
	free(selection->points);
	free(selection->indexes);
	free(selection);
}

static void forget_selections(struct data_log *log, bool all)
{
	struct selection **place = &log->selections;

	while (*place) {
		struct selection *selection = *place;

		if (all || !selection->seen) {
			*place = selection->next;
			selection_free(selection);
		} else {
			selection->seen = false;
			place = &selection->next;
		}
	}
}

static bool is_number(const struct bb_point *point)
{
	switch (point->kind) {
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
	case BB_KIND_ENUM:
	case BB_KIND_FLAGS:
	case BB_KIND_BOOL:
	case BB_KIND_ALARM:
		return true;
	default:
		return false;
	}
}

static bool is_selected(const struct data_log *log, const struct bb_point *point)
{
	for (char **pattern = log->patterns; is_number(point) && *pattern; pattern++)
		if (fnmatch(*pattern, point->name, 0) == 0)
			return true;
	return false;
}

static int selection_fill(struct selection *selection, const struct data_log *log, const struct bb_reading *reading)
{
	const size_t count = bb_reading_count(reading);
	size_t size;
	FILE *stream = open_memstream(&selection->points, &size);

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < count && selection->count < SAMPLE_VALUES_MAX; i++) {
		const struct bb_point *point = bb_reading_point(reading, i);

		if (!is_selected(log, point))
			continue;
		(void)fprintf(stream, "%s%s:%s:%u", selection->count > 0 ? " " : "", point->name,
			      bb_unit_name(point->unit), point->decimals); /* fclose() tells when memory lacked */
		selection->indexes[selection->count++] = i;
	}
	return fclose(stream) == 0 ? 0 : -ENOMEM;
}

static struct selection *selection_create(const struct data_log *log, const char *device,
					  const struct bb_reading *reading)
{
	struct selection *selection = calloc(1, sizeof(*selection));

	if (!selection)
		return NULL;
	selection->generation = bb_reading_generation(reading);
	selection->device = strdup(device);
	selection->indexes = calloc(SAMPLE_VALUES_MAX, sizeof(*selection->indexes));
	if (!selection->device || !selection->indexes || selection_fill(selection, log, reading) < 0) {
		selection_free(selection);
		return NULL;
	}
	return selection;
}

/* The selection for that reading; NULL when memory lacks. */
static struct selection *find_selection(struct data_log *log, const char *device, const struct bb_reading *reading)
{
	struct selection **place = &log->selections;
	struct selection *selection;

	while (*place && strcmp((*place)->device, device) != 0)
		place = &(*place)->next;
	if (*place && (*place)->generation == bb_reading_generation(reading))
		return *place;
	selection = selection_create(log, device, reading);
	if (!selection)
		return NULL;
	if (*place) {
		struct selection *old = *place;

		*place = old->next;
		selection_free(old);
	}
	selection->next = log->selections;
	log->selections = selection;
	return selection;
}

/* ---- sampling ---- */

/* NULL when nothing is known, or memory lacks: then this one is left out. */
static struct sample *sample_device(const struct selection *selection, const struct bb_snapshot *snapshot,
				    int64_t wall_ms)
{
	struct sample *sample = sample_create(selection->device, selection->points, selection->count, wall_ms);
	bool any = false;

	for (size_t i = 0; sample && i < selection->count; i++) {
		const size_t index = selection->indexes[i];

		if (bb_snapshot_quality(snapshot, index) != BB_QUALITY_GOOD)
			continue;
		sample->values[i] = bb_reading_values(snapshot->reading)[index];
		any = true;
	}
	if (!any) {
		free(sample);
		return NULL;
	}
	return sample;
}

void data_log_sample(struct data_log *log)
{
	struct bb_device_list *devices = bb_registry_devices(log->registry);
	const int64_t now_ms = bb_clock_ms(), wall_ms = bb_clock_wall_ms();
	struct sample *samples = NULL, **last = &samples;

	for (size_t i = 0; i < devices->count; i++) {
		struct selection *selection;
		struct bb_snapshot snapshot;

		bb_device_snapshot(devices->devices[i], now_ms, &snapshot);
		selection = snapshot.reading
				    ? find_selection(log, bb_device_name(devices->devices[i]), snapshot.reading)
				    : NULL;
		if (selection) {
			selection->seen = true;
			*last = sample_device(selection, &snapshot, wall_ms);
			if (*last)
				last = &(*last)->next;
		}
		bb_snapshot_release(&snapshot);
	}
	bb_device_list_unref(devices);
	forget_selections(log, false);
	journal_put_samples(samples);
}

static void data_log_due(void *context)
{
	data_log_sample(context);
}

/* ---- life ---- */

int data_log_configure(struct data_log *log, const struct bb_config *options)
{
	static const struct bb_option *const tables[] = {journal_options, NULL};
	struct bb_config *presets = NULL;
	int64_t interval_ms;
	char **patterns;

	if (!options && options_parse(NULL, "journal", tables, &presets) < 0)
		return -ENOMEM;
	options = options ? options : presets;
	interval_ms = bb_config_int(options, "log-interval");
	patterns = text_list_copy(bb_config_list(options, "log-points"));
	options_free(presets);
	if (!patterns)
		return -ENOMEM;
	text_list_free(log->patterns);
	log->patterns = patterns;
	forget_selections(log, true);
	if (patterns[0])
		bb_timer_start(log->timer, interval_ms, interval_ms);
	else
		bb_timer_stop(log->timer);
	return 0;
}

int data_log_start(struct bb_loop *loop, struct bb_registry *registry, const struct bb_config *options,
		   struct data_log **ret_log)
{
	struct data_log *log = calloc(1, sizeof(*log));
	int r = -ENOMEM;

	if (!log)
		return -ENOMEM;
	log->registry = registry;
	log->timer = bb_timer_create(loop, data_log_due, log);
	if (log->timer)
		r = data_log_configure(log, options);
	if (r < 0) {
		data_log_stop(log);
		return r;
	}
	*ret_log = log;
	return 0;
}

void data_log_stop(struct data_log *log)
{
	if (!log)
		return;
	bb_timer_destroy(log->timer);
	forget_selections(log, true);
	text_list_free(log->patterns);
	free(log);
}
