/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.h - the few things about POSIX threads that everybody here does the same way: small stacks, names, and
 * condition variables that wait on the monotonic clock.
 */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/** 256 KB is what the deepest of our threads needs several times over; sanitizers want more. */
#define THREAD_STACK_SIZE (256 * 1024)

/** Attributes with our stack size; @detached: nobody joins. The caller destroys them. 0 or a negative errno. */
int thread_attributes(pthread_attr_t *attributes, int detached);

/** Start a detached thread that takes no signals. 0 or a negative errno. */
int thread_start_detached(void *(*main)(void *argument), void *argument);

/** Start a thread that takes no signals, to be joined. 0 or a negative errno. */
int thread_start(pthread_t *ret_thread, void *(*main)(void *argument), void *argument);

/** Name the calling thread, for ps and gdb; cut at 15 characters. */
void thread_set_name(const char *name);

/** A condition variable on CLOCK_MONOTONIC, and a deadline for it @delay_ms from now. */
void thread_cond_init(pthread_cond_t *condition);
struct timespec thread_deadline(int64_t delay_ms);

#endif
