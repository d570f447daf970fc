/* SPDX-License-Identifier: Apache-2.0
 *
 * test_journal.c - events, facts and numbers that survive; reading them.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "checksum.h"
#include "journal_reserve.h"
#include "journal_support.h"

TestSuite(journal, .init = journal_start, .fini = journal_finish);

static const struct journal_filter everything;

Test(journal, events_come_back_as_they_were_after_a_restart)
{
	struct answer answer;
	const struct bb_event *event = &answer.events[0];

	cr_assert_eq(open_journal(), 1);
	cr_assert_eq(emit("ups-a", "first, with \"quotes\" and ümlauts"), 1);
	cr_assert_eq(emit("", "second"), 2);
	close_journal();

	cr_assert_eq(open_journal(), 3, "numbers go on without a break");
	answer = read_events(&everything, 10);
	cr_assert_eq(answer.result, 0);
	cr_assert_eq(answer.count, 2);
	cr_assert_eq(event->number, 1);
	cr_assert_eq(event->kind, BB_EVENT_ALARM_RAISED);
	cr_assert_eq(event->severity, BB_SEVERITY_WARNING);
	cr_assert_gt(event->wall_ms, 0);
	cr_assert_str_eq(answer.texts[0], "first, with \"quotes\" and ümlauts");
	cr_assert_str_eq(answer.texts[1], "second");
	cr_assert_eq(emit("", "third"), 3);
}

/* ---- which raise an event belongs to ---- */

static uint64_t emit_of_alarm(enum bb_event_kind kind, uint64_t raised)
{
	return events_emit(&(struct bb_event){.kind = kind, .subject = "on-battery", .raised = raised});
}

/* What the journal says events 1 to @count were raised by. */
static void expect_raised(const uint64_t *raised, size_t count)
{
	const struct answer answer = read_events(&everything, 64);

	cr_assert_eq(answer.count, count, "%zu events", answer.count);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(answer.events[i].raised, raised[i], "event %zu: %u", i + 1,
			     (unsigned)answer.events[i].raised);
}

Test(journal, an_event_knows_after_a_restart_which_raise_it_belongs_to)
{
	static const uint64_t raised[] = {0, 2, 2, 2};

	open_journal();
	(void)emit_of_alarm(BB_EVENT_CONFIG_LOADED, 0);
	(void)emit_of_alarm(BB_EVENT_ALARM_RAISED, 0); /* its own number, which only events.c knows */
	(void)emit_of_alarm(BB_EVENT_ALARM_ACKNOWLEDGED, 2);
	(void)emit_of_alarm(BB_EVENT_ALARM_CLEARED, 2);
	expect_raised(raised, 4);
	run_until(durable() == 4);
	close_journal();
	open_journal();
	expect_raised(raised, 4);
}

