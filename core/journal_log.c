/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_log.c - journal_read_log(): what the data log has of a device, as a table.
 *
 * A device has a layout for each set of points it ever had. The writer goes through the layouts, one a round, and takes
 * from each the columns that are asked for and as many of its oldest rows as may be wanted in the end. The same point
 * of two layouts is one column. Then the rows are sorted by time, and what is too much is cut off.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "journal_data.h"
#include "text.h"

struct row {
	int64_t wall_ms;
	size_t count;
	int64_t *values;
};

struct log_reading {
	struct journal_request request; /* first */
	char *device;
	char **points;
	int64_t since_wall_ms, until_wall_ms;
	size_t most;
	journal_log_fn *take;
	void *context;

	/* The writer's. */
	int64_t layout;
	struct journal_column *columns; /* names are ours */
	size_t column_count;
	size_t places[SAMPLE_VALUES_MAX]; /* the column of each value of this layout; SIZE_MAX: not wanted */
	size_t place_count;
	struct row *rows;
	size_t row_count, row_room;
	int result;
};

/* ---- columns ---- */

static bool is_wanted(const struct log_reading *reading, const char *point)
{
	for (char **pattern = reading->points; *pattern; pattern++)
		if (fnmatch(*pattern, point, 0) == 0)
			return true;
	return false;
}

static enum bb_unit unit_named(const char *name)
{
	enum bb_unit unit = BB_UNIT_NONE;

	while (unit < BB_MILLIOHM && strcmp(bb_unit_name(unit), name) != 0)
		unit++;
	return unit;
}

/* "NAME:UNIT:DECIMALS" to its parts, in place. False when it is no such thing. */
static bool column_parse(char *text, struct journal_column *ret_column)
{
	char *unit = strchr(text, ':');
	char *decimals = unit ? strchr(unit + 1, ':') : NULL;

	if (!decimals)
		return false;
	*unit++ = '\0';
	*decimals++ = '\0';
	*ret_column = (struct journal_column){
		.point = text, .unit = unit_named(unit), .decimals = (uint8_t)strtoul(decimals, NULL, 10)};
	return true;
}

/* Place of that column, which is added when it is new; SIZE_MAX without memory. */
static size_t column_place(struct log_reading *reading, const struct journal_column *column)
{
	struct journal_column *more;

	for (size_t i = 0; i < reading->column_count; i++) {
		const struct journal_column *there = &reading->columns[i];

		if (strcmp(there->point, column->point) == 0 && there->unit == column->unit &&
		    there->decimals == column->decimals)
			return i;
	}
	more = reallocarray(reading->columns, reading->column_count + 1, sizeof(*more));
	if (!more)
		return SIZE_MAX;
	reading->columns = more;
	more[reading->column_count] = *column;
	more[reading->column_count].point = strdup(column->point);
	if (!more[reading->column_count].point)
		return SIZE_MAX;
	return reading->column_count++;
}

/* A layout: finds the columns that are wanted. */
static void look_at_layout(void *context, const char *device, const char *points)
{
	struct log_reading *reading = context;
	char *copy, *rest, *word;

	reading->place_count = 0;
	if (strcmp(device, reading->device) != 0)
		return;
	copy = strdup(points);
	for (word = copy ? strtok_r(copy, " ", &rest) : NULL; word && reading->place_count < SAMPLE_VALUES_MAX;
	     word = strtok_r(NULL, " ", &rest)) {
		struct journal_column column;
		size_t place = SIZE_MAX;

		if (column_parse(word, &column) && is_wanted(reading, column.point)) {
			place = column_place(reading, &column);
			if (place == SIZE_MAX)
				reading->result = -ENOMEM;
		}
		reading->places[reading->place_count++] = place;
	}
	if (!copy)
		reading->result = -ENOMEM;
	free(copy);
}

static bool layout_is_wanted(const struct log_reading *reading)
{
	for (size_t i = 0; i < reading->place_count; i++)
		if (reading->places[i] != SIZE_MAX)
			return true;
	return false;
}

/* ---- rows ---- */

static int64_t *values_create(const struct log_reading *reading, const int64_t *values, size_t count)
{
	int64_t *chosen = malloc(reading->column_count * sizeof(*chosen));

	if (!chosen)
		return NULL;
	for (size_t i = 0; i < reading->column_count; i++)
		chosen[i] = JOURNAL_NO_VALUE;
	for (size_t i = 0; i < count && i < reading->place_count; i++)
		if (reading->places[i] != SIZE_MAX)
			chosen[reading->places[i]] = values[i];
	return chosen;
}

