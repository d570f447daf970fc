/* SPDX-License-Identifier: Apache-2.0
 *
 * codec_write.c - AgentX messages that go out, see codec.h.
 *
 * A buffer grows by doubling and keeps its memory between messages, so that a walk allocates nothing once its longest
 * answer has been written. Everything is copied as this machine has it; only the flag of the header tells which order
 * that is.
 */
#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AGENTX_VERSION 1
#define BUFFER_MIN     1024
#define LENGTH_OFFSET  16 /* of the payload's length in a header */
#define PREFIX_ARCS    5  /* 1.3.6.1.x: one byte, when x fits into it and is not 0 */

#define HOST_ORDER (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? CODEC_NETWORK_BYTE_ORDER : 0)

void codec_buffer_free(struct codec_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct codec_buffer){0};
}

static bool grow(struct codec_buffer *buffer, size_t length)
{
	size_t size = buffer->size ? buffer->size : BUFFER_MIN;
	uint8_t *bytes = NULL;

	if (length <= SIZE_MAX / 2 - buffer->length) {
		while (size - buffer->length < length)
			size *= 2;
		bytes = realloc(buffer->bytes, size);
	}
	if (!bytes) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = bytes;
	buffer->size = size;
	return true;
}

/* Room for @length more bytes, or NULL: there is no memory, now or before. */
static inline uint8_t *extend(struct codec_buffer *buffer, size_t length)
{
	uint8_t *at;

	if (buffer->failed || (buffer->size - buffer->length < length && !grow(buffer, length)))
		return NULL;
	at = buffer->bytes + buffer->length;
	buffer->length += length;
	return at;
}

void codec_put_encoded(struct codec_buffer *buffer, const uint8_t *bytes, size_t length)
{
	uint8_t *at = extend(buffer, length);

	if (at && length > 0)
		memcpy(at, bytes, length);
}

void codec_put_u8(struct codec_buffer *buffer, uint8_t value)
{
	uint8_t *at = extend(buffer, sizeof(value));

	if (at)
		*at = value;
}

void codec_put_u16(struct codec_buffer *buffer, uint16_t value)
{
	uint8_t *at = extend(buffer, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

void codec_put_u32(struct codec_buffer *buffer, uint32_t value)
{
	uint8_t *at = extend(buffer, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

void codec_put_u64(struct codec_buffer *buffer, uint64_t value)
{
	uint8_t *at = extend(buffer, sizeof(value));

	if (at)
		memcpy(at, &value, sizeof(value));
}

void codec_put_syntax(struct codec_buffer *buffer, enum codec_syntax syntax)
{
	const uint16_t head[2] = {(uint16_t)syntax, 0};
	uint8_t *at = extend(buffer, sizeof(head));

	if (at)
		memcpy(at, head, sizeof(head));
}

void codec_put_octets(struct codec_buffer *buffer, const void *bytes, size_t length)
{
	const uint32_t announced = (uint32_t)length;
	const size_t padding = (4 - length % 4) % 4;
	uint8_t *at;

	if (length > UINT32_MAX - 8) { /* nothing that long can be sent */
		buffer->failed = true;
		return;
	}
	at = extend(buffer, sizeof(announced) + length + padding);
	if (!at)
		return;
	memcpy(at, &announced, sizeof(announced));
	at += sizeof(announced);
	if (length > 0)
		memcpy(at, bytes, length);
	memset(at + length, 0, padding);
}

static bool has_prefix(const struct oid *oid)
{
	return oid->length >= PREFIX_ARCS && oid->arcs[0] == 1 && oid->arcs[1] == 3 && oid->arcs[2] == 6 &&
	       oid->arcs[3] == 1 && oid->arcs[4] > 0 && oid->arcs[4] <= UINT8_MAX;
}

size_t codec_encode_oid(const struct oid *oid, uint8_t bytes[CODEC_OID_SIZE])
{
	const uint32_t skipped = has_prefix(oid) ? PREFIX_ARCS : 0;
	const uint32_t count = oid->length - skipped;

	bytes[0] = (uint8_t)count;
	bytes[1] = skipped ? (uint8_t)oid->arcs[PREFIX_ARCS - 1] : 0;
	bytes[2] = 0;
	bytes[3] = 0;
	memcpy(bytes + 4, oid->arcs + skipped, 4 * (size_t)count);
	return 4 + 4 * (size_t)count;
}

void codec_put_oid(struct codec_buffer *buffer, const struct oid *oid, bool include)
{
	uint8_t bytes[CODEC_OID_SIZE];
	const size_t length = codec_encode_oid(oid, bytes);

	bytes[2] = include;
	codec_put_encoded(buffer, bytes, length);
}

size_t codec_begin(struct codec_buffer *buffer, const struct codec_header *header, const char *context)
{
	const bool named = context && context[0] != '\0';
	const size_t place = buffer->length;

	codec_put_u8(buffer, AGENTX_VERSION);
	codec_put_u8(buffer, (uint8_t)header->type);
	codec_put_u8(buffer, (uint8_t)((header->flags & ~(CODEC_NETWORK_BYTE_ORDER | CODEC_NON_DEFAULT_CONTEXT)) |
				       HOST_ORDER | (named ? CODEC_NON_DEFAULT_CONTEXT : 0)));
	codec_put_u8(buffer, 0);
	codec_put_u32(buffer, header->session);
	codec_put_u32(buffer, header->transaction);
	codec_put_u32(buffer, header->packet);
	codec_put_u32(buffer, 0); /* codec_end() knows it */
	if (named)
		codec_put_octets(buffer, context, strlen(context));
	return place;
}

int codec_end(struct codec_buffer *buffer, size_t place)
{
	uint32_t length;

	if (buffer->failed) {
		buffer->length = place;
		buffer->failed = false;
		return -ENOMEM;
	}
	length = (uint32_t)(buffer->length - place - CODEC_HEADER_SIZE);
	memcpy(buffer->bytes + place + LENGTH_OFFSET, &length, sizeof(length));
	return 0;
}

void codec_put_response(struct codec_buffer *buffer, const struct codec_response *response)
{
	codec_put_u32(buffer, response->uptime);
	codec_put_u16(buffer, response->error);
	codec_put_u16(buffer, response->index);
}
