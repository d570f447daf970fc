/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_session.c - where the master is, and times on its clock. What needs a master is in
 * tests/integration/test_agentx_session.py.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/macros.h>

#include "master.h"

static const struct {
	const char *text, *path, *host;
	uint16_t port;
} good[] = {
	{"unix:/var/agentx/master", "/var/agentx/master", NULL, 0},
	{"unix:///var/agentx/master", "/var/agentx/master", NULL, 0},
	{"/var/agentx/master", "/var/agentx/master", NULL, 0},
	{"/odd:name", "/odd:name", NULL, 0},
	{"tcp:127.0.0.1:4711", NULL, "127.0.0.1", 4711},
	{"tcp://localhost:4711", NULL, "localhost", 4711},
	{"tcp:localhost", NULL, "localhost", 705},
	{"tcp:[::1]:4711", NULL, "::1", 4711},
	{"tcp:[::1]", NULL, "::1", 705},
};

Test(agentx_session, masters_are_named_as_snmpd_names_them)
{
	for (size_t i = 0; i < BB_LENGTH(good); i++) {
		struct session_master master;
		const char *fault = "none";

		cr_assert_eq(session_master_parse(good[i].text, &master, &fault), 0, "%s: %s", good[i].text, fault);
		cr_assert_eq(!master.path, !good[i].path, "%s", good[i].text);
		if (good[i].path)
			cr_assert_str_eq(master.path, good[i].path);
		else
			cr_assert(strcmp(master.host, good[i].host) == 0 && master.port == good[i].port, "%s",
				  good[i].text);
		session_master_clear(&master);
	}
}

Test(agentx_session, what_is_no_master_is_explained)
{
	static const char *const bad[] = {"",
					  "unix:",
					  "unix:var/agentx",
					  "var/agentx",
					  "udp:127.0.0.1:705",
					  "tcp:",
					  "tcp:agent.example:705",
					  "tcp:127.0.0.1:0",
					  "tcp:127.0.0.1:65536",
					  "tcp:127.0.0.1:",
					  "tcp:127.0.0.1:705x",
					  "tcp:[::1",
					  "tcp:[::1]705",
					  "tcp:::1"};
	char path[256] = "unix:/";

	for (size_t i = 0; i < BB_LENGTH(bad); i++) {
		struct session_master master = {.port = 7};
		const char *fault = NULL;

		cr_assert_eq(session_master_parse(bad[i], &master, &fault), -EINVAL, "'%s'", bad[i]);
		cr_assert(fault && *fault, "'%s'", bad[i]);
		cr_assert(master.port == 7 && !master.path, "nothing is written on failure");
	}
	memset(path + 6, 'x', 108);
	cr_assert_eq(session_master_parse(path, &(struct session_master){0}, &(const char *){NULL}), -EINVAL);
}

Test(agentx_session, masters_are_printed_as_snmpd_conf_has_them)
{
	char text[MASTER_TEXT_SIZE];

	master_print(&(struct session_master){.path = (char[]){"/run/x"}}, text);
	cr_assert_str_eq(text, "unix:/run/x");
	master_print(&(struct session_master){.host = (char[]){"::1"}, .port = 705}, text);
	cr_assert_str_eq(text, "tcp:[::1]:705");
}

Test(agentx_session, advice_tells_the_line_that_helps)
{
	struct session_master master = {.path = (char[]){"/run/x"}};
	char text[256];

	master_advise(&master, -EACCES, text, sizeof(text));
	cr_assert(strstr(text, "agentXPerms 0660 0755"), "%s", text);
	cr_assert_lt(strlen(text), sizeof(text) - 1, "it is not cut");
	master_advise(&master, -ENOENT, text, sizeof(text));
	cr_assert(strstr(text, "agentXSocket unix:/run/x"), "%s", text);
	master_advise(&master, -ENOMEM, text, sizeof(text));
	cr_assert_str_eq(text, "");
}