static void look_at_row(void *context, int64_t wall_ms, const int64_t *values, size_t count)
{
	struct log_reading *reading = context;
	int64_t *chosen;

	if (reading->row_count == reading->row_room) {
		const size_t room = reading->row_room * 2 + 64;
		struct row *rows = reallocarray(reading->rows, room, sizeof(*rows));

		if (!rows) {
			reading->result = -ENOMEM;
			return;
		}
		reading->rows = rows;
		reading->row_room = room;
	}
	chosen = values_create(reading, values, count);
	if (!chosen) {
		reading->result = -ENOMEM;
		return;
	}
	reading->rows[reading->row_count++] =
		(struct row){.wall_ms = wall_ms, .count = reading->column_count, .values = chosen};
}

static bool log_serve(struct journal_request *request, struct writer *writer)
{
	struct log_reading *reading = (struct log_reading *)request;
	int r = -EAGAIN;

	if (writer->recovery)
		return true; /* it will be there soon */
	if (writer->store)
		r = store_next_layout(writer->store, &reading->layout, look_at_layout, reading);

	if (r > 0 && layout_is_wanted(reading)) {
		r = store_read_samples(writer->store, reading->layout, reading->since_wall_ms, reading->until_wall_ms,
				       reading->most, look_at_row, reading);
		r = r < 0 ? r : 1;
	}
	if (r < 0) {
		reading->result = r;
		if (r != -EAGAIN)
			writer_failed(writer, r);
	}
	return r > 0 && reading->result == 0;
}

/* ---- the answer ---- */

static int by_time(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return left->wall_ms < right->wall_ms ? -1 : left->wall_ms > right->wall_ms;
}

/* Rows of earlier layouts know fewer columns. */
static int row_complete(struct row *row, size_t columns)
{
	int64_t *values;

	if (row->count == columns)
		return 0;
	values = reallocarray(row->values, columns, sizeof(*values));
	if (!values)
		return -ENOMEM;
	row->values = values;
	for (; row->count < columns; row->count++)
		values[row->count] = JOURNAL_NO_VALUE;
	return 0;
}

static int log_finish(struct log_reading *reading, struct journal_row **ret_rows, size_t *ret_count)
{
	const size_t count = reading->row_count < reading->most ? reading->row_count : reading->most;
	struct journal_row *rows = calloc(count + 1, sizeof(*rows)); /* never of nothing */

	if (!rows)
		return -ENOMEM;
	if (reading->row_count > 0)
		qsort(reading->rows, reading->row_count, sizeof(*reading->rows), by_time);
	for (size_t i = 0; i < count; i++) {
		if (row_complete(&reading->rows[i], reading->column_count) < 0) {
			free(rows);
			return -ENOMEM;
		}
		rows[i] = (struct journal_row){.wall_ms = reading->rows[i].wall_ms, .values = reading->rows[i].values};
	}
	*ret_rows = rows;
	*ret_count = count;
	return 0;
}

static void log_deliver(struct journal_request *request)
{
	struct log_reading *reading = (struct log_reading *)request;
	struct journal_log log = {.columns = reading->columns, .column_count = reading->column_count};
	struct journal_row *rows = NULL;
	int r = reading->result;

	if (r == 0 && reading->column_count == 0)
		r = -ENOENT;
	if (r == 0)
		r = log_finish(reading, &rows, &log.row_count);
	log.rows = rows;
	reading->take(reading->context, r, r == 0 ? &log : NULL);
	free(rows);
}

static void log_destroy(struct journal_request *request)
{
	struct log_reading *reading = (struct log_reading *)request;

	for (size_t i = 0; i < reading->row_count; i++)
		free(reading->rows[i].values);
	free(reading->rows);
	for (size_t i = 0; i < reading->column_count; i++)
		free((char *)reading->columns[i].point);
	free(reading->columns);
	text_list_free(reading->points);
	free(reading->device);
	free(reading);
}

int journal_read_log(const char *device, const char *const *points, int64_t since_wall_ms, int64_t until_wall_ms,
		     size_t most, journal_log_fn *take, void *context, struct journal_request **ret_request)
{
	struct log_reading *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return -ENOMEM;
	*reading = (struct log_reading){
		.request = {.serve = log_serve, .deliver = log_deliver, .destroy = log_destroy},
		.device = strdup(device),
		.points = text_list_copy(points),
		.since_wall_ms = since_wall_ms,
		.until_wall_ms = until_wall_ms != 0 ? until_wall_ms : INT64_MAX,
		.most = most < JOURNAL_READ_MAX ? most : JOURNAL_READ_MAX,
		.take = take,
		.context = context,
	};
	if (!reading->device || !reading->points) {
		log_destroy(&reading->request);
		return -ENOMEM;
	}
	r = journal_ask(&reading->request);
	if (r == 0 && ret_request)
		*ret_request = &reading->request;
	return r;
}
