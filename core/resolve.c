/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.c - look-ups of host names, each on a thread of its own.
 *
 * A look-up is shared by its thread and its loop until one of them is done with it: the thread posts it to the loop,
 * or finds it cancelled and frees it.
 */
#include <busbar/resolve.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "thread.h"

struct bb_lookup {
	struct bb_task task; /* first: the task is the look-up */
	struct bb_loop *loop;
	void (*done)(void *context, int result, const char *address);
	void *context;
	pthread_mutex_t lock;
	bool cancelled;
	int result;
	char address[NI_MAXHOST];
	char host[];
};

static void resolve_free(struct bb_lookup *lookup)
{
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

/* On the loop: nobody else has the look-up any more. */
static void resolve_deliver(struct bb_task *task)
{
	struct bb_lookup *lookup = (struct bb_lookup *)task;
	bool cancelled;

	pthread_mutex_lock(&lookup->lock); /* the thread may still be on its way out of it */
	cancelled = lookup->cancelled;
	pthread_mutex_unlock(&lookup->lock);
	if (!cancelled)
		lookup->done(lookup->context, lookup->result, lookup->result < 0 ? NULL : lookup->address);
	resolve_free(lookup);
}

static int resolve_query(struct bb_lookup *lookup, int flags)
{
	const struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	int r;

	if (getaddrinfo(lookup->host, NULL, &hints, &found) != 0)
		return -EHOSTUNREACH;
	r = getnameinfo(found->ai_addr, found->ai_addrlen, lookup->address, sizeof(lookup->address), NULL, 0,
			NI_NUMERICHOST);
	freeaddrinfo(found);
	return r == 0 ? 0 : -EHOSTUNREACH;
}

static void *resolve_main(void *argument)
{
	struct bb_lookup *lookup = argument;
	bool cancelled;

	thread_set_name("resolver");
	lookup->result = resolve_query(lookup, 0);
	/* Posting under the lock: once bb_lookup_cancel() has returned, the loop may go away. */
	pthread_mutex_lock(&lookup->lock);
	cancelled = lookup->cancelled;
	if (!cancelled)
		bb_loop_post(lookup->loop, &lookup->task);
	pthread_mutex_unlock(&lookup->lock);
	if (cancelled)
		resolve_free(lookup);
	return NULL;
}

int bb_resolve(struct bb_loop *loop, const char *host, void (*done)(void *context, int result, const char *address),
	       void *context, struct bb_lookup **ret_lookup)
{
	const size_t length = strlen(host) + 1;
	struct bb_lookup *lookup = calloc(1, sizeof(*lookup) + length);
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->loop = loop;
	lookup->done = done;
	lookup->context = context;
	memcpy(lookup->host, host, length);
	lookup->task.run = resolve_deliver;
	pthread_mutex_init(&lookup->lock, NULL);
	if (resolve_query(lookup, AI_NUMERICHOST) == 0) {
		bb_loop_post(loop, &lookup->task);
	} else {
		r = thread_start_detached(resolve_main, lookup);
		if (r < 0) {
			resolve_free(lookup);
			return r;
		}
	}
	*ret_lookup = lookup;
	return 0;
}

void bb_lookup_cancel(struct bb_lookup *lookup)
{
	if (!lookup)
		return;
	pthread_mutex_lock(&lookup->lock);
	lookup->cancelled = true;
	pthread_mutex_unlock(&lookup->lock);
}
