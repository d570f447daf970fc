/* SPDX-License-Identifier: Apache-2.0
 *
 * set.c - SETs, see set.h.
 *
 * One transaction is one SET of a manager, told apart by the number the master gives it. There are few at a time, since
 * snmpd works on one SET after the other: a list will do.
 *
 * What cannot be undone is never begun twice: a CommitSet that is repeated, because the master thinks its first one lost,
 * finds the transaction committed and gets the answer of the first, now or when there is one.
 */
#include "set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any master has under way; only one that forgets to clean up gets there. */
#define TRANSACTIONS_MAX 32

enum phase {
	TESTED,
	COMMITTING, /* the device has the write, or will have it */
	COMMITTED,
	FAILED,
};

struct transaction {
	struct transaction *next;
	struct sets *sets;
	enum phase phase;
	uint32_t session, number;
	char context[BB_DEVICE_NAME_MAX + 1];

	struct spin_lock *lock; /* NULL: the SET does not name it */
	uint32_t lock_value;
	unsigned lock_index;
	bool lock_taken;

	bool has_point;
	struct set_target target; /* with has_point */
	unsigned point_index;

	struct codec_header commit; /* the request to answer while COMMITTING */
	struct bb_write *write;
	struct bb_timer *patience;
};

struct sets {
	struct sets_setup setup;
	struct transaction *first; /* the newest first */
};

static void transaction_destroy(struct transaction *transaction)
{
	bb_write_forget(transaction->write);
	bb_timer_destroy(transaction->patience);
	bb_device_unref(transaction->target.device);
	free(transaction);
}

static struct transaction **find(struct sets *sets, const struct codec_header *request)
{
	struct transaction **place = &sets->first;

	while (*place && ((*place)->session != request->session || (*place)->number != request->transaction))
		place = &(*place)->next;
	return place;
}

static void remove_at(struct transaction **place)
{
	struct transaction *transaction = *place;

	*place = transaction->next;
	transaction_destroy(transaction);
}

/* Room for another: the oldest that waits for nothing goes when there are too many. False: all of them wait. */
static bool make_room(struct sets *sets)
{
	struct transaction **oldest = NULL;
	size_t count = 0;

	for (struct transaction **place = &sets->first; *place; place = &(*place)->next) {
		count++;
		if ((*place)->phase != COMMITTING)
			oldest = place;
	}
	if (count < TRANSACTIONS_MAX)
		return true;
	if (!oldest)
		return false;
	remove_at(oldest);
	return true;
}

/* ---- TestSet ---- */

/* Is the same thing being written already? Its outcome is open, so nothing can be said of another write. */
static bool is_busy(const struct sets *sets, const struct transaction *transaction)
{
	for (const struct transaction *other = sets->first; other; other = other->next)
		if (other->phase == COMMITTING &&
		    ((transaction->lock && other->lock == transaction->lock) ||
		     (transaction->has_point && other->target.device == transaction->target.device)))
			return true;
	return false;
}

static enum codec_error take_lock(struct transaction *transaction, const struct set_target *target, unsigned index)
{
	if (transaction->lock)
		return CODEC_INCONSISTENT_VALUE; /* named twice */
	transaction->lock = target->lock;
	transaction->lock_value = (uint32_t)target->value.number;
	transaction->lock_index = index;
	return target->lock->value == transaction->lock_value ? CODEC_NO_ERROR : CODEC_INCONSISTENT_VALUE;
}

/* Takes the reference that the target holds. */
static enum codec_error take_point(struct transaction *transaction, const struct set_target *target, unsigned index)
{
	if (transaction->has_point) {
		bb_device_unref(target->device);
		return CODEC_RESOURCE_UNAVAILABLE; /* two writes could not be undone together */
	}
	transaction->has_point = true;
	transaction->target = *target;
	transaction->point_index = index;
	if (target->value.text)
		transaction->target.value.text = transaction->target.text;
	return CODEC_NO_ERROR;
}

