/* SPDX-License-Identifier: Apache-2.0
 *
 * album.c - the pictures that transactions under way look at, see album.h.
 */
#include "album.h"

#include <stddef.h>

#include <busbar/macros.h>

static void page_clear(struct album_page *page)
{
	picture_unref(page->picture);
	*page = (struct album_page){0};
}

static bool is_old(const struct album_page *page, int64_t now_ms)
{
	return page->picture && now_ms - page->taken_ms > ALBUM_AGE_MS;
}

struct picture *album_look(struct album *album, struct subtree *subtree, uint32_t transaction,
			   const struct moment *moment)
{
	struct album_page *oldest = &album->pages[0];
	struct picture *picture;

	for (size_t i = 0; i < BB_LENGTH(album->pages); i++) {
		struct album_page *page = &album->pages[i];

		if (is_old(page, moment->now_ms))
			page_clear(page);
		if (page->picture && page->subtree == subtree && page->transaction == transaction) {
			page->used_ms = moment->now_ms;
			return page->picture;
		}
		if (oldest->picture && (!page->picture || page->used_ms < oldest->used_ms))
			oldest = page;
	}
	picture = subtree->ops->picture(subtree, moment);
	if (!picture)
		return NULL;
	page_clear(oldest);
	*oldest = (struct album_page){picture, subtree, transaction, moment->now_ms, moment->now_ms};
	return picture;
}

void album_tidy(struct album *album, int64_t now_ms)
{
	for (size_t i = 0; i < BB_LENGTH(album->pages); i++)
		if (is_old(&album->pages[i], now_ms))
			page_clear(&album->pages[i]);
}

void album_forget(struct album *album, const struct subtree *subtree)
{
	for (size_t i = 0; i < BB_LENGTH(album->pages); i++)
		if (!subtree || album->pages[i].subtree == subtree)
			page_clear(&album->pages[i]);
}
