/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_codec.c - messages of a real snmpd read, written and read again; bytes that lie; memory that lacks.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "agentx_capture.h"
#include "agentx_rewrite.h"
#include "codec.h"

#define BIG_ENDIAN_HOST (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#define PAYLOAD(...)    (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* realloc() fails from now on: the linker sends the codec's calls here. */
static bool memory_lacks;

void *__real_realloc(void *pointer, size_t size); /* NOLINT: the linker's names */
void *__wrap_realloc(void *pointer, size_t size);

void *__wrap_realloc(void *pointer, size_t size)
{
	return memory_lacks ? NULL : __real_realloc(pointer, size);
}

/* Bytes in memory of just their size, so that sanitizers see a byte too far. */
struct message {
	uint8_t *bytes;
	size_t length;
	struct codec_header header;
};

static struct message message_of(const char *hex)
{
	struct message message = {.length = strlen(hex) / 2};

	message.bytes = malloc(message.length + 1);
	cr_assert(message.bytes);
	for (size_t i = 0; i < message.length; i++) {
		unsigned byte;

		cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		message.bytes[i] = (uint8_t)byte;
	}
	cr_assert_eq(codec_header_parse(message.bytes, &message.header), 0);
	cr_assert_eq(message.header.length, message.length - CODEC_HEADER_SIZE);
	return message;
}

/* The capture as our codec would write it: in this machine's order, and without needless includes. */
static struct message expected_of(const struct agentx_capture *capture)
{
	struct message message = message_of(BIG_ENDIAN_HOST ? capture->big : capture->little);

	for (size_t i = 0; i < BB_LENGTH(capture->strays); i++)
		if (capture->strays[i])
			message.bytes[capture->strays[i]] = 0;
	return message;
}

static void assert_bytes(const struct codec_buffer *buffer, const uint8_t *bytes, size_t length, const char *what)
{
	cr_assert_eq(buffer->length, length, "%s: %zu bytes instead of %zu", what, buffer->length, length);
	for (size_t i = 0; i < length; i++)
		cr_assert_eq(buffer->bytes[i], bytes[i], "%s: byte %zu is %02x instead of %02x", what, i,
			     buffer->bytes[i], bytes[i]);
}

static void each_message(void (*check)(const struct agentx_capture *capture, const struct message *message))
{
	const struct {
		const struct agentx_capture *captures;
		size_t count;
	} sources[] = {{agentx_captures, BB_LENGTH(agentx_captures)}, {agentx_made, BB_LENGTH(agentx_made)}};

	for (size_t i = 0; i < BB_LENGTH(sources); i++)
		for (size_t j = 0; j < 2 * sources[i].count; j++) {
			const struct agentx_capture *capture = &sources[i].captures[j / 2];
			struct message message = message_of(j % 2 ? capture->big : capture->little);

			check(capture, &message);
			free(message.bytes);
		}
}

static void comes_back(const struct agentx_capture *capture, const struct message *message)
{
	struct message expected = expected_of(capture);
	struct codec_buffer out = {0};

	cr_assert_eq(rewrite_message(&message->header, message->bytes + CODEC_HEADER_SIZE, &out), 0, "%s",
		     capture->name);
	assert_bytes(&out, expected.bytes, expected.length, capture->name);
	codec_buffer_free(&out);
	free(expected.bytes);
}

Test(agentx_codec, every_message_is_read_in_both_byte_orders_and_written_byte_for_byte_as_snmpd_and_the_rfc_do)
{
	each_message(comes_back);
}

static void is_whole_or_refused(const struct agentx_capture *capture, const struct message *message)
{
	unsigned accepted = 0;

	for (uint32_t length = 0; length < message->header.length; length++) {
		struct codec_header header = message->header;
		struct codec_buffer out = {0};
		uint8_t *payload = malloc(length ? length : 1);

		cr_assert(payload);
		memcpy(payload, message->bytes + CODEC_HEADER_SIZE, length);
		header.length = length;
		if (rewrite_message(&header, payload, &out) == 0) {
			accepted++;
			cr_assert_eq(out.length, CODEC_HEADER_SIZE + length, "%s cut at %u", capture->name, length);
		}
		codec_buffer_free(&out);
		free(payload);
	}
	cr_assert_eq(accepted, capture->cuts, "%s: %u cuts accepted", capture->name, accepted);
}

