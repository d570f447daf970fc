/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_tree.c - a YAML file as a tree of nodes, see yaml_tree.h.
 *
 * libyaml gives a stream of events; a small recursive descent turns it into nodes. The descent is ours, rather than
 * libyaml's own document loader, because here is where depth is bounded and where aliases, tags and keys that stand
 * twice are refused while their place is known. Without aliases a tree is never larger than its file.
 */
#include "yaml_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "log.h"

struct parser {
	yaml_parser_t yaml;
	struct yaml_document *document;
	unsigned depth;
};

int yaml_error(const struct yaml_node *node, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* a cut message still has its place */
	va_end(arguments);
	if (node->document->file)
		(void)bb_log_error(NULL, 0, "%s:%u:%u: %s", node->document->file, node->line, node->column, text);
	else
		(void)bb_log_error(NULL, 0, "%s", text);
	return -EINVAL;
}

static void node_free(struct yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++) {
		if (node->keys)
			node_free(node->keys[i]);
		node_free(node->values[i]);
	}
	free(node->keys);
	free(node->values);
	free(node->text);
	free(node);
}

void yaml_unload(struct yaml_document *document)
{
	if (!document)
		return;
	node_free(document->root);
	free(document->file);
	free(document->folder);
	free(document);
}

/* A node's place is that of the event it begins with. */
static struct yaml_node node_at(const struct parser *parser, const yaml_event_t *event)
{
	return (struct yaml_node){
		.document = parser->document,
		.line = (unsigned)event->start_mark.line + 1,
		.column = (unsigned)event->start_mark.column + 1,
	};
}

/* Line and column of byte @offset: libyaml has no mark for bytes that it could not decode. */
static struct yaml_node node_at_offset(const struct parser *parser, const char *text, size_t offset)
{
	struct yaml_node place = {.document = parser->document, .line = 1, .column = 1};

