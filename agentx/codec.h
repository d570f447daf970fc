/* SPDX-License-Identifier: Apache-2.0
 *
 * codec.h - AgentX messages (RFC 2741, section 6) to structs and back. Pure: no sockets, no clock, no state.
 *
 * What comes in may have either byte order (flag NETWORK_BYTE_ORDER) and may be anything at all: every function that
 * reads checks lengths before it looks at content and answers -EPROTO to what cannot be. What goes out has the byte
 * order of this machine, as section 6.1 allows, so that names encoded once can be copied into any number of answers.
 */
#ifndef AGENTX_CODEC_H
#define AGENTX_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oid.h"

#define CODEC_HEADER_SIZE 20

/** The longest payload taken: more than any request of a master that obeys SNMP's message sizes. */
#define CODEC_PAYLOAD_MAX (1u << 20)

/** The longest message, with its header, that net-snmp takes: what goes out must not be longer. */
#define CODEC_MESSAGE_MAX 65536

/** Message types (section 6.1). */
enum codec_type {
	CODEC_OPEN = 1,
	CODEC_CLOSE = 2,
	CODEC_REGISTER = 3,
	CODEC_UNREGISTER = 4,
	CODEC_GET = 5,
	CODEC_GET_NEXT = 6,
	CODEC_GET_BULK = 7,
	CODEC_TEST_SET = 8,
	CODEC_COMMIT_SET = 9,
	CODEC_UNDO_SET = 10,
	CODEC_CLEANUP_SET = 11,
	CODEC_NOTIFY = 12,
	CODEC_PING = 13,
	CODEC_INDEX_ALLOCATE = 14,
	CODEC_INDEX_DEALLOCATE = 15,
	CODEC_ADD_AGENT_CAPS = 16,
	CODEC_REMOVE_AGENT_CAPS = 17,
	CODEC_RESPONSE = 18,
};

/** Flags of a header (section 6.1). */
enum codec_flags {
	CODEC_INSTANCE_REGISTRATION = 0x01,
	CODEC_NEW_INDEX = 0x02,
	CODEC_ANY_INDEX = 0x04,
	CODEC_NON_DEFAULT_CONTEXT = 0x08,
	CODEC_NETWORK_BYTE_ORDER = 0x10,
};

/** Types of a variable (section 5.4). */
enum codec_syntax {
	CODEC_INTEGER = 2,
	CODEC_OCTET_STRING = 4,
	CODEC_NULL = 5,
	CODEC_OBJECT_IDENTIFIER = 6,
	CODEC_IP_ADDRESS = 64,
	CODEC_COUNTER32 = 65,
	CODEC_GAUGE32 = 66, /* and Unsigned32 */
	CODEC_TIME_TICKS = 67,
	CODEC_OPAQUE = 68,
	CODEC_COUNTER64 = 70,
	CODEC_NO_SUCH_OBJECT = 128,
	CODEC_NO_SUCH_INSTANCE = 129,
	CODEC_END_OF_MIB_VIEW = 130,
};

/** res.error: SNMP's (RFC 3416, section 3) and AgentX' own (section 6.2.16). */
enum codec_error {
	CODEC_NO_ERROR = 0,
	CODEC_GEN_ERR = 5,
	CODEC_NO_ACCESS = 6,
	CODEC_WRONG_TYPE = 7,
	CODEC_WRONG_LENGTH = 8,
	CODEC_WRONG_ENCODING = 9,
	CODEC_WRONG_VALUE = 10,
	CODEC_NO_CREATION = 11,
	CODEC_INCONSISTENT_VALUE = 12,
	CODEC_RESOURCE_UNAVAILABLE = 13,
	CODEC_COMMIT_FAILED = 14,
	CODEC_UNDO_FAILED = 15,
	CODEC_NOT_WRITABLE = 17,
	CODEC_INCONSISTENT_NAME = 18,
	CODEC_OPEN_FAILED = 256,
	CODEC_NOT_OPEN = 257,
	CODEC_INDEX_WRONG_TYPE = 258,
	CODEC_INDEX_ALREADY_ALLOCATED = 259,
	CODEC_INDEX_NONE_AVAILABLE = 260,
	CODEC_INDEX_NOT_ALLOCATED = 261,
	CODEC_UNSUPPORTED_CONTEXT = 262,
	CODEC_DUPLICATE_REGISTRATION = 263,
	CODEC_UNKNOWN_REGISTRATION = 264,
	CODEC_UNKNOWN_AGENT_CAPS = 265,
	CODEC_PARSE_ERROR = 266,
	CODEC_REQUEST_DENIED = 267,
	CODEC_PROCESSING_ERROR = 268,
};

/** Name of an error for the log, "duplicateRegistration"; "error 4711" cannot be: "unknown error" then. */
const char *codec_error_name(unsigned error);

