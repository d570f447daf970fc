/* SPDX-License-Identifier: Apache-2.0
 *
 * agent_tree.c - the subtree of the BUSBAR-MIB and its pictures, see agent_tree.h.
 *
 * A thousand devices with two hundred points each make millions of instances, so none are made before somebody asks: a
 * name is taken apart into column (agent_columns.c) and row (agent_rows.c), and the value is fetched from there. What
 * follows a name is looked for in its column first, then in the columns behind it. Cells may be empty: a device that
 * never answered has no model, a value that is too old has no value.
 */
#include "agent_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/macros.h>

#include "agent_columns.h"

/* Whatever stands below: column, a length, the longest name of a device. */
#define BASE_MAX (OID_MAX - AGENT_PREFIX_MAX - 1 - 32)

struct agent_tree {
	struct subtree subtree;
	struct agent_tree_setup setup; /* its base is the subtree's root */
	struct agent_shared shared;
};

/* Points to its tree, but not for longer than subtrees live: contexts give their pictures back first. */
struct agent_picture {
	struct picture picture;
	struct agent_view view; /* fills itself while it answers */
};

/* Pictures are constant for those who ask; that one learns more about its moment does not change what it says. */
static struct agent_view *view_of(const struct picture *picture)
{
	return &((struct agent_picture *)(uintptr_t)BB_CONTAINER(picture, struct agent_picture, picture))->view;
}

static void put_binding(struct codec_buffer *answer, const struct oid *name, const struct agent_value *value)
{
	codec_put_syntax(answer, value->syntax);
	codec_put_oid(answer, name, false);
	switch (value->syntax) {
	case CODEC_OCTET_STRING:
		codec_put_octets(answer, value->octets.bytes, value->octets.length);
		break;
	case CODEC_OBJECT_IDENTIFIER:
		codec_put_oid(answer, &value->oid, false);
		break;
	case CODEC_COUNTER64:
		codec_put_u64(answer, value->counter64);
		break;
	default: /* the others of agent_columns.c are 32 bits wide */
		codec_put_u32(answer, value->number);
		break;
	}
}

/* Below, at or above 0 as @index comes before, below (or is), or comes after the column's name. */
static int compare_with_column(const struct agent_index *index, const struct agent_column *column)
{
	const size_t shorter = index->count < column->length ? index->count : column->length;

	for (size_t i = 0; i < shorter; i++)
		if (index->arcs[i] != column->prefix[i])
			return index->arcs[i] < column->prefix[i] ? -1 : 1;
	return index->count < column->length ? -1 : 0;
}

/* What stands behind the column's name. */
static struct agent_index behind(const struct agent_index *index, const struct agent_column *column)
{
	return (struct agent_index){.arcs = index->arcs + column->length, .count = index->count - column->length};
}

static struct oid name_of(struct agent_view *view, const struct agent_column *column, const struct agent_row *row)
{
	struct oid name = *view->shared->setup->base;

	(void)oid_append(&name, column->prefix, column->length); /* the base leaves room for it */
	agent_rows_append_index(view, row, &name);
	return name;
}

static void agent_get(const struct picture *picture, const struct moment *moment, const struct oid *name,
		      struct codec_buffer *answer)
{
	struct agent_view *view = view_of(picture);
	const struct oid *base = view->shared->setup->base;
	const struct agent_index index = {.arcs = name->arcs + base->length, .count = name->length - base->length};
	struct agent_value value = {.syntax = CODEC_NO_SUCH_OBJECT};

	(void)moment; /* the picture's own moment counts */
	for (size_t i = 0; i < agent_column_count; i++) {
		const struct agent_column *column = &agent_columns[i];
		struct agent_index rest;
		struct agent_row row;

		if (compare_with_column(&index, column) != 0)
			continue;
		rest = behind(&index, column);
		if (agent_rows_seek(view, column->table, &rest, true, &row)) {
			const struct oid found = name_of(view, column, &row);

			if (oid_compare(&found, name) == 0 && column->get(view, &row, &value)) {
				put_binding(answer, name, &value);
				return;
			}
		}
		value.syntax = CODEC_NO_SUCH_INSTANCE;
		break;
	}
	codec_put_syntax(answer, value.syntax);
	codec_put_oid(answer, name, false);
	answer->failed |= view->failed;
}