	for (size_t i = 0; i < offset; i++) {
		place.column++;
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

static int parser_error(const struct parser *parser)
{
	const yaml_parser_t *yaml = &parser->yaml;
	const char *problem = yaml->problem ? yaml->problem : "unknown reason";
	struct yaml_node place = {.document = parser->document};

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (yaml->error == YAML_READER_ERROR) {
		const char *text = (const char *)yaml->input.string.start;
		size_t size = (size_t)(yaml->input.string.end - yaml->input.string.start);

		place = node_at_offset(parser, text, yaml->problem_offset < size ? yaml->problem_offset : size);
		return yaml_error(&place, "not a text file in UTF-8: %s", problem);
	}
	place.line = (unsigned)yaml->problem_mark.line + 1;
	place.column = (unsigned)yaml->problem_mark.column + 1;
	if (yaml->context)
		return yaml_error(&place, "not YAML: %s, %s", problem, yaml->context);
	return yaml_error(&place, "not YAML: %s", problem);
}

static int parser_next(struct parser *parser, yaml_event_t *ret_event)
{
	return yaml_parser_parse(&parser->yaml, ret_event) ? 0 : parser_error(parser);
}

static int parse_node(struct parser *parser, const yaml_event_t *event, struct yaml_node **ret_node);

static int node_take_text(struct yaml_node *node, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (memchr(value, '\0', length))
		return yaml_error(node, "a text may not contain a NUL character");
	node->kind = YAML_SCALAR;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = strndup(value, length);
	return node->text ? 0 : -ENOMEM;
}

/* Make room for one more child; grows by doubling. */
static int node_grow(struct yaml_node *node)
{
	size_t room = node->count ? node->count * 2 : 4;

	if (node->count & (node->count - 1) || (node->count > 0 && node->count < 4))
		return 0;
	struct yaml_node **values = reallocarray(node->values, room, sizeof(struct yaml_node *));

	if (!values)
		return -ENOMEM;
	node->values = values;
	if (node->kind == YAML_MAPPING) {
		struct yaml_node **keys = reallocarray(node->keys, room, sizeof(struct yaml_node *));

		if (!keys)
			return -ENOMEM;
		node->keys = keys;
	}
	return 0;
}

static int parse_sequence(struct parser *parser, struct yaml_node *node)
{
	for (;;) {
		yaml_event_t event;
		int r = parser_next(parser, &event);

		if (r < 0)
			return r;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		r = node_grow(node);
		if (r == 0)
			r = parse_node(parser, &event, &node->values[node->count]);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		node->count++;
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *left = *(struct yaml_node *const *)a, *right = *(struct yaml_node *const *)b;
	int r = strcmp(left->text, right->text);

	if (r != 0)
		return r;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->column < right->column ? -1 : left->column > right->column;
}

/* Refuse keys that stand twice, all of them. Sorting keeps a file of very many keys from taking its square. */
static int mapping_check_keys(const struct yaml_node *node)
{
	struct yaml_node **sorted;
	int r = 0;

	if (node->count < 2)
		return 0;
	sorted = reallocarray(NULL, node->count, sizeof(struct yaml_node *));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, node->keys, node->count * sizeof(struct yaml_node *));
	qsort(sorted, node->count, sizeof(struct yaml_node *), compare_keys);
	for (size_t i = 1; i < node->count; i++) {
		const struct yaml_node *first = sorted[i - 1], *second = sorted[i];

		if (strcmp(first->text, second->text) != 0)
			continue;
		if (second->document->file)
			r = yaml_error(second, "%s: given twice, first in line %u", second->text, first->line);
		else
			r = yaml_error(second, "%s: given twice", second->text);
	}
	free(sorted);
	return r;
}

static int parse_pair(struct parser *parser, const yaml_event_t *key_event, struct yaml_node **ret_key,
		      struct yaml_node **ret_value)
{
	struct yaml_node *key, *value;
	yaml_event_t event;
	int r = parse_node(parser, key_event, &key);

	if (r < 0)
		return r;
	if (key->kind != YAML_SCALAR) {
		r = yaml_error(key, "a key must be a text, not %s", yaml_kind_name(key));
		goto fail;
	}
	r = parser_next(parser, &event);
	if (r < 0)
		goto fail;
	r = parse_node(parser, &event, &value);
	yaml_event_delete(&event);
	if (r < 0)
		goto fail;
	*ret_key = key;
	*ret_value = value;
	return 0;

fail:
	node_free(key);
	return r;
}

static int parse_mapping(struct parser *parser, struct yaml_node *node)
{
	for (;;) {
		yaml_event_t event;
		int r = parser_next(parser, &event);

		if (r < 0)
			return r;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return mapping_check_keys(node);
		}
		r = node_grow(node);
		if (r == 0)
			r = parse_pair(parser, &event, &node->keys[node->count], &node->values[node->count]);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		node->count++;
	}
}

/* Fill @node, whose place is set, from @event and those that follow it. */
static int parse_content(struct parser *parser, const yaml_event_t *event, struct yaml_node *node)
{
	int r;

	if (parser->depth >= YAML_DEPTH_MAX)
		return yaml_error(node, "more than %d levels inside one another", YAML_DEPTH_MAX);

	parser->depth++;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		r = event->data.scalar.tag ? yaml_error(node, "tags are not supported") : node_take_text(node, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		node->kind = YAML_SEQUENCE;
		r = event->data.sequence_start.tag ? yaml_error(node, "tags are not supported")
						   : parse_sequence(parser, node);
		break;
	case YAML_MAPPING_START_EVENT:
		node->kind = YAML_MAPPING;
		r = event->data.mapping_start.tag ? yaml_error(node, "tags are not supported")
						  : parse_mapping(parser, node);
		break;
	default:
		r = yaml_error(node, "aliases are not supported, write the value again");
	}
	parser->depth--;
	return r;
}

static int parse_node(struct parser *parser, const yaml_event_t *event, struct yaml_node **ret_node)
{
	struct yaml_node *node = malloc(sizeof(*node));
	int r;

	if (!node)
		return -ENOMEM;
	*node = node_at(parser, event);
	r = parse_content(parser, event, node);
	if (r < 0) {
		node_free(node);
		return r;
	}
	*ret_node = node;
	return 0;
}

/* Walk over the events of a stream that holds at most one document. */
static int parse_stream(struct parser *parser)
{
	unsigned documents = 0;

	for (;;) {
		yaml_event_t event;
		struct yaml_node place;
		bool end;
		int r = parser_next(parser, &event);

		if (r < 0)
			return r;
		end = event.type == YAML_STREAM_END_EVENT;
		place = node_at(parser, &event);
		switch (event.type) {
		case YAML_DOCUMENT_START_EVENT:
			if (documents++ > 0)
				r = yaml_error(&place, "a second document; a file holds one");
			break;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
			break;
		default:
			r = parse_node(parser, &event, &parser->document->root);
		}
		yaml_event_delete(&event);
		if (r < 0 || end)
			return r;
	}
}

int yaml_parse(const char *file, const char *text, size_t size, struct yaml_document **ret_document)
{
	struct parser parser = {0};
	int r = -ENOMEM;

	parser.document = calloc(1, sizeof(*parser.document));
	if (!parser.document)
		return -ENOMEM;
	parser.document->file = file ? strdup(file) : NULL;
	if ((file && !parser.document->file) || !yaml_parser_initialize(&parser.yaml))
		goto fail;
	yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
	r = parse_stream(&parser);
	yaml_parser_delete(&parser.yaml);
	if (r < 0)
		goto fail;
	*ret_document = parser.document;
	return 0;

fail:
	yaml_unload(parser.document);
	return r;
}

/* Read @size bytes, or up to the end when the file has become shorter meanwhile. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t n = read(fd, buffer + filled, size - filled);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		filled += (size_t)n;
	}
	return (ssize_t)filled;
}

/* The absolute path of the folder that @path is in. NULL when memory lacks or it has just gone. */
static char *folder_of(const char *path)
{
	char *copy = strdup(path);
	char *folder = copy ? realpath(dirname(copy), NULL) : NULL;

	free(copy);
	return folder;
}

static int load_from(const char *path, int fd, struct yaml_document **ret_document)
{
	struct stat status;
	char *text;
	ssize_t length;
	int r;

	if (fstat(fd, &status) < 0)
		return bb_log_error(NULL, -errno, "%s: cannot read", path);
	if (!S_ISREG(status.st_mode)) {
		(void)bb_log_error(NULL, 0, "%s: is not a regular file", path);
		return -EINVAL;
	}
	if ((uintmax_t)status.st_size > YAML_SIZE_MAX)
		return bb_log_error(NULL, -EFBIG, "%s: larger than %zu MiB", path, YAML_SIZE_MAX >> 20);
	text = malloc((size_t)status.st_size + 1); /* never 0 */
	if (!text)
		return -ENOMEM;
	length = read_all(fd, text, (size_t)status.st_size);
	if (length < 0)
		r = bb_log_error(NULL, (int)length, "%s: cannot read", path);
	else
		r = yaml_parse(path, text, (size_t)length, ret_document);
	if (r == 0) {
		(*ret_document)->mode = status.st_mode & 07777;
		(*ret_document)->folder = folder_of(path);
	}
	explicit_bzero(text, (size_t)status.st_size); /* it may hold a community */
	free(text);
	return r;
}

int yaml_load(const char *path, struct yaml_document **ret_document)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	int r;

	if (fd < 0)
		return bb_log_error(NULL, -errno, "%s: cannot read", path);
	r = load_from(path, fd, ret_document);
	close(fd);
	return r;
}

const struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->keys[i]->text, key) == 0)
			return mapping->values[i];
	return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
	if (!node)
		return true;
	if (node->kind != YAML_SCALAR || !node->plain)
		return false;
	return node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "a text",
		[YAML_SEQUENCE] = "a list",
		[YAML_MAPPING] = "a mapping",
	};

	return names[node->kind];
}
