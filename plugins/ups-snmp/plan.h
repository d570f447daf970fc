/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - which instances of a device are worth asking for, and the requests that get them.
 *
 * What the walk at first contact met is kept in the MIB's order, together with how many useless instances lie between.
 * So a run of wanted ones is fetched by one GETBULK that names only the place before the first. Where the device does
 * not answer that way (v1, agents without GETBULK), instances are named one by one.
 */
#ifndef UPS_SNMP_PLAN_H
#define UPS_SNMP_PLAN_H

#include "decode.h"
#include "lines.h"

/* What the first request asks for; an answer of 24 numbers stays well below an Ethernet frame. */
#define PLAN_REQUEST_FIRST 24
#define PLAN_REQUEST_MAX   96

/* More useless instances than this in a row are worth a request of their own behind them. */
#define PLAN_GAP_MAX 12

/* The most instances of a device that may feed points: 3 lines, 1000 modules, some scalars. */
#define PLAN_ITEMS_MAX 1200

/* An instance that feeds a point. */
struct plan_item {
	struct suffix name;
	struct decoder decoder;
	uint32_t row;     /* of a line table: as the device counts them, until plan_number_lines() */
	uint16_t between; /* instances the device has between the item before and this one */
	int16_t point;    /* place in the reading, -1: none in this generation */
	enum bb_kind kind;
	bool urgent;
	bool dropped; /* the device said it has none (v1), and meant it */
	bool seen;    /* in this poll */
};

struct plan {
	struct plan_item *items; /* in the MIB's order */
	size_t count, size;
	uint16_t skipped; /* useless instances since the last item, while learning */
	struct lines lines;
	bool bulk; /* GETBULK works */
	bool next; /* GETNEXT, or GETBULK, does */

	/* How many variables a request asks for. */
	unsigned request, request_max;
	unsigned answered; /* the most that were answered */
};

void plan_init(struct plan *plan, bool bulk);
void plan_finish(struct plan *plan);

/**
 * While learning: the device has the instance @name. Returns 1 when it feeds a point, 0 when not, -ENOMEM, or -E2BIG when
 * there are too many. Names must come in the MIB's order, unless @ordered is false: then the item is put where it belongs.
 */
int plan_add(struct plan *plan, const struct suffix *name, const struct identity *identity, bool ordered);

/* All has been learned: number the rows of line tables by their lines, and forget those that are about none. */
void plan_number_lines(struct plan *plan);

/* Is row @row (0 for scalars) of @object there already, under whatever spelling? Before plan_number_lines(). */
bool plan_has(const struct plan *plan, const struct object *object, uint32_t row);

/* The item called @name, looked for from *@cursor on first, which follows; NULL: none. */
struct plan_item *plan_find(struct plan *plan, const struct suffix *name, size_t *cursor);

/* Forget what the poll before has seen. */
void plan_begin(struct plan *plan);

/**
 * The next GETBULK: the place to start from, how many variables to ask for and the last item among them, from item *@index
 * on, which is moved to the first one not seen. Returns false when all were.
 */
bool plan_next_run(const struct plan *plan, size_t *index, struct suffix *ret_start, unsigned *ret_repetitions,
		   size_t *ret_last);

/**
 * The next GET: up to @plan->request items from *@index on that were neither seen nor dropped, or only the urgent ones.
 * Writes their places and moves *@index behind the last. Returns how many.
 */
size_t plan_next_get(const struct plan *plan, size_t *index, bool urgent_only, size_t *ret_places, size_t size);

/* An answer to a request for @variables came: ask for more next time. */
void plan_answered(struct plan *plan, unsigned variables);

/**
 * There was none for so many (@too_big: the device said why): ask for half of it from now on. Returns false when there
 * is no point in asking again now, because fewer would not help.
 */
bool plan_refused(struct plan *plan, unsigned variables, bool too_big);

#endif