struct codec_header {
	enum codec_type type;
	uint8_t flags;
	uint32_t session, transaction, packet;
	uint32_t length; /* of the payload that follows: a multiple of 4, at most CODEC_PAYLOAD_MAX */
};

/** Read a header. 0, or -EPROTO: another version, an unknown type, a length that cannot be; the stream is lost then. */
int codec_header_parse(const uint8_t bytes[CODEC_HEADER_SIZE], struct codec_header *ret_header);

/* ---- reading a payload ---- */

/** A place in a payload. Strings that are read point into the payload. */
struct codec_reader {
	const uint8_t *at, *end;
	bool swap; /* the other byte order than ours */
};

struct codec_octets {
	const uint8_t *bytes;
	uint32_t length;
};

/** A search range (section 5.2): from @start (itself included or not) up to, not including, @end (null: no end). */
struct codec_range {
	struct oid start, end;
	bool include;
};

/** A variable binding (section 5.4). Which member holds the value follows from the type. */
struct codec_varbind {
	uint16_t type; /* enum codec_syntax */
	struct oid name;
	uint32_t number;            /* INTEGER (as int32_t), COUNTER32, GAUGE32, TIME_TICKS */
	uint64_t counter64;         /* COUNTER64 */
	struct codec_octets octets; /* OCTET_STRING, IP_ADDRESS, OPAQUE */
	struct oid oid;             /* OBJECT_IDENTIFIER */
};

/** Begin reading @header->length bytes of @payload; takes the context, "" and length 0: the default one. 0 or -EPROTO. */
int codec_reader_init(struct codec_reader *reader, const struct codec_header *header, const uint8_t *payload,
		      struct codec_octets *ret_context);

bool codec_at_end(const struct codec_reader *reader);

/** Each takes what stands at @reader and moves behind it. 0 or -EPROTO; @reader is not to be used any more then. */
int codec_read_u32(struct codec_reader *reader, uint32_t *ret_value);
int codec_read_octets(struct codec_reader *reader, struct codec_octets *ret_octets);
int codec_read_oid(struct codec_reader *reader, struct oid *ret_oid, bool *ret_include);
int codec_read_range(struct codec_reader *reader, struct codec_range *ret_range);
int codec_read_varbind(struct codec_reader *reader, struct codec_varbind *ret_varbind);

/** What a GetBulk begins with (section 6.2.7). */
int codec_read_bulk(struct codec_reader *reader, uint16_t *ret_non_repeaters, uint16_t *ret_max_repetitions);

/** What a Response begins with (section 6.2.16). */
struct codec_response {
	uint32_t uptime; /* the master's sysUpTime, hundredths of a second */
	uint16_t error, index;
};
int codec_read_response(struct codec_reader *reader, struct codec_response *ret_response);

/* ---- writing ---- */

/**
 * Bytes on their way out. Grows as needed; when memory lacks, @failed is set and everything written from then on is
 * ignored, so that only codec_end() has to be looked at. Zeroed: empty.
 */
struct codec_buffer {
	uint8_t *bytes;
	size_t length, size;
	bool failed;
};

void codec_buffer_free(struct codec_buffer *buffer);

/** Begin a message; several may follow each other in one buffer. @header->length is ignored. Returns its place. */
size_t codec_begin(struct codec_buffer *buffer, const struct codec_header *header, const char *context);

/** End the message that began at @place: sets its length. 0 or -ENOMEM: the message is taken back out then. */
int codec_end(struct codec_buffer *buffer, size_t place);

void codec_put_u32(struct codec_buffer *buffer, uint32_t value);
void codec_put_u16(struct codec_buffer *buffer, uint16_t value);
void codec_put_u8(struct codec_buffer *buffer, uint8_t value);
void codec_put_octets(struct codec_buffer *buffer, const void *bytes, size_t length);
void codec_put_oid(struct codec_buffer *buffer, const struct oid *oid, bool include);

/**
 * The three parts of a variable binding: its type, its name, its value. A name is written by codec_put_oid() or copied
 * with codec_put_encoded() from what codec_encode_oid() made. The values of CODEC_NULL and of the exceptions are empty.
 */
void codec_put_syntax(struct codec_buffer *buffer, enum codec_syntax syntax);
void codec_put_encoded(struct codec_buffer *buffer, const uint8_t *bytes, size_t length);
void codec_put_u64(struct codec_buffer *buffer, uint64_t value);

/** Room for an encoded object identifier. */
#define CODEC_OID_SIZE (4 + 4 * OID_MAX)

/** @oid as codec_put_oid() with include false would write it. Returns its length. */
size_t codec_encode_oid(const struct oid *oid, uint8_t bytes[CODEC_OID_SIZE]);

/** What a Response begins with, after codec_begin(); variable bindings may follow. */
void codec_put_response(struct codec_buffer *buffer, const struct codec_response *response);

#endif
