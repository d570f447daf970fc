/* SPDX-License-Identifier: Apache-2.0
 *
 * What a variable of an answer means, whatever type and value a device gives it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <busbar/macros.h>
#include <busbar/point.h>

#include "decode.h"

static const struct decode_clock no_clock;

/* A decoder for the object at @place (below upsMIB) of the device @identity. */
static struct decoder decoder_for(const char *name, const struct identity *identity)
{
	struct decoder decoder = {0};
	const struct bb_point *point;
	char text[64];

	for (size_t i = 0; i < object_count; i++)
		if (strcmp(object_table[i].name, name) == 0)
			decoder.object = &object_table[i];
	cr_assert_not_null(decoder.object, "%s", name);
	cr_assert_gt(object_point(decoder.object, 1, text, sizeof(text)), 0);
	point = bb_dictionary_find(text);
	cr_assert_not_null(point, "%s", text);
	decoder.decimals = point->decimals;
	quirks_select(identity, name, decoder.object->syntax == OBJECT_UNSIGNED, &decoder.quirks);
	return decoder;
}

static const struct identity anybody = {"1.3.6.1.4.1.8072.3.2.10", "Example Power One"};

struct number_case {
	const char *object;
	enum bb_snmp_type type;
	int64_t number;
	enum bb_quality quality;
	int64_t value; /* with the point's decimals */
};

Test(ups_snmp_decode, numbers_are_scaled_as_the_mib_says)
{
	static const struct number_case cases[] = {
		{"upsBatteryVoltage", BB_SNMP_INTEGER, 2716, BB_QUALITY_GOOD, 2716},
		{"upsBatteryCurrent", BB_SNMP_INTEGER, -1, BB_QUALITY_GOOD, -1},
		{"upsBatteryTemperature", BB_SNMP_INTEGER, -5, BB_QUALITY_GOOD, -50},
		{"upsEstimatedMinutesRemaining", BB_SNMP_INTEGER, 544, BB_QUALITY_GOOD, 32640},
		{"upsEstimatedChargeRemaining", BB_SNMP_INTEGER, 97, BB_QUALITY_GOOD, 970},
		{"upsInputFrequency", BB_SNMP_INTEGER, 499, BB_QUALITY_GOOD, 4990},
		{"upsInputVoltage", BB_SNMP_INTEGER, 230, BB_QUALITY_GOOD, 2300},
		{"upsOutputCurrent", BB_SNMP_UNSIGNED, 11, BB_QUALITY_GOOD, 11},
		{"upsOutputPower", BB_SNMP_INTEGER, -26, BB_QUALITY_GOOD, -26},
		{"upsOutputPercentLoad", BB_SNMP_INTEGER, 140, BB_QUALITY_GOOD, 1400},
		{"upsOutputEnergyConsumption", BB_SNMP_UNSIGNED, 12345, BB_QUALITY_GOOD, 12345},
		{"upsTestElapsedTime", BB_SNMP_TICKS, 250, BB_QUALITY_GOOD, 250},
		{"upsShutdownAfterDelay", BB_SNMP_INTEGER, -1, BB_QUALITY_GOOD, -1},
		{"upsConfigInputFreq", BB_SNMP_INTEGER, 500, BB_QUALITY_GOOD, 500},
		{"upsOutputSource", BB_SNMP_INTEGER, 5, BB_QUALITY_GOOD, 5},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct decoder decoder = decoder_for(cases[i].object, &anybody);
		const struct bb_snmp_variable variable = {.type = cases[i].type, .number = cases[i].number};
		int64_t value = INT64_MIN;

		cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), cases[i].quality, "%s",
			     cases[i].object);
		cr_expect_eq(value, cases[i].value, "%s is %lld", cases[i].object, (long long)value);
	}
}

