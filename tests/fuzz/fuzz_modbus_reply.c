/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_modbus_reply.c - any bytes as what a Modbus server answers. The first five say what was asked: function, unit,
 * address, quantity, transaction.
 *
 * What reply_parse() lets through belongs to the request, holds exactly what was asked for, and lies in its frame.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

static void look_at(const uint8_t *frame, size_t length, const struct bb_modbus_request *request,
		    const struct bb_modbus_reply *reply)
{
	uint16_t words[BB_MODBUS_READ_MAX + 1];
	unsigned set = 0;

	demand(reply->transaction == request->transaction && reply->unit == request->unit &&
	       reply->function == request->function);
	if (reply->exception) {
		demand(length == BB_MODBUS_MBAP + 2);
		return;
	}
	demand(reply->data >= frame && reply->data + reply->data_length <= frame + length);
	if (request->function <= 2) {
		demand(reply->data_length == (request->quantity + 7u) / 8);
		for (size_t i = 0; i < request->quantity; i++)
			set += bb_modbus_reply_bit(reply, i);
		demand(set <= request->quantity);
		demand(!bb_modbus_reply_bit(reply, 8 * reply->data_length));
	} else if (request->function <= 4) {
		demand(reply->data_length == 2u * request->quantity);
		memset(words, 0xA5, sizeof(words));
		bb_modbus_reply_get_words(reply, words, request->quantity);
		demand(words[request->quantity] == 0xA5A5);
	} else {
		demand(reply->data_length == 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t functions[] = {1, 2, 3, 4, 5, 6, 15, 16};
	struct bb_modbus_request request;
	struct bb_modbus_reply reply, untouched;
	uint8_t *frame;

	if (size < 5)
		return 0;
	request = (struct bb_modbus_request){
		.function = functions[data[0] % sizeof(functions)],
		.unit = data[1],
		.address = data[2],
		.quantity = (uint16_t)(1 + data[3] % BB_MODBUS_READ_MAX),
		.transaction = data[4],
	};
	data += 5;
	size -= 5;
	frame = malloc(size + 1); /* of just its size, so that a byte too far is noticed */
	if (!frame)
		return 0;
	memcpy(frame, data, size);
	memset(&reply, 0x5A, sizeof(reply));
	untouched = reply;
	if (bb_modbus_reply_parse(frame, size, &request, &reply) < 0) {
		demand(memcmp(&reply, &untouched, sizeof(reply)) == 0);
	} else {
		look_at(frame, size, &request, &reply);
		request.transaction++; /* the same bytes are no answer to another request */
		demand(bb_modbus_reply_parse(frame, size, &request, &reply) < 0);
	}
	free(frame);
	return 0;
}
