/* SPDX-License-Identifier: Apache-2.0
 *
 * show_maps.c - register maps: which there are, what is in one, and whether a file of your own is a good one.
 *
 * These commands need no agent: they look into the folders where it would look, with the same code, so that a map can
 * be checked before it is installed.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "format.h"
#include "json.h"
#include "regmap.h"
#include "table.h"

#include <busbar/decimal.h>
#include <busbar/point.h>

/* Room for the codes of a register, and for a scale as a fraction. */
#define VALUES_SIZE 1024
#define SCALE_SIZE  48

/* ---- what is wrong with a file ---- */

struct faults {
	struct json *json; /* NULL: lines for people */
	FILE *out;
	unsigned count;
};

static void fault_tell(void *context, const char *file, unsigned line, const char *text)
{
	struct faults *faults = context;

	faults->count++;
	if (faults->json) {
		json_object(faults->json, false);
		json_key(faults->json, "file");
		json_string(faults->json, file);
		json_key(faults->json, "line");
		if (line > 0)
			json_unsigned(faults->json, line);
		else
			json_null(faults->json);
		json_key(faults->json, "text");
		json_string(faults->json, text);
		json_end_object(faults->json);
	} else if (line > 0) {
		(void)fprintf(faults->out, "%s:%u: %s\n", file, line, text);
	} else {
		(void)fprintf(faults->out, "%s: %s\n", file, text);
	}
}

static int open_maps(const struct ctl *ctl, struct faults *faults)
{
	const struct regmap_listener listener = {.fault = fault_tell, .context = faults};
	char shipped[PATH_MAX];
	int r = regmap_default_directory(shipped, sizeof(shipped));

	if (r < 0)
		return ctl_fail(CTL_ALARM, "cannot tell where the register maps are: %s", strerror(-r));
	const char *const directories[] = {shipped, ctl->maps_dir ? ctl->maps_dir : BUSBAR_SYSCONFDIR "/maps.d", NULL};

	r = regmap_open(directories, &listener);
	return r < 0 ? ctl_fail(CTL_ALARM, "cannot read the register maps: %s", strerror(-r)) : CTL_FINE;
}

/* ---- maps ---- */

static void map_json(struct json *json, const struct bb_regmap *map)
{
	json_key(json, "map");
	json_string(json, map->id);
	json_key(json, "vendor");
	json_string(json, map->vendor);
	json_key(json, "models");
	json_string(json, map->models);
	json_key(json, "oem");
	if (map->oem > 0)
		json_integer(json, map->oem);
	else
		json_null(json);
	json_key(json, "file");
	json_string(json, map->file);
	json_key(json, "register_count");
	json_unsigned(json, map->count);
}

static void maps_json(void)
{
	struct json json = {.out = stdout};
	const char *id;

	json_array(&json, true);
	for (size_t i = 0; (id = bb_regmap_id(i)); i++) {
		const struct bb_regmap *map = bb_regmap_find(id);

		if (!map)
			continue; /* said on stderr */
		json_object(&json, false);
		map_json(&json, map);
		json_end_object(&json);
	}
	json_end_array(&json);
}

static void maps_table(const struct ctl *ctl)
{
	static const struct table_column columns[] = {
		{"MAP", false}, {"OEM", true}, {"REGISTERS", true}, {"VENDOR", false}, {"MODELS", false},
	};
	struct table *table = table_open(stdout, ctl->colour, columns, sizeof(columns) / sizeof(columns[0]));
	const char *id;

	for (size_t i = 0; (id = bb_regmap_id(i)); i++) {
		const struct bb_regmap *map = bb_regmap_find(id);

		if (!map)
			continue;
		table_cell(table, STYLE_BOLD, id);
		if (map->oem > 0)
			table_cell_format(table, STYLE_PLAIN, "%d", map->oem);
		else
			table_cell(table, STYLE_PLAIN, "-");
		table_cell_format(table, STYLE_PLAIN, "%zu", map->count);
		table_cell(table, STYLE_PLAIN, map->vendor[0] != '\0' ? map->vendor : "-");
		table_cell(table, STYLE_PLAIN, map->models);
	}
	table_close(table);
}

