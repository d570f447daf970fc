/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of exporters/prometheus/page.c and plan.c: facts in, text out.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

#include "page.h"
#include "prometheus_sample.h"

static const char *const names[] = {"ups-a", "ups-b"};

/* The page of @facts, NUL-terminated, to be freed. */
static char *render(struct page *page, const struct facts *facts, enum page_format format)
{
	size_t size, length;
	char *text;

	cr_assert_eq(page_prepare(page, facts, &size), 0);
	text = malloc(size + 1);
	length = page_render(page, facts, format, text);
	cr_assert_leq(length, size, "a page of %zu bytes was announced as %zu at most", length, size);
	text[length] = '\0';
	return text;
}

/* The page of @facts in a page of its own. */
static char *page_of(const struct facts *facts, enum page_format format)
{
	struct page *page;
	char *text;

	cr_assert_eq(page_create(&page), 0);
	text = render(page, facts, format);
	page_destroy(page);
	return text;
}

static bool has_line(const char *page, const char *line)
{
	const size_t length = strlen(line);

	for (const char *found = page; (found = strstr(found, line)) != NULL; found++) {
		if ((found == page || found[-1] == '\n') && found[length] == '\n')
			return true;
	}
	return false;
}

#define expect_line(page, line) cr_expect(has_line(page, line), "no line '%s' in\n%s", line, page)
#define expect_none(page, text) cr_expect_null(strstr(page, text), "there is '%s' in\n%s", text, page)

/* One device, up, with the points named. */
static struct bb_reading *one_device(struct facts *facts, const struct bb_point_spec *specs, size_t count)
{
	struct generation *generation = sample_generation(specs, count);
	struct bb_reading *reading;

	cr_assert_not_null(generation);
	sample_devices(facts, names, 1);
	reading = sample_renew(facts, 0, generation);
	generation_unref(generation);
	return reading;
}

#define SPECS(...) ((const struct bb_point_spec[]){__VA_ARGS__})

