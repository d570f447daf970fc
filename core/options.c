/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - from a mapping in a YAML document to a checked bb_config, by option tables.
 *
 * A bb_config has an entry for every option of its tables, whether it was written or not, with the place where it was
 * written: a plugin's check() may still refuse a value, and says so through bb_config_error() with that place. It
 * never changes once it is made, so any thread may read it.
 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "option_value.h"
#include "text.h"

struct entry {
	const struct bb_option *option; /* the plugin's, or the core's */
	struct option_value value;
	bool set;              /* written in the file */
	unsigned line, column; /* then: where */
};

struct bb_config {
	char *name;
	char *file;            /* that the section is in, NULL: none */
	unsigned line, column; /* of the section */
	size_t count;
	struct entry entries[];
};

static struct entry *find_entry(const struct bb_config *config, const char *option)
{
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->entries[i].option->name, option) == 0)
			return (struct entry *)&config->entries[i];
	return NULL;
}

/* An empty config: an entry for each option, those of earlier tables hiding those of later ones. */
static int create(const struct yaml_node *section, const char *name, const struct bb_option *const *tables,
		  struct bb_config **ret_config)
{
	struct bb_config *config;
	size_t most = 0;

	for (const struct bb_option *const *table = tables; *table; table++)
		for (const struct bb_option *option = *table; option->name; option++)
			most++;
	config = calloc(1, sizeof(*config) + most * sizeof(struct entry));
	if (!config)
		return -ENOMEM;
	for (const struct bb_option *const *table = tables; *table; table++)
		for (const struct bb_option *option = *table; option->name; option++)
			if (!find_entry(config, option->name))
				config->entries[config->count++].option = option;
	config->name = strdup(name);
	if (section && section->document->file) {
		config->file = strdup(section->document->file);
		config->line = section->line;
		config->column = section->column;
	}
	if (!config->name || (section && section->document->file && !config->file)) {
		options_free(config);
		return -ENOMEM;
	}
	*ret_config = config;
	return 0;
}

static struct option_origin origin_of(const struct yaml_node *node)
{
	const struct yaml_document *document = node ? node->document : NULL;

	return (struct option_origin){
		.folder = document && document->folder ? document->folder : ".",
		.open_to_others = document && (document->mode & S_IROTH),
	};
}

static int unknown_key(const struct bb_config *config, const struct yaml_node *key)
{
	const char **names = calloc(config->count + 1, sizeof(*names));
	const char *suggestion;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < config->count; i++)
		names[i] = config->entries[i].option->name;
	suggestion = bb_text_suggest(key->text, names);
	free(names);
	if (suggestion)
		return yaml_error(key, "%s: unknown key, did you mean '%s'?", key->text, suggestion);
	return yaml_error(key, "%s: unknown key", key->text);
}

/* A list is checked text by text; each fault has its own place. */
static int parse_list(struct entry *entry, const struct yaml_node *value)
{
	const struct option_origin origin = origin_of(value);
	const char *name = entry->option->name;
	int result = 0;

	if (value->kind != YAML_SEQUENCE)
		return yaml_error(value, "%s: must be a list such as [ one, two ], not %s", name,
				  yaml_kind_name(value));
	entry->value.list = calloc(value->count + 1, sizeof(char *));
	if (!entry->value.list)
		return -ENOMEM;
	for (size_t i = 0; i < value->count; i++) {
		const struct yaml_node *item = value->values[i];
		struct option_value parsed;
		struct option_fault fault;
		int r;

		if (item->kind != YAML_SCALAR || yaml_is_null(item)) {
			result = yaml_error(item, "%s: must be a list of texts", name);
			break;
		}
		r = option_value_parse(entry->option, item->text, &origin, &parsed, &fault);
		if (r == -EINVAL)
			r = yaml_error(item, "%s: %s", name, fault.text);
		if (r < 0) {
			result = r;
			break;
		}
		entry->value.list[i] = parsed.text; /* all that a text in a list has */
	}
	return result;
}

/* One more section of @entry, which has room for it. */
static int parse_section(struct entry *entry, size_t *count, const char *name, const struct yaml_node *node)
{
	const struct bb_option *const tables[] = {entry->option->sections, NULL};
	int r;

	if (node->kind != YAML_MAPPING)
		return yaml_error(node, "%s: must be a mapping of options, not %s", name, yaml_kind_name(node));
	r = options_parse(node, name, tables, &entry->value.sections[*count]);
	if (r >= 0)
		++*count;
	return r;
}

