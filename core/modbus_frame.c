/* SPDX-License-Identifier: Apache-2.0
 *
 * modbus_frame.c - Modbus frames taken apart and put together; pure functions, both directions. See busbar/modbus.h.
 *
 * Everything works on whole TCP frames (MBAP header and PDU). RTU is the same PDU between a unit id and a CRC, so two
 * functions translate and nothing else is written twice. Multi-byte fields are big-endian, except the CRC.
 */
#include <busbar/modbus.h>

#include <errno.h>
#include <string.h>

#define READ_COILS         1
#define READ_DISCRETE      2
#define READ_HOLDING       3
#define READ_INPUT         4
#define WRITE_COIL         5
#define WRITE_REGISTER     6
#define WRITE_COILS        15
#define WRITE_REGISTERS    16
#define ENCAPSULATED       43 /* read device identification (6.21) */
#define EXCEPTION_BIT      0x80
#define COIL_ON            0xFF00
#define WRITE_COILS_MAX    1968 /* coils one request can carry (6.11) */
#define PDU_OFFSET         BB_MODBUS_MBAP
#define MBAP_BEFORE_LENGTH 6 /* the length field counts from the unit id on */

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/* Fills the header of a frame whose PDU has @pdu_length bytes. Returns the length of the frame. */
static size_t finish_frame(uint8_t *frame, uint16_t transaction, uint8_t unit, size_t pdu_length)
{
	put16(frame, transaction);
	put16(frame + 2, 0); /* protocol: Modbus */
	put16(frame + 4, (uint16_t)(pdu_length + 1));
	frame[6] = unit;
	return BB_MODBUS_MBAP + pdu_length;
}

int bb_modbus_tcp_length(const uint8_t *bytes, size_t length)
{
	uint16_t announced;

	if (length >= 3 && (bytes[2] != 0 || (length >= 4 && bytes[3] != 0)))
		return -EPROTO;
	if (length < MBAP_BEFORE_LENGTH)
		return 0;
	announced = get16(bytes + 4);
	if (announced < 2 || announced > BB_MODBUS_PDU_MAX + 1)
		return -EPROTO;
	return MBAP_BEFORE_LENGTH + announced;
}

/* ---- requests, seen by a server ---- */

/* The length of the PDU is what the function says; for functions that carry values it depends on their byte count. */
static bool request_length_fits(const uint8_t *pdu, size_t length)
{
	switch (pdu[0]) {
	case READ_COILS:
	case READ_DISCRETE:
	case READ_HOLDING:
	case READ_INPUT:
	case WRITE_COIL:
	case WRITE_REGISTER:
		return length == 5;
	case WRITE_COILS:
		return length >= 6 && pdu[5] == length - 6 && pdu[5] == (get16(pdu + 3) + 7) / 8;
	case WRITE_REGISTERS:
		return length >= 6 && pdu[5] == length - 6 && pdu[5] == 2 * get16(pdu + 3);
	case ENCAPSULATED:
		return length >= 2;
	}
	return false;
}

static bool is_known_function(uint8_t function)
{
	return (function >= READ_COILS && function <= WRITE_REGISTER) || function == WRITE_COILS ||
	       function == WRITE_REGISTERS || function == ENCAPSULATED;
}

/* The most that one request of @function may ask for (Application Protocol, 6.1 to 6.12). */
static unsigned quantity_limit(uint8_t function)
{
	switch (function) {
	case READ_COILS:
	case READ_DISCRETE:
		return BB_MODBUS_BITS_MAX;
	case READ_HOLDING:
	case READ_INPUT:
		return BB_MODBUS_READ_MAX;
	case WRITE_COILS:
		return WRITE_COILS_MAX;
	case WRITE_REGISTERS:
		return BB_MODBUS_WRITE_MAX;
	}
	return 1;
}

