/* SPDX-License-Identifier: Apache-2.0
 *
 * codec_read.c - AgentX messages that come in, taken apart, see codec.h.
 *
 * Every field goes through take(): the one place that knows where the payload ends. All fields are multiples of four
 * bytes long, so a payload is too, and what cannot be read is a lie of the sender's. Reserved bytes and padding are not
 * looked at (section 5.3 has the receiver ignore them).
 */
#include "codec.h"

#include <errno.h>
#include <string.h>

#define AGENTX_VERSION   1
#define INTERNET_ARCS    5 /* what a prefix stands for: 1.3.6.1 and the prefix itself */
#define IP_ADDRESS_BYTES 4

/* Does a machine of our byte order set NETWORK_BYTE_ORDER? */
#define HOST_ORDER (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? CODEC_NETWORK_BYTE_ORDER : 0)

static inline uint32_t get_u32(const uint8_t *bytes, bool swap)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return swap ? __builtin_bswap32(value) : value;
}

static inline uint16_t get_u16(const uint8_t *bytes, bool swap)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return swap ? __builtin_bswap16(value) : value;
}

/* The next @length bytes, or NULL: there are not that many. */
static inline const uint8_t *take(struct codec_reader *reader, size_t length)
{
	const uint8_t *at = reader->at;

	if (length > (size_t)(reader->end - at))
		return NULL;
	reader->at = at + length;
	return at;
}

static bool swaps(uint8_t flags)
{
	return (flags & CODEC_NETWORK_BYTE_ORDER) != HOST_ORDER;
}

/* Section 6.1.1: some types have no context, whatever their flags say. */
static bool has_context(const struct codec_header *header)
{
	switch (header->type) {
	case CODEC_OPEN:
	case CODEC_CLOSE:
	case CODEC_COMMIT_SET:
	case CODEC_UNDO_SET:
	case CODEC_CLEANUP_SET:
	case CODEC_RESPONSE:
		return false;
	default:
		return header->flags & CODEC_NON_DEFAULT_CONTEXT;
	}
}

int codec_header_parse(const uint8_t bytes[CODEC_HEADER_SIZE], struct codec_header *ret_header)
{
	const bool swap = swaps(bytes[2]);
	const uint32_t length = get_u32(bytes + 16, swap);

	if (bytes[0] != AGENTX_VERSION || bytes[1] < CODEC_OPEN || bytes[1] > CODEC_RESPONSE)
		return -EPROTO;
	if (length % 4 != 0 || length > CODEC_PAYLOAD_MAX)
		return -EPROTO;
	*ret_header = (struct codec_header){
		.type = bytes[1],
		.flags = bytes[2],
		.session = get_u32(bytes + 4, swap),
		.transaction = get_u32(bytes + 8, swap),
		.packet = get_u32(bytes + 12, swap),
		.length = length,
	};
	return 0;
}

int codec_reader_init(struct codec_reader *reader, const struct codec_header *header, const uint8_t *payload,
		      struct codec_octets *ret_context)
{
	*reader = (struct codec_reader){
		.at = payload,
		.end = payload + header->length,
		.swap = swaps(header->flags),
	};
	if (has_context(header))
		return codec_read_octets(reader, ret_context);
	*ret_context = (struct codec_octets){.bytes = (const uint8_t *)"", .length = 0};
	return 0;
}

bool codec_at_end(const struct codec_reader *reader)
{
	return reader->at == reader->end;
}

int codec_read_u32(struct codec_reader *reader, uint32_t *ret_value)
{
	const uint8_t *at = take(reader, 4);

	if (!at)
		return -EPROTO;
	*ret_value = get_u32(at, reader->swap);
	return 0;
}

int codec_read_octets(struct codec_reader *reader, struct codec_octets *ret_octets)
{
	const uint8_t *at;
	uint32_t length;

	if (codec_read_u32(reader, &length) < 0 || length > CODEC_PAYLOAD_MAX)
		return -EPROTO;
	at = take(reader, ((size_t)length + 3) / 4 * 4);
	if (!at)
		return -EPROTO;
	*ret_octets = (struct codec_octets){.bytes = at, .length = length};
	return 0;
}