Test(ups_snmp_decode, what_cannot_be_has_no_value)
{
	static const struct number_case cases[] = {
		{"upsEstimatedChargeRemaining", BB_SNMP_INTEGER, 250, BB_QUALITY_BAD, 0},
		{"upsEstimatedChargeRemaining", BB_SNMP_INTEGER, -1, BB_QUALITY_UNSUPPORTED, 0},
		{"upsEstimatedMinutesRemaining", BB_SNMP_INTEGER, 65535, BB_QUALITY_UNSUPPORTED, 0},
		{"upsBatteryTemperature", BB_SNMP_INTEGER, -273, BB_QUALITY_UNSUPPORTED, 0},
		{"upsBatteryTemperature", BB_SNMP_INTEGER, 2500, BB_QUALITY_BAD, 0},
		{"upsInputCurrent", BB_SNMP_UNSIGNED, UINT32_MAX, BB_QUALITY_UNSUPPORTED, 0},
		{"upsSecondsOnBattery", BB_SNMP_UNSIGNED, UINT32_MAX, BB_QUALITY_UNSUPPORTED, 0},
		{"upsInputVoltage", BB_SNMP_UNSIGNED, UINT32_MAX - 1, BB_QUALITY_BAD, 0},
		{"upsBatteryVoltage", BB_SNMP_INTEGER, INT_MAX, BB_QUALITY_UNSUPPORTED, 0},
		{"upsBatteryCurrent", BB_SNMP_INTEGER, INT_MIN, BB_QUALITY_UNSUPPORTED, 0},
		{"upsOutputFrequency", BB_SNMP_INTEGER, -5, BB_QUALITY_BAD, 0},
		{"upsOutputFrequency", BB_SNMP_INTEGER, 20000, BB_QUALITY_BAD, 0},
		{"upsInputCurrent", BB_SNMP_INTEGER, -1, BB_QUALITY_UNSUPPORTED, 0},
		{"upsInputVoltage", BB_SNMP_NULL, 0, BB_QUALITY_UNSUPPORTED, 0},
		{"upsInputVoltage", BB_SNMP_END, 0, BB_QUALITY_UNSUPPORTED, 0},
		{"upsInputVoltage", BB_SNMP_OBJECT, 0, BB_QUALITY_BAD, 0},
		{"upsInputVoltage", BB_SNMP_UNSIGNED, INT64_MAX, BB_QUALITY_BAD, 0},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct decoder decoder = decoder_for(cases[i].object, &anybody);
		const struct bb_snmp_variable variable = {.type = cases[i].type, .number = cases[i].number};
		int64_t value = 7;

		cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), cases[i].quality, "%s %lld",
			     cases[i].object, (long long)cases[i].number);
		cr_expect_eq(value, 7, "output must stay untouched");
	}
}

static enum bb_quality decode_text(const char *object, const char *text, size_t length, int64_t *ret_value)
{
	struct decoder decoder = decoder_for(object, &anybody);
	const struct bb_snmp_variable variable = {
		.type = BB_SNMP_STRING, .bytes = (const uint8_t *)text, .length = length};

	return decode_number(&decoder, &variable, &no_clock, ret_value);
}

