/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_objects.c - names of instances and of points to objects, values of points to variables and back.
 */
#include <stdlib.h>

#include "agentx_support.h"

#include <busbar/macros.h>

/* ---- names ---- */

static uint32_t random_state = 20260117;

static uint32_t random_below(uint32_t end)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % end;
}

Test(agentx_objects, come_in_the_order_of_their_names_and_none_begins_another)
{
	struct oid before, name;

	for (size_t i = 1; i < object_count; i++) {
		object_name(&object_table[i - 1], UINT32_MAX, &before);
		object_name(&object_table[i], 0, &name);
		cr_assert_lt(oid_compare(&before, &name), 0, "%s is behind all of %s", object_table[i].name,
			     object_table[i - 1].name);
	}
}

Test(agentx_objects, are_found_by_the_names_of_their_instances)
{
	static const uint32_t rows[] = {0, 1, 512, UINT32_MAX};

	for (size_t i = 0; i < object_count; i++)
		for (size_t j = 0; j < BB_LENGTH(rows); j++) {
			struct object_place place;
			struct oid name;

			object_name(&object_table[i], rows[j], &name);
			object_locate(&name, &place);
			cr_assert(place.exact && place.known && place.object == i && place.row == rows[j], "%s.%u",
				  object_table[i].name, rows[j]);
		}
}

/* A name near those there are: one of them, cut, lengthened, or moved a little. */
static void random_name(struct oid *ret_name)
{
	object_name(&object_table[random_below((uint32_t)object_count)], random_below(4), ret_name);
	switch (random_below(5)) {
	case 0:
		ret_name->length -= random_below(ret_name->length + 1);
		break;
	case 1:
		ret_name->arcs[ret_name->length++] = random_below(3);
		break;
	case 2:
		ret_name->arcs[random_below(ret_name->length)] += random_below(3) - 1;
		break;
	case 3:
		ret_name->arcs[ret_name->length - 1] = UINT32_MAX;
		ret_name->arcs[ret_name->length++] = random_below(2) ? 0 : UINT32_MAX;
		break;
	default:
		break;
	}
}

Test(agentx_objects, a_name_is_located_behind_all_that_is_before_it_and_before_all_that_follows)
{
	for (unsigned i = 0; i < 200000; i++) {
		struct object_place place;
		struct oid name, at;
		char text[OID_TEXT_SIZE];

		random_name(&name);
		object_locate(&name, &place);
		oid_print(&name, text);
		if (place.object < object_count) {
			object_name(&object_table[place.object], place.row, &at);
			cr_assert(place.exact ? oid_compare(&at, &name) == 0 : oid_compare(&at, &name) > 0, "%s", text);
		}
		/* The instance just before that place. */
		if (place.object == 0 && place.row == 0)
			continue;
		if (place.object < object_count && place.row > 0)
			object_name(&object_table[place.object], place.row - 1, &at);
		else
			object_name(&object_table[place.object - 1], UINT32_MAX, &at);
		cr_assert(oid_compare(&at, &name) < 0 || (!place.exact && oid_compare(&at, &name) <= 0), "%s", text);
	}
}

struct match {
	const char *object;
	uint32_t row;
};

static int note_match(void *context, size_t object, uint32_t row)
{
	struct match *match = context;

	*match = (struct match){object_table[object].name, row};
	return -1; /* the first will do */
}

