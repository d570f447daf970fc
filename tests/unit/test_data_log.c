/* SPDX-License-Identifier: Apache-2.0
 *
 * test_data_log.c - samples of devices, from the reading to the table that is read back.
 */
#include "data_log.h"
#include "fake_device.h"
#include "journal_data.h"
#include "journal_support.h"
#include "log.h"

TestSuite(data_log, .init = journal_start, .fini = journal_finish);

/* ---- coding ---- */

Test(data_log, values_survive_coding_at_every_size)
{
	static const int64_t values[] = {
		0,
		1,
		-1,
		63,
		-64,
		64,
		127,
		128,
		-129,
		2301,
		INT32_MAX,
		INT32_MIN,
		INT64_MAX,
		INT64_MIN + 1,
		JOURNAL_NO_VALUE,
	};
	enum {
		COUNT = sizeof(values) / sizeof(values[0])
	};
	unsigned char bytes[COUNT * 10];
	int64_t decoded[COUNT + 1];
	const size_t size = sample_encode(values, COUNT, bytes);

	cr_assert_eq(sample_decode(bytes, size, decoded, COUNT + 1), COUNT);
	for (size_t i = 0; i < COUNT; i++)
		cr_assert_eq(decoded[i], values[i], "value %zu: %lld", i, (long long)decoded[i]);
	cr_assert_eq(sample_encode((int64_t[]){JOURNAL_NO_VALUE, 0, -1}, 3, bytes), 3, "small ones take a byte");
}

Test(data_log, bytes_that_are_cut_are_fewer_values)
{
	unsigned char bytes[20];
	int64_t values[2] = {7, 7};
	const size_t size = sample_encode((int64_t[]){1000000, 1000000}, 2, bytes);

	cr_assert_eq(sample_decode(bytes, size - 1, values, 2), 1);
	cr_assert_eq(values[1], 7);
	memset(bytes, 0xff, sizeof(bytes));
	(void)sample_decode(bytes, sizeof(bytes), values, 2); /* must not read or shift too far */
}

/* ---- arithmetic ---- */

static char said[1024];

static void remember_line(void *context, enum bb_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)snprintf(said, sizeof(said), "%s", line);
}

static int check_rows(const char *text, size_t devices)
{
	struct bb_config *options = parse_options(text);
	int r;

	said[0] = '\0';
	log_set_sink(remember_line, NULL);
	r = data_log_check(options, devices);
	log_set_sink(NULL, NULL);
	options_free(options);
	return r;
}

Test(data_log, more_than_twenty_million_rows_are_refused_with_the_arithmetic)
{
	cr_assert_eq(check_rows("{}", 248), 0);
	cr_assert_eq(check_rows("{}", 249), -EINVAL);
	cr_assert_not_null(strstr(said, "20,079,360 rows, more than 20,000,000"), "%s", said);
	cr_assert_not_null(strstr(said, "249 devices x 80,640 samples"), "%s", said);
	cr_assert_not_null(strstr(said, "log-interval of 181s would do"), "%s", said);
	cr_assert_eq(check_rows("log-interval: 181s", 249), 0, "it does");
	cr_assert_eq(check_rows("{ log-interval: 1s, keep-log: 365d }", 1), -EINVAL);
	cr_assert_eq(check_rows("{ log-interval: 1s, keep-log: 365d, log-points: [] }", 1), 0, "nothing is logged");
}

/* ---- from a device to the table ---- */

/* What a read has brought. */
static struct {
	bool came;
	int result;
	size_t columns, rows;
	char points[8][64];
	unsigned decimals[8];
	enum bb_unit units[8];
	int64_t wall_ms[64];
	int64_t values[64][8];
} table;

static void table_take(void *context, int result, const struct journal_log *log)
{
	(void)context;
	memset(&table, 0, sizeof(table));
	table.came = true;
	table.result = result;
	if (!log)
		return;
	table.columns = log->column_count;
	table.rows = log->row_count;
	for (size_t i = 0; i < log->column_count && i < 8; i++) {
		(void)snprintf(table.points[i], sizeof(table.points[i]), "%s", log->columns[i].point);
		table.decimals[i] = log->columns[i].decimals;
		table.units[i] = log->columns[i].unit;
	}
	for (size_t i = 0; i < log->row_count && i < 64; i++) {
		table.wall_ms[i] = log->rows[i].wall_ms;
		for (size_t j = 0; j < log->column_count && j < 8; j++)
			table.values[i][j] = log->rows[i].values[j];
	}
}

static void read_table(const char *device, const char *point, int64_t since_ms, int64_t until_ms, size_t most)
{
	const char *const points[] = {point, NULL};

	table.came = false;
	cr_assert_eq(journal_read_log(device, points, since_ms, until_ms, most, table_take, NULL, NULL), 0);
	run_until(table.came);
}

