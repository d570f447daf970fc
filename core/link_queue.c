/* SPDX-License-Identifier: Apache-2.0
 *
 * link_queue.c - see link_queue.h.
 */
#include "link_queue.h"

#include <stddef.h>

#include "link.h"

static struct link_line *line_of(struct link_queue *queue, const struct link_work *work)
{
	return work->is_write ? &queue->writes : &queue->polls;
}

void link_queue_append(struct link_queue *queue, struct link_work *work)
{
	struct link_line *line = line_of(queue, work);

	work->next = NULL;
	if (line->first)
		line->last->next = work;
	else
		line->first = work;
	line->last = work;
}

struct link_work *link_queue_take(struct link_queue *queue)
{
	const bool polls_wait = queue->polls.first != NULL;
	const bool write = queue->writes.first && (!polls_wait || queue->overtaken < LINK_OVERTAKES);
	struct link_line *line = write ? &queue->writes : &queue->polls;
	struct link_work *work = line->first;

	queue->overtaken = write && polls_wait ? queue->overtaken + 1 : 0;
	if (work)
		line->first = work->next;
	return work;
}

bool link_queue_remove(struct link_queue *queue, struct link_work *work)
{
	struct link_line *line = line_of(queue, work);
	struct link_work *before = NULL;

	for (struct link_work *one = line->first; one; before = one, one = one->next) {
		if (one != work)
			continue;
		if (before)
			before->next = work->next;
		else
			line->first = work->next;
		if (line->last == work)
			line->last = before;
		return true;
	}
	return false;
}
