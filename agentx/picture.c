/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.c - counting the references of pictures, and times on the master's clock, see picture.h.
 */
#include "picture.h"

#include <assert.h>

uint32_t moment_uptime(const struct moment *moment, int64_t at_ms)
{
	return at_ms <= moment->master_ms
		       ? 0
		       : (uint32_t)((at_ms - moment->master_ms) / 10); /* it wraps, as TimeTicks do */
}

struct picture *picture_ref(struct picture *picture)
{
	picture->references++;
	return picture;
}

void picture_unref(struct picture *picture)
{
	if (!picture)
		return;
	assert(picture->references > 0);
	if (--picture->references == 0)
		picture->ops->destroy(picture);
}
