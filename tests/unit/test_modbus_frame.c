/* SPDX-License-Identifier: Apache-2.0
 *
 * test_modbus_frame.c - frames from the specification's own examples, frames that lie, and round trips.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/modbus.h>

#define FRAME(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static int parse(const uint8_t *frame, size_t length, struct bb_modbus_request *request)
{
	cr_assert_eq(bb_modbus_tcp_length(frame, length), (int)length, "the test's frame has a wrong length field");
	return bb_modbus_request_parse(frame, length, request);
}

Test(modbus_frame, the_length_of_a_frame_is_known_from_its_first_six_bytes)
{
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0)), 0);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0, 6)), 12);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0, 2)), 8);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0, 254)), 260);
}

Test(modbus_frame, what_can_be_no_frame_is_known_as_early_as_possible)
{
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 1)), -EPROTO);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 1)), -EPROTO);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0, 1)), -EPROTO);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 0, 255)), -EPROTO);
	cr_assert_eq(bb_modbus_tcp_length(FRAME(0, 1, 0, 0, 1, 0)), -EPROTO);
}

Test(modbus_frame, a_read_request_is_taken_apart)
{
	struct bb_modbus_request request;

	/* Application Protocol, 6.3: read registers 108 to 110 */
	cr_assert_eq(parse(FRAME(0x12, 0x34, 0, 0, 0, 6, 0x11, 3, 0, 0x6B, 0, 3), &request), 0);
	cr_assert_eq(request.transaction, 0x1234);
	cr_assert_eq(request.unit, 0x11);
	cr_assert_eq(request.function, 3);
	cr_assert_eq(request.address, 107);
	cr_assert_eq(request.quantity, 3);
}

Test(modbus_frame, a_write_of_many_registers_is_taken_apart)
{
	/* Application Protocol, 6.12 */
	static const uint8_t frame[] = {0, 1, 0, 0, 0, 11, 1, 16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2};
	struct bb_modbus_request request;

	cr_assert_eq(parse(frame, sizeof(frame), &request), 0);
	cr_assert_eq(request.quantity, 2);
	cr_assert_eq(request.data_length, 4);
	cr_assert_eq(request.data[1], 0x0A);
}

Test(modbus_frame, faults_are_found_in_the_order_function_length_quantity_address)
{
	struct bb_modbus_request request;

	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 2, 1, 99), &request), BB_MODBUS_ILLEGAL_FUNCTION);
	cr_assert_eq(request.function, 99, "the exception names the function");
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 5, 1, 3, 0, 0, 0), &request), BB_MODBUS_ILLEGAL_VALUE);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 7, 1, 3, 0, 0, 0, 1, 0), &request), BB_MODBUS_ILLEGAL_VALUE);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 0), &request), BB_MODBUS_ILLEGAL_VALUE);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 126), &request), BB_MODBUS_ILLEGAL_VALUE);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 6, 1, 1, 0, 0, 7, 0xD1), &request), BB_MODBUS_ILLEGAL_VALUE);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 6, 1, 3, 0xFF, 0xFF, 0, 2), &request), BB_MODBUS_ILLEGAL_ADDRESS);
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 6, 1, 3, 0xFF, 0xFF, 0, 1), &request), 0, "the last register exists");
	cr_assert_eq(parse(FRAME(0, 1, 0, 0, 0, 9, 1, 16, 0, 0, 0, 1, 4, 0, 0), &request), BB_MODBUS_ILLEGAL_VALUE,
		     "a byte count that lies");
}

Test(modbus_frame, what_is_written_for_a_server_is_what_it_reads)
{
	static const uint16_t words[] = {0, 1, 0xFFFF, 0x1234};
	static const uint8_t functions[] = {5, 6, 15, 16};

	for (size_t i = 0; i < sizeof(functions); i++) {
		struct bb_modbus_request request;
		uint8_t frame[BB_MODBUS_TCP_MAX];
		const uint16_t quantity = functions[i] < 15 ? 1 : 4;
		const size_t length = bb_modbus_request_write(frame, 7, 2, functions[i], 500, words, quantity);

		cr_assert_eq(parse(frame, length, &request), 0, "function %d", functions[i]);
		cr_assert_eq(request.address, 500);
		cr_assert_eq(request.quantity, quantity);
	}
}

Test(modbus_frame, a_reply_carries_words_to_the_client)
{
	static const uint16_t words[] = {0xD8F1, 2, 3};
	uint8_t question[BB_MODBUS_TCP_MAX], answer[BB_MODBUS_TCP_MAX];
	struct bb_modbus_request request;
	struct bb_modbus_reply reply;
	uint16_t read[3];
	size_t length = bb_modbus_request_read(question, 42, 1, 3, 100, 3);

	cr_assert_eq(parse(question, length, &request), 0);
	length = bb_modbus_reply_words(answer, &request, words);
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &request, &reply), 0);
	cr_assert_eq(reply.exception, 0);
	bb_modbus_reply_get_words(&reply, read, 3);
	cr_assert_arr_eq(read, words, sizeof(words));
}

