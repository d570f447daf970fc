/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_modbus_reply.c - the client's side of Modbus: any bytes as the answer to a question. The first five bytes say
 * the question: function, unit, address, quantity.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t functions[] = {1, 2, 3, 4, 5, 6, 15, 16};
	struct bb_modbus_request request;
	struct bb_modbus_reply reply;
	uint16_t words[BB_MODBUS_READ_MAX];
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
	if (bb_modbus_reply_parse(frame, size, &request, &reply) == 0 && reply.exception == 0) {
		if (reply.data < frame || reply.data + reply.data_length > frame + size)
			abort();
		if (request.function == 3 || request.function == 4)
			bb_modbus_reply_get_words(&reply, words, request.quantity);
		for (unsigned i = 0; i < request.quantity; i++)
			(void)bb_modbus_reply_bit(&reply, i); /* must only not look past the end */
	}
	free(frame);
	return 0;
}
