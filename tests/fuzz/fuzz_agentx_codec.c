/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_agentx_codec.c - any bytes as an AgentX message: a header, and whatever follows as its payload.
 *
 * The header is made one that is taken (version and length), so that all types and both byte orders are reached. What
 * is taken apart is written again; that must be a message, too, and come back unchanged when it is done once more.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/agentx_rewrite.h"
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

static void put_length(uint8_t *bytes, uint32_t length)
{
	for (int i = 0; i < 4; i++)
		bytes[16 + i] = (uint8_t)(length >> (bytes[2] & CODEC_NETWORK_BYTE_ORDER ? 24 - 8 * i : 8 * i));
}

static void look_at(const struct codec_header *header, const uint8_t *payload)
{
	struct codec_buffer first = {0}, second = {0};
	struct codec_header again;

	if (rewrite_message(header, payload, &first) == 0) {
		demand(codec_header_parse(first.bytes, &again) == 0);
		demand(again.type == header->type && again.session == header->session &&
		       again.transaction == header->transaction && again.packet == header->packet);
		demand(CODEC_HEADER_SIZE + again.length == first.length);
		demand(again.length <= header->length);
		demand(rewrite_message(&again, first.bytes + CODEC_HEADER_SIZE, &second) == 0);
		demand(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0);
	}
	codec_buffer_free(&first);
	codec_buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[CODEC_HEADER_SIZE], *payload;
	struct codec_header header;
	uint32_t length;

	if (size < CODEC_HEADER_SIZE)
		return 0;
	memcpy(bytes, data, sizeof(bytes));
	if (codec_header_parse(bytes, &header) == 0)
		demand(header.length % 4 == 0 && header.length <= CODEC_PAYLOAD_MAX);
	length = (uint32_t)(size - sizeof(bytes)) / 4 * 4;
	bytes[0] = 1;
	put_length(bytes, length);
	if (codec_header_parse(bytes, &header) < 0)
		return 0;                      /* a type that does not exist */
	payload = malloc(length ? length : 1); /* of just its size, so that a byte too far is noticed */
	if (!payload)
		return 0;
	memcpy(payload, data + sizeof(bytes), length);
	look_at(&header, payload);
	free(payload);
	return 0;
}
