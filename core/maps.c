/* SPDX-License-Identifier: Apache-2.0
 *
 * maps.c - where the agent looks for register maps, and what it says of faulty ones. The table is regmap.c's.
 */
#include "maps.h"

#include <limits.h>

#include <busbar/log.h>

#include "regmap.h"

static void log_fault(void *context, const char *file, unsigned line, const char *text)
{
	(void)context;
	if (line > 0)
		(void)bb_log_error(NULL, 0, "%s:%u: %s", file, line, text);
	else
		(void)bb_log_error(NULL, 0, "%s: %s", file, text);
}

int maps_open(const struct bb_config *config)
{
	static const struct regmap_listener listener = {.fault = log_fault};
	char shipped[PATH_MAX];
	const char *own = bb_config_string(config, "maps-dir");
	int r = regmap_default_directory(shipped, sizeof(shipped));

	if (r < 0)
		return bb_log_error(NULL, r, "cannot tell where the register maps are");
	const char *const directories[] = {shipped, own ? own : BUSBAR_SYSCONFDIR "/maps.d", NULL};

	r = regmap_open(directories, &listener);
	return r < 0 ? bb_log_error(NULL, r, "register maps") : 0;
}
