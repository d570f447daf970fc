/* SPDX-License-Identifier: Apache-2.0
 *
 * agentx_rewrite.h - an AgentX message of any type taken apart with the codec and put together again: what the unit
 * test does with messages of a real snmpd, and the fuzzer with anything.
 *
 * What is well-formed comes out as the codec writes it: in the byte order of this machine, with prefixes wherever they
 * are possible, and with zeros for whatever a receiver has to ignore.
 */
#ifndef TESTS_AGENTX_REWRITE_H
#define TESTS_AGENTX_REWRITE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

/* Fields of one byte, in either order the same: the first @used of four; the others are reserved. */
static inline int rewrite_bytes(struct codec_reader *reader, unsigned used, struct codec_buffer *out)
{
	const uint8_t *at = reader->at;
	uint32_t word;

	if (codec_read_u32(reader, &word) < 0)
		return -EPROTO;
	for (unsigned i = 0; i < 4; i++)
		codec_put_u8(out, i < used ? at[i] : 0);
	return 0;
}

static inline int rewrite_oid(struct codec_reader *reader, struct codec_buffer *out)
{
	struct oid oid;

	if (codec_read_oid(reader, &oid, NULL) < 0)
		return -EPROTO;
	codec_put_oid(out, &oid, false);
	return 0;
}

static inline int rewrite_octets(struct codec_reader *reader, struct codec_buffer *out)
{
	struct codec_octets octets;

	if (codec_read_octets(reader, &octets) < 0)
		return -EPROTO;
	codec_put_octets(out, octets.bytes, octets.length);
	return 0;
}

static inline int rewrite_ranges(struct codec_reader *reader, struct codec_buffer *out)
{
	struct codec_range range;

	while (!codec_at_end(reader)) {
		if (codec_read_range(reader, &range) < 0)
			return -EPROTO;
		codec_put_oid(out, &range.start, range.include);
		codec_put_oid(out, &range.end, false);
	}
	return 0;
}

static inline void rewrite_varbind(const struct codec_varbind *varbind, struct codec_buffer *out)
{
	uint8_t name[CODEC_OID_SIZE];

	codec_put_syntax(out, (enum codec_syntax)varbind->type);
	codec_put_encoded(out, name, codec_encode_oid(&varbind->name, name));
	switch ((enum codec_syntax)varbind->type) {
	case CODEC_INTEGER:
	case CODEC_COUNTER32:
	case CODEC_GAUGE32:
	case CODEC_TIME_TICKS:
		codec_put_u32(out, varbind->number);
		break;
	case CODEC_OCTET_STRING:
	case CODEC_IP_ADDRESS:
	case CODEC_OPAQUE:
		codec_put_octets(out, varbind->octets.bytes, varbind->octets.length);
		break;
	case CODEC_OBJECT_IDENTIFIER:
		codec_put_oid(out, &varbind->oid, false);
		break;
	case CODEC_COUNTER64:
		codec_put_u64(out, varbind->counter64);
		break;
	case CODEC_NULL:
	case CODEC_NO_SUCH_OBJECT:
	case CODEC_NO_SUCH_INSTANCE:
	case CODEC_END_OF_MIB_VIEW:
		break;
	}
}

static inline int rewrite_varbinds(struct codec_reader *reader, struct codec_buffer *out)
{
	struct codec_varbind varbind;

	while (!codec_at_end(reader)) {
		if (codec_read_varbind(reader, &varbind) < 0)
			return -EPROTO;
		rewrite_varbind(&varbind, out);
	}
	return 0;
}

static inline int rewrite_registration(struct codec_reader *reader, struct codec_buffer *out)
{
	const uint8_t *head = reader->at;
	uint32_t upper_bound;

	if (rewrite_bytes(reader, 3, out) < 0 || rewrite_oid(reader, out) < 0)
		return -EPROTO;
	if (head[2] == 0) /* no range of sub-identifiers */
		return 0;
	if (codec_read_u32(reader, &upper_bound) < 0)
		return -EPROTO;
	codec_put_u32(out, upper_bound);
	return 0;
}

static inline int rewrite_content(enum codec_type type, struct codec_reader *reader, struct codec_buffer *out)
{
	struct codec_response response;
	uint16_t non_repeaters, repetitions;

	switch (type) {
	case CODEC_OPEN:
		if (rewrite_bytes(reader, 1, out) < 0 || rewrite_oid(reader, out) < 0)
			return -EPROTO;
		return rewrite_octets(reader, out);
	case CODEC_CLOSE:
		return rewrite_bytes(reader, 1, out);
	case CODEC_REGISTER:
	case CODEC_UNREGISTER:
		return rewrite_registration(reader, out);
	case CODEC_GET_BULK:
		if (codec_read_bulk(reader, &non_repeaters, &repetitions) < 0)
			return -EPROTO;
		codec_put_u16(out, non_repeaters);
		codec_put_u16(out, repetitions);
		return rewrite_ranges(reader, out);
	case CODEC_GET:
	case CODEC_GET_NEXT:
		return rewrite_ranges(reader, out);
	case CODEC_RESPONSE:
		if (codec_read_response(reader, &response) < 0)
			return -EPROTO;
		codec_put_response(out, &response);
		return rewrite_varbinds(reader, out);
	case CODEC_TEST_SET:
	case CODEC_NOTIFY:
	case CODEC_INDEX_ALLOCATE:
	case CODEC_INDEX_DEALLOCATE:
		return rewrite_varbinds(reader, out);
	case CODEC_ADD_AGENT_CAPS:
		if (rewrite_oid(reader, out) < 0)
			return -EPROTO;
		return rewrite_octets(reader, out);
	case CODEC_REMOVE_AGENT_CAPS:
		return rewrite_oid(reader, out);
	case CODEC_COMMIT_SET:
	case CODEC_UNDO_SET:
	case CODEC_CLEANUP_SET:
	case CODEC_PING:
		return 0;
	}
	return -EPROTO;
}

/**
 * Append the message of @header and its @payload to @out, as the codec writes it. 0, or -EPROTO: it is malformed;
 * nothing was appended then.
 */
static inline int rewrite_message(const struct codec_header *header, const uint8_t *payload, struct codec_buffer *out)
{
	const size_t place = out->length;
	struct codec_reader reader;
	struct codec_octets context;
	char *name;

	if (codec_reader_init(&reader, header, payload, &context) < 0)
		return -EPROTO;
	name = strndup((const char *)context.bytes, context.length);
	if (!name)
		abort();
	codec_begin(out, header, name);
	free(name);
	if (rewrite_content(header->type, &reader, out) < 0 || !codec_at_end(&reader)) {
		out->length = place;
		return -EPROTO;
	}
	return codec_end(out, place);
}

#endif