int codec_read_oid(struct codec_reader *reader, struct oid *ret_oid, bool *ret_include)
{
	static const uint32_t internet[] = {1, 3, 6, 1};
	const uint8_t *head = take(reader, 4), *at;
	uint32_t count, length = 0;

	if (!head)
		return -EPROTO;
	count = head[0];
	at = take(reader, 4 * (size_t)count);
	if (!at || count + (head[1] ? INTERNET_ARCS : 0) > OID_MAX)
		return -EPROTO;
	if (head[1]) {
		memcpy(ret_oid->arcs, internet, sizeof(internet));
		ret_oid->arcs[4] = head[1];
		length = INTERNET_ARCS;
	}
	ret_oid->length = length + count;
	if (reader->swap)
		for (uint32_t i = 0; i < count; i++)
			ret_oid->arcs[length + i] = get_u32(at + 4 * (size_t)i, true);
	else
		memcpy(ret_oid->arcs + length, at, 4 * (size_t)count);
	if (ret_include)
		*ret_include = head[2] != 0;
	return 0;
}

int codec_read_range(struct codec_reader *reader, struct codec_range *ret_range)
{
	if (codec_read_oid(reader, &ret_range->start, &ret_range->include) < 0)
		return -EPROTO;
	return codec_read_oid(reader, &ret_range->end, NULL);
}

static int read_counter64(struct codec_reader *reader, uint64_t *ret_value)
{
	const uint8_t *at = take(reader, 8);

	if (!at)
		return -EPROTO;
	memcpy(ret_value, at, sizeof(*ret_value));
	if (reader->swap)
		*ret_value = __builtin_bswap64(*ret_value);
	return 0;
}

int codec_read_varbind(struct codec_reader *reader, struct codec_varbind *ret_varbind)
{
	const uint8_t *head = take(reader, 4);

	if (!head || codec_read_oid(reader, &ret_varbind->name, NULL) < 0)
		return -EPROTO;
	ret_varbind->type = get_u16(head, reader->swap);
	switch (ret_varbind->type) {
	case CODEC_INTEGER:
	case CODEC_COUNTER32:
	case CODEC_GAUGE32:
	case CODEC_TIME_TICKS:
		return codec_read_u32(reader, &ret_varbind->number);
	case CODEC_OCTET_STRING:
	case CODEC_OPAQUE:
		return codec_read_octets(reader, &ret_varbind->octets);
	case CODEC_IP_ADDRESS:
		if (codec_read_octets(reader, &ret_varbind->octets) < 0)
			return -EPROTO;
		return ret_varbind->octets.length == IP_ADDRESS_BYTES ? 0 : -EPROTO;
	case CODEC_OBJECT_IDENTIFIER:
		return codec_read_oid(reader, &ret_varbind->oid, NULL);
	case CODEC_COUNTER64:
		return read_counter64(reader, &ret_varbind->counter64);
	case CODEC_NULL:
	case CODEC_NO_SUCH_OBJECT:
	case CODEC_NO_SUCH_INSTANCE:
	case CODEC_END_OF_MIB_VIEW:
		return 0;
	default:
		return -EPROTO;
	}
}

int codec_read_bulk(struct codec_reader *reader, uint16_t *ret_non_repeaters, uint16_t *ret_max_repetitions)
{
	const uint8_t *at = take(reader, 4);

	if (!at)
		return -EPROTO;
	*ret_non_repeaters = get_u16(at, reader->swap);
	*ret_max_repetitions = get_u16(at + 2, reader->swap);
	return 0;
}

int codec_read_response(struct codec_reader *reader, struct codec_response *ret_response)
{
	const uint8_t *at = take(reader, 8);

	if (!at)
		return -EPROTO;
	*ret_response = (struct codec_response){
		.uptime = get_u32(at, reader->swap),
		.error = get_u16(at + 4, reader->swap),
		.index = get_u16(at + 6, reader->swap),
	};
	return 0;
}