static enum codec_error test_variable(struct sets *sets, struct contexts *contexts, struct transaction *transaction,
				      const struct codec_varbind *varbind, unsigned index)
{
	struct subtree *subtree = contexts_find(contexts, transaction->context, &varbind->name);
	struct set_target target = {0};
	enum codec_error error;

	if (!subtree || !subtree->ops->test || !sets->setup.allowed)
		return CODEC_NOT_WRITABLE;
	error = subtree->ops->test(subtree, varbind, &target);
	if (error)
		return error;
	return target.lock ? take_lock(transaction, &target, index) : take_point(transaction, &target, index);
}

/* What can only be said of all variables together. */
static enum codec_error test_whole(const struct sets *sets, const struct transaction *transaction, unsigned *ret_index)
{
	*ret_index = transaction->has_point ? transaction->point_index : transaction->lock_index;
	if (transaction->has_point && transaction->target.needs_lock && !transaction->lock)
		return CODEC_INCONSISTENT_VALUE;
	return is_busy(sets, transaction) ? CODEC_RESOURCE_UNAVAILABLE : CODEC_NO_ERROR;
}

static enum codec_error test_variables(struct sets *sets, struct contexts *contexts, struct transaction *transaction,
				       struct codec_reader *reader, unsigned *ret_index)
{
	struct codec_varbind varbind;
	unsigned index = 0;

	while (!codec_at_end(reader)) {
		enum codec_error error = CODEC_PARSE_ERROR;

		index++;
		if (codec_read_varbind(reader, &varbind) == 0)
			error = test_variable(sets, contexts, transaction, &varbind, index);
		if (error) {
			*ret_index = index;
			return error;
		}
	}
	return test_whole(sets, transaction, ret_index);
}

static void test_set(struct sets *sets, struct contexts *contexts, const struct codec_header *request,
		     const char *context_name, struct codec_reader *reader)
{
	struct transaction **place = find(sets, request);
	struct transaction *transaction;
	enum codec_error error;
	unsigned index = 0;

	if (*place && (*place)->phase == COMMITTING) { /* a number that is in use cannot mean another SET */
		sets->setup.answer(sets->setup.context, request, CODEC_PROCESSING_ERROR, 0);
		return;
	}
	if (*place)
		remove_at(place);
	transaction = make_room(sets) ? calloc(1, sizeof(*transaction)) : NULL;
	if (!transaction || strlen(context_name) >= sizeof(transaction->context)) {
		free(transaction);
		sets->setup.answer(sets->setup.context, request, CODEC_RESOURCE_UNAVAILABLE, 0);
		return;
	}
	transaction->sets = sets;
	transaction->session = request->session;
	transaction->number = request->transaction;
	memcpy(transaction->context, context_name, strlen(context_name));
	error = test_variables(sets, contexts, transaction, reader, &index);
	transaction->phase = error ? FAILED : TESTED;
	transaction->next = sets->first;
	sets->first = transaction;
	sets->setup.answer(sets->setup.context, request, error, error ? index : 0);
}

/* ---- CommitSet ---- */

static void answer_commit(struct transaction *transaction, bool good)
{
	const struct sets_setup *setup = &transaction->sets->setup;

	if (transaction->patience)
		bb_timer_stop(transaction->patience);
	transaction->phase = good ? COMMITTED : FAILED;
	setup->answer(setup->context, &transaction->commit, good ? CODEC_NO_ERROR : CODEC_COMMIT_FAILED,
		      good ? 0 : transaction->point_index);
}

static void written(void *context, int result)
{
	struct transaction *transaction = context;

	transaction->write = NULL;
	answer_commit(transaction, result == 0);
}

/* The device takes its time, and the master can wait no longer. The event will say how the write ended. */
static void out_of_patience(void *context)
{
	struct transaction *transaction = context;

	bb_write_forget(transaction->write);
	transaction->write = NULL;
	answer_commit(transaction, false);
}