Test(prometheus_page, numbers_are_printed_in_base_units)
{
	struct facts facts;
	struct bb_reading *reading = one_device(&facts,
						SPECS({.name = "input.L1.voltage"}, {.name = "battery.charge"},
						      {.name = "output.energy"}, {.name = "battery.temperature"}),
						4);

	sample_set(reading, "input.L1.voltage", 2301);
	sample_set(reading, "battery.charge", 970);
	sample_set(reading, "output.energy", 123);
	sample_set(reading, "battery.temperature", -45);

	char *page = page_of(&facts, PAGE_TEXT);

	expect_line(page, "ups_input_volts{device=\"ups-a\",line=\"L1\"} 230.1");
	expect_line(page, "ups_battery_charge_ratio{device=\"ups-a\"} 0.970");
	expect_line(page, "ups_output_joules_total{device=\"ups-a\"} 4428000"); /* 1.23 kWh */
	expect_line(page, "ups_battery_temperature_celsius{device=\"ups-a\"} -4.5");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, enumerations_and_flags_have_a_series_for_each_member)
{
	struct facts facts;
	struct bb_reading *reading =
		one_device(&facts, SPECS({.name = "output.source"}, {.name = "ups.status.word"}), 2);

	sample_set(reading, "output.source", 5);
	sample_set(reading, "ups.status.word", 0x8008);

	char *page = page_of(&facts, PAGE_TEXT);

	expect_line(page, "ups_output_source{device=\"ups-a\",source=\"battery\"} 1");
	expect_line(page, "ups_output_source{device=\"ups-a\",source=\"normal\"} 0");
	expect_line(page, "ups_status{device=\"ups-a\",flag=\"backup-mode\"} 1");
	expect_line(page, "ups_status{device=\"ups-a\",flag=\"device-alarm\"} 1");
	expect_line(page, "ups_status{device=\"ups-a\",flag=\"comm-lost\"} 0");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, a_family_is_written_in_one_piece_over_all_devices)
{
	struct facts facts;
	struct generation *generation =
		sample_generation(SPECS({.name = "battery.charge"}, {.name = "input.L1.voltage"}), 2);

	sample_devices(&facts, names, 2);
	for (size_t i = 0; i < 2; i++) {
		struct bb_reading *reading = sample_renew(&facts, i, generation);

		sample_set(reading, "battery.charge", 1000 - (int64_t)i);
		sample_set(reading, "input.L1.voltage", 2300 + (int64_t)i);
	}
	generation_unref(generation);

	char *page = page_of(&facts, PAGE_TEXT);

	cr_expect_not_null(strstr(page, "# TYPE ups_battery_charge_ratio gauge\n"
					"ups_battery_charge_ratio{device=\"ups-a\"} 1.000\n"
					"ups_battery_charge_ratio{device=\"ups-b\"} 0.999\n"),
			   "%s", page);
	const char *help = strstr(page, "# HELP ups_input_volts ");

	cr_assert_not_null(help);
	cr_expect_null(strstr(help + 1, "# HELP ups_input_volts "), "HELP is there twice");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, only_good_values_are_written_and_no_family_without_series)
{
	struct facts facts;
	struct bb_reading *reading =
		one_device(&facts, SPECS({.name = "battery.charge"}, {.name = "input.L1.voltage"}), 2);

	sample_set(reading, "battery.charge", 970);
	bb_reading_set_quality(reading, 1, BB_QUALITY_UNSUPPORTED);

	char *page = page_of(&facts, PAGE_TEXT);

	expect_line(page, "ups_battery_charge_ratio{device=\"ups-a\"} 0.970");
	expect_none(page, "ups_input_volts");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, measurements_of_a_stale_device_vanish_and_what_is_kept_stays)
{
	struct facts facts;
	struct bb_reading *reading =
		one_device(&facts,
			   SPECS({.name = "battery.charge"}, {.name = "output.source"}, {.name = "ups.power.nominal"},
				 {.name = "ups.status.word"}, {.name = "alarm.on-battery"}, {.name = "device.model"}),
			   6);
	struct bb_snapshot *snapshot = &facts.devices[0].snapshot;

	sample_set(reading, "battery.charge", 970);
	sample_set(reading, "output.source", 3);
	sample_set(reading, "ups.power.nominal", 10000);
	sample_set(reading, "ups.status.word", 4);
	cr_assert_eq(bb_reading_set_text(reading, 5, "T 10", 4), 0);
	snapshot->state = BB_DEVICE_LOST;
	snapshot->stale[BB_GROUP_REST] = snapshot->stale[BB_GROUP_URGENT] = true;
	snapshot->age_ms = 61500;
	for (size_t i = 0; i < snapshot->alarms->count; i++)
		snapshot->alarms->alarms[i].active =
			!strcmp(snapshot->alarms->alarms[i].type->name, "communications-lost");

	char *page = page_of(&facts, PAGE_TEXT);

	expect_none(page, "ups_battery_charge_ratio");
	expect_none(page, "ups_output_source");
	expect_line(page, "ups_power_nominal_voltamperes{device=\"ups-a\"} 10000");
	expect_line(page, "ups_status{device=\"ups-a\",flag=\"output-active\"} 1");
	expect_line(page, "busbar_device_up{device=\"ups-a\"} 0");
	expect_line(page, "busbar_device_reading_age_seconds{device=\"ups-a\"} 61.500");
	expect_line(page, "busbar_alarm_active{device=\"ups-a\",alarm=\"communications-lost\"} 1");
	expect_line(page, "busbar_alarm_active{device=\"ups-a\",alarm=\"on-battery\"} 0");
	expect_line(page, "busbar_device_info{device=\"ups-a\",plugin=\"sample\",mfr=\"\",model=\"T 10\",serial=\"\","
			  "firmware=\"\"} 1");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, an_alarm_says_whether_somebody_has_seen_it)
{
	struct facts facts;

	(void)one_device(&facts, SPECS({.name = "alarm.on-battery"}), 1); /* its values do not matter */
	struct bb_alarm_set *set = facts.devices[0].snapshot.alarms;

	for (size_t i = 0; i < set->count; i++)
		set->alarms[i].active = set->alarms[i].acknowledged = !strcmp(set->alarms[i].type->name, "on-battery");

	char *page = page_of(&facts, PAGE_TEXT);

	expect_line(page, "busbar_alarm_active{device=\"ups-a\",alarm=\"on-battery\"} 1");
	expect_line(page, "busbar_alarm_acknowledged{device=\"ups-a\",alarm=\"on-battery\"} 1");
	expect_line(page, "busbar_alarm_acknowledged{device=\"ups-a\",alarm=\"communications-lost\"} 0");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, events_are_counted_by_kind)
{
	struct tally tally = {0};
	struct facts facts;
	char *text;

	sample_devices(&facts, names, 0);
	facts.tally = &tally;
	facts_count_events(&facts.events, &tally);
	text = page_of(&facts, PAGE_TEXT);
	expect_line(text, "# TYPE busbar_events_total counter");
	expect_line(text, "busbar_events_total{kind=\"alarm-raised\"} 0");
	expect_none(text, "busbar_journal_newest_event");
	free(text);

	tally_add(&tally, &(struct bb_event){.kind = BB_EVENT_DEVICE_LOST, .number = 1000000000001});
	tally_add(&tally, &(struct bb_event){.kind = BB_EVENT_DEVICE_LOST, .number = 1000000000002});
	tally_add(&tally, &(struct bb_event){.kind = (enum bb_event_kind)9999, .number = 1000000000003});
	facts_count_events(&facts.events, &tally);
	text = page_of(&facts, PAGE_OPENMETRICS);
	expect_line(text, "# TYPE busbar_events counter");
	expect_line(text, "busbar_events_total{kind=\"device-lost\"} 2");
	expect_line(text, "busbar_events_total{kind=\"alarm-raised\"} 0");
	expect_line(text, "busbar_journal_newest_event 1000000000003");
	expect_none(text, "unknown");
	free(text);
	facts_finish(&facts);
}

