/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_modbus_request.c - the server's side of Modbus: any bytes as a frame, and what it would be answered with.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/modbus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int length = bb_modbus_tcp_length(data, size);
	uint8_t reply[BB_MODBUS_TCP_MAX], rtu[BB_MODBUS_RTU_MAX];
	struct bb_modbus_request request;
	uint8_t *frame;
	int exception;

	if (length <= 0 || (size_t)length > size)
		return 0;
	frame = malloc((size_t)length); /* of just its size, so that a byte too far is noticed */
	if (!frame)
		return 0;
	memcpy(frame, data, (size_t)length);
	exception = bb_modbus_request_parse(frame, (size_t)length, &request);
	if (exception) {
		if (bb_modbus_reply_exception(reply, &request, (uint8_t)exception) != 9)
			abort();
	} else if (request.data && request.data_length > 0) {
		if (request.data < frame || request.data + request.data_length > frame + length)
			abort();
		if (request.function != 43)
			(void)bb_modbus_reply_write(reply, &request); /* looks at the data */
	}
	if (bb_modbus_tcp_to_rtu(frame, (size_t)length, rtu) > 0 &&
	    bb_modbus_rtu_to_tcp(rtu, (size_t)length - 4, request.transaction, reply) != length)
		abort();
	free(frame);
	return 0;
}