/* Make the database one of version 1, which did not know. */
static void make_old(const char *more)
{
	struct sqlite3 *database;
	char path[128];

	path_in("journal.db", path, sizeof(path));
	cr_assert_eq(sqlite3_open(path, &database), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(database, "ALTER TABLE event DROP COLUMN raised; PRAGMA user_version=1", NULL, NULL, NULL),
		SQLITE_OK);
	cr_assert_eq(sqlite3_exec(database, more, NULL, NULL, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_close(database), SQLITE_OK);
}

static void fill_old(const char *more)
{
	open_journal();
	(void)emit_of_alarm(BB_EVENT_ALARM_RAISED, 0);
	(void)emit_of_alarm(BB_EVENT_ALARM_CLEARED, 1);
	cr_assert_eq(journal_put_state("ack/ups-a", "1"), 0);
	run_until(durable() == 2);
	close_journal();
	make_old(more);
}

Test(journal, a_database_of_an_older_version_is_taken_over_with_all_it_has)
{
	static const uint64_t raised[] = {1, 0, 3, 3};

	fill_old("");
	cr_assert_eq(open_journal(), 3);
	(void)emit_of_alarm(BB_EVENT_ALARM_RAISED, 0);
	(void)emit_of_alarm(BB_EVENT_ALARM_CLEARED, 3);
	expect_raised(raised, 4);
	run_until(durable() == 4);
	cr_assert(!trouble);
	close_journal();
	cr_assert_eq(open_journal(), 5);
	expect_raised(raised, 4);
	cr_assert_eq(trouble_count, 0);
}

Test(journal, a_damaged_database_of_an_older_version_is_recovered)
{
	struct answer answer;

	fill_old("DROP TABLE layout; PRAGMA user_version=0");
	open_journal();
	run_until(trouble_count > 0 && !trouble);
	answer = read_events(&everything, 64);
	cr_assert_geq(answer.count, 2);
	cr_assert_eq(answer.events[0].raised, 1);
	cr_assert_eq(answer.events[1].raised, 0);
	cr_assert_eq(answer.events[1].kind, BB_EVENT_ALARM_CLEARED);
}

/* A record as version 1 wrote it, with empty texts. */
struct old_record {
	uint32_t magic, series, length, sum;
	uint64_t number;
	int64_t wall_ms;
	uint32_t kind, severity;
	char texts[8];
};

Test(journal, what_an_older_version_put_into_the_reserve_is_taken_over)
{
	static const uint64_t raised[] = {1, 0};
	struct old_record records[2] = {{.number = 1, .kind = BB_EVENT_ALARM_RAISED},
					{.number = 2, .kind = BB_EVENT_ALARM_CLEARED}};
	const size_t from = offsetof(struct old_record, number);
	char path[128];
	int file;

	for (size_t i = 0; i < 2; i++) {
		records[i].magic = 0x62627265U;
		records[i].series = 7;
		records[i].wall_ms = bb_clock_wall_ms(); /* what is too old is dropped */
		records[i].length = sizeof(records[i]);
		records[i].sum = checksum((const char *)&records[i] + from, sizeof(records[i]) - from);
	}
	path_in("journal.reserve", path, sizeof(path));
	file = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(file, records, sizeof(records)), (ssize_t)sizeof(records));
	close(file);
	(void)open_journal();
	expect_raised(raised, 2);
}

Test(journal, the_reserve_keeps_which_raise_an_event_belongs_to)
{
	const struct bb_event event = {.number = 9,
				       .raised = 4,
				       .kind = BB_EVENT_ALARM_CLEARED,
				       .device = "ups-a",
				       .subject = "on-battery",
				       .point = "",
				       .value = "",
				       .unit = "",
				       .source = "",
				       .text = "over",
				       .boot_id = ""};
	const int directory = open(folder, O_RDONLY | O_DIRECTORY);
	struct event_list found = {0};
	struct reserve reserve;

	cr_assert_eq(reserve_open(&reserve, directory, 4096, &found), 0);
	cr_assert_eq(reserve_put(&reserve, &event), 0);
	reserve_close(&reserve);
	cr_assert_eq(reserve_open(&reserve, directory, 4096, &found), 0);
	cr_assert_eq(found.count, 1);
	cr_assert_eq(found.first->event.raised, 4);
	cr_assert_str_eq(found.first->event.text, "over");
	event_list_clear(&found);
	reserve_close(&reserve);
	close(directory);
}

Test(journal, five_thousand_events_at_once_are_all_kept)
{
	struct journal_status status;

	open_journal();
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(emit("ups-a", "storm"), (uint64_t)i + 1);
	run_until(durable() == 5000);
	journal_status(&status);
	cr_assert_eq(status.events, 5000);
	cr_assert_eq(status.lost, 0);
	cr_assert_lt(status.commits, 500, "many events share a commit");
	cr_assert(!trouble);
}

Test(journal, what_was_emitted_before_a_question_is_in_its_answer_durable_or_not)
{
	open_journal();
	for (uint64_t round = 0; round < 200; round++) {
		const struct journal_filter filter = {.after = round * 20};
		struct answer answer;

		for (int i = 0; i < 20; i++)
			(void)emit("", "just now");
		answer = read_events(&filter, 64);
		cr_assert_eq(answer.count, 20, "round %u: %zu", (unsigned)round, answer.count);
		for (size_t i = 0; i < 20; i++)
			cr_assert_eq(answer.events[i].number, round * 20 + i + 1);
	}
}