Test(prometheus_page, only_the_stale_group_vanishes)
{
	struct facts facts;
	struct bb_reading *reading =
		one_device(&facts, SPECS({.name = "battery.charge"}, {.name = "output.source"}), 2);

	sample_set(reading, "battery.charge", 970);
	sample_set(reading, "output.source", 3);
	facts.devices[0].snapshot.stale[BB_GROUP_REST] = true;

	char *page = page_of(&facts, PAGE_TEXT);

	expect_none(page, "ups_battery_charge_ratio");
	expect_line(page, "ups_output_source{device=\"ups-a\",source=\"normal\"} 1");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, a_device_that_never_answered_is_down_and_has_no_age)
{
	struct facts facts;

	sample_devices(&facts, names, 1);

	char *page = page_of(&facts, PAGE_TEXT);

	expect_line(page, "busbar_device_up{device=\"ups-a\"} 0");
	expect_none(page, "reading_age");
	expect_none(page, "busbar_device_info");
	expect_none(page, "poll_duration");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, counters_lose_their_suffix_only_in_openmetrics_type_lines)
{
	struct facts facts;

	sample_devices(&facts, names, 1);
	facts.devices[0].stats = (struct bb_device_stats){.polls = 12, .errors = 3, .last_poll_us = 1500};

	char *text = page_of(&facts, PAGE_TEXT), *openmetrics = page_of(&facts, PAGE_OPENMETRICS);

	expect_line(text, "# TYPE busbar_device_polls_total counter");
	expect_line(text, "busbar_device_polls_total{device=\"ups-a\"} 12");
	expect_none(text, "# EOF");
	expect_line(openmetrics, "# TYPE busbar_device_polls counter");
	expect_line(openmetrics, "busbar_device_polls_total{device=\"ups-a\"} 12");
	expect_line(openmetrics, "busbar_device_poll_errors_total{device=\"ups-a\"} 3");
	expect_line(openmetrics, "busbar_device_poll_duration_seconds{device=\"ups-a\"} 0.001500");
	cr_expect_str_eq(openmetrics + strlen(openmetrics) - 6, "# EOF\n");
	free(text);
	free(openmetrics);
	facts_finish(&facts);
}

Test(prometheus_page, texts_of_devices_are_escaped_and_followed_when_they_change)
{
	struct facts facts;
	struct bb_reading *reading = one_device(&facts, SPECS({.name = "device.model"}), 1);
	struct page *page;

	cr_assert_eq(page_create(&page), 0);
	cr_assert_eq(bb_reading_set_text(reading, 0, "a \"b\" \\c", 8), 0);

	char *before = render(page, &facts, PAGE_TEXT);

	cr_assert_eq(bb_reading_set_text(reading, 0, "new", 3), 0);

	char *after = render(page, &facts, PAGE_TEXT);

	cr_expect_not_null(strstr(before, "model=\"a \\\"b\\\" \\\\c\""), "%s", before);
	cr_expect_not_null(strstr(after, "model=\"new\""), "%s", after);
	free(before);
	free(after);
	page_destroy(page);
	facts_finish(&facts);
}

