/* SPDX-License-Identifier: Apache-2.0
 *
 * page.h - writes pages: facts in, text out, no sockets. Nothing of a page is kept for the next one but the plan of
 * what it looks like (plan.h); every page shows the values of its own facts.
 *
 *	facts_gather(&facts, registry);
 *	page_prepare(page, &facts, &size);
 *	length = page_render(page, &facts, PAGE_TEXT, memory of size bytes);
 *	facts_release(&facts);
 */
#ifndef PROMETHEUS_PAGE_H
#define PROMETHEUS_PAGE_H

#include <stddef.h>

#include "facts.h"
#include "families.h"

struct page; /* opaque; not shared between threads */

/** Make one. Returns 0 or -ENOMEM. */
int page_create(struct page **ret_page);
void page_destroy(struct page *page); /* accepts NULL */

/**
 * Get ready for @facts, with a new plan if they have another shape than those before. @ret_size is the room that a page
 * needs at most. Returns 0 or -ENOMEM.
 */
int page_prepare(struct page *page, const struct facts *facts, size_t *ret_size);

/** Write the page of the facts that it was prepared for. Returns its length. Cannot fail. */
size_t page_render(const struct page *page, const struct facts *facts, enum page_format format, char *out);

#endif