static int begin_write(struct transaction *transaction)
{
	char source[sizeof("snmp, context ") + BB_DEVICE_NAME_MAX];
	struct bb_write_request request = {
		.point = transaction->target.point,
		.value = transaction->target.value,
		.source = source,
		.start_within_ms = SETS_START_WITHIN_MS,
		.loop = transaction->sets->setup.loop,
		.done = written,
		.context = transaction,
	};

	(void)snprintf(source, sizeof(source), transaction->context[0] ? "snmp, context %s" : "snmp%s",
		       transaction->context); /* both fit */
	transaction->patience = bb_timer_create(request.loop, out_of_patience, transaction);
	if (!transaction->patience)
		return -ENOMEM;
	bb_timer_start(transaction->patience, SETS_PATIENCE_MS, 0);
	return bb_device_write(transaction->target.device, &request, &transaction->write);
}

static void commit_set(struct sets *sets, const struct codec_header *request)
{
	struct transaction *transaction = *find(sets, request);

	if (!transaction) {
		sets->setup.answer(sets->setup.context, request, CODEC_COMMIT_FAILED, 0);
		return;
	}
	if (transaction->phase == COMMITTING)
		return; /* repeated: the answer is on its way */
	transaction->commit = *request;
	if (transaction->phase != TESTED) {
		answer_commit(transaction, transaction->phase == COMMITTED);
		return;
	}
	if (transaction->lock) {
		if (transaction->lock->value != transaction->lock_value) { /* somebody else had it since TestSet */
			answer_commit(transaction, false);
			return;
		}
		transaction->lock->value = (transaction->lock_value + 1) & INT32_MAX;
		transaction->lock_taken = true;
	}
	if (!transaction->has_point) {
		answer_commit(transaction, true);
		return;
	}
	transaction->phase = COMMITTING;
	if (begin_write(transaction) < 0)
		answer_commit(transaction, false);
}

/* ---- UndoSet, CleanupSet ---- */

static void undo_set(struct sets *sets, const struct codec_header *request)
{
	struct transaction *transaction = *find(sets, request);
	enum codec_error error = CODEC_NO_ERROR;

	if (transaction) {
		const uint32_t taken = (transaction->lock_value + 1) & INT32_MAX;

		if (transaction->lock_taken && transaction->lock->value == taken)
			transaction->lock->value = transaction->lock_value;
		transaction->lock_taken = false;
		if (transaction->has_point && transaction->phase == COMMITTED)
			error = CODEC_UNDO_FAILED; /* the device has done it */
	}
	sets->setup.answer(sets->setup.context, request, error, error ? transaction->point_index : 0);
}

static void cleanup_set(struct sets *sets, const struct codec_header *request)
{
	struct transaction **place = find(sets, request);

	if (*place)
		remove_at(place);
}

/* ---- all of them ---- */

void sets_take(struct sets *sets, struct contexts *contexts, const struct codec_header *request,
	       const char *context_name, struct codec_reader *reader)
{
	switch (request->type) {
	case CODEC_TEST_SET:
		test_set(sets, contexts, request, context_name, reader);
		break;
	case CODEC_COMMIT_SET:
		commit_set(sets, request);
		break;
	case CODEC_UNDO_SET:
		undo_set(sets, request);
		break;
	case CODEC_CLEANUP_SET:
		cleanup_set(sets, request);
		break;
	default: /* the session sends nothing else here */
		break;
	}
}

int sets_create(const struct sets_setup *setup, struct sets **ret_sets)
{
	struct sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return -ENOMEM;
	sets->setup = *setup;
	*ret_sets = sets;
	return 0;
}

void sets_drop(struct sets *sets)
{
	while (sets->first)
		remove_at(&sets->first);
}

void sets_destroy(struct sets *sets)
{
	if (!sets)
		return;
	sets_drop(sets);
	free(sets);
}