Test(prometheus_page, a_device_that_learned_other_points_gets_a_new_plan_at_once)
{
	struct facts facts;
	struct bb_reading *reading = one_device(&facts, SPECS({.name = "battery.charge"}), 1);
	struct generation *other = sample_generation(SPECS({.name = "input.L2.voltage"}), 1);
	struct page *page;

	cr_assert_eq(page_create(&page), 0);
	sample_set(reading, "battery.charge", 500);
	free(render(page, &facts, PAGE_TEXT));

	/* The same version of the registry: the change came between the list and the snapshot. */
	sample_set(sample_renew(&facts, 0, other), "input.L2.voltage", 2200);
	generation_unref(other);

	char *text = render(page, &facts, PAGE_TEXT);

	expect_none(text, "ups_battery_charge_ratio");
	expect_line(text, "ups_input_volts{device=\"ups-a\",line=\"L2\"} 220.0");
	free(text);
	page_destroy(page);
	facts_finish(&facts);
}

Test(prometheus_page, alarms_of_the_agent_and_counters_of_links_are_there)
{
	struct bb_alarm_set *set = alarm_set_create(1, NULL);
	struct facts facts;
	struct facts_link link = {.polls = 7, .errors = 2};

	sample_devices(&facts, names, 0);
	set->alarms[0] = (struct bb_alarm){.type = bb_alarm_type_row(0), .active = true};
	facts.agent_alarms = set;
	buffer_add_label(&facts.link_labels, "link", "snmp://[::1]:161");
	link.name_length = facts.link_labels.length;
	facts.links = &link;
	facts.link_count = 1;

	char *page = page_of(&facts, PAGE_TEXT), line[128];

	(void)snprintf(line, sizeof(line), "busbar_agent_alarm_active{alarm=\"%s\"} 1", bb_alarm_type_row(0)->name);
	expect_line(page, line);
	expect_line(page, "busbar_build_info{version=\"1.2.3\"} 1");
	expect_line(page, "busbar_link_polls_total{link=\"snmp://[::1]:161\"} 7");
	expect_line(page, "busbar_link_poll_errors_total{link=\"snmp://[::1]:161\"} 2");
	free(page);
	facts.links = NULL; /* it is not allocated */
	facts_finish(&facts);
}

Test(prometheus_page, two_points_never_become_one_series)
{
	static const struct bb_point_spec specs[] = {
		{.name = "input.L1.voltage"}, {.name = "module.1.voltage"}, {.name = "module.2.voltage"},
		{.name = "vendor.one"},       {.name = "vendor.two"},
	};
	struct facts facts;
	struct bb_reading *reading = one_device(&facts, specs, BB_LENGTH(specs));

	for (size_t i = 0; i < BB_LENGTH(specs); i++)
		cr_assert_eq(bb_reading_set(reading, i, (int64_t)i), 0);

	char *page = page_of(&facts, PAGE_TEXT), *save = NULL;
	const char *lines[512];
	size_t count = 0;

	for (char *line = strtok_r(page, "\n", &save); line && count < 512; line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		*strrchr(line, ' ') = '\0';
		for (size_t i = 0; i < count; i++)
			cr_expect_str_neq(lines[i], line);
		lines[count++] = line;
	}
	cr_expect_geq(count, BB_LENGTH(specs));
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, words_of_flags_share_a_family_when_their_members_differ)
{
	struct facts facts;
	struct bb_reading *reading =
		one_device(&facts, SPECS({.name = "bacs.alarms"}, {.name = "bacs.alarms.more"}), 2);

	sample_set(reading, "bacs.alarms", 0);
	sample_set(reading, "bacs.alarms.more", 0);

	char *page = page_of(&facts, PAGE_TEXT);

	cr_expect_not_null(strstr(page, "bacs_alarm{device=\"ups-a\",alarm="), "%s", page);
	expect_none(page, "point=");
	free(page);
	facts_finish(&facts);
}

Test(prometheus_page, help_says_what_all_lines_of_a_family_have_in_common)
{
	struct facts facts;
	struct bb_reading *reading = one_device(&facts, SPECS({.name = "input.L2.voltage"}), 1);

	sample_set(reading, "input.L2.voltage", 1);

	char *page = page_of(&facts, PAGE_TEXT);
	const char *help = strstr(page, "# HELP ups_input_volts ");

	cr_assert_not_null(help);
	cr_expect_null(memchr(help, '1', strcspn(help, "\n")), "help of all lines speaks of one: %s", help);
	free(page);
	facts_finish(&facts);
}