Test(agentx_session, times_are_told_on_the_masters_clock)
{
	struct moment moment = {.now_ms = 100000, .master_ms = 40000};

	cr_assert_eq(moment_uptime(&moment, 100000), 6000);
	cr_assert_eq(moment_uptime(&moment, 40000), 0);
	cr_assert_eq(moment_uptime(&moment, 39000), 0, "before it started");
	moment.master_ms = 100000 - 42949672960LL - 50;
	cr_assert_eq(moment_uptime(&moment, 100000), 5, "after 497 days it begins anew");
}

/* Asked at @asked_ms, said @uptime, read at @heard_ms. */
static const struct {
	int64_t asked_ms, heard_ms;
	uint32_t uptime;
	int64_t start_ms;
	const char *why;
} answers[] = {
	{500000, 500600, 10050, 400100, "the first: slow to be given or to be read, nobody knows"},
	{510000, 510001, 11000, 400001, "a quick one knows better"},
	{520000, 520012, 12000, 400001, "a hundredth of a second is rounding"},
	{530000, 534000, 13000, 400001, "read late: the master has not started later for that"},
	{540000, 544000, 14400, 400001, "given late: nor has it started earlier"},
	{550000, 554000, 15200, 400001, "both"},
	{560000, 560001, 16000, 400001, "and no trace of them is left"},
	{630000, 630001, 17000, 460001, "it has not counted the minute for which the machine was suspended"},
	{640000, 640001, 1000, 630001, "it has been started again"},
	{650000, 653000, 2000, 630001, "read late by the next session, the same master"},
	{630000 + 42949672960, 630002 + 42949672960, 0, 42950302962, "after 497 days it begins anew"},
	{640000 + 42949672960, 640001 + 42949672960, 1000, 42950302962, "and goes on from there"},
};

Test(agentx_session, the_masters_start_moves_only_when_an_answer_proves_it_wrong)
{
	int64_t start_ms = 0;

	for (size_t i = 0; i < BB_LENGTH(answers); i++) {
		start_ms = moment_master(start_ms, answers[i].asked_ms, answers[i].heard_ms, answers[i].uptime);
		cr_assert_eq(start_ms, answers[i].start_ms, "%s: %lld", answers[i].why, (long long)start_ms);
	}
}

Test(agentx_session, a_time_of_the_wall_clock_stays_what_it_is_until_that_clock_is_set)
{
	struct moment moment = {.master_ms = 40000, .lead_ms = 1795167000125};

	for (int64_t now_ms = 100000; now_ms < 100100; now_ms++) {
		moment.now_ms = now_ms;
		moment.lead_ms = moment_lead(moment.lead_ms, now_ms, now_ms + 1795167000125 + now_ms % 3 - 1);
		cr_assert_eq(moment_uptime_of_wall(&moment, 1795167000125 + 95000), 5500);
	}
	moment.lead_ms = moment_lead(moment.lead_ms, 100000, 100000 + 1795167000125 + 3600000);
	cr_assert_eq(moment_uptime_of_wall(&moment, 1795167000125 + 3600000 + 95000), 5500, "set, and said so at once");
	moment.lead_ms = moment_lead(moment.lead_ms, 100000, 100000 + 1795167000125);
	cr_assert_eq(moment_uptime_of_wall(&moment, 1795167000125 + 95000), 5500, "and back");
	cr_assert_eq(moment_uptime_of_wall(&moment, 1795167000125 + 39000), 0, "before the master started");
}

Test(agentx_session, a_time_that_cannot_be_does_no_harm)
{
	const struct moment moment = {.now_ms = 100000, .lead_ms = 1795167000125, .master_ms = -40000};
	const struct moment behind = {.now_ms = 100000, .lead_ms = -1795167000125, .master_ms = -40000};

	cr_assert_eq(moment_uptime_of_wall(&moment, INT64_MIN), 0); /* found by fuzz_agentx_answer */
	cr_assert_eq(moment_uptime_of_wall(&behind, INT64_MAX), (uint32_t)(INT64_MAX / 10));
	cr_assert_eq(moment_uptime(&moment, INT64_MAX), (uint32_t)(INT64_MAX / 10));
}
