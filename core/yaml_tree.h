/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_tree.h - a YAML file as a tree of nodes that know where they stand.
 *
 * What we take of YAML is what a configuration needs: one document of mappings, sequences and scalars. Tags and
 * aliases are refused, and so is a key that stands twice in a mapping. All scalars are texts; what a text means is
 * decided by the option it is for, so `version: 2` and `version: "2"` are the same.
 *
 * The name is not yaml.h because that is libyaml's. Thread: any, one at a time per document.
 */
#ifndef CORE_YAML_TREE_H
#define CORE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Limits, far above any real configuration and far below what would hurt. */
#define YAML_SIZE_MAX  ((size_t)8 << 20) /* bytes of a file */
#define YAML_DEPTH_MAX 32                /* mappings and sequences inside one another */

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
};

struct yaml_document;

/** A node. Borrowed from its document; others may build some on the stack to look like part of one. */
struct yaml_node {
	enum yaml_kind kind;
	const struct yaml_document *document;
	unsigned line, column;     /* where it begins, counted from 1 */
	char *text;                /* scalar */
	bool plain;                /* scalar: written without quotes */
	size_t count;              /* sequence and mapping */
	struct yaml_node **keys;   /* mapping: scalars */
	struct yaml_node **values; /* sequence and mapping */
};

/** A file. */
struct yaml_document {
	char *file;             /* path as it was given; NULL for nodes that come from no file */
	char *folder;           /* absolute path of the folder it is in; NULL: the current one */
	mode_t mode;            /* permissions of the file */
	struct yaml_node *root; /* NULL when the file says nothing */
};

/**
 * Read and parse the file @path. What is wrong has been logged with its place. Returns 0, -EINVAL for wrong YAML,
 * -EFBIG, -ENOMEM, or what the system said when it would not read the file.
 */
int yaml_load(const char *path, struct yaml_document **ret_document);

/** Parse @size bytes at @text, which are called @file in errors (NULL: without a place). As yaml_load(). */
int yaml_parse(const char *file, const char *text, size_t size, struct yaml_document **ret_document);

/** Free; accepts NULL. */
void yaml_unload(struct yaml_document *document);

/** Value of @key in @mapping, or NULL. */
const struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key);

/** Nothing there: NULL, an empty plain scalar, "~" or "null". */
bool yaml_is_null(const struct yaml_node *node);

/** "a text", "a list" or "a mapping": what @node is, for errors. */
const char *yaml_kind_name(const struct yaml_node *node);

/** Log "file:line:column: " and the message as an error. Returns -EINVAL. */
int yaml_error(const struct yaml_node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