Test(agentx_objects, points_find_their_objects_and_rows)
{
	static const struct {
		const char *point, *object;
		uint32_t row;
	} cases[] = {
		{"battery.charge", "upsEstimatedChargeRemaining", 0},
		{"input.L1.voltage", "upsInputVoltage", 1},
		{"output.L3.load", "upsOutputPercentLoad", 3},
		{"output.L4.load", NULL, 0},
		{"output.L1-L2.voltage", NULL, 0},
		{"sensor.8.value", "sensorMan8Value", 0},
		{"sensor.9.value", NULL, 0},
		{"input.4.state", "input4Value", 0},
		{"site.ai.2.min", "analog2Min", 0},
		{"site.ai.8.max", "analog8Max", 0},
		{"site.monitor.64.state", "siteMonitor64", 0},
		{"gxr.3.input.4.state", "rauxInput4", 3},
		{"gxr.12.output.1.name", "rauxOutName1", 12},
		{"module.10000.voltage", "bacsModuleVoltage", 10000},
		{"module.7.status", "upsModuleStatus", 7},
		{"module.7.battery.charge", NULL, 0},
		{"string.16.alarms.more", "bacsStringAlarm2", 16},
		{"sts.source2.bypass.L2.current", "transferSwitchSource2BypassCurrent", 2},
		{"bacs.settings.log-rate-2", "bacsLogRate2", 0},
		{"ups.temperature", NULL, 0},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const struct bb_point point = {.name = cases[i].point,
					       .kind = strstr(cases[i].point, ".name") ? BB_KIND_STRING
										       : BB_KIND_NUMBER};
		struct match match = {NULL, 0};

		(void)object_match(&point, note_match, &match); /* what note_match() returned */
		if (cases[i].object) {
			cr_assert_not_null(match.object, "%s", cases[i].point);
			cr_expect_str_eq(match.object, cases[i].object, "%s", cases[i].point);
			cr_expect_eq(match.row, cases[i].row, "%s", cases[i].point);
		} else {
			cr_expect_null(match.object, "%s", cases[i].point);
		}
	}
}

Test(agentx_objects, a_point_of_another_kind_feeds_nothing)
{
	const struct bb_point text = {.name = "battery.charge", .kind = BB_KIND_STRING},
			      number = {.name = "device.model", .kind = BB_KIND_NUMBER},
			      alarm = {.name = "aux.1.state", .kind = BB_KIND_ALARM};
	struct match match = {NULL, 0};

	(void)object_match(&number, note_match, &match);
	(void)object_match(&alarm, note_match, &match);
	cr_expect_null(match.object);
	(void)object_match(&text, note_match, &match);
	cr_expect_not_null(match.object, "a number as text may be one; object_can_say() sees");
}

/* ---- values out ---- */

static const struct moment now = {.now_ms = 5000000, .lead_ms = 1699995000000, .master_ms = 2000000};

static struct codec_varbind put(const char *object, const struct bb_reading *reading, struct codec_buffer *buffer)
{
	const struct object *its = support_object(object);
	struct codec_varbind varbind;
	struct oid name;

	object_name(its, 0, &name);
	codec_put_syntax(buffer, its->syntax);
	codec_put_oid(buffer, &name, false);
	object_put_point(its, reading, 0, &now, buffer);
	cr_assert_eq(support_parse(buffer, &varbind, 1), 1);
	cr_expect_eq(varbind.type, its->syntax);
	return varbind;
}

Test(agentx_objects, numbers_are_scaled_rounded_half_away_and_kept_within_the_syntax)
{
	static const struct {
		const char *object, *point;
		int64_t value, number;
	} cases[] = {
		{"upsEstimatedChargeRemaining", "battery.charge", 970, 97},
		{"upsEstimatedChargeRemaining", "battery.charge", 975, 98},
		{"upsEstimatedChargeRemaining", "battery.charge", 974, 97},
		{"upsEstimatedChargeRemaining", "battery.charge", 1099, 100},
		{"upsEstimatedChargeRemaining", "battery.charge", -4, 0},
		{"upsOutputPercentLoad", "output.L1.load", 2300, 200},
		{"upsEstimatedMinutesRemaining", "battery.runtime", 2579, 42},
		{"upsEstimatedMinutesRemaining", "battery.runtime", 59, 1},
		{"upsEstimatedMinutesRemaining", "battery.runtime", 0, 0},
		{"upsConfigLowBattTime", "battery.runtime.low", 90, 2},
		{"upsSecondsOnBattery", "battery.discharge.time", 75, 75},
		{"upsBatteryVoltage", "battery.voltage", 4123, 4123},
		{"upsBatteryCurrent", "battery.current", -25, -25},
		{"upsBatteryTemperature", "battery.temperature", -125, -13},
		{"upsInputFrequency", "input.L1.frequency", 4995, 500},
		{"upsInputFrequency", "input.L1.frequency", 4994, 499},
		{"upsInputVoltage", "input.L1.voltage", 2305, 231},
		{"upsInputTruePower", "input.L1.realpower", -12, 0},
		{"upsConfigInputFreq", "input.frequency.nominal", 500, 500},
		{"upsOutputPower", "output.L1.realpower", INT64_C(5000000000), INT32_MAX},
		{"upsInputLineBads", "input.failure.count", INT64_C(4294967298), 2},
		{"upsOutputEnergyConsumption", "output.energy", 1234567, 1234567},
		{"upsTestElapsedTime", "ups.test.duration", 1005, 1005},
		{"bacsAvModuleVolt", "bacs.module.voltage.average", 13845, 1385},
		{"bacsModuleResistance", "module.1.impedance", 523, 523},
		{"bacsModuleState", "module.1.alarms", 0x8001, 0x8001},
		{"bacsModuleAlarmsPresent", "bacs.module.alarm.count", INT64_C(5000000000), UINT32_MAX},
		{"sensorMan1Scaling", "sensor.1.scaling", 125, 125},
		{"analog1", "site.ai.1.value", 215, 22},
		{"analog3", "site.ai.3.value", 455, 455},
		{"auxPort2", "aux.2.state", 1, 1},
		{"upsOutputSource", "output.source", 7, 7},
		{"upsShutdownAfterDelay", "ups.timer.shutdown", -1, -1},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *reading = support_reading(cases[i].point, cases[i].value, NULL);
		struct codec_buffer buffer = {0};
		const struct codec_varbind varbind = put(cases[i].object, reading, &buffer);
		const int64_t number =
			varbind.type == CODEC_INTEGER ? (int64_t)(int32_t)varbind.number : (int64_t)varbind.number;

		cr_expect_eq(number, cases[i].number, "%s from %lld is %lld, not %lld", cases[i].object,
			     (long long)cases[i].value, (long long)number, (long long)cases[i].number);
		codec_buffer_free(&buffer);
		bb_reading_unref(reading);
	}
}