Test(ups_snmp_decode, whole_numbers_written_as_text_are_numbers)
{
	int64_t value = 0;

	cr_expect_eq(decode_text("upsEstimatedChargeRemaining", "97", 2, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 970);
	cr_expect_eq(decode_text("upsEstimatedChargeRemaining", " 98\0\0", 5, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 980);
	cr_expect_eq(decode_text("upsBatteryCurrent", "-12", 3, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, -12);
	value = 7;
	/* In which unit is that? Nobody knows. */
	cr_expect_eq(decode_text("upsBatteryVoltage", "54.2", 4, &value), BB_QUALITY_BAD);
	cr_expect_eq(decode_text("upsBatteryVoltage", "n/a", 3, &value), BB_QUALITY_BAD);
	cr_expect_eq(decode_text("upsBatteryVoltage", "1\0002", 3, &value), BB_QUALITY_BAD);
	cr_expect_eq(decode_text("upsBatteryVoltage", "", 0, &value), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(decode_text("upsBatteryVoltage", "99999999999999999999999999", 26, &value), BB_QUALITY_BAD);
	cr_expect_eq(value, 7);
}

Test(ups_snmp_decode, another_unit_holds_when_two_numbers_have_shown_it)
{
	struct decoder decoder = decoder_for("upsInputVoltage", &anybody);
	struct bb_snmp_variable variable = {.type = BB_SNMP_INTEGER, .number = 2369};
	int64_t value = 0;

	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 2369, "236.9 V");
	variable.number = 2371;
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 2371);
	variable.number = 900; /* mains fade: 90 V, not 900 */
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 900, "90.0 V");
}

Test(ups_snmp_decode, one_strange_number_does_not_change_the_unit_of_others)
{
	struct decoder decoder = decoder_for("upsOutputFrequency", &anybody);
	struct bb_snmp_variable variable = {.type = BB_SNMP_INTEGER, .number = 5000};
	int64_t value = 0;

	for (int i = 0; i < 3; i++) {
		variable.number = 5000; /* 500 Hz? In steps of 0.01 Hz it makes sense, so that is what it is, */
		cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
		cr_expect_eq(value, 5000, "50 Hz");
		variable.number = 499; /* but this is not 4.99 Hz. */
		cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
		cr_expect_eq(value, 4990, "49.9 Hz");
	}
}

Test(ups_snmp_decode, another_unit_is_given_up_for_a_number_that_makes_no_sense_in_it)
{
	struct decoder decoder = decoder_for("upsInputFrequency", &anybody);
	struct bb_snmp_variable variable = {.type = BB_SNMP_INTEGER, .number = 50};
	int64_t value = 0;

	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 5000, "50 Hz, in steps of 1 Hz");
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	variable.number = 499;
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 4990, "49.9 Hz, not 499");
}

Test(ups_snmp_decode, a_row_about_one_vendor_is_about_no_other)
{
	static const struct identity cxc = {"1.3.6.1.4.1.7309.5.1", ""}, other = {"1.3.6.1.4.1.7309.55", ""};
	struct decoder decoder = decoder_for("upsInputVoltage", &cxc);
	struct bb_snmp_variable variable = {.type = BB_SNMP_INTEGER, .number = 998};
	int64_t value = 0;

	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 998, "99.8 V");
	decoder = decoder_for("upsInputVoltage", &other);
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 9980, "998 V");
}

Test(ups_snmp_decode, a_small_negative_load_is_a_value_where_the_device_measures_so)
{
	static const struct identity generex = {"1.3.6.1.2.1.33", "Multimatic Upscale"};
	struct decoder decoder = decoder_for("upsOutputPower", &generex);
	const struct bb_snmp_variable variable = {.type = BB_SNMP_INTEGER, .number = -1};
	int64_t value = 7;

	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, -1);
	decoder = decoder_for("upsOutputPower", &anybody);
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_UNSUPPORTED);
}

