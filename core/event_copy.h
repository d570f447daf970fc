/* SPDX-License-Identifier: Apache-2.0
 *
 * event_copy.h - events that own their texts, and lists of them.
 */
#ifndef CORE_EVENT_COPY_H
#define CORE_EVENT_COPY_H

#include <stddef.h>

#include <busbar/event.h>

/** An event and its texts in one piece of memory; free() frees it. */
struct event_copy {
	struct bb_event event;
	struct event_copy *next;
	char texts[];
};

/** Copy @event; texts that are NULL become "". NULL when memory lacks. Any thread. */
struct event_copy *event_copy_create(const struct bb_event *event);

/** A list, first in, first out. All zero is an empty one. */
struct event_list {
	struct event_copy *first, *last;
	size_t count;
};

/** Put @take_copy at the end. */
void event_list_append(struct event_list *list, struct event_copy *take_copy);

/** Move all of @from to the end of @list; @from is empty then. */
void event_list_join(struct event_list *list, struct event_list *from);

/** Take the first one out, NULL when there is none. */
struct event_copy *event_list_take(struct event_list *list);

/** The events of @list as an array that free() frees; texts stay the list's. 0 or -ENOMEM. */
int event_list_array(const struct event_list *list, struct bb_event **ret_events);

/** Free all; the list is empty then. */
void event_list_clear(struct event_list *list);

#endif