Test(agentx_objects, a_flag_word_of_33_bits_fits)
{
	struct bb_reading *reading = support_reading("bacs.status", INT64_C(1) << 32 | 5, NULL);
	struct codec_buffer buffer = {0};

	cr_expect_eq(put("bacsStatus", reading, &buffer).counter64, UINT64_C(0x100000005));
	codec_buffer_free(&buffer);
	bb_reading_unref(reading);
}

Test(agentx_objects, texts_are_ascii_and_end_where_the_object_does)
{
	static const struct {
		const char *object, *point, *text, *shown;
	} cases[] = {
		{"upsIdentModel", "device.model", "Model 1", "Model 1"},
		{"upsIdentModel", "device.model", "", ""},
		{"upsIdentName", "ups.id", "K\303\274hlraum \342\202\254 \360\237\224\213", "K?hlraum ? ?"},
		{"upsBatteryInstallationDate", "battery.date", "2024-05-17 or so", "2024-05-17 "},
		{"upsIdentManufacturer", "device.mfr", "0123456789012345678901234567890123456789",
		 "0123456789012345678901234567890"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *reading = support_reading(cases[i].point, 0, cases[i].text);
		struct codec_buffer buffer = {0};
		const struct codec_varbind varbind = put(cases[i].object, reading, &buffer);

		cr_expect_eq(varbind.octets.length, strlen(cases[i].shown), "%s", cases[i].text);
		cr_expect_arr_eq(varbind.octets.bytes, cases[i].shown, varbind.octets.length, "%s", cases[i].text);
		codec_buffer_free(&buffer);
		bb_reading_unref(reading);
	}
}

Test(agentx_objects, a_serial_number_that_is_none_cannot_be_said_as_one)
{
	const struct object *object = support_object("upsSnmpAdapterSerialNr");
	struct bb_reading *number = support_reading("device.serial.adapter", 0, "141004711"),
			  *text = support_reading("device.serial.adapter", 0, "XY 12");
	struct codec_buffer buffer = {0};

	cr_expect(object_can_say(object, number, 0));
	cr_expect_not(object_can_say(object, text, 0));
	cr_expect_eq(put("upsSnmpAdapterSerialNr", number, &buffer).number, 141004711);
	codec_buffer_free(&buffer);
	bb_reading_unref(number);
	bb_reading_unref(text);
}

Test(agentx_objects, moments_are_on_the_masters_clock_and_0_before_it_started)
{
	static const struct {
		int64_t before_now_ms;
		uint32_t ticks;
	} cases[] = {{0, 300000}, {1000, 299900}, {3000000, 0}, {9000000, 0}};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_reading *reading =
			support_reading("ups.test.start", now.now_ms + now.lead_ms - cases[i].before_now_ms, NULL);
		struct codec_buffer buffer = {0};

		cr_expect_eq(put("upsTestStartTime", reading, &buffer).number, cases[i].ticks);
		codec_buffer_free(&buffer);
		bb_reading_unref(reading);
	}
}

