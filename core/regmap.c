/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap.c - the table of maps, and finding a register in one.
 *
 * When the agent starts, only the heads of the files are read, which say the ids. A map itself is read when somebody
 * first asks for it and then stays, so that an agent without Modbus has none of them in memory (bacs alone has 3,200
 * registers). Awkward: with that, a faulty file would be found only when it is used; the files of the user's own folder
 * are therefore read once at the start, and thrown away again. Plugins ask from their workers too, hence the lock.
 */
#include "regmap.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <busbar/text.h>

/* A map that there is. */
struct known_map {
	char *id;
	char *path;
	struct bb_regmap *map; /* once it was asked for */
	bool faulty;           /* asked for, and told */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct known_map *maps; /* sorted by id */
	size_t count;
	struct regmap_listener listener;
} table;

static int compare_id(const void *id, const void *known)
{
	return strcmp(id, ((const struct known_map *)known)->id);
}

static struct known_map *find_known(const char *id)
{
	return table.count ? bsearch(id, table.maps, table.count, sizeof(table.maps[0]), compare_id) : NULL;
}

const struct bb_regmap *bb_regmap_find(const char *id)
{
	const struct bb_regmap *map = NULL;
	struct known_map *known;

	pthread_mutex_lock(&lock);
	known = find_known(id);
	if (known && !known->map && !known->faulty)
		known->faulty = regmap_load(known->path, id, &table.listener, &known->map) < 0;
	if (known)
		map = known->map;
	pthread_mutex_unlock(&lock);
	return map;
}

const char *bb_regmap_id(size_t index)
{
	return index < table.count ? table.maps[index].id : NULL;
}

const char *bb_regmap_suggest(const char *id)
{
	const char **ids = calloc(table.count + 1, sizeof(*ids));
	const char *suggestion = NULL;

	for (size_t i = 0; ids && i < table.count; i++)
		ids[i] = table.maps[i].id;
	if (ids)
		suggestion = bb_text_suggest(id, ids);
	free(ids);
	return suggestion;
}

/* ---- registers ---- */

const struct bb_register *bb_regmap_register(const struct bb_regmap *map, enum bb_space space, uint16_t address)
{
	size_t low = 0, high = map->count;

	/* The first one behind the address; what covers it stands before that, no further back than a text is long. */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (map->registers[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0) {
		const struct bb_register *entry = &map->registers[low];

		if (address - entry->address > UINT8_MAX)
			return NULL;
		if (entry->spaces & 1u << space && address - entry->address < entry->count)
			return entry;
	}
	return NULL;
}

const char *regmap_type_name(enum bb_register_type type)
{
	static const char *const names[] = {
		[BB_REGISTER_U16] = "u16", [BB_REGISTER_S16] = "s16", [BB_REGISTER_U32] = "u16",
		[BB_REGISTER_S32] = "s16", [BB_REGISTER_BIT] = "bit", [BB_REGISTER_STRING] = "string",
	};

	return names[type];
}

void regmap_print_functions(const struct bb_register *entry, char buffer[16])
{
	static const struct {
		enum bb_space space;
		const char *read, *write;
	} functions[] = {{BB_SPACE_COIL, "/1", "/5"},
			 {BB_SPACE_DISCRETE, "/2", ""},
			 {BB_SPACE_HOLDING, "/3", ""},
			 {BB_SPACE_INPUT, "/4", ""},
			 {BB_SPACE_HOLDING, "", "/6"}};
	char text[16] = "";

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (entry->spaces & 1u << functions[i].space) {
			strcat(text, functions[i].read);
			strcat(text, entry->writable ? functions[i].write : "");
		}
	strcpy(buffer, text[0] != '\0' ? text + 1 : text);
}

/* ---- folders ---- */

static void forget_map(struct known_map *known)
{
	regmap_free(known->map);
	free(known->id);
	free(known->path);
	*known = (struct known_map){0};
}

static int add_known(const char *id, const char *path)
{
	struct known_map *maps, known = {.id = strdup(id), .path = strdup(path)};
	struct known_map *same = find_known(id);
	size_t place = 0;

	if (!known.id || !known.path)
		goto fail;
	if (same) {
		forget_map(same);
		*same = known;
		return 0;
	}
	maps = reallocarray(table.maps, table.count + 1, sizeof(*maps));
	if (!maps)
		goto fail;
	table.maps = maps;
	while (place < table.count && strcmp(maps[place].id, id) < 0)
		place++;
	memmove(maps + place + 1, maps + place, (table.count - place) * sizeof(*maps));
	maps[place] = known;
	table.count++;
	return 0;
fail:
	forget_map(&known);
	return -ENOMEM;
}

static int is_map_file(const struct dirent *file)
{
	const size_t length = strlen(file->d_name);

	return file->d_name[0] != '.' && length > 4 && strcmp(file->d_name + length - 4, ".csv") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* in every locale the same */
}

/* A faulty file is told and left out; the map it was to replace stays. */
static int add_file(const char *path, bool whole, const struct regmap_listener *listener)
{
	struct bb_regmap *map = NULL;
	struct regmap_head head;
	int r = whole ? regmap_load(path, NULL, listener, &map) : 0;

	regmap_free(map);
	if (r == 0)
		r = regmap_head_read(path, listener, &head);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = add_known(head.id, path);
	for (size_t i = 0; r == 0 && i < head.variant_count; i++)
		r = add_known(head.variants[i].id, path);
	regmap_head_finish(&head);
	return r;
}

static int add_folder(const char *folder, bool whole, const struct regmap_listener *listener)
{
	struct dirent **files;
	const int count = scandir(folder, &files, is_map_file, by_name);
	int r = 0;

	if (count < 0) {
		if (errno == ENOENT)
			return 0;
		listener->fault(listener->context, folder, 0, strerror(errno));
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (r == 0 && snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name) < (int)sizeof(path))
			r = add_file(path, whole, listener);
		free(files[i]);
	}
	free(files);
	return r;
}

int regmap_open(const char *const *directories, const struct regmap_listener *listener)
{
	int r = 0;

	regmap_close();
	table.listener = *listener;
	for (size_t i = 0; r == 0 && directories[i]; i++)
		r = add_folder(directories[i], i > 0, listener);
	if (r < 0)
		regmap_close();
	return r;
}

void regmap_close(void)
{
	for (size_t i = 0; i < table.count; i++)
		forget_map(&table.maps[i]);
	free(table.maps);
	table.maps = NULL;
	table.count = 0;
}

int regmap_default_directory(char *buffer, size_t size)
{
	char path[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *beside = NULL, *slash;
	int r;

	if (length < 0)
		return -errno;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash && slash + sizeof("/../share/busbar/maps") < path + sizeof(path)) {
		strcpy(slash, "/../share/busbar/maps");
		beside = realpath(path, NULL); /* NULL: it is not there */
	}
	r = snprintf(buffer, size, "%s", beside ? beside : BUSBAR_MAPDIR) < (int)size ? 0 : -ENAMETOOLONG;
	free(beside);
	return r;
}
