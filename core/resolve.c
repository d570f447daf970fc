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

#include "resolve.h"
#include "thread.h"

struct bb_lookup {
	struct bb_task task; /* first: the task is the look-up */
	struct bb_loop *loop;
	void (*done)(void *context, int result, const char *address);
	void *context;
	pthread_mutex_t lock;
	bool cancelled;
	int result;
	bool next;                /* the address after @address, rather than that one */
	char address[NI_MAXHOST]; /* what was tried, then what came out */
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

/* A choice under way: addresses come one by one, in order. */
struct choice {
	char *address; /* the one that was tried, then the one it is */
	bool next;     /* not that one, but the one after it */
	bool met;      /* it has come */
	bool made;
	char first[NI_MAXHOST]; /* "": none came yet */
};

static void choice_consider(struct choice *choice, const struct addrinfo *found)
{
	char address[NI_MAXHOST];

	if (choice->made ||
	    getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	if (choice->first[0] == '\0')
		memcpy(choice->first, address, sizeof(address));
	if (choice->met) {
		memcpy(choice->address, address, sizeof(address));
		choice->made = true;
	} else if (strcmp(address, choice->address) == 0) {
		choice->met = true;
		choice->made = !choice->next;
	}
}

int resolve_choose(const struct addrinfo *found, bool next, char address[NI_MAXHOST])
{
	struct choice choice = {.address = address, .next = next};

	for (const struct addrinfo *i = found; i; i = i->ai_next)
		if (i->ai_family == AF_INET)
			choice_consider(&choice, i);
	for (const struct addrinfo *i = found; i; i = i->ai_next)
		if (i->ai_family != AF_INET)
			choice_consider(&choice, i);
	if (!choice.made)
		memcpy(address, choice.first, sizeof(choice.first));
	return address[0] != '\0' ? 0 : -EHOSTUNREACH;
}

static int resolve_query(struct bb_lookup *lookup, int flags)
{
	const struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	int r;

	if (getaddrinfo(lookup->host, NULL, &hints, &found) != 0)
		return -EHOSTUNREACH;
	r = resolve_choose(found, lookup->next, lookup->address);
	freeaddrinfo(found);
	return r;
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

int bb_resolve_again(struct bb_loop *loop, const char *host, const char *from, bool next,
		     void (*done)(void *context, int result, const char *address), void *context,
		     struct bb_lookup **ret_lookup)
{
	const size_t length = strlen(host) + 1;
	struct bb_lookup *lookup = calloc(1, sizeof(*lookup) + length);
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->loop = loop;
	lookup->done = done;
	lookup->context = context;
	lookup->next = next;
	if (from && strlen(from) < sizeof(lookup->address))
		strcpy(lookup->address, from);
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

int bb_resolve(struct bb_loop *loop, const char *host, void (*done)(void *context, int result, const char *address),
	       void *context, struct bb_lookup **ret_lookup)
{
	return bb_resolve_again(loop, host, NULL, false, done, context, ret_lookup);
}

void bb_lookup_cancel(struct bb_lookup *lookup)
{
	if (!lookup)
		return;
	pthread_mutex_lock(&lookup->lock);
	lookup->cancelled = true;
	pthread_mutex_unlock(&lookup->lock);
}
