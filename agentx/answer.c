/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.c - Get, GetNext and GetBulk (RFC 2741, sections 7.2.3.1 to 7.2.3.3), see context.h.
 *
 * Answers are written straight into the buffer that goes out: each variable as it is found, and the head again with the
 * error when one turns out to be wrong. net-snmp's master asks GetNext only, also for a manager's GETBULK.
 */
#include "context.h"

#include <errno.h>
#include <stdlib.h>

/* Most search ranges that may repeat in a GetBulk: each needs a place to go on from. */
#define REPEATERS_MAX 1024

/* The request that is being answered. */
struct question {
	struct contexts *contexts;
	const struct moment *moment;
	uint32_t transaction;
	size_t first, count; /* entries of its context */
	struct codec_buffer *answer;
	size_t place; /* where the answer begins in it */
};

static void put_nothing(struct codec_buffer *answer, enum codec_syntax exception, const struct oid *name)
{
	codec_put_syntax(answer, exception);
	codec_put_oid(answer, name, false);
}

static enum codec_error answer_get(const struct question *question, const struct oid *name)
{
	for (size_t i = 0; i < question->count; i++) {
		struct subtree *const subtree = contexts_at(question->contexts, question->first + i)->subtree;
		const struct picture *picture;

		if (!oid_is_below(name, &subtree->root))
			continue;
		picture = contexts_look(question->contexts, subtree, question->transaction, question->moment);
		if (!picture)
			return CODEC_GEN_ERR;
		picture->ops->get(picture, question->moment, name, question->answer);
		return CODEC_NO_ERROR;
	}
	put_nothing(question->answer, CODEC_NO_SUCH_OBJECT, name);
	return CODEC_NO_ERROR;
}

/* The first instance in @range; its name goes to @ret_name. Sets *@ret_found to whether there is one. */
static enum codec_error find_next(const struct question *question, const struct codec_range *range,
				  struct oid *ret_name, bool *ret_found)
{
	for (size_t i = 0; i < question->count; i++) {
		struct subtree *const subtree = contexts_at(question->contexts, question->first + i)->subtree;
		const struct picture *picture;

		if (oid_compare(&subtree->root, &range->start) < 0 && !oid_is_below(&range->start, &subtree->root))
			continue; /* all of it comes before */
		if (range->end.length > 0 && oid_compare(&subtree->root, &range->end) >= 0)
			break;
		picture = contexts_look(question->contexts, subtree, question->transaction, question->moment);
		if (!picture)
			return CODEC_GEN_ERR;
		if (picture->ops->next(picture, question->moment, range, question->answer, ret_name)) {
			*ret_found = true;
			return CODEC_NO_ERROR;
		}
	}
	*ret_found = false;
	return CODEC_NO_ERROR;
}

static enum codec_error answer_next(const struct question *question, const struct codec_range *range,
				    struct oid *ret_name, bool *ret_found)
{
	const enum codec_error error = find_next(question, range, ret_name, ret_found);

	if (error == CODEC_NO_ERROR && !*ret_found)
		put_nothing(question->answer, CODEC_END_OF_MIB_VIEW, &range->start);
	return error;
}

/* Without memory nothing more gets in, so there is no use in looking for it. */
static bool is_full(const struct question *question)
{
	return question->answer->failed || question->answer->length - question->place > CODEC_MESSAGE_MAX;
}

/* ---- the three requests: the error, and which variable it is about ---- */

/* The ranges that have one answer each: the next @most of them, or all there are. */
static enum codec_error answer_ranges(const struct question *question, enum codec_type type, size_t most,
				      struct codec_reader *reader, unsigned *ret_index)
{
	enum codec_error error = CODEC_NO_ERROR;

