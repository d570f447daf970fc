/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve_wait.c - look-ups of host names for threads that may wait, but not for as long as a resolver may take.
 *
 * getaddrinfo() cannot be broken off, so it runs on a thread of its own, and whoever asked waits for that until its
 * deadline. The two share the query; the last to leave frees it.
 */
#include <busbar/resolve.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>

#include "thread.h"

struct query {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned users; /* who asked, and the thread */
	int result;     /* -EINPROGRESS: not answered yet */
	struct addrinfo *found;
	char service[8];
	char host[];
};

static int query_run(struct query *query, int flags, struct addrinfo **ret_found)
{
	const struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};

	return getaddrinfo(query->host, query->service, &hints, ret_found) == 0 ? 0 : -EHOSTUNREACH;
}

static void query_leave(struct query *query)
{
	unsigned users;

	pthread_mutex_lock(&query->lock);
	users = --query->users;
	pthread_mutex_unlock(&query->lock);
	if (users > 0)
		return;
	if (query->found)
		freeaddrinfo(query->found);
	pthread_cond_destroy(&query->answered);
	pthread_mutex_destroy(&query->lock);
	free(query);
}

static void *query_main(void *argument)
{
	struct query *query = argument;
	struct addrinfo *found = NULL;
	int result;

	thread_set_name("resolver");
	result = query_run(query, 0, &found);
	pthread_mutex_lock(&query->lock);
	query->result = result;
	query->found = found;
	pthread_cond_signal(&query->answered);
	pthread_mutex_unlock(&query->lock);
	query_leave(query);
	return NULL;
}

static int query_wait(struct query *query, int64_t deadline_ms, struct addrinfo **ret_found)
{
	const int64_t left_ms = deadline_ms - bb_clock_ms();
	const struct timespec until = thread_deadline(left_ms > 0 ? left_ms : 0);
	int result;

	pthread_mutex_lock(&query->lock);
	while (query->result == -EINPROGRESS)
		if (pthread_cond_timedwait(&query->answered, &query->lock, &until) == ETIMEDOUT)
			break;
	result = query->result == -EINPROGRESS ? -ETIMEDOUT : query->result;
	if (result == 0) {
		*ret_found = query->found;
		query->found = NULL;
	}
	pthread_mutex_unlock(&query->lock);
	return result;
}

int bb_resolve_until(const char *host, uint16_t port, int64_t deadline_ms, struct addrinfo **ret_addresses)
{
	const size_t length = strlen(host) + 1;
	struct query *query = calloc(1, sizeof(*query) + length);
	int r;

	if (!query)
		return -ENOMEM;
	pthread_mutex_init(&query->lock, NULL);
	thread_cond_init(&query->answered);
	query->users = 1;
	query->result = -EINPROGRESS;
	(void)snprintf(query->service, sizeof(query->service), "%u", (unsigned)port); /* five digits at most */
	memcpy(query->host, host, length);
	r = query_run(query, AI_NUMERICHOST, ret_addresses); /* a number needs no thread */
	if (r < 0) {
		query->users++;
		r = thread_start_detached(query_main, query);
		if (r < 0)
			query->users--;
		else
			r = query_wait(query, deadline_ms, ret_addresses);
	}
	query_leave(query);
	return r;
}
