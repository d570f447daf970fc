/* SPDX-License-Identifier: Apache-2.0
 *
 * test_snmp_binding.c - variables of version 1 and 2c answers, as devices and as strangers send them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "binding.h"

/* One variable 1.3.6.1 with a value of up to 20 octets, in memory of exactly its size for a sanitizer to guard. */
struct bound {
	uint8_t *bytes;
	struct ber list;
};

static struct bound bind(const uint8_t *value, size_t length)
{
	static const uint8_t name[] = {0x06, 0x03, 0x2b, 0x06, 0x01};
	struct bound bound;
	const size_t inner = sizeof(name) + length;

	bound.bytes = malloc(2 + inner);
	cr_assert(bound.bytes);
	bound.bytes[0] = 0x30;
	bound.bytes[1] = (uint8_t)inner;
	memcpy(bound.bytes + 2, name, sizeof(name));
	memcpy(bound.bytes + 2 + sizeof(name), value, length);
	bound.list = (struct ber){bound.bytes, bound.bytes + 2 + inner};
	return bound;
}

struct sample {
	const char *what;
	uint8_t value[20];
	size_t size;
	int result;
	enum bb_snmp_type type;
	int64_t number;
};

static const struct sample samples[] = {
	{"zero", {0x02, 1, 0}, 3, 0, BB_SNMP_INTEGER, 0},
	{"minus one", {0x02, 1, 0xff}, 3, 0, BB_SNMP_INTEGER, -1},
	{"least integer", {0x02, 4, 0x80, 0, 0, 0}, 6, 0, BB_SNMP_INTEGER, INT32_MIN},
	{"integer of 64 bits", {0x02, 8, 0x7f, 255, 255, 255, 255, 255, 255, 255}, 10, 0, BB_SNMP_INTEGER, INT64_MAX},
	{"integer of 72 bits", {0x02, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 11, -EBADMSG, 0, 0},
	{"integer of nothing", {0x02, 0}, 2, -EBADMSG, 0, 0},
	{"length in two octets", {0x02, 0x82, 0, 1, 5}, 5, 0, BB_SNMP_INTEGER, 5},
	{"gauge", {0x42, 5, 0, 255, 255, 255, 255}, 7, 0, BB_SNMP_UNSIGNED, UINT32_MAX},
	{"gauge without its leading zero", {0x42, 4, 255, 255, 255, 255}, 6, 0, BB_SNMP_UNSIGNED, UINT32_MAX},
	{"counter", {0x41, 1, 0x80}, 3, 0, BB_SNMP_UNSIGNED, 128},
	{"largest counter", {0x46, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255}, 11, 0, BB_SNMP_UNSIGNED, INT64_MAX},
	{"counter of 72 bits", {0x46, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 11, -EBADMSG, 0, 0},
	{"ticks", {0x43, 2, 1, 0}, 4, 0, BB_SNMP_TICKS, 256},
	{"null", {0x05, 0}, 2, 0, BB_SNMP_NULL, 0},
	{"no such object", {0x80, 0}, 2, 0, BB_SNMP_NULL, 0},
	{"no such instance", {0x81, 0}, 2, 0, BB_SNMP_NULL, 0},
	{"end of view", {0x82, 0}, 2, 0, BB_SNMP_END, 0},
	{"unknown type", {0x1f, 0}, 2, -EBADMSG, 0, 0},
	{"no value", {0}, 0, -EBADMSG, 0, 0},
	{"value longer than its binding", {0x04, 5, 'a'}, 3, -EBADMSG, 0, 0},
	{"length without end", {0x04, 0x84, 255, 255, 255, 255}, 6, -EBADMSG, 0, 0},
	{"arc of 33 bits", {0x06, 6, 0x2b, 0x90, 0x80, 0x80, 0x80, 0}, 8, -EBADMSG, 0, 0},
	{"arc without end", {0x06, 2, 0x2b, 0x80}, 4, -EBADMSG, 0, 0},
};

Test(snmp_binding, values_are_read_as_what_they_are_or_not_at_all)
{
	for (size_t i = 0; i < BB_LENGTH(samples); i++) {
		const struct sample *sample = &samples[i];
		struct bound bound = bind(sample->value, sample->size);
		struct bb_snmp_variable variable;

		cr_assert_eq(binding_count(bound.list, 1), 1, "%s", sample->what);
		cr_assert_eq(binding_read(bound.list, &variable, 1), sample->result, "%s", sample->what);
		if (sample->result == 0) {
			cr_assert_eq(variable.type, sample->type, "%s", sample->what);
			cr_assert_eq(variable.number, sample->number, "%s", sample->what);
			cr_assert_eq(variable.name.length, 4, "%s", sample->what);
		}
		free(bound.bytes);
	}
}

Test(snmp_binding, strings_of_every_kind_keep_their_bytes)
{
	static const uint8_t tags[] = {0x04, 0x40, 0x44, 0x45, 0x03};

	for (size_t i = 0; i < sizeof(tags); i++) {
		const uint8_t value[] = {tags[i], 4, 10, 0, 0, 255};
		struct bound bound = bind(value, sizeof(value));
		struct bb_snmp_variable variable;

		cr_assert_eq(binding_read(bound.list, &variable, 1), 0);
		cr_assert_eq(variable.type, BB_SNMP_STRING);
		cr_assert_eq(variable.length, 4);
		cr_assert_arr_eq(variable.bytes, value + 2, 4);
		free(bound.bytes);
	}
}

static void assert_object(const uint8_t *value, size_t size, const char *text)
{
	struct bound bound = bind(value, size);
	struct bb_snmp_variable variable;
	char printed[64];

	cr_assert_eq(binding_read(bound.list, &variable, 1), 0, "%s", text);
	cr_assert_eq(variable.type, BB_SNMP_OBJECT);
	(void)bb_snmp_oid_print(printed, sizeof(printed), &variable.object);
	cr_assert_str_eq(printed, text);
	free(bound.bytes);
}

Test(snmp_binding, identifiers_begin_with_two_arcs_in_one_number)
{
	assert_object((const uint8_t[]){0x06, 1, 0x2b}, 3, "1.3");
	assert_object((const uint8_t[]){0x06, 2, 0x27, 0x05}, 4, "0.39.5");
	assert_object((const uint8_t[]){0x06, 2, 0x88, 0x37}, 4, "2.999");
	assert_object((const uint8_t[]){0x06, 6, 0x2b, 0x8f, 255, 255, 255, 0x7f}, 8, "1.3.4294967295");
	assert_object((const uint8_t[]){0x06, 0}, 2, "0.0"); /* some devices send nothing for "none" */
}

Test(snmp_binding, an_identifier_of_more_than_128_arcs_is_refused)
{
	uint8_t bytes[200];
	struct bb_snmp_oid oid;

	memset(bytes, 1, sizeof(bytes));
	cr_assert_eq(ber_read_oid(&(struct ber){bytes, bytes + 127}, &oid), 0);
	cr_assert_eq(oid.length, 128);
	cr_assert_eq(ber_read_oid(&(struct ber){bytes, bytes + 128}, &oid), -EBADMSG);
}

Test(snmp_binding, counting_ends_where_an_answer_can_no_longer_be_one)
{
	uint8_t list[1000];

	for (size_t i = 0; i < sizeof(list); i += 2)
		memcpy(list + i, (const uint8_t[]){0x30, 0x00}, 2);
	cr_assert_eq(binding_count((struct ber){list, list + sizeof(list)}, 500), 500);
	cr_assert_eq(binding_count((struct ber){list, list + sizeof(list)}, 10), 11);
	cr_assert_eq(binding_count((struct ber){list, list}, 10), 0);
	cr_assert_eq(binding_count((struct ber){list, list + 999}, 1000), -EBADMSG);
}

Test(snmp_binding, every_octet_may_be_anything_and_every_length_cut)
{
	for (size_t i = 0; i < BB_LENGTH(samples); i++) {
		struct bound whole = bind(samples[i].value, samples[i].size);
		const size_t size = (size_t)(whole.list.end - whole.list.at);

		for (size_t at = 0; at < size; at++) {
			for (unsigned value = 0; value < 256; value++) {
				struct bb_snmp_variable variable;
				uint8_t *copy = malloc(size);
				int r;

				cr_assert(copy);
				memcpy(copy, whole.bytes, size);
				copy[at] = (uint8_t)value;
				r = binding_read((struct ber){copy, copy + size}, &variable, 1);
				cr_assert(r == 0 || r == -EBADMSG);
				r = binding_read((struct ber){copy, copy + at}, &variable, 1);
				cr_assert_eq(r, -EBADMSG);
				free(copy);
			}
		}
		free(whole.bytes);
	}
}