/* How many sections @value can have: its own items, and those of lists in it. */
static size_t count_sections(const struct yaml_node *value)
{
	size_t count = value->count;

	for (size_t i = 0; i < value->count; i++)
		count += value->values[i]->count;
	return count;
}

static int parse_sections(struct entry *entry, const struct yaml_node *value)
{
	size_t count = 0;
	int result = 0;

	if (value->kind == YAML_SCALAR)
		return yaml_error(value, "%s: must be a mapping or a list of sections", entry->option->name);
	entry->value.sections = calloc(count_sections(value) + 1, sizeof(struct bb_config *));
	if (!entry->value.sections)
		return -ENOMEM;
	for (size_t i = 0; i < value->count; i++) {
		const struct yaml_node *item = value->values[i];
		char number[24];
		const char *name = number;
		int r = 0;

		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		if (value->kind == YAML_MAPPING)
			name = value->keys[i]->text;
		if (value->kind == YAML_SEQUENCE || item->kind != YAML_SEQUENCE)
			r = parse_section(entry, &count, name, item);
		else
			for (size_t k = 0; k < item->count; k++) {
				r = parse_section(entry, &count, name, item->values[k]);
				if (r < 0)
					result = r;
			}
		if (r < 0)
			result = r;
	}
	return result;
}

static int parse_entry(struct entry *entry, const struct yaml_node *value)
{
	const struct option_origin origin = origin_of(value);
	const char *name = entry->option->name;
	struct option_fault fault;
	int r;

	entry->set = true;
	entry->line = value->line;
	entry->column = value->column;
	if (yaml_is_null(value))
		return yaml_error(value, "%s: has no value", name);
	if (entry->option->type == BB_OPTION_LIST)
		return parse_list(entry, value);
	if (entry->option->type == BB_OPTION_SECTIONS)
		return parse_sections(entry, value);
	if (value->kind != YAML_SCALAR)
		return yaml_error(value, "%s: must be a text, not %s", name, yaml_kind_name(value));
	r = option_value_parse(entry->option, value->text, &origin, &entry->value, &fault);
	if (r == -EINVAL)
		return yaml_error(value, "%s: %s", name, fault.text);
	return r;
}

static int parse_preset(struct bb_config *config, struct entry *entry, const struct yaml_node *section)
{
	struct option_origin origin = origin_of(section);
	const char *preset = entry->option->preset;
	struct option_fault fault;
	int r;

	if (!preset)
		return 0;
	origin.open_to_others = false; /* a default such as the community "public" is no secret */
	if (entry->option->type == BB_OPTION_LIST) {
		entry->value.list = option_words(preset);
		return entry->value.list ? 0 : -ENOMEM;
	}
	r = option_value_parse(entry->option, preset, &origin, &entry->value, &fault);
	if (r == -EINVAL)
		return bb_config_error(config, entry->option->name, "its default '%s' %s", preset, fault.text);
	return r;
}

/* Fill in what was not written. Returns 0 or the last fault. */
static int complete(struct bb_config *config, const struct yaml_node *section)
{
	int result = 0;

	for (size_t i = 0; i < config->count; i++) {
		struct entry *entry = &config->entries[i];
		int r;

		if (entry->set)
			continue;
		if (entry->option->required)
			r = bb_config_error(config, entry->option->name, "is missing, %s needs it", config->name);
		else
			r = parse_preset(config, entry, section);
		if (r < 0)
			result = r;
	}
	return result;
}

int options_parse(const struct yaml_node *section, const char *name, const struct bb_option *const *tables,
		  struct bb_config **ret_config)
{
	struct bb_config *config;
	int r, result = 0;

	if (!yaml_is_null(section) && section->kind != YAML_MAPPING)
		return yaml_error(section, "%s: must be a mapping of options, not %s", name, yaml_kind_name(section));
	r = create(section, name, tables, &config);
	if (r < 0)
		return r;
	for (size_t i = 0; section && i < section->count; i++) {
		struct entry *entry = find_entry(config, section->keys[i]->text);

		r = entry ? parse_entry(entry, section->values[i]) : unknown_key(config, section->keys[i]);
		if (r < 0)
			result = r;
	}
	r = complete(config, section);
	if (r < 0)
		result = r;
	if (result < 0) {
		options_free(config);
		return result;
	}
	*ret_config = config;
	return 0;
}

