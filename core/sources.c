/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.c - the files that a configuration is written in, see sources.h.
 */
#include "sources.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		yaml_unload(sources->documents[i]);
	free(sources->documents);
}

static int sources_add(struct sources *sources, const char *path)
{
	struct yaml_document **documents =
		reallocarray(sources->documents, sources->count + 1, sizeof(struct yaml_document *));
	struct yaml_document *document;
	int r;

	if (!documents)
		return -ENOMEM;
	sources->documents = documents;
	r = yaml_load(path, &document);
	if (r < 0)
		return r;
	sources->documents[sources->count++] = document;
	if (document->root && document->root->kind != YAML_MAPPING && !yaml_is_null(document->root))
		return yaml_error(document->root, "must be a mapping of keys such as 'devices:', not %s",
				  yaml_kind_name(document->root));
	return 0;
}

static int is_yaml_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* in every locale the same */
}

/* Add every *.yaml of @folder. That there is no such folder is fine. */
static int sources_add_folder(struct sources *sources, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_yaml_file, by_name);
	int result = 0;

	if (count < 0)
		return errno == ENOENT ? 0 : bb_log_error(NULL, -errno, "%s: cannot list", folder);
	for (int i = 0; i < count; i++) {
		char *path;
		int r = asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0 ? -ENOMEM : 0;

		if (r == 0) {
			r = sources_add(sources, path);
			free(path);
		}
		if (r < 0)
			result = r;
		free(entries[i]);
	}
	free(entries);
	return result;
}

int sources_load(const char *path, struct sources *ret_sources)
{
	struct sources sources = {0};
	char *copy = strdup(path), *folder = NULL;
	int r, result;

	if (!copy || asprintf(&folder, "%s/conf.d", dirname(copy)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	result = sources_add(&sources, path);
	r = sources_add_folder(&sources, folder);
	free(folder);
	free(copy);
	if (result == 0)
		result = r;
	if (result < 0) {
		sources_free(&sources);
		return result;
	}
	*ret_sources = sources;
	return 0;
}