Test(agentx_codec, a_message_cut_short_is_refused_wherever_it_is_not_between_two_elements_of_a_list)
{
	each_message(is_whole_or_refused);
}

static void longer_is_refused(const struct agentx_capture *capture, const struct message *message)
{
	struct codec_header header = message->header;
	struct codec_buffer out = {0};
	uint8_t *payload = calloc(1, header.length + 4);

	cr_assert(payload);
	memcpy(payload, message->bytes + CODEC_HEADER_SIZE, header.length);
	memset(payload + header.length, 0xFF, 4);
	header.length += 4;
	cr_assert_eq(rewrite_message(&header, payload, &out), -EPROTO, "%s", capture->name);
	codec_buffer_free(&out);
	free(payload);
}

Test(agentx_codec, bytes_behind_a_message_do_not_belong_to_it)
{
	each_message(longer_is_refused);
}

/* ---- headers ---- */

static const uint8_t good_header[CODEC_HEADER_SIZE] = {1, 18, 0x10, 0, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8};

static int parse_changed(size_t offset, uint8_t value, struct codec_header *header)
{
	uint8_t bytes[CODEC_HEADER_SIZE];

	memcpy(bytes, good_header, sizeof(bytes));
	bytes[offset] = value;
	return codec_header_parse(bytes, header);
}

Test(agentx_codec, a_header_is_taken_apart)
{
	struct codec_header header;

	cr_assert_eq(codec_header_parse(good_header, &header), 0);
	cr_assert_eq(header.type, CODEC_RESPONSE);
	cr_assert_eq(header.flags, CODEC_NETWORK_BYTE_ORDER);
	cr_assert_eq(header.session, 5);
	cr_assert_eq(header.transaction, 6);
	cr_assert_eq(header.packet, 7);
	cr_assert_eq(header.length, 8);
}

Test(agentx_codec, a_header_of_another_version_or_type_is_refused)
{
	struct codec_header header;

	for (unsigned version = 0; version <= 255; version++)
		cr_assert_eq(parse_changed(0, (uint8_t)version, &header), version == 1 ? 0 : -EPROTO, "%u", version);
	for (unsigned type = 0; type <= 255; type++)
		cr_assert_eq(parse_changed(1, (uint8_t)type, &header), type >= 1 && type <= 18 ? 0 : -EPROTO, "%u",
			     type);
	for (unsigned reserved = 0; reserved <= 255; reserved++)
		cr_assert_eq(parse_changed(3, (uint8_t)reserved, &header), 0, "a receiver ignores reserved bits");
}

Test(agentx_codec, a_length_that_is_no_multiple_of_four_or_too_long_is_refused)
{
	struct codec_header header;

	for (unsigned length = 0; length <= 255; length++)
		cr_assert_eq(parse_changed(19, (uint8_t)length, &header), length % 4 ? -EPROTO : 0, "%u", length);
	cr_assert_eq(parse_changed(17, 0x0F, &header), 0);
	cr_assert_eq(parse_changed(17, 0x10, &header), -EPROTO, "1 MiB and 8 bytes");
	cr_assert_eq(parse_changed(16, 0x80, &header), -EPROTO);
	cr_assert_eq(parse_changed(2, 0, &header), -EPROTO, "in the other order it is a length of 2 GiB");
}

/* ---- what lies ---- */

static struct codec_reader reader_of(const uint8_t *payload, size_t length)
{
	const struct codec_header header = {
		.type = CODEC_GET,
		.flags = CODEC_NETWORK_BYTE_ORDER,
		.length = (uint32_t)length,
	};
	struct codec_octets context;
	struct codec_reader reader;

	cr_assert_eq(codec_reader_init(&reader, &header, payload, &context), 0);
	cr_assert_eq(context.length, 0);
	return reader;
}

