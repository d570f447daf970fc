/* SPDX-License-Identifier: Apache-2.0
 *
 * event_copy.c - see event_copy.h. Whoever keeps an event beyond the call that told it keeps one of these: the ring,
 * the journal's queue, what a reader gets.
 */
#include "event_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

/* Where the texts of an event are; the boot id is one, too. */
static const size_t texts[] = {
	offsetof(struct bb_event, device), offsetof(struct bb_event, subject), offsetof(struct bb_event, point),
	offsetof(struct bb_event, value),  offsetof(struct bb_event, unit),    offsetof(struct bb_event, source),
	offsetof(struct bb_event, text),   offsetof(struct bb_event, boot_id),
};

#define TEXT_COUNT BB_LENGTH(texts)

static const char **text_of(struct bb_event *event, size_t index)
{
	return (const char **)(void *)((char *)event + texts[index]);
}

struct event_copy *event_copy_create(const struct bb_event *event)
{
	struct bb_event copied = *event;
	struct event_copy *copy;
	size_t size = 0;
	char *room;

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char **text = text_of(&copied, i);

		*text = *text ? *text : "";
		size += strlen(*text) + 1;
	}
	copy = malloc(sizeof(*copy) + size);
	if (!copy)
		return NULL;
	room = copy->texts;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char **text = text_of(&copied, i);
		char *end = stpcpy(room, *text);

		*text = room;
		room = end + 1;
	}
	copy->event = copied;
	copy->next = NULL;
	return copy;
}

void event_list_append(struct event_list *list, struct event_copy *take_copy)
{
	take_copy->next = NULL;
	if (list->last)
		list->last->next = take_copy;
	else
		list->first = take_copy;
	list->last = take_copy;
	list->count++;
}

void event_list_join(struct event_list *list, struct event_list *from)
{
	if (!from->first)
		return;
	if (list->last)
		list->last->next = from->first;
	else
		list->first = from->first;
	list->last = from->last;
	list->count += from->count;
	*from = (struct event_list){0};
}

struct event_copy *event_list_take(struct event_list *list)
{
	struct event_copy *copy = list->first;

	if (!copy)
		return NULL;
	list->first = copy->next;
	if (!list->first)
		list->last = NULL;
	list->count--;
	copy->next = NULL;
	return copy;
}

int event_list_array(const struct event_list *list, struct bb_event **ret_events)
{
	struct bb_event *events = calloc(list->count + 1, sizeof(*events)); /* never of nothing */
	size_t count = 0;

	if (!events)
		return -ENOMEM;
	for (const struct event_copy *copy = list->first; copy; copy = copy->next)
		events[count++] = copy->event;
	*ret_events = events;
	return 0;
}

void event_list_clear(struct event_list *list)
{
	struct event_copy *copy;

	while ((copy = event_list_take(list)) != NULL)
		free(copy);
}