	for (; most > 0 && error == CODEC_NO_ERROR && !codec_at_end(reader); most--) {
		struct codec_range range;
		struct oid name;
		bool found;

		++*ret_index;
		if (codec_read_range(reader, &range) < 0)
			return CODEC_PARSE_ERROR;
		error = type == CODEC_GET ? answer_get(question, &range.start)
					  : answer_next(question, &range, &name, &found);
		if (is_full(question))
			return CODEC_GEN_ERR;
	}
	return error;
}

/* One of the rows of a GetBulk. A row that does not fit any more is left out whole. */
static enum codec_error answer_row(const struct question *question, struct codec_range *ranges, size_t count,
				   bool *ret_more)
{
	const size_t before = question->answer->length;

	*ret_more = false;
	for (size_t i = 0; i < count; i++) {
		struct oid name;
		bool found;
		const enum codec_error error = answer_next(question, &ranges[i], &name, &found);

		if (error != CODEC_NO_ERROR)
			return error;
		if (found) {
			ranges[i].start = name;
			ranges[i].include = false;
			*ret_more = true;
		}
		if (is_full(question)) {
			question->answer->length = before;
			*ret_more = false;
			return CODEC_NO_ERROR;
		}
	}
	return CODEC_NO_ERROR;
}

static enum codec_error answer_repeaters(const struct question *question, struct codec_range *ranges, unsigned rows,
					 struct codec_reader *reader, unsigned *ret_index)
{
	enum codec_error error = CODEC_NO_ERROR;
	size_t count = 0;
	bool more = true;

	while (!codec_at_end(reader)) {
		++*ret_index;
		if (count == REPEATERS_MAX)
			return CODEC_GEN_ERR;
		if (codec_read_range(reader, &ranges[count++]) < 0)
			return CODEC_PARSE_ERROR;
	}
	for (unsigned row = 0; row < rows && more && error == CODEC_NO_ERROR; row++)
		error = answer_row(question, ranges, count, &more);
	return error;
}

static enum codec_error answer_bulk(const struct question *question, struct codec_reader *reader, unsigned *ret_index)
{
	uint16_t non_repeaters, rows;
	struct codec_range *ranges;
	enum codec_error error;

	if (codec_read_bulk(reader, &non_repeaters, &rows) < 0)
		return CODEC_PARSE_ERROR;
	error = answer_ranges(question, CODEC_GET_NEXT, non_repeaters, reader, ret_index);
	if (error != CODEC_NO_ERROR || codec_at_end(reader))
		return error;
	ranges = malloc(REPEATERS_MAX * sizeof(*ranges));
	if (!ranges)
		return CODEC_GEN_ERR;
	error = answer_repeaters(question, ranges, rows, reader, ret_index);
	free(ranges);
	return error;
}

int contexts_answer(struct contexts *contexts, const struct moment *moment, const struct codec_header *request,
		    const char *context_name, struct codec_reader *reader, struct codec_buffer *answer)
{
	const struct codec_header header = {CODEC_RESPONSE,  0, request->session, request->transaction,
					    request->packet, 0};
	struct codec_response response = {.uptime = moment_uptime(moment, moment->now_ms)};
	struct question question = {contexts, moment, request->transaction, 0, 0, answer, 0};
	enum codec_error error;
	unsigned index = 0;

	question.place = codec_begin(answer, &header, NULL);
	codec_put_response(answer, &response);
	question.count = contexts_range(contexts, context_name, &question.first);
	if (question.count == 0)
		error = CODEC_UNSUPPORTED_CONTEXT;
	else if (request->type == CODEC_GET_BULK)
		error = answer_bulk(&question, reader, &index);
	else
		error = answer_ranges(&question, request->type, SIZE_MAX, reader, &index);
	if (error != CODEC_NO_ERROR) {
		answer->length = question.place;
		response.error = (uint16_t)error;
		response.index = (uint16_t)(index < UINT16_MAX ? index : UINT16_MAX);
		(void)codec_begin(answer, &header, NULL); /* the same place */
		codec_put_response(answer, &response);
	}
	return codec_end(answer, question.place);
}
