/* SPDX-License-Identifier: Apache-2.0
 *
 * album.h - the pictures that transactions under way look at.
 *
 * A manager's GETBULK reaches us as one GetNext after the other, and all of them bear the number of one transaction. They
 * shall see one reading, so the picture that the first one looked at is kept for the others. Nobody says when a
 * transaction is over: the oldest pictures make room for new ones, and none stays for longer than ALBUM_AGE_MS, however
 * often it is looked at. So a master that gives all its transactions one number sees values that are a little old, but
 * not for ever.
 *
 * Thread: the AgentX thread.
 */
#ifndef AGENTX_ALBUM_H
#define AGENTX_ALBUM_H

#include "picture.h"

/** Most pictures kept: more than walkers that one master serves at a time. */
#define ALBUM_PAGES 32

/** A master gives up a request long before this, so what follows is another transaction that has got the same number. */
#define ALBUM_AGE_MS 10000

struct album_page {
	struct picture *picture; /* NULL: the page is empty */
	const struct subtree *subtree;
	uint32_t transaction;
	int64_t taken_ms, used_ms;
};

/** Zeroed: empty. */
struct album {
	struct album_page pages[ALBUM_PAGES];
};

/**
 * The picture of @subtree that @transaction looks at, taken now if it has not looked before. It lives until the album is
 * touched again. NULL when memory lacks.
 */
struct picture *album_look(struct album *album, struct subtree *subtree, uint32_t transaction,
			   const struct moment *moment);

/** Forget those that are older than ALBUM_AGE_MS: they keep devices and readings alive. */
void album_tidy(struct album *album, int64_t now_ms);

/** Forget the pictures of @subtree; NULL: all. */
void album_forget(struct album *album, const struct subtree *subtree);

#endif