int maps_run(struct ctl *ctl, int argc, char **argv)
{
	struct faults faults = {.out = stderr};
	int result = open_maps(ctl, &faults);

	(void)argc; /* no arguments: the table of commands says so */
	(void)argv;
	if (result != CTL_FINE)
		return result;
	if (ctl->json)
		maps_json();
	else
		maps_table(ctl);
	regmap_close();
	return faults.count > 0 ? CTL_ALARM : CTL_FINE;
}

/* ---- one map ---- */

/* Value in the point's unit for raw 1: exact, as a decimal where it ends within 9 digits. False: @ret_text is a fraction. */
static bool scale_of(const struct bb_register *entry, int64_t *ret_value, unsigned *ret_decimals, char text[SCALE_SIZE])
{
	unsigned decimals = 0;

	/* value = raw × multiplier / divisor, with the point's decimals behind the dot */
	for (; decimals <= 9; decimals++) {
		const int64_t power = bb_decimal_rescale(1, 0, decimals);
		const int64_t whole = bb_decimal_rescale(1, 0, entry->decimals) * entry->divisor;

		if (entry->multiplier > INT64_MAX / power)
			break;
		if (entry->multiplier * power % whole == 0) {
			*ret_value = entry->multiplier * power / whole;
			*ret_decimals = decimals;
			(void)bb_decimal_print(text, *ret_value, decimals);
			return true;
		}
	}
	(void)snprintf(text, SCALE_SIZE, "%" PRId64 "/%" PRId64, entry->multiplier,
		       entry->divisor * bb_decimal_rescale(1, 0, entry->decimals));
	return false;
}

/* The codes as the file would have them. */
static const char *values_of(const struct bb_register *entry, char buffer[VALUES_SIZE])
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < entry->code_count && used < VALUES_SIZE; i++)
		used += (size_t)snprintf(buffer + used, VALUES_SIZE - used, "%s%s%" PRId32 "=%s", i > 0 ? ";" : "",
					 entry->kind == BB_KIND_FLAGS ? "bit" : "", entry->codes[i].raw,
					 entry->codes[i].name);
	if (entry->other != BB_NO_OTHER && used < VALUES_SIZE)
		(void)snprintf(buffer + used, VALUES_SIZE - used, "%sother=%" PRId32, used > 0 ? ";" : "",
			       entry->other);
	return buffer;
}

static const char *note_of(const struct bb_register *entry)
{
	const struct bb_point *point = entry->point ? bb_dictionary_find(entry->point) : NULL;

	if (entry->note[0] != '\0')
		return entry->note;
	return point ? point->help : "";
}

static void register_json(struct json *json, const struct bb_register *entry)
{
	char functions[16], text[SCALE_SIZE], values[VALUES_SIZE];
	unsigned decimals;
	int64_t scale;

	regmap_print_functions(entry, functions);
	json_object(json, false);
	json_key(json, "address");
	json_unsigned(json, entry->address);
	json_key(json, "count");
	json_unsigned(json, entry->count);
	json_key(json, "type");
	json_string(json, regmap_type_name(entry->type));
	json_key(json, "functions");
	json_string(json, functions);
	json_key(json, "symbol");
	json_string(json, entry->symbol);
	json_key(json, "point");
	json_string(json, entry->point);
	if (entry->fallback) {
		json_key(json, "fallback");
		json_string(json, entry->fallback);
	}
	json_key(json, "unit");
	json_string(json, bb_unit_name(entry->unit));
	json_key(json, "scale");
	if (scale_of(entry, &scale, &decimals, text))
		json_decimal(json, scale, decimals);
	else
		json_string(json, text);
	json_key(json, "offset");
	json_decimal(json, entry->offset, entry->decimals);
	json_key(json, "values");
	json_string(json, values_of(entry, values));
	json_key(json, "least");
	json_integer(json, entry->least);
	json_key(json, "most");
	json_integer(json, entry->most);
	json_key(json, "measurement");
	json_bool(json, entry->role == BB_ROLE_MEASUREMENT);
	json_key(json, "feeds");
	json_bool(json, entry->feeds);
	json_key(json, "writable");
	json_bool(json, entry->writable);
	json_key(json, "note");
	json_string(json, note_of(entry));
	json_end_object(json);
}