Test(ups_snmp_decode, ticks_of_the_agent_become_wall_clock_time)
{
	struct decoder decoder = decoder_for("upsTestStartTime", &anybody);
	struct decode_clock clock = {0};
	struct bb_snmp_variable variable = {.type = BB_SNMP_TICKS, .number = 4320000};
	int64_t value = 7;

	decode_clock_set(&clock, 8640000, 1700000000400);
	cr_expect_eq(decode_number(&decoder, &variable, &clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 1700000000000 - 43200000, "whole seconds");
	decode_clock_set(&clock, 8640000, 1700000002400); /* an answer that took longer */
	cr_expect_eq(decode_number(&decoder, &variable, &clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 1700000000000 - 43200000, "the past stays where it is");
	decode_clock_set(&clock, 8640000, 1700003600400); /* somebody set our clock */
	cr_expect_eq(decode_number(&decoder, &variable, &clock, &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 1700003600000 - 43200000);
	value = 7;
	variable.number = 0;
	cr_expect_eq(decode_number(&decoder, &variable, &clock, &value), BB_QUALITY_UNSUPPORTED, "never");
	variable.number = 8640001;
	cr_expect_eq(decode_number(&decoder, &variable, &clock, &value), BB_QUALITY_UNSUPPORTED, "before the restart");
	variable.number = 1;
	cr_expect_eq(decode_number(&decoder, &variable, &no_clock, &value), BB_QUALITY_UNSUPPORTED, "no clock");
	cr_expect_eq(value, 7);
}

Test(ups_snmp_decode, a_clock_that_no_time_ticks_can_say_is_none)
{
	struct decode_clock clock = {0};

	decode_clock_set(&clock, INT64_C(1) << 32, 1700000000000);
	cr_expect_not(clock.known);
	decode_clock_set(&clock, INT64_MAX, 1700000000000); /* a Counter64 where TimeTicks are due */
	cr_expect_not(clock.known);
	decode_clock_set(&clock, UINT32_MAX, 1700000000000);
	cr_expect(clock.known);
	decode_clock_set(&clock, INT64_MAX, 1700000000000);
	cr_expect_not(clock.known, "what it says now counts");
}

static enum bb_quality decode_test_id(const char *oid, int64_t *ret_value)
{
	struct decoder decoder = decoder_for("upsTestId", &anybody);
	struct bb_snmp_variable variable = {.type = BB_SNMP_OBJECT};

	cr_assert_eq(bb_snmp_oid_parse(oid, &variable.object), 0);
	return decode_number(&decoder, &variable, &no_clock, ret_value);
}

Test(ups_snmp_decode, a_test_is_named_by_its_identity)
{
	int64_t value = 0;

	cr_expect_eq(decode_test_id("1.3.6.1.2.1.33.1.7.7.4", &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 4);
	cr_expect_eq(decode_test_id("1.3.6.1.2.1.33.1.7.7.5.0", &value), BB_QUALITY_GOOD);
	cr_expect_eq(value, 5);
	cr_expect_eq(decode_test_id("0.0", &value), BB_QUALITY_UNSUPPORTED);
	cr_expect_eq(decode_test_id("1.3.6.1.4.1.705.1.1", &value), BB_QUALITY_BAD);
	cr_expect_eq(value, 5);
}

static int alarm_of(const struct bb_snmp_variable *variable, char *buffer, size_t size)
{
	struct quirks quirks;

	quirks_select(&anybody, "upsAlarmDescr", false, &quirks);
	return decode_alarm(&quirks, variable, buffer, size);
}

Test(ups_snmp_decode, an_alarm_is_known_by_its_identity_however_it_is_spelled)
{
	static const char *const texts[] = {".1.3.6.1.2.1.33.1.6.3.2", "1.3.6.1.2.1.33.1.6.3.2.0 "};
	struct bb_snmp_variable variable = {.type = BB_SNMP_OBJECT};
	char identity[64] = "";

	cr_assert_eq(bb_snmp_oid_parse("1.3.6.1.2.1.33.1.6.3.2.0", &variable.object), 0);
	cr_expect_eq(alarm_of(&variable, identity, sizeof(identity)), 0);
	cr_expect_str_eq(identity, "1.3.6.1.2.1.33.1.6.3.2");
	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		variable.type = BB_SNMP_STRING;
		variable.bytes = (const uint8_t *)texts[i];
		variable.length = strlen(texts[i]) + 1; /* with its NUL */
		identity[0] = '\0';
		cr_expect_eq(alarm_of(&variable, identity, sizeof(identity)), 0, "%s", texts[i]);
		cr_expect_str_eq(identity, "1.3.6.1.2.1.33.1.6.3.2");
	}
	variable.bytes = (const uint8_t *)"Battery low";
	variable.length = 11;
	cr_expect_eq(alarm_of(&variable, identity, sizeof(identity)), -EINVAL);
	variable.length = 0;
	cr_expect_eq(alarm_of(&variable, identity, sizeof(identity)), -ENOENT);
	cr_expect_eq(alarm_of(&(struct bb_snmp_variable){.type = BB_SNMP_NULL}, identity, sizeof(identity)), -ENOENT);
	cr_expect_eq(
		alarm_of(&(struct bb_snmp_variable){.type = BB_SNMP_INTEGER, .number = 2}, identity, sizeof(identity)),
		-EINVAL);
}
