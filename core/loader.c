/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.c - finds, checks and loads plugins.
 *
 * A plugin runs with the agent's rights, so its file and its folder must be such that only root or the agent's own
 * user could have written them. Then it is bound at once (RTLD_NOW: a missing symbol shows now, not at three in the
 * night) and privately (RTLD_LOCAL). Only when its ABI matches is anything else of it looked at.
 */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <busbar/log.h>

#include "text.h"

struct loader {
	char *directory;
	struct loader_entry *entries;
	void **handles; /* of dlopen(), one for each entry */
	size_t count;
	const char **names[2]; /* of device plugins, of exporters; each ended by NULL */
};

/* Is what @path names safe from others? NULL, or why not. */
static const char *loader_distrust(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return strerror(errno);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return "is writable by its group or by others: chmod go-w it";
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return "belongs to neither root nor the user the agent runs as";
	return NULL;
}

/* Was it built against our headers? Looks at nothing but the ABI, which comes first for all time. NULL: yes. */
static const char *loader_check_abi(const struct bb_abi *theirs)
{
	static const struct bb_abi ours = BB_PLUGIN_ABI;

	if (theirs->number != ours.number)
		return "was built for another plugin ABI than this agent has: rebuild the plugin";
	if (memcmp(theirs, &ours, sizeof(ours)) != 0)
		return "was built with other struct sizes than this agent has: rebuild the plugin";
	return NULL;
}

/* Does it state what its kind must? NULL, or what is wrong. */
static const char *loader_check_plugin(const struct bb_plugin *plugin)
{
	if (!plugin->name || !text_is_device_name(plugin->name))
		return "has no valid name";
	if (!plugin->summary)
		return "has no summary";
	switch (plugin->kind) {
	case BB_PLUGIN_DEVICE:
		if (!plugin->device.open || !plugin->device.close)
			return "lacks open or close";
		if (!plugin->device.poll == !plugin->device.start || !plugin->device.start != !plugin->device.stop)
			return "needs either poll, or start and stop";
		return NULL;
	case BB_PLUGIN_EXPORTER:
		return plugin->exporter.start && plugin->exporter.stop ? NULL : "lacks start or stop";
	}
	return "is of a kind this agent does not know";
}

static const struct bb_plugin *loader_find(void *context, enum bb_plugin_kind kind, const char *name)
{
	const struct loader *loader = context;

	for (size_t i = 0; i < loader->count; i++) {
		const struct bb_plugin *plugin = loader->entries[i].plugin;

		if (plugin && plugin->kind == kind && strcmp(plugin->name, name) == 0)
			return plugin;
	}
	return NULL;
}

/* Everything a loaded object must be before it may join the others. NULL, or what is wrong. */
static const char *loader_check(struct loader *loader, const struct bb_plugin *plugin)
{
	const char *reason;

	if (!plugin)
		return "is no busbar plugin: it has no BB_PLUGIN()";
	reason = loader_check_abi(&plugin->abi);
	if (!reason)
		reason = loader_check_plugin(plugin);
	if (!reason && loader_find(loader, plugin->kind, plugin->name))
		reason = "has the name of a plugin that is loaded already";
	return reason;
}

/* Load one file into the entry; what is wrong with it goes to the log and into the entry. */
static int loader_load(struct loader *loader, struct loader_entry *entry, void **ret_handle)
{
	const struct bb_plugin *plugin = NULL;
	const char *reason = loader_distrust(entry->file);
	void *handle = NULL;
	char *error;

	if (!reason) {
		handle = dlopen(entry->file, RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			reason = dlerror();
	}
	if (handle) {
		plugin = dlsym(handle, "bb_plugin_object");
		reason = loader_check(loader, plugin);
	}
	if (!reason) {
		entry->plugin = plugin;
		*ret_handle = handle;
		return 0;
	}
	(void)bb_log_error(NULL, 0, "plugin %s refused: %s", entry->file, reason);
	error = strdup(reason);
	if (handle)
		dlclose(handle);
	if (!error)
		return -ENOMEM;
	entry->error = error;
	return 0;
}

static int loader_is_plugin(const struct dirent *file)
{
	const size_t length = strlen(file->d_name);

	return length > 3 && file->d_name[0] != '.' && strcmp(file->d_name + length - 3, ".so") == 0;
}

static bool loader_has_file(const struct loader *loader, const char *path)
{
	for (size_t i = 0; i < loader->count; i++)
		if (strcmp(loader->entries[i].file, path) == 0)
			return true;
	return false;
}

static void loader_entry_free(struct loader_entry *entry)
{
	free((char *)entry->file);
	free((char *)entry->error);
}

/* What was refused gets another chance, or is gone by now. */
static void loader_forget_refused(struct loader *loader)
{
	size_t kept = 0;

	for (size_t i = 0; i < loader->count; i++) {
		if (!loader->entries[i].plugin) {
			loader_entry_free(&loader->entries[i]);
			continue;
		}
		loader->entries[kept] = loader->entries[i];
		loader->handles[kept++] = loader->handles[i];
	}
	loader->count = kept;
}

static int loader_make_room(struct loader *loader, size_t more)
{
	const size_t room = loader->count + more + 1; /* never nothing */
	struct loader_entry *entries = reallocarray(loader->entries, room, sizeof(*entries));
	void **handles;

	if (!entries)
		return -ENOMEM;
	loader->entries = entries;
	handles = reallocarray(loader->handles, room, sizeof(*handles));
	if (!handles)
		return -ENOMEM;
	loader->handles = handles;
	return 0;
}

/* An entry for the folder itself, so that its refusal is seen wherever that of a plugin is. */
static int loader_refuse_folder(struct loader *loader, const char *reason)
{
	struct loader_entry entry = {0};
	int r = loader_make_room(loader, 1);

	(void)bb_log_error(NULL, 0, "plugin folder %s not used: %s", loader->directory, reason);
	if (r < 0)
		return r;
	entry.file = strdup(loader->directory);
	entry.error = strdup(reason);
	if (!entry.file || !entry.error) {
		loader_entry_free(&entry);
		return -ENOMEM;
	}
	loader->entries[loader->count] = entry;
	loader->handles[loader->count++] = NULL;
	return 0;
}

static int loader_load_all(struct loader *loader, struct dirent **files, size_t count)
{
	int made = loader_make_room(loader, count);

	if (made < 0)
		return made;
	for (size_t i = 0; i < count; i++) {
		struct loader_entry entry = {0};
		void *handle = NULL;
		char *path;
		int r;

		if (asprintf(&path, "%s/%s", loader->directory, files[i]->d_name) < 0)
			return -ENOMEM;
		if (loader_has_file(loader, path)) {
			free(path);
			continue;
		}
		entry.file = path;
		r = loader_load(loader, &entry, &handle);
		if (r < 0) {
			loader_entry_free(&entry);
			return r;
		}
		loader->entries[loader->count] = entry;
		loader->handles[loader->count++] = handle;
	}
	return 0;
}

/* The list of names for configuration_load()'s suggestions, in place of the one before. */
static int loader_list_names(struct loader *loader, enum bb_plugin_kind kind)
{
	const char ***place = &loader->names[kind == BB_PLUGIN_EXPORTER];
	const char **names = calloc(loader->count + 1, sizeof(*names));
	size_t n = 0;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < loader->count; i++)
		if (loader->entries[i].plugin && loader->entries[i].plugin->kind == kind)
			names[n++] = loader->entries[i].plugin->name;
	free(*place);
	*place = names;
	return 0;
}