static uint64_t samples(void)
{
	struct journal_status status;

	journal_status(&status);
	return status.samples;
}

Test(data_log, what_devices_say_is_sampled)
{
	static const char *const points[] = {"battery.charge", "battery.voltage", "device.model", NULL};
	struct bb_registry *registry;
	struct bb_device *device;
	struct data_log *log;

	cr_assert_eq(registry_create(loop, &registry), 0);
	device = fake_open_device(registry, "ups-a", points);
	cr_assert_eq(registry_add(registry, device), 0);
	open_journal();
	cr_assert_eq(data_log_start(loop, registry, NULL, &log), 0);

	data_log_sample(log);
	run_briefly();
	cr_assert_eq(samples(), 0, "a device that has not answered has nothing to say");
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	data_log_sample(log);
	run_until(samples() == 1);

	read_table("ups-a", "*", 0, 0, 10);
	cr_assert_eq(table.result, 0);
	cr_assert_eq(table.columns, 2, "texts are not sampled");
	cr_assert_str_eq(table.points[0], "battery.charge");
	cr_assert_eq(table.decimals[0], 1);
	cr_assert_eq(table.units[0], BB_PERCENT);
	cr_assert_eq(table.units[1], BB_VOLT);
	cr_assert_eq(table.values[0][0], 970);
	read_table("ups-a", "battery.v*", 0, 0, 10);
	cr_assert_eq(table.columns, 1);
	read_table("ups-a", "input.*", 0, 0, 10);
	cr_assert_eq(table.result, -ENOENT);
	read_table("ups-b", "*", 0, 0, 10);
	cr_assert_eq(table.result, -ENOENT);

	data_log_stop(log);
	registry_remove(registry, device);
	fake_free(device);
	registry_destroy(registry);
}

static void put(const char *device, const char *points, int64_t wall_ms, int64_t first, int64_t second)
{
	struct sample *sample = sample_create(device, points, 2, wall_ms);

	sample->values[0] = first;
	sample->values[1] = second;
	journal_put_samples(sample);
}

Test(data_log, a_device_whose_points_change_is_one_table)
{
	const int64_t now_ms = bb_clock_wall_ms();

	open_journal();
	put("ups-a", "battery.charge:%:1 battery.voltage:V:1", now_ms - 3000, 1, 2);
	put("ups-a", "battery.charge:%:1 output.L1.load:%:1", now_ms - 2000, 3, 4);
	put("ups-b", "battery.charge:%:1 battery.voltage:V:1", now_ms - 2000, 9, 9);
	put("ups-a", "battery.charge:%:1 battery.voltage:V:1", now_ms - 1000, 5, JOURNAL_NO_VALUE);
	run_until(samples() == 4);

	read_table("ups-a", "*", 0, 0, 10);
	cr_assert_eq(table.columns, 3);
	cr_assert_eq(table.rows, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(table.wall_ms[i], now_ms - 3000 + (int64_t)i * 1000, "in order of time");
	cr_assert_eq(table.values[0][0], 1);
	cr_assert_eq(table.values[0][2], JOURNAL_NO_VALUE);
	cr_assert_eq(table.values[1][2], 4);
	cr_assert_eq(table.values[2][1], JOURNAL_NO_VALUE);

	read_table("ups-a", "*", now_ms - 2000, now_ms - 1000, 10);
	cr_assert_eq(table.rows, 1);
	read_table("ups-a", "*", 0, 0, 2);
	cr_assert_eq(table.rows, 2);
	cr_assert_eq(table.wall_ms[1], now_ms - 2000, "the oldest, over all layouts");
}

Test(data_log, old_samples_are_forgotten_and_events_are_not)
{
	struct bb_config *options = parse_options("keep-log: 60s");
	const int64_t now_ms = bb_clock_wall_ms();

	open_journal();
	(void)emit("ups-a", "an event");
	for (int i = 0; i < 700; i++)
		put("ups-a", "battery.charge:%:1 battery.voltage:V:1", now_ms - 3600000 + i, i, i);
	put("ups-a", "battery.charge:%:1 battery.voltage:V:1", now_ms, 1, 1);
	put("ups-b", "battery.charge:%:1 battery.voltage:V:1", now_ms - 3600000, 1, 1);
	run_until(samples() == 702);
	close_journal();

	journal_config = options;
	open_journal();
	options_free(options);
	run_until(samples() == 1);
	read_table("ups-a", "*", 0, 0, 10);
	cr_assert_eq(table.rows, 1);
	cr_assert_eq(read_events(&(struct journal_filter){0}, 10).count, 1);
}
