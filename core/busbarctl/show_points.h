/* SPDX-License-Identifier: Apache-2.0
 *
 * show_points.h - prints points, for the commands that have some to show.
 */
#ifndef BUSBARCTL_SHOW_POINTS_H
#define BUSBARCTL_SHOW_POINTS_H

#include "connection.h"
#include "json.h"
#include "table.h"

/** Prints points frame by frame: an array, or a table. Initialise with { .ctl = …, .json = { .out = stdout } }. */
struct point_list {
	const struct ctl *ctl;
	struct json json;
	struct table *table;
	size_t count;
	bool begun;
};

/** For connection_ask(): prints the frame's points. @context is a struct point_list. */
int point_list_frame(void *context, const Busbar__Response *response);

/** After the last frame; nothing is printed when there was no frame. */
void point_list_end(struct point_list *list);

/** The object of one point, as `points --json` has it, without its braces. */
void point_json(struct json *json, const Busbar__Point *point);

#endif