Test(journal, filters_choose_by_number_device_and_time)
{
	char text[16];
	int64_t middle_ms = 0;
	struct answer answer;

	open_journal();
	for (int i = 1; i <= 9; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		if (i == 5) {
			run_briefly();
			middle_ms = bb_clock_wall_ms();
		}
		(void)emit(i % 3 == 0 ? "ups-b" : "ups-a", text);
	}
	run_until(durable() == 9);

	answer = read_events(&(struct journal_filter){.after = 3, .before = 6}, 64);
	cr_assert_eq(answer.count, 2);
	cr_assert_str_eq(answer.texts[0], "4");

	answer = read_events(&(struct journal_filter){.device = "ups-b"}, 2);
	cr_assert_eq(answer.count, 2);
	cr_assert_str_eq(answer.texts[1], "6");

	answer = read_events(&(struct journal_filter){.device = "ups-b", .newest = true}, 2);
	cr_assert_eq(answer.count, 2);
	cr_assert_str_eq(answer.texts[0], "6");
	cr_assert_str_eq(answer.texts[1], "9");

	answer = read_events(&(struct journal_filter){.since_wall_ms = middle_ms}, 64);
	cr_assert_eq(answer.count, 5);
	answer = read_events(&(struct journal_filter){.until_wall_ms = middle_ms}, 64);
	cr_assert_eq(answer.count, 4);
	answer = read_events(&(struct journal_filter){.device = "none"}, 64);
	cr_assert_eq(answer.result, 0);
	cr_assert_eq(answer.count, 0);
}

static void must_not_come(void *context, int result, const struct bb_event *events, size_t count)
{
	(void)context;
	(void)result;
	(void)events;
	(void)count;
	cr_assert_fail("a cancelled read was answered");
}

Test(journal, a_cancelled_read_is_not_answered)
{
	struct journal_request *request = NULL;

	open_journal();
	(void)emit("", "one");
	cr_assert_eq(journal_read_events(&everything, 10, must_not_come, NULL, &request), 0);
	journal_cancel(request);
	cr_assert_eq(read_events(&everything, 10).count, 1, "the next one is");
}

Test(journal, without_a_journal_there_is_nothing_to_read)
{
	cr_assert_eq(journal_read_events(&everything, 10, must_not_come, NULL, NULL), -ENXIO);
}

static struct journal_report report;
static bool checked;

static void take_report(void *context, const struct journal_report *found)
{
	(void)context;
	report = *found;
	checked = true;
}

static void check_journal(void)
{
	checked = false;
	cr_assert_eq(journal_check(take_report, NULL, NULL), 0);
	run_until(checked);
}

/* ---- facts ---- */

static void print_fact(void *context, const char *key, const char *text)
{
	(void)strcat(strcat(strcat(strcat(context, key), "="), text), ";");
}

static const char *facts(const char *prefix)
{
	static char text[256];

	text[0] = '\0';
	journal_each_state(prefix, print_fact, text);
	return text;
}

Test(journal, facts_survive_a_restart)
{
	open_journal();
	cr_assert_eq(journal_put_state("ack/ups-b", "2"), 0);
	cr_assert_eq(journal_put_state("ack/ups-a", "1"), 0);
	cr_assert_eq(journal_put_state("other", "x"), 0);
	cr_assert_eq(journal_put_state("ack/ups-c", "3"), 0);
	cr_assert_eq(journal_put_state("ack/ups-c", NULL), 0);
	cr_assert_eq(journal_put_state("ack/ups-a", "4"), 0);
	cr_assert_str_eq(facts("ack/"), "ack/ups-a=4;ack/ups-b=2;", "at once");
	close_journal();

	open_journal();
	cr_assert_str_eq(facts("ack/"), "ack/ups-a=4;ack/ups-b=2;");
	cr_assert_str_eq(facts(""), "ack/ups-a=4;ack/ups-b=2;other=x;");
}

/* ---- numbers ---- */

static void forget_file(const char *name)
{
	char path[128];

	path_in(name, path, sizeof(path));
	(void)unlink(path);
}

Test(journal, a_new_database_goes_on_with_the_old_numbers)
{
	struct answer answer;

	open_journal();
	for (int i = 0; i < 5; i++)
		(void)emit("", "old");
	close_journal();
	forget_file("journal.db");

	cr_assert_eq(open_journal(), 6);
	run_until(events_newest() == 6); /* what is lost is said */
	answer = read_events(&everything, 10);
	cr_assert_eq(answer.count, 1);
	cr_assert_eq(answer.events[0].kind, BB_EVENT_JOURNAL_GAP);
	cr_assert_not_null(strstr(answer.texts[0], "events 1 to 5 are lost"), "%s", answer.texts[0]);
}