Test(agentx_objects, a_test_is_an_identity)
{
	struct bb_reading *reading = support_reading("ups.test.id", 4, NULL);
	struct codec_buffer buffer = {0};
	const struct codec_varbind varbind = put("upsTestId", reading, &buffer);
	const struct oid quick = support_oid("1.3.6.1.2.1.33.1.7.7.4");

	cr_expect_eq(oid_compare(&varbind.oid, &quick), 0);
	codec_buffer_free(&buffer);
	bb_reading_unref(reading);
}

/* ---- values in ---- */

static struct codec_varbind varbind_of(uint16_t type, int64_t number, const char *text)
{
	struct codec_varbind varbind = {.type = type, .number = (uint32_t)number};

	if (type == CODEC_OCTET_STRING)
		varbind.octets = (struct codec_octets){(const uint8_t *)text, (uint32_t)strlen(text)};
	else if (type == CODEC_OBJECT_IDENTIFIER)
		varbind.oid = support_oid(text);
	return varbind;
}

Test(agentx_objects, what_a_set_says_becomes_a_value_or_is_refused_for_a_reason)
{
	static const char long_text[] = "0123456789012345678901234567890123456789012345678901234567890123";
	static const struct {
		const char *object, *point;
		uint16_t type;
		int64_t number;
		const char *text;
		enum codec_error error;
		int64_t value;
	} cases[] = {
		{"upsConfigInputFreq", "input.frequency.nominal", CODEC_INTEGER, 505, NULL, CODEC_NO_ERROR, 505},
		{"upsConfigInputFreq", "input.frequency.nominal", CODEC_INTEGER, -1, NULL, CODEC_WRONG_VALUE, 0},
		{"upsConfigInputFreq", "input.frequency.nominal", CODEC_GAUGE32, 500, NULL, CODEC_WRONG_TYPE, 0},
		{"upsConfigLowBattTime", "battery.runtime.low", CODEC_INTEGER, 7, NULL, CODEC_NO_ERROR, 420},
		{"upsShutdownAfterDelay", "ups.timer.shutdown", CODEC_INTEGER, -1, NULL, CODEC_NO_ERROR, -1},
		{"upsShutdownAfterDelay", "ups.timer.shutdown", CODEC_INTEGER, -2, NULL, CODEC_WRONG_VALUE, 0},
		{"upsShutdownAfterDelay", "ups.timer.shutdown", CODEC_OCTET_STRING, 0, "1", CODEC_WRONG_TYPE, 0},
		{"upsRebootWithDuration", "ups.timer.reboot", CODEC_INTEGER, 300, NULL, CODEC_NO_ERROR, 300},
		{"upsRebootWithDuration", "ups.timer.reboot", CODEC_INTEGER, 301, NULL, CODEC_WRONG_VALUE, 0},
		{"upsConfigAudibleStatus", "ups.beeper.status", CODEC_INTEGER, 3, NULL, CODEC_NO_ERROR, 3},
		{"upsConfigAudibleStatus", "ups.beeper.status", CODEC_INTEGER, 4, NULL, CODEC_WRONG_VALUE, 0},
		{"auxPort1", "aux.1.state", CODEC_INTEGER, 1, NULL, CODEC_NO_ERROR, 1},
		{"auxPort1", "aux.1.state", CODEC_INTEGER, 2, NULL, CODEC_WRONG_VALUE, 0},
		{"upsTestId", "ups.test.id", CODEC_OBJECT_IDENTIFIER, 0, "1.3.6.1.2.1.33.1.7.7.3", CODEC_NO_ERROR, 3},
		{"upsTestId", "ups.test.id", CODEC_OBJECT_IDENTIFIER, 0, "1.3.6.1.2.1.33.1.7.7.1", CODEC_WRONG_VALUE,
		 0},
		{"upsTestId", "ups.test.id", CODEC_OBJECT_IDENTIFIER, 0, "1.3.6.1.2.1.33.1.7.7.6", CODEC_WRONG_VALUE,
		 0},
		{"upsTestId", "ups.test.id", CODEC_OBJECT_IDENTIFIER, 0, "1.3.6.1.2.1.33.1.7.7.3.0", CODEC_WRONG_VALUE,
		 0},
		{"upsTestId", "ups.test.id", CODEC_INTEGER, 3, NULL, CODEC_WRONG_TYPE, 0},
		{"upsIdentName", "ups.id", CODEC_OCTET_STRING, 0, "rack 7", CODEC_NO_ERROR, 0},
		{"upsIdentName", "ups.id", CODEC_OCTET_STRING, 0, "", CODEC_NO_ERROR, 0},
		{"upsIdentName", "ups.id", CODEC_OCTET_STRING, 0, long_text, CODEC_WRONG_LENGTH, 0},
		{"upsIdentName", "ups.id", CODEC_OCTET_STRING, 0, "K\303\274che", CODEC_WRONG_VALUE, 0},
		{"upsIdentName", "ups.id", CODEC_OCTET_STRING, 0, "two\nlines", CODEC_WRONG_VALUE, 0},
		{"upsTestSpinLock", "ups.test.id", CODEC_INTEGER, INT32_MAX, NULL, CODEC_NO_ERROR, INT32_MAX},
		{"upsTestSpinLock", "ups.test.id", CODEC_INTEGER, -1, NULL, CODEC_WRONG_VALUE, 0},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const struct bb_point *point = bb_dictionary_find(cases[i].point);
		const struct codec_varbind varbind = varbind_of(cases[i].type, cases[i].number, cases[i].text);
		struct bb_value value = {.number = 4711};
		char text[256] = "untouched";
		const enum codec_error error =
			object_take(support_object(cases[i].object), point, &varbind, &value, text);

		cr_expect_eq(error, cases[i].error, "case %zu (%s): %s", i, cases[i].object, codec_error_name(error));
		if (error != CODEC_NO_ERROR)
			cr_expect_eq(value.number, 4711, "case %zu (%s) writes nothing", i, cases[i].object);
		else if (cases[i].type == CODEC_OCTET_STRING)
			cr_expect_str_eq(value.text, cases[i].text);
		else
			cr_expect_eq(value.number, cases[i].value, "case %zu (%s)", i, cases[i].object);
	}
}