int bb_modbus_request_parse(const uint8_t *frame, size_t length, struct bb_modbus_request *ret_request)
{
	const uint8_t *pdu = frame + PDU_OFFSET;
	const size_t pdu_length = length - BB_MODBUS_MBAP;
	struct bb_modbus_request request = {
		.transaction = get16(frame),
		.unit = frame[6],
		.function = pdu[0],
		.quantity = 1,
	};
	int exception = 0;

	if (!is_known_function(request.function)) {
		exception = BB_MODBUS_ILLEGAL_FUNCTION;
	} else if (!request_length_fits(pdu, pdu_length)) {
		exception = BB_MODBUS_ILLEGAL_VALUE;
	} else if (request.function == ENCAPSULATED) {
		request.data = pdu + 1;
		request.data_length = pdu_length - 1;
	} else {
		const bool single = request.function == WRITE_COIL || request.function == WRITE_REGISTER;
		const bool many = request.function == WRITE_COILS || request.function == WRITE_REGISTERS;

		request.address = get16(pdu + 1);
		if (!single)
			request.quantity = get16(pdu + 3);
		request.data = many ? pdu + 6 : pdu + 3;
		request.data_length = many ? pdu_length - 6 : (single ? 2 : 0);
		if (request.quantity == 0 || request.quantity > quantity_limit(request.function))
			exception = BB_MODBUS_ILLEGAL_VALUE;
		else if (request.address + request.quantity > 65536)
			exception = BB_MODBUS_ILLEGAL_ADDRESS;
	}
	*ret_request = request;
	return exception;
}

/* ---- replies, made by a server ---- */

size_t bb_modbus_reply_words(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			     const uint16_t *words)
{
	uint8_t *pdu = frame + PDU_OFFSET;

	pdu[0] = request->function;
	pdu[1] = (uint8_t)(2 * request->quantity);
	for (unsigned i = 0; i < request->quantity; i++)
		put16(pdu + 2 + 2 * i, words[i]);
	return finish_frame(frame, request->transaction, request->unit, 2 + 2 * (size_t)request->quantity);
}

size_t bb_modbus_reply_bits(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			    const uint8_t *bits)
{
	const size_t bytes = (request->quantity + 7u) / 8;
	uint8_t *pdu = frame + PDU_OFFSET;

	pdu[0] = request->function;
	pdu[1] = (uint8_t)bytes;
	memset(pdu + 2, 0, bytes);
	for (unsigned i = 0; i < request->quantity; i++) /* the first bit is the lowest of the first byte */
		if (bits[i])
			pdu[2 + i / 8] |= (uint8_t)(1u << i % 8);
	return finish_frame(frame, request->transaction, request->unit, 2 + bytes);
}

size_t bb_modbus_reply_write(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request)
{
	const bool single = request->function == WRITE_COIL || request->function == WRITE_REGISTER;
	uint8_t *pdu = frame + PDU_OFFSET;

	pdu[0] = request->function;
	put16(pdu + 1, request->address);
	if (single)
		memmove(pdu + 3, request->data, 2); /* the request may stand in the same buffer */
	else
		put16(pdu + 3, request->quantity);
	return finish_frame(frame, request->transaction, request->unit, 5);
}

size_t bb_modbus_reply_data(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
			    const uint8_t *data, size_t length)
{
	frame[PDU_OFFSET] = request->function;
	memcpy(frame + PDU_OFFSET + 1, data, length);
	return finish_frame(frame, request->transaction, request->unit, 1 + length);
}

size_t bb_modbus_reply_exception(uint8_t frame[BB_MODBUS_TCP_MAX], const struct bb_modbus_request *request,
				 uint8_t exception)
{
	uint8_t *pdu = frame + PDU_OFFSET;

	pdu[0] = request->function | EXCEPTION_BIT;
	pdu[1] = exception;
	return finish_frame(frame, request->transaction, request->unit, 2);
}

/* ---- requests, made by a client ---- */

size_t bb_modbus_request_read(uint8_t frame[BB_MODBUS_TCP_MAX], uint16_t transaction, uint8_t unit, uint8_t function,
			      uint16_t address, uint16_t quantity)
{
	uint8_t *pdu = frame + PDU_OFFSET;

	pdu[0] = function;
	put16(pdu + 1, address);
	put16(pdu + 3, quantity);
	return finish_frame(frame, transaction, unit, 5);
}

/* Coils by 05 and 15 take words that are 0 or not, registers by 06 and 16 the words themselves. */
size_t bb_modbus_request_write(uint8_t frame[BB_MODBUS_TCP_MAX], uint16_t transaction, uint8_t unit, uint8_t function,
			       uint16_t address, const uint16_t *words, uint16_t quantity)
{
	uint8_t *pdu = frame + PDU_OFFSET;
	size_t bytes;

	pdu[0] = function;
	put16(pdu + 1, address);
	switch (function) {
	case WRITE_COIL:
		put16(pdu + 3, words[0] ? COIL_ON : 0);
		return finish_frame(frame, transaction, unit, 5);
	case WRITE_REGISTER:
		put16(pdu + 3, words[0]);
		return finish_frame(frame, transaction, unit, 5);
	case WRITE_COILS:
		bytes = (quantity + 7u) / 8;
		memset(pdu + 6, 0, bytes);
		for (unsigned i = 0; i < quantity; i++)
			if (words[i])
				pdu[6 + i / 8] |= (uint8_t)(1u << i % 8);
		break;
	default: /* WRITE_REGISTERS */
		bytes = 2 * (size_t)quantity;
		for (unsigned i = 0; i < quantity; i++)
			put16(pdu + 6 + 2 * i, words[i]);
		break;
	}
	put16(pdu + 3, quantity);
	pdu[5] = (uint8_t)bytes;
	return finish_frame(frame, transaction, unit, 6 + bytes);
}