Test(journal, a_lost_number_file_leaves_out_a_step)
{
	open_journal();
	(void)emit("", "old");
	close_journal();
	forget_file("journal.next");
	cr_assert_gt(open_journal(), 10000);
}

Test(journal, a_torn_entry_of_the_number_file_leaves_out_two_steps)
{
	char path[128];
	int file;

	open_journal();
	(void)emit("", "old");
	close_journal();
	path_in("journal.next", path, sizeof(path));
	file = open(path, O_WRONLY);
	cr_assert_eq(pwrite(file, "9", 1, 0), 1); /* "2 2 clean" */
	close(file);
	cr_assert_gt(open_journal(), 40000);
}

/* ---- trouble ---- */

Test(journal, without_a_folder_events_are_kept_in_memory_and_trouble_is_said)
{
	uint64_t first = open_journal_in("/nonexistent/busbar");
	struct answer answer;

	cr_assert_gt(first, 1700000000000U, "numbers that no journal can have used");
	(void)emit("", "in memory");
	run_until(trouble);
	answer = read_events(&everything, 10);
	cr_assert_eq(answer.count, 1);
	cr_assert_eq(answer.events[0].number, first);
}

Test(journal, a_folder_that_comes_later_is_taken_and_gets_what_was_kept)
{
	char path[128];
	struct answer answer;
	uint64_t first;

	path_in("later", path, sizeof(path));
	first = open_journal_in(path);
	(void)emit("", "early");
	run_until(trouble);
	cr_assert_eq(mkdir(path, 0700), 0);
	run_until(!trouble);
	run_until(durable() == first);
	close_journal();

	cr_assert_gt(open_journal_in(path), first);
	answer = read_events(&everything, 10);
	cr_assert_str_eq(answer.texts[0], "early");
	close_journal();
	forget_file("later/journal.db");
	forget_file("later/journal.next");
	forget_file("later/journal.reserve");
	(void)rmdir(path);
}

Test(journal, a_folder_has_one_agent_at_a_time)
{
	const int other = open(folder, O_RDONLY | O_DIRECTORY);

	cr_assert_eq(flock(other, LOCK_EX | LOCK_NB), 0);
	open_journal();
	run_until(trouble);
	close(other);
	run_until(!trouble);
}

/* ---- retention ---- */

static struct journal_status status_now(void)
{
	struct journal_status status;

	journal_status(&status);
	return status;
}

Test(journal, the_oldest_go_when_there_are_too_many)
{
	struct bb_config *options = parse_options("max-events: 1000");

	open_journal();
	for (int i = 0; i < 1700; i++)
		(void)emit("", "one of many");
	run_until(durable() == 1700);
	close_journal();

	journal_config = options;
	open_journal();
	options_free(options);
	run_until(status_now().events == 1000);
	cr_assert_eq(status_now().oldest, 701);
	cr_assert_eq(read_events(&everything, 64).events[0].number, 701);
}

Test(journal, a_check_reads_everything_and_says_so)
{
	open_journal();
	for (int i = 0; i < 5000; i++)
		(void)emit("", "to be checked");
	run_until(durable() == 5000);
	check_journal();
	cr_assert(report.sound);
	cr_assert_eq(report.events, 5000);
}

Test(journal, a_check_finds_damage_and_has_it_repaired)
{
	static const char nonsense[4096] = "no page of a database";
	struct answer answer;
	char path[128];
	int file;

	open_journal();
	for (int i = 0; i < 2000; i++)
		(void)emit("", "to be damaged");
	run_until(durable() == 2000);
	close_journal();
	path_in("journal.db", path, sizeof(path));
	file = open(path, O_WRONLY);
	cr_assert_eq(pwrite(file, nonsense, sizeof(nonsense), 30 * 4096), 4096);
	close(file);

	open_journal();
	check_journal();
	cr_assert(!report.sound);
	run_until(trouble_count > 0 && !trouble);
	check_journal();
	cr_assert(report.sound);
	cr_assert_gt(report.events, 1900, "what could be read is there");
	answer = read_events(&(struct journal_filter){.after = 2000}, 64);
	cr_assert_not_null(strstr(answer.texts[0], "the journal was damaged"), "'%s'", answer.texts[0]);
}