int loader_scan(struct loader *loader)
{
	const char *reason = loader_distrust(loader->directory);
	struct dirent **files = NULL;
	int count = 0;
	int r;

	loader_forget_refused(loader);
	if (!reason) {
		count = scandir(loader->directory, &files, loader_is_plugin, alphasort);
		if (count < 0)
			reason = strerror(errno);
	}
	if (reason) {
		r = loader_refuse_folder(loader, reason);
	} else {
		r = loader_load_all(loader, files, (size_t)count);
		for (int i = 0; i < count; i++)
			free(files[i]);
		free(files);
	}
	if (r >= 0)
		r = loader_list_names(loader, BB_PLUGIN_DEVICE);
	if (r >= 0)
		r = loader_list_names(loader, BB_PLUGIN_EXPORTER);
	return r;
}

int loader_create(const char *directory, struct loader **ret_loader)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int r = -ENOMEM;

	if (!loader)
		return -ENOMEM;
	loader->directory = strdup(directory);
	if (loader->directory)
		r = loader_scan(loader);
	if (r < 0) {
		loader_destroy(loader);
		return r;
	}
	*ret_loader = loader;
	return 0;
}

void loader_destroy(struct loader *loader)
{
	if (!loader)
		return;
	for (size_t i = 0; i < loader->count; i++) {
		loader_entry_free(&loader->entries[i]);
		if (loader->handles[i])
			dlclose(loader->handles[i]);
	}
	free(loader->entries);
	free(loader->handles);
	free(loader->names[0]);
	free(loader->names[1]);
	free(loader->directory);
	free(loader);
}

const struct loader_entry *loader_entries(const struct loader *loader, size_t *ret_count)
{
	*ret_count = loader->count;
	return loader->entries;
}

const char *loader_directory(const struct loader *loader)
{
	return loader->directory;
}

static const char *const *loader_names(void *context, enum bb_plugin_kind kind)
{
	const struct loader *loader = context;

	return (const char *const *)loader->names[kind == BB_PLUGIN_EXPORTER];
}

struct plugin_finder loader_finder(struct loader *loader)
{
	return (struct plugin_finder){.find = loader_find, .names = loader_names, .context = loader};
}

const struct bb_plugin *loader_find_scheme(const struct loader *loader, const char *scheme)
{
	for (size_t i = 0; i < loader->count; i++) {
		const struct bb_plugin *plugin = loader->entries[i].plugin;

		if (plugin && plugin->kind == BB_PLUGIN_DEVICE && plugin->device.schemes &&
		    text_has_word(plugin->device.schemes, scheme, strlen(scheme)))
			return plugin;
	}
	return NULL;
}

int loader_default_directory(char *buffer, size_t size)
{
	char binary[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", binary, sizeof(binary) - 1);
	char *slash;
	int n;

	if (length > 0) {
		binary[length] = '\0';
		slash = strrchr(binary, '/');
		if (slash)
			*slash = '\0';
		n = snprintf(buffer, size, "%s/../lib/busbar/plugins", binary);
		if (n > 0 && (size_t)n < size && access(buffer, F_OK) == 0)
			return 0;
	}
	n = snprintf(buffer, size, "%s", BUSBAR_PLUGINDIR);
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}