Test(modbus_frame, a_reply_carries_bits_to_the_client)
{
	static const uint8_t bits[] = {1, 0, 1, 1, 0, 0, 1, 1, 1, 0};
	uint8_t question[BB_MODBUS_TCP_MAX], answer[BB_MODBUS_TCP_MAX];
	struct bb_modbus_request request;
	struct bb_modbus_reply reply;
	size_t length = bb_modbus_request_read(question, 42, 1, 1, 19, 10);

	cr_assert_eq(parse(question, length, &request), 0);
	length = bb_modbus_reply_bits(answer, &request, bits);
	cr_assert_eq(answer[9], 0xCD, "as in the Application Protocol, 6.1");
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &request, &reply), 0);
	for (size_t i = 0; i < sizeof(bits); i++)
		cr_assert_eq(bb_modbus_reply_bit(&reply, i), bits[i], "bit %zu", i);
	cr_assert_not(bb_modbus_reply_bit(&reply, 16), "past the end");
}

Test(modbus_frame, an_exception_is_a_valid_reply)
{
	uint8_t question[BB_MODBUS_TCP_MAX], answer[BB_MODBUS_TCP_MAX];
	struct bb_modbus_request request;
	struct bb_modbus_reply reply;
	size_t length = bb_modbus_request_read(question, 42, 1, 4, 100, 3);

	cr_assert_eq(parse(question, length, &request), 0);
	length = bb_modbus_reply_exception(answer, &request, BB_MODBUS_BUSY);
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &request, &reply), 0);
	cr_assert_eq(reply.exception, BB_MODBUS_BUSY);
}

Test(modbus_frame, an_answer_to_another_question_is_none)
{
	static const uint16_t words[] = {1, 2, 3};
	uint8_t question[BB_MODBUS_TCP_MAX], answer[BB_MODBUS_TCP_MAX];
	struct bb_modbus_request request, other;
	struct bb_modbus_reply reply;
	size_t length = bb_modbus_request_read(question, 42, 1, 3, 100, 3);

	cr_assert_eq(parse(question, length, &request), 0);
	length = bb_modbus_reply_words(answer, &request, words);
	other = request;
	other.transaction++;
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &other, &reply), -EPROTO);
	other = request;
	other.unit++;
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &other, &reply), -EPROTO);
	other = request;
	other.function = 4;
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &other, &reply), -EPROTO);
	other = request;
	other.quantity = 2;
	cr_assert_eq(bb_modbus_reply_parse(answer, length, &other, &reply), -EPROTO, "a byte count that does not fit");
	for (size_t cut = 0; cut < length; cut++)
		cr_assert_eq(bb_modbus_reply_parse(answer, cut, &request, &reply), -EPROTO, "cut at %zu", cut);
}

Test(modbus_frame, every_string_of_bytes_is_parsed_without_reading_past_its_end)
{
	unsigned random = 1;

	for (int round = 0; round < 20000; round++) {
		struct bb_modbus_request request;
		const size_t pdu = 1 + random % BB_MODBUS_PDU_MAX;
		uint8_t frame[BB_MODBUS_TCP_MAX];

		for (size_t i = 0; i < sizeof(frame); i++) {
			random = random * 1103515245u + 12345u;
			frame[i] = (uint8_t)(random >> 16);
		}
		frame[2] = frame[3] = frame[4] = 0;
		frame[5] = (uint8_t)(pdu + 1);
		frame[7] = (uint8_t)(random % 20);
		if (bb_modbus_request_parse(frame, BB_MODBUS_MBAP + pdu, &request) == 0 && request.data)
			cr_assert_leq(request.data + request.data_length, frame + BB_MODBUS_MBAP + pdu);
	}
}

Test(modbus_frame, rtu_frames_have_the_crc_of_the_specification)
{
	/* Serial Line, 6.2.2: function 07 of unit 2 has the CRC 0x1241, low byte first */
	cr_assert_eq(bb_modbus_crc(FRAME(2, 7)), 0x1241);
}

Test(modbus_frame, tcp_becomes_rtu_and_comes_back)
{
	uint8_t tcp[BB_MODBUS_TCP_MAX], rtu[BB_MODBUS_RTU_MAX], again[BB_MODBUS_TCP_MAX];
	const size_t length = bb_modbus_request_read(tcp, 9, 17, 3, 107, 3);
	const int rtu_length = bb_modbus_tcp_to_rtu(tcp, length, rtu);

	cr_assert_eq(rtu_length, 8);
	cr_assert_eq(bb_modbus_rtu_to_tcp(rtu, (size_t)rtu_length, 9, again), (int)length);
	cr_assert_arr_eq(again, tcp, length);
	rtu[2] ^= 1;
	cr_assert_eq(bb_modbus_rtu_to_tcp(rtu, (size_t)rtu_length, 9, again), -EPROTO, "a bit fell over");
	cr_assert_eq(bb_modbus_rtu_to_tcp(rtu, 3, 9, again), -EPROTO);
}
