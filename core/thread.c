/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.c - see thread.h.
 */
#include "thread.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_FACTOR 8
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_FACTOR 8
#endif
#endif
#ifndef STACK_FACTOR
#define STACK_FACTOR 1
#endif

int thread_attributes(pthread_attr_t *attributes, int detached)
{
	int r = pthread_attr_init(attributes);

	if (r)
		return -r;
	r = pthread_attr_setstacksize(attributes, THREAD_STACK_SIZE * STACK_FACTOR);
	if (!r && detached)
		r = pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
	if (r)
		pthread_attr_destroy(attributes);
	return -r;
}

/* Signals are the main thread's; a thread inherits its mask from the one that starts it. */
static int thread_start_masked(pthread_t *thread, int detached, void *(*main)(void *), void *argument)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r = thread_attributes(&attributes, detached);

	if (r < 0)
		return r;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(thread, &attributes, main, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int thread_start_detached(void *(*main)(void *argument), void *argument)
{
	pthread_t thread;

	return thread_start_masked(&thread, 1, main, argument);
}

int thread_start(pthread_t *ret_thread, void *(*main)(void *argument), void *argument)
{
	return thread_start_masked(ret_thread, 0, main, argument);
}

void thread_set_name(const char *name)
{
	char cut[16];

	(void)strncpy(cut, name, sizeof(cut) - 1);
	cut[sizeof(cut) - 1] = '\0';
	(void)prctl(PR_SET_NAME, cut); /* a thread without a name works as well */
}

void thread_cond_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct timespec thread_deadline(int64_t delay_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(delay_ms / 1000);
	at.tv_nsec += (long)(delay_ms % 1000) * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	return at;
}