Test(agentx_codec, an_identifier_may_have_128_arcs_and_not_one_more)
{
	static const struct {
		uint8_t count, prefix;
		bool good;
	} heads[] = {{128, 0, true},  {129, 0, false}, {123, 2, true},
		     {124, 2, false}, {255, 0, false}, {255, 255, false}};
	uint8_t payload[4 + 4 * 255] = {0};

	for (size_t i = 0; i < BB_LENGTH(heads); i++) {
		struct codec_reader reader;
		struct oid oid;

		payload[0] = heads[i].count;
		payload[1] = heads[i].prefix;
		payload[4 + 4 * 122 + 3] = 99;
		reader = reader_of(payload, sizeof(payload));
		cr_assert_eq(codec_read_oid(&reader, &oid, NULL), heads[i].good ? 0 : -EPROTO, "%u with prefix %u",
			     heads[i].count, heads[i].prefix);
		if (heads[i].good) {
			cr_assert_eq(oid.length, 128);
			cr_assert_eq(oid.arcs[heads[i].prefix ? 127 : 122], 99);
		}
	}
}

Test(agentx_codec, the_null_identifier_has_no_arcs_and_is_not_zero_dot_zero)
{
	struct codec_reader reader = reader_of(PAYLOAD(0, 0, 1, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	bool include;
	struct oid oid;

	cr_assert_eq(codec_read_oid(&reader, &oid, &include), 0);
	cr_assert_eq(oid.length, 0);
	cr_assert(include);
	cr_assert_eq(codec_read_oid(&reader, &oid, &include), 0);
	cr_assert_eq(oid.length, 2);
	cr_assert_not(include);
	cr_assert(codec_at_end(&reader));
}

Test(agentx_codec, a_string_lies_within_its_payload_and_padding_may_be_anything)
{
	struct codec_octets octets;
	struct codec_reader reader = reader_of(PAYLOAD(0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 1, 2, 3, 0, 0, 0, 0));

	cr_assert_eq(codec_read_octets(&reader, &octets), 0);
	cr_assert_eq(octets.length, 5);
	cr_assert_eq(memcmp(octets.bytes, "abcde", 5), 0);
	cr_assert_eq(codec_read_octets(&reader, &octets), 0);
	cr_assert_eq(octets.length, 0);
	cr_assert(codec_at_end(&reader));

	reader = reader_of(PAYLOAD(0, 0, 0, 5, 'a', 'b', 'c', 'd'));
	cr_assert_eq(codec_read_octets(&reader, &octets), -EPROTO);
	for (unsigned lie = 0xFF; lie >= 0xFB; lie--) {
		reader = reader_of(PAYLOAD(0xFF, 0xFF, 0xFF, (uint8_t)lie, 'a', 'b', 'c', 'd'));
		cr_assert_eq(codec_read_octets(&reader, &octets), -EPROTO, "%02x: rounding up must not wrap", lie);
	}
}

Test(agentx_codec, an_address_has_four_bytes_and_a_variable_a_type_that_exists)
{
	struct codec_varbind varbind;
	struct codec_reader reader;

	reader = reader_of(PAYLOAD(0, 64, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1));
	cr_assert_eq(codec_read_varbind(&reader, &varbind), 0);
	cr_assert_eq(varbind.octets.bytes[3], 1);
	reader = reader_of(PAYLOAD(0, 64, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 127, 0, 0, 0));
	cr_assert_eq(codec_read_varbind(&reader, &varbind), -EPROTO);
	for (unsigned type = 0; type <= 0x1FF; type++) {
		static const uint16_t types[] = {2, 4, 5, 6, 64, 65, 66, 67, 68, 70, 128, 129, 130};
		uint8_t payload[20] = {(uint8_t)(type >> 8), (uint8_t)type, 0, 0, 0, 2, 0, 0, [11] = 4};
		bool known = false;

		for (size_t i = 0; i < BB_LENGTH(types); i++)
			known = known || types[i] == type;
		reader = reader_of(payload, sizeof(payload));
		cr_assert_eq(codec_read_varbind(&reader, &varbind), known ? 0 : -EPROTO, "type %u", type);
	}
}

Test(agentx_codec, a_context_is_read_where_the_type_has_one_and_its_flag_is_set)
{
	static const uint8_t payload[] = {0, 0, 0, 3, 'u', 'p', 's', 0, 0, 0, 0, 0};

	for (enum codec_type type = CODEC_OPEN; type <= CODEC_RESPONSE; type++) {
		const bool without = type <= CODEC_CLOSE || type == CODEC_RESPONSE ||
				     (type >= CODEC_COMMIT_SET && type <= CODEC_CLEANUP_SET);
		struct codec_header header = {
			.type = type,
			.flags = CODEC_NETWORK_BYTE_ORDER | CODEC_NON_DEFAULT_CONTEXT,
			.length = sizeof(payload),
		};
		struct codec_octets context;
		struct codec_reader reader;

		cr_assert_eq(codec_reader_init(&reader, &header, payload, &context), 0);
		cr_assert_eq(context.length, without ? 0 : 3, "type %u", type);
		header.flags = CODEC_NETWORK_BYTE_ORDER;
		cr_assert_eq(codec_reader_init(&reader, &header, payload, &context), 0);
		cr_assert_eq(context.length, 0, "type %u", type);
		cr_assert_eq(reader.at, payload);
		header = (struct codec_header){.type = CODEC_PING, .flags = 0x18, .length = 4};
		cr_assert_eq(codec_reader_init(&reader, &header, payload, &context), -EPROTO, "it is cut short");
	}
}

/* ---- buffers ---- */

Test(agentx_codec, messages_follow_each_other_in_one_buffer)
{
	const struct codec_header first = {.type = CODEC_PING, .session = 1, .packet = 2, .length = 4711};
	const struct codec_header second = {.type = CODEC_RESPONSE, .flags = 0xFF, .session = 1, .packet = 3};
	struct codec_buffer buffer = {0};
	struct codec_header header;
	size_t place;

	cr_assert_eq(codec_end(&buffer, codec_begin(&buffer, &first, "ups-a")), 0);
	place = codec_begin(&buffer, &second, NULL);
	cr_assert_eq(place, CODEC_HEADER_SIZE + 12);
	codec_put_response(&buffer, &(struct codec_response){.uptime = 1, .error = 2, .index = 3});
	cr_assert_eq(codec_end(&buffer, place), 0);
	cr_assert_eq(codec_header_parse(buffer.bytes, &header), 0);
	cr_assert_eq(header.length, 12);
	cr_assert_eq(header.flags & CODEC_NON_DEFAULT_CONTEXT, CODEC_NON_DEFAULT_CONTEXT);
	cr_assert_eq(codec_header_parse(buffer.bytes + place, &header), 0);
	cr_assert_eq(header.length, 8);
	cr_assert_eq(header.flags & CODEC_NON_DEFAULT_CONTEXT, 0, "it has no context, whatever the flags were");
	cr_assert_eq(header.flags & CODEC_NETWORK_BYTE_ORDER, BIG_ENDIAN_HOST ? CODEC_NETWORK_BYTE_ORDER : 0);
	codec_buffer_free(&buffer);
	cr_assert_null(buffer.bytes);
}

Test(agentx_codec, strings_of_every_length_are_padded_with_zeros)
{
	uint8_t text[64];

	memset(text, 'x', sizeof(text));
	for (size_t length = 0; length <= sizeof(text); length++) {
		const size_t whole = 4 + (length + 3) / 4 * 4;
		struct codec_buffer buffer = {0};

		codec_put_u32(&buffer, 0);
		buffer.length = 0;
		memset(buffer.bytes, 0xEE, buffer.size);
		codec_put_octets(&buffer, length ? text : NULL, length);
		cr_assert_eq(buffer.length, whole);
		for (size_t i = 4; i < whole; i++)
			cr_assert_eq(buffer.bytes[i], i < 4 + length ? 'x' : 0, "%zu of %zu", i, length);
		codec_buffer_free(&buffer);
	}
}

Test(agentx_codec, a_buffer_grows_seldom_and_keeps_what_is_in_it)
{
	struct codec_buffer buffer = {0};
	unsigned moves = 0;
	size_t size = 0;

	for (uint32_t i = 0; i < 1000000; i++) {
		codec_put_u32(&buffer, i);
		moves += buffer.size != size;
		size = buffer.size;
	}
	cr_assert_lt(moves, 20);
	for (uint32_t i = 0; i < 1000000; i++)
		cr_assert_eq(memcmp(buffer.bytes + 4 * (size_t)i, &i, 4), 0);
	codec_buffer_free(&buffer);
}

Test(agentx_codec, a_message_that_memory_lacks_for_is_taken_back_out_and_the_next_one_is_whole)
{
	const struct codec_header header = {.type = CODEC_RESPONSE, .packet = 7};
	struct codec_buffer buffer = {0};
	uint8_t before[CODEC_HEADER_SIZE];
	size_t place;

	cr_assert_eq(codec_end(&buffer, codec_begin(&buffer, &header, NULL)), 0);
	memcpy(before, buffer.bytes, sizeof(before));
	memory_lacks = true;
	place = codec_begin(&buffer, &header, NULL);
	for (uint32_t i = 0; i < 1000; i++)
		codec_put_u32(&buffer, i);
	memory_lacks = false;
	cr_assert(buffer.failed);
	codec_put_u64(&buffer, 1);
	codec_put_octets(&buffer, "text", 4);
	codec_put_syntax(&buffer, CODEC_NULL);
	cr_assert_eq(codec_end(&buffer, place), -ENOMEM);
	assert_bytes(&buffer, before, sizeof(before), "the first message");

	place = codec_begin(&buffer, &header, NULL);
	cr_assert_eq(place, sizeof(before));
	cr_assert_eq(codec_end(&buffer, place), 0);
	cr_assert_eq(memcmp(buffer.bytes + place, before, sizeof(before)), 0);
	codec_buffer_free(&buffer);
}

Test(agentx_codec, a_name_encoded_once_is_what_is_written_each_time)
{
	static const char *const names[] = {"1.3.6.1.2.1.33.1.2.4.0", "1.3.6.1.4.1.8072", "1.3.6.1", "1.3.6.1.0.5",
					    "1.3.6.1.255.1",          "1.3.6.1.256.1",    "2.5",     "1.3.6.1.1"};

	for (size_t i = 0; i < BB_LENGTH(names); i++) {
		struct codec_buffer buffer = {0};
		uint8_t encoded[CODEC_OID_SIZE];
		struct oid oid;

		cr_assert_eq(oid_parse(names[i], &oid), 0);
		codec_put_oid(&buffer, &oid, false);
		assert_bytes(&buffer, encoded, codec_encode_oid(&oid, encoded), names[i]);
		cr_assert_eq(buffer.length,
			     oid.length >= 5 && oid.arcs[4] - 1 < 255 && oid.arcs[0] == 1
				     ? 4 * (size_t)(oid.length - 4)
				     : 4 * (size_t)(oid.length + 1),
			     "%s", names[i]);
		codec_buffer_free(&buffer);
	}
}

Test(agentx_codec, errors_have_the_names_of_their_standards)
{
	cr_assert_str_eq(codec_error_name(CODEC_NO_ERROR), "noError");
	cr_assert_str_eq(codec_error_name(CODEC_GEN_ERR), "genErr");
	cr_assert_str_eq(codec_error_name(CODEC_COMMIT_FAILED), "commitFailed");
	cr_assert_str_eq(codec_error_name(CODEC_INCONSISTENT_NAME), "inconsistentName");
	cr_assert_str_eq(codec_error_name(CODEC_OPEN_FAILED), "openFailed");
	cr_assert_str_eq(codec_error_name(CODEC_DUPLICATE_REGISTRATION), "duplicateRegistration");
	cr_assert_str_eq(codec_error_name(CODEC_PROCESSING_ERROR), "processingError");
	cr_assert_str_eq(codec_error_name(19), "unknown error");
	cr_assert_str_eq(codec_error_name(255), "unknown error");
	cr_assert_str_eq(codec_error_name(269), "unknown error");
}