static void register_row(struct table *table, const struct bb_register *entry)
{
	char functions[16], text[SCALE_SIZE], values[VALUES_SIZE], offset[BB_DECIMAL_SIZE] = "";
	const char *unit = bb_unit_name(entry->unit);
	unsigned decimals;
	int64_t scale;

	regmap_print_functions(entry, functions);
	(void)scale_of(entry, &scale, &decimals, text);
	if (entry->offset != 0)
		(void)bb_decimal_print_short(offset, entry->offset, entry->decimals);
	table_cell_format(table, STYLE_BOLD, "%u", entry->address);
	table_cell_format(table, STYLE_PLAIN, "%u", entry->count);
	table_cell(table, STYLE_PLAIN, regmap_type_name(entry->type));
	table_cell(table, STYLE_PLAIN, functions);
	table_cell(table, STYLE_PLAIN, entry->symbol);
	table_cell(table, entry->point ? STYLE_PLAIN : STYLE_GREY, entry->point ? entry->point : "-");
	table_cell_format(table, STYLE_PLAIN, "%s%s%s%s%s", text, offset[0] != '\0' && offset[0] != '-' ? "+" : "",
			  offset, unit[0] != '\0' ? " " : "", unit);
	table_cell(table, STYLE_PLAIN, values_of(entry, values));
	table_cell(table, STYLE_PLAIN, note_of(entry));
}

static void map_table(const struct ctl *ctl, const struct bb_regmap *map)
{
	static const struct table_column columns[] = {
		{"ADDRESS", true}, {"COUNT", true},  {"TYPE", false},   {"FUNC", false}, {"SYMBOL", false},
		{"POINT", false},  {"SCALE", false}, {"VALUES", false}, {"NOTE", false},
	};
	struct table *table;

	(void)printf("%s: %s%s%s\n", map->id, map->vendor[0] != '\0' ? map->vendor : "several makers",
		     map->models[0] != '\0' ? ", " : "", map->models);
	if (map->oem > 0)
		(void)printf("OEM id %d\n", map->oem);
	(void)printf("%zu registers, from %s\n\n", map->count, map->file);
	table = table_open(stdout, ctl->colour, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < map->count; i++)
		register_row(table, &map->registers[i]);
	table_close(table);
}

static int show_map(const struct ctl *ctl, const char *id)
{
	struct json json = {.out = stdout};
	const struct bb_regmap *map = bb_regmap_find(id);
	const char *suggestion = bb_regmap_suggest(id);

	if (!map && suggestion && strcmp(suggestion, id) != 0)
		return ctl_fail(CTL_ALARM, "no map '%s', did you mean '%s'?", id, suggestion);
	if (!map)
		return ctl_fail(CTL_ALARM, "no map '%s'; 'busbarctl maps' lists them", id);
	if (!ctl->json) {
		map_table(ctl, map);
		return CTL_FINE;
	}
	json_object(&json, true);
	map_json(&json, map);
	json_key(&json, "registers");
	json_array(&json, true);
	for (size_t i = 0; i < map->count; i++)
		register_json(&json, &map->registers[i]);
	json_end_array(&json);
	json_end_object(&json);
	return CTL_FINE;
}

/* ---- map --check ---- */

static void check_file(const struct ctl *ctl, const char *path, struct faults *faults)
{
	const struct regmap_listener listener = {.fault = fault_tell, .context = faults};
	struct bb_regmap *map = NULL;
	size_t fed = 0;

	if (regmap_load(path, NULL, &listener, &map) < 0)
		return; /* the listener knows */
	for (size_t i = 0; i < map->count; i++)
		fed += map->registers[i].feeds;
	if (!ctl->json)
		(void)printf("%s: fine: map '%s', %zu registers, %zu points\n", path, map->id, map->count, fed);
	regmap_free(map);
}

static int check_files(const struct ctl *ctl, int count, char **paths)
{
	struct json json = {.out = stdout};
	struct faults faults = {.json = ctl->json ? &json : NULL, .out = stdout};

	if (ctl->json)
		json_array(&json, true);
	for (int i = 0; i < count; i++)
		check_file(ctl, paths[i], &faults);
	if (ctl->json)
		json_end_array(&json);
	return faults.count > 0 ? CTL_ALARM : CTL_FINE;
}

int map_run(struct ctl *ctl, int argc, char **argv)
{
	struct faults faults = {.out = stderr};
	int result;

	if (ctl->check)
		return check_files(ctl, argc, argv);
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "usage: busbarctl map ID, or: busbarctl map --check FILE...");
	result = open_maps(ctl, &faults);
	if (result == CTL_FINE)
		result = show_map(ctl, argv[0]);
	regmap_close();
	return result;
}
