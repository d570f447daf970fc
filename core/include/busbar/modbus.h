/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/modbus.h - Modbus framing, both directions, as pure functions: bytes in, structures out, no sockets.
 *
 * MODBUS Application Protocol Specification V1.1b3 (requests, replies, exceptions), Messaging on TCP/IP Implementation
 * Guide V1.0b (MBAP header), Modbus over Serial Line V1.02 (RTU frames, CRC). Frames are parsed by length before
 * content: nothing is looked at that the length does not cover.
 */
#ifndef BUSBAR_MODBUS_H
#define BUSBAR_MODBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BB_MODBUS_PDU_MAX   253 /* Application Protocol, 4.1 */
#define BB_MODBUS_MBAP      7   /* transaction 2, protocol 2, length 2, unit 1 */
#define BB_MODBUS_TCP_MAX   (BB_MODBUS_MBAP + BB_MODBUS_PDU_MAX)
#define BB_MODBUS_RTU_MAX   256 /* unit 1, PDU, CRC 2 */
#define BB_MODBUS_READ_MAX  125 /* registers one answer can carry (6.3) */
#define BB_MODBUS_BITS_MAX  2000
#define BB_MODBUS_WRITE_MAX 123 /* registers one request can carry (6.12) */

/** Exception codes (Application Protocol, 7). */
enum bb_modbus_exception {
	BB_MODBUS_ILLEGAL_FUNCTION = 0x01,
	BB_MODBUS_ILLEGAL_ADDRESS = 0x02,
	BB_MODBUS_ILLEGAL_VALUE = 0x03,
	BB_MODBUS_DEVICE_FAILURE = 0x04,
	BB_MODBUS_ACKNOWLEDGE = 0x05,
	BB_MODBUS_BUSY = 0x06,
	BB_MODBUS_GATEWAY_PATH = 0x0A,
	BB_MODBUS_GATEWAY_TARGET = 0x0B,
};

/** A request, taken apart. */
struct bb_modbus_request {
	uint16_t transaction; /* TCP only */
	uint8_t unit;
	uint8_t function;
	uint16_t address;
	uint16_t quantity;   /* of registers or bits; 1 for functions 05 and 06 */
	const uint8_t *data; /* functions 05, 06: the value's 2 bytes; 15, 16: the values; 43: after the MEI type */
	size_t data_length;
};

/** A reply, taken apart. */
struct bb_modbus_reply {
	uint16_t transaction;
	uint8_t unit;
	uint8_t function;    /* without the exception bit */
	uint8_t exception;   /* 0: none */
	const uint8_t *data; /* reads: the values; writes: address and quantity or value, 4 bytes */
	size_t data_length;
};

/**
 * How long the TCP frame that begins in @bytes is: > 0 its whole length (it may not have arrived whole yet), 0 the
 * header is not complete, -EPROTO it can be no Modbus frame (protocol not 0, length < 2 or > 254): close. Any thread.
 */
int bb_modbus_tcp_length(const uint8_t *bytes, size_t length);

/**
 * Take a whole TCP request apart. Returns 0, or the exception code it has to be answered with (in the order: function
 * 01, length and byte count 03, quantity 03, address + quantity 02); unit, transaction and function are filled in any
 * case. Any thread.
 */
int bb_modbus_request_parse(const uint8_t *frame, size_t length, struct bb_modbus_request *ret_request);

/** Build a TCP request for reading or writing. Returns its length. */
size_t bb_modbus_request_read(uint8_t frame[BB_MODBUS_TCP_MAX], uint16_t transaction, uint8_t unit, uint8_t function,
			      uint16_t address, uint16_t quantity);
size_t bb_modbus_request_write(uint8_t frame[BB_MODBUS_TCP_MAX], uint16_t transaction, uint8_t unit, uint8_t function,
			       uint16_t address, const uint16_t *words, uint16_t quantity);

/** Build TCP replies: words, bits, the echo of a write, an exception. Return the length. */
size_t bb_modbus_reply_words(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			     const uint16_t *words);
size_t bb_modbus_reply_bits(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			    const uint8_t *bits);
size_t bb_modbus_reply_write(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request);
/** A reply of @length bytes behind the function code (at most BB_MODBUS_PDU_MAX − 1), as function 43 has it. */
size_t bb_modbus_reply_data(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			    const uint8_t *data, size_t length);
size_t bb_modbus_reply_exception(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
				 uint8_t exception);

/**
 * Take a whole TCP reply apart and check that it answers @request: transaction, unit, function, byte count. Returns 0,
 * -EPROTO when it does not. An exception is a valid reply. Any thread.
 */
int bb_modbus_reply_parse(const uint8_t *frame, size_t length, const struct bb_modbus_request *request,
			  struct bb_modbus_reply *ret_reply);

/** Values of a read reply as words, in the machine's byte order. @count at most data_length / 2. */
void bb_modbus_reply_get_words(const struct bb_modbus_reply *reply, uint16_t *ret_words, size_t count);
/** Bit @index of a read reply. */
bool bb_modbus_reply_bit(const struct bb_modbus_reply *reply, size_t index);

/** CRC of an RTU frame, low byte first on the wire (Serial Line, 6.2.2). */
uint16_t bb_modbus_crc(const uint8_t *bytes, size_t length);

/** Turn a TCP frame into the RTU frame of the same PDU and back. Return the new length, or -EPROTO. */
int bb_modbus_tcp_to_rtu(const uint8_t *tcp, size_t length, uint8_t rtu[BB_MODBUS_RTU_MAX]);
int bb_modbus_rtu_to_tcp(const uint8_t *rtu, size_t length, uint16_t transaction, uint8_t tcp[BB_MODBUS_TCP_MAX]);

#endif