void options_free(struct bb_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->count; i++) {
		struct bb_config **sections = config->entries[i].value.sections;

		for (size_t k = 0; sections && sections[k]; k++)
			options_free(sections[k]);
		free(sections);
		option_value_free(&config->entries[i].value);
	}
	free(config->name);
	free(config->file);
	free(config);
}

static bool sections_equal(struct bb_config *const *a, struct bb_config *const *b)
{
	size_t i = 0;

	if (!a || !b)
		return a == b;
	while (a[i] && b[i] && options_equal(a[i], b[i]))
		i++;
	return !a[i] && !b[i];
}

bool options_equal(const struct bb_config *a, const struct bb_config *b)
{
	if (strcmp(a->name, b->name) != 0 || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		/* The same plugin has the same tables, so entry follows entry; another plugin has other names. */
		const struct bb_option *option = a->entries[i].option, *other = b->entries[i].option;

		if (option->type != other->type || strcmp(option->name, other->name) != 0)
			return false;
		if (!option_value_equal(option, &a->entries[i].value, &b->entries[i].value) ||
		    !sections_equal(a->entries[i].value.sections, b->entries[i].value.sections))
			return false;
	}
	return true;
}

const char *options_type_name(enum bb_option_type type)
{
	static const char *const names[] = {
		[BB_OPTION_STRING] = "string",
		[BB_OPTION_BOOL] = "bool",
		[BB_OPTION_INT] = "integer",
		[BB_OPTION_DURATION] = "duration",
		[BB_OPTION_SIZE] = "size",
		[BB_OPTION_DECIMAL] = "decimal",
		[BB_OPTION_ENUM] = "choice",
		[BB_OPTION_ADDRESS] = "address",
		[BB_OPTION_LISTEN] = "listen address",
		[BB_OPTION_FILE] = "file",
		[BB_OPTION_SECRET] = "secret",
		[BB_OPTION_SECRET_FILE] = "secret file",
		[BB_OPTION_LIST] = "list",
		[BB_OPTION_SECTIONS] = "sections",
	};

	return names[type];
}

/* The accessors' way in: to ask for an option that is in no table is the plugin's mistake. */
static const struct entry *get(const struct bb_config *config, const char *option)
{
	static const struct entry none;
	const struct entry *entry = find_entry(config, option);

	assert(entry);
	return entry ? entry : &none;
}

bool bb_config_is_set(const struct bb_config *config, const char *option)
{
	return get(config, option)->set;
}

const char *bb_config_string(const struct bb_config *config, const char *option)
{
	return get(config, option)->value.text;
}

int64_t bb_config_int(const struct bb_config *config, const char *option)
{
	return get(config, option)->value.number;
}

bool bb_config_bool(const struct bb_config *config, const char *option)
{
	return get(config, option)->value.number != 0;
}

const struct bb_address *bb_config_address(const struct bb_config *config, const char *option)
{
	return get(config, option)->value.address;
}

const char *const *bb_config_list(const struct bb_config *config, const char *option)
{
	static const char *const empty[] = {NULL};
	char *const *list = get(config, option)->value.list;

	return list ? (const char *const *)list : empty;
}

const struct bb_config *const *bb_config_sections(const struct bb_config *config, const char *option)
{
	static const struct bb_config *const empty[] = {NULL};
	struct bb_config *const *sections = get(config, option)->value.sections;

	return sections ? (const struct bb_config *const *)sections : empty;
}

const char *bb_config_name(const struct bb_config *config)
{
	return config->name;
}

int bb_config_error(const struct bb_config *config, const char *option, const char *format, ...)
{
	const struct entry *entry = option ? find_entry(config, option) : NULL;
	const char *what = option ? option : config->name;
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* a cut message still has its place */
	va_end(arguments);
	if (!config->file)
		(void)bb_log_error(NULL, 0, "%s: %s", what, text);
	else if (entry && entry->set)
		(void)bb_log_error(NULL, 0, "%s:%u:%u: %s: %s", config->file, entry->line, entry->column, what, text);
	else
		(void)bb_log_error(NULL, 0, "%s:%u:%u: %s: %s", config->file, config->line, config->column, what, text);
	return -EINVAL;
}
