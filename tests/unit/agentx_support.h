/* SPDX-License-Identifier: Apache-2.0
 *
 * agentx_support.h - readings made up by a test, and variable bindings read back, for the tests of agentx.
 */
#ifndef TESTS_AGENTX_SUPPORT_H
#define TESTS_AGENTX_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "draft.h"
#include "generation.h"
#include "objects.h"
#include "reading.h"

/** A generation with these points. */
static inline struct generation *support_generation(const struct bb_point_spec *specs, size_t count)
{
	struct generation *generation;
	struct draft draft = {0};

	cr_assert_eq(draft_init(&draft, NULL, NULL), 0);
	cr_assert_eq(draft_add(&draft, specs, count), 0);
	cr_assert_eq(generation_create(&draft, NULL, &generation), 0);
	draft_finish(&draft);
	return generation;
}

/** A reading with one point of that name, which has @value or, where it is one of text, @text. */
static inline struct bb_reading *support_reading(const char *name, int64_t value, const char *text)
{
	const struct bb_point_spec spec = {.name = name};
	struct generation *generation = support_generation(&spec, 1);
	struct bb_reading *reading = reading_create(generation, NULL, BB_GROUP_REST, 1000);

	cr_assert_eq(text ? bb_reading_set_text(reading, 0, text, strlen(text)) : bb_reading_set(reading, 0, value), 0,
		     "%s takes %lld", name, (long long)value);
	reading_finish(reading);
	generation_unref(generation);
	return reading;
}

/** The object of that name. */
static inline const struct object *support_object(const char *name)
{
	for (size_t i = 0; i < object_count; i++)
		if (strcmp(object_table[i].name, name) == 0)
			return &object_table[i];
	cr_assert_fail("there is no object %s", name);
	return NULL;
}

static inline struct oid support_oid(const char *text)
{
	struct oid oid;

	cr_assert_eq(oid_parse(text, &oid), 0, "%s", text);
	return oid;
}

/** Take the variable bindings in @buffer apart, @max at most; the texts in them point into it. Returns how many. */
static inline size_t support_parse(const struct codec_buffer *buffer, struct codec_varbind *varbinds, size_t max)
{
	const uint16_t one = 1;
	struct codec_header header = {.type = CODEC_RESPONSE, .length = (uint32_t)buffer->length};
	struct codec_reader reader;
	struct codec_octets context;
	size_t count = 0;

	if (*(const uint8_t *)&one == 0)
		header.flags = CODEC_NETWORK_BYTE_ORDER;
	cr_assert_not(buffer->failed);
	cr_assert_eq(codec_reader_init(&reader, &header, buffer->bytes, &context), 0);
	while (!codec_at_end(&reader)) {
		cr_assert_lt(count, max);
		cr_assert_eq(codec_read_varbind(&reader, &varbinds[count++]), 0, "a whole variable binding");
	}
	return count;
}

#endif
