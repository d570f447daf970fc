/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_modbus_request.c - any bytes as what a Modbus client sends: cut into frames, taken apart, answered.
 *
 * What request_parse() lets through is within the limits of the protocol, points into its frame, and its answers fit
 * into a frame; a request made again from its parts is the one that came.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>

#define WRITE_COILS     15
#define WRITE_REGISTERS 16
#define ENCAPSULATED    43

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

/* The answers a server could give, each a frame. */
static void answer(const struct bb_modbus_request *request)
{
	static const uint16_t words[UINT8_MAX];
	static const uint8_t bits[BB_MODBUS_BITS_MAX] = {1};
	uint8_t reply[BB_MODBUS_TCP_MAX];
	size_t length;

	if (request->function <= 2)
		length = bb_modbus_reply_bits(reply, request, bits);
	else if (request->function <= 4)
		length = bb_modbus_reply_words(reply, request, words);
	else
		length = bb_modbus_reply_write(reply, request);
	demand(bb_modbus_tcp_length(reply, length) == (int)length);
}

static void make_again(const uint8_t *frame, size_t length, const struct bb_modbus_request *request)
{
	uint8_t made[BB_MODBUS_TCP_MAX];
	uint16_t words[BB_MODBUS_BITS_MAX] = {0};
	size_t made_length;

	if (request->function <= 4) {
		made_length = bb_modbus_request_read(made, request->transaction, request->unit, request->function,
						     request->address, request->quantity);
	} else {
		for (size_t i = 0; i < request->quantity; i++)
			words[i] = request->function == WRITE_COILS
					   ? (uint16_t)(request->data[i / 8] >> i % 8 & 1)
					   : (uint16_t)(request->data[2 * i] << 8 | request->data[2 * i + 1]);
		made_length = bb_modbus_request_write(made, request->transaction, request->unit, request->function,
						      request->address, words, request->quantity);
		if (request->function == 5 || request->function == WRITE_COILS)
			return; /* any value may stand for on, and any bits behind the last coil */
	}
	demand(made_length == length && memcmp(made, frame, length) == 0);
}

static void take_frame(const uint8_t *frame, size_t length)
{
	struct bb_modbus_request request;
	uint8_t reply[BB_MODBUS_TCP_MAX], rtu[BB_MODBUS_RTU_MAX], tcp[BB_MODBUS_TCP_MAX];
	const int exception = bb_modbus_request_parse(frame, length, &request);
	size_t reply_length;
	int rtu_length;

	demand(exception >= 0 && exception <= BB_MODBUS_ILLEGAL_VALUE);
	demand(request.unit == frame[6] && request.function == frame[7]);
	reply_length = bb_modbus_reply_exception(reply, &request, BB_MODBUS_BUSY);
	demand(bb_modbus_tcp_length(reply, reply_length) == (int)reply_length);
	rtu_length = bb_modbus_tcp_to_rtu(frame, length, rtu);
	demand(rtu_length > 0);
	demand(bb_modbus_rtu_to_tcp(rtu, (size_t)rtu_length, request.transaction, tcp) == (int)length);
	demand(memcmp(tcp, frame, length) == 0);
	if (exception)
		return;
	if (request.data_length > 0)
		demand(request.data >= frame && request.data + request.data_length <= frame + length);
	if (request.function == ENCAPSULATED)
		return;
	demand(request.quantity > 0 && request.quantity <= BB_MODBUS_BITS_MAX);
	demand(request.address + request.quantity <= 65536);
	if (request.function == 3 || request.function == 4)
		demand(request.quantity <= BB_MODBUS_READ_MAX);
	if (request.function == WRITE_REGISTERS)
		demand(request.data_length == 2u * request.quantity);
	answer(&request);
	make_again(frame, length, &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t tcp[BB_MODBUS_TCP_MAX];
	uint8_t *frame;
	size_t at = 0;

	while (at < size) {
		const int length = bb_modbus_tcp_length(data + at, size - at);

		demand(length <= BB_MODBUS_TCP_MAX);
		if (length <= 0 || (size_t)length > size - at)
			break;
		frame = malloc((size_t)length); /* of just its size, so that a byte too far is noticed */
		if (!frame)
			return 0;
		memcpy(frame, data + at, (size_t)length);
		take_frame(frame, (size_t)length);
		free(frame);
		at += (size_t)length;
	}
	if (bb_modbus_rtu_to_tcp(data, size, 1, tcp) > 0)
		demand(size >= 4 && size <= BB_MODBUS_RTU_MAX);
	return 0;
}