/* ---- replies, seen by a client ---- */

static size_t expected_bytes(const struct bb_modbus_request *request)
{
	return request->function <= READ_DISCRETE ? (request->quantity + 7u) / 8 : 2 * (size_t)request->quantity;
}

int bb_modbus_reply_parse(const uint8_t *frame, size_t length, const struct bb_modbus_request *request,
			  struct bb_modbus_reply *ret_reply)
{
	const uint8_t *pdu = frame + PDU_OFFSET;
	struct bb_modbus_reply reply;
	size_t pdu_length;

	if (bb_modbus_tcp_length(frame, length) != (int)length || length < BB_MODBUS_MBAP + 2)
		return -EPROTO;
	pdu_length = length - BB_MODBUS_MBAP;
	reply = (struct bb_modbus_reply){
		.transaction = get16(frame),
		.unit = frame[6],
		.function = pdu[0] & (uint8_t)~EXCEPTION_BIT,
	};
	if (reply.transaction != request->transaction || reply.unit != request->unit ||
	    reply.function != request->function)
		return -EPROTO;

	if (pdu[0] & EXCEPTION_BIT) {
		if (pdu_length != 2 || pdu[1] == 0)
			return -EPROTO;
		reply.exception = pdu[1];
	} else if (request->function >= READ_COILS && request->function <= READ_INPUT) {
		if (pdu[1] != pdu_length - 2 || pdu[1] != expected_bytes(request))
			return -EPROTO;
		reply.data = pdu + 2;
		reply.data_length = pdu[1];
	} else {
		if (pdu_length != 5 || get16(pdu + 1) != request->address)
			return -EPROTO;
		reply.data = pdu + 1;
		reply.data_length = 4;
	}
	*ret_reply = reply;
	return 0;
}

void bb_modbus_reply_get_words(const struct bb_modbus_reply *reply, uint16_t *ret_words, size_t count)
{
	for (size_t i = 0; i < count && 2 * i + 1 < reply->data_length; i++)
		ret_words[i] = get16(reply->data + 2 * i);
}

bool bb_modbus_reply_bit(const struct bb_modbus_reply *reply, size_t index)
{
	return index / 8 < reply->data_length && (reply->data[index / 8] >> index % 8 & 1) != 0;
}

/* ---- RTU ---- */

/* Bit by bit: a frame is at most 256 bytes, and a serial line takes a millisecond for each of them. */
uint16_t bb_modbus_crc(const uint8_t *bytes, size_t length)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (uint16_t)(crc >> 1 ^ 0xA001) : (uint16_t)(crc >> 1);
	}
	return crc;
}

int bb_modbus_tcp_to_rtu(const uint8_t *tcp, size_t length, uint8_t rtu[BB_MODBUS_RTU_MAX])
{
	size_t adu_length;
	uint16_t crc;

	if (bb_modbus_tcp_length(tcp, length) != (int)length)
		return -EPROTO;
	adu_length = length - MBAP_BEFORE_LENGTH;
	memmove(rtu, tcp + MBAP_BEFORE_LENGTH, adu_length);
	crc = bb_modbus_crc(rtu, adu_length);
	rtu[adu_length] = (uint8_t)crc; /* low byte first, unlike everything else */
	rtu[adu_length + 1] = (uint8_t)(crc >> 8);
	return (int)adu_length + 2;
}

int bb_modbus_rtu_to_tcp(const uint8_t *rtu, size_t length, uint16_t transaction, uint8_t tcp[BB_MODBUS_TCP_MAX])
{
	size_t adu_length;
	uint16_t crc;

	if (length < 4 || length > BB_MODBUS_RTU_MAX)
		return -EPROTO;
	adu_length = length - 2;
	crc = (uint16_t)(rtu[adu_length] | rtu[adu_length + 1] << 8);
	if (crc != bb_modbus_crc(rtu, adu_length))
		return -EPROTO;
	memmove(tcp + MBAP_BEFORE_LENGTH, rtu, adu_length);
	return (int)finish_frame(tcp, transaction, tcp[6], adu_length - 1);
}