/* The first cell of @column behind @index, or at it with @include, that is not empty. */
static bool first_in_column(struct agent_view *view, const struct agent_column *column, const struct agent_index *index,
			    bool include, struct agent_row *ret_row, struct agent_value *ret_value)
{
	bool found = agent_rows_seek(view, column->table, index, include, ret_row);

	while (found && !column->get(view, ret_row, ret_value))
		found = agent_rows_next(view, ret_row);
	return found;
}

static bool agent_next(const struct picture *picture, const struct moment *moment, const struct codec_range *range,
		       struct codec_buffer *answer, struct oid *ret_name)
{
	static const struct agent_index nothing = {0};
	struct agent_view *view = view_of(picture);
	const struct oid *base = view->shared->setup->base;
	struct agent_index index = nothing;

	(void)moment; /* the picture's own moment counts */
	if (oid_is_below(&range->start, base)) {
		index.arcs = range->start.arcs + base->length;
		index.count = range->start.length - base->length;
	} else if (oid_compare(&range->start, base) > 0) {
		return false;
	}
	for (size_t i = 0; i < agent_column_count; i++) {
		const struct agent_column *column = &agent_columns[i];
		const int order = compare_with_column(&index, column);
		const struct agent_index rest = order == 0 ? behind(&index, column) : nothing;
		struct agent_value value;
		struct agent_row row;
		struct oid name;

		if (order > 0 || !first_in_column(view, column, &rest, order == 0 && range->include, &row, &value))
			continue;
		name = name_of(view, column, &row);
		if (range->end.length > 0 && oid_compare(&name, &range->end) >= 0)
			break;
		put_binding(answer, &name, &value);
		*ret_name = name;
		return true;
	}
	answer->failed |= view->failed;
	return false;
}

static void agent_picture_destroy(struct picture *picture)
{
	struct agent_picture *agent = BB_CONTAINER(picture, struct agent_picture, picture);

	agent_view_finish(&agent->view);
	free(agent);
}

static const struct picture_ops agent_picture_ops = {
	.get = agent_get,
	.next = agent_next,
	.destroy = agent_picture_destroy,
};

/* Every picture is a new one: among many devices something has always changed. Making one looks at none of them. */
static struct picture *agent_picture(struct subtree *subtree, const struct moment *moment)
{
	struct agent_tree *tree = BB_CONTAINER(subtree, struct agent_tree, subtree);
	struct agent_picture *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return NULL;
	if (agent_view_init(&agent->view, &tree->shared, moment) < 0) {
		free(agent);
		return NULL;
	}
	agent->picture = (struct picture){.ops = &agent_picture_ops, .references = 1};
	return &agent->picture;
}

static void agent_destroy(struct subtree *subtree)
{
	struct agent_tree *tree = BB_CONTAINER(subtree, struct agent_tree, subtree);

	agent_shared_finish(&tree->shared);
	free(tree);
}

static const struct subtree_ops agent_tree_ops = {
	.picture = agent_picture,
	.destroy = agent_destroy,
};

int agent_tree_create(const struct agent_tree_setup *setup, struct subtree **ret_subtree)
{
	struct agent_tree *tree;

	if (setup->base->length > BASE_MAX)
		return -E2BIG;
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->subtree = (struct subtree){.ops = &agent_tree_ops, .root = *setup->base};
	tree->setup = *setup;
	tree->setup.base = &tree->subtree.root;
	tree->shared = (struct agent_shared){.setup = &tree->setup, .started_ms = bb_clock_ms()};
	*ret_subtree = &tree->subtree;
	return 0;
}