Test(agentx_objects, a_value_between_two_that_the_point_can_hold_is_refused)
{
	struct bb_point whole = *bb_dictionary_find("input.frequency.nominal");
	const struct codec_varbind half = varbind_of(CODEC_INTEGER, 505, NULL),
				   even = varbind_of(CODEC_INTEGER, 500, NULL);
	struct bb_value value;
	char text[256];

	whole.decimals = 0;
	cr_expect_eq(object_take(support_object("upsConfigInputFreq"), &whole, &half, &value, text), CODEC_WRONG_VALUE);
	cr_expect_eq(object_take(support_object("upsConfigInputFreq"), &whole, &even, &value, text), CODEC_NO_ERROR);
	cr_expect_eq(value.number, 50);
}

Test(agentx_objects, without_a_point_type_and_length_are_checked_all_the_same)
{
	const struct codec_varbind number = varbind_of(CODEC_INTEGER, 1, NULL),
				   text = varbind_of(CODEC_OCTET_STRING, 0, "");
	struct bb_value value;
	char buffer[256];

	cr_expect_eq(object_take(support_object("auxPort4"), NULL, &number, &value, buffer), CODEC_NO_ERROR);
	cr_expect_eq(object_take(support_object("auxPort4"), NULL, &text, &value, buffer), CODEC_WRONG_TYPE);
}

Test(agentx_objects, an_empty_value_is_0_or_nothing)
{
	struct codec_buffer buffer = {0};
	struct codec_varbind varbinds[3];
	static const char *const names[] = {"upsTestResultsDetail", "upsTestId", "upsSecondsOnBattery"};

	for (size_t i = 0; i < 3; i++) {
		const struct object *object = support_object(names[i]);
		struct oid name;

		object_name(object, 0, &name);
		codec_put_syntax(&buffer, object->syntax);
		codec_put_oid(&buffer, &name, false);
		object_put_empty(object, &buffer);
	}
	cr_assert_eq(support_parse(&buffer, varbinds, 3), 3);
	cr_expect_eq(varbinds[0].octets.length, 0);
	cr_expect(varbinds[1].oid.length == 2 && varbinds[1].oid.arcs[0] == 0 && varbinds[1].oid.arcs[1] == 0);
	cr_expect_eq(varbinds[2].number, 0);
	codec_buffer_free(&buffer);
}
