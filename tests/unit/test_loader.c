/* SPDX-License-Identifier: Apache-2.0
 *
 * test_loader.c - which files become plugins, and what is said of those that do not.
 *
 * The plugins are compiled by the test itself, from a line or two, with the compiler the tests were built with.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

static char directory[64];

static void setup(void)
{
	(void)umask(022); /* or the compiler makes files that the agent refuses */
	(void)strcpy(directory, "/tmp/busbar-loader-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

static const char *path_of(const char *file)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

/* Compiles a plugin named after the file from its initialiser. */
static void make_plugin(const char *file, const char *initialiser)
{
	char command[512];
	FILE *source = fopen(path_of("plugin.c"), "w");

	cr_assert_not_null(source);
	(void)fprintf(source,
		      "#include <busbar/plugin.h>\n"
		      "static int open_(struct bb_builder *b, const struct bb_config *c, void *s) { return 0; }\n"
		      "static int poll_(void *s, struct bb_reading *r) { return 0; }\n"
		      "static void close_(void *s) { }\n"
		      "BB_PLUGIN(test) = { %s };\n",
		      initialiser);
	cr_assert_eq(fclose(source), 0);
	(void)snprintf(command, sizeof(command), "%s -w -shared -fPIC -I%s -o %s/%s %s/plugin.c", TEST_COMPILER,
		       TEST_INCLUDE, directory, file, directory);
	cr_assert_eq(system(command), 0, "%s", command);
}

#define GOOD(name)                                                                                                     \
	".abi = BB_PLUGIN_ABI, .kind = BB_PLUGIN_DEVICE, .name = \"" name "\", .summary = \"s\", "                     \
	".device = { .open = open_, .poll = poll_, .close = close_, .schemes = \"one two-three\" }"

static void expect_refused(const char *initialiser, const char *why)
{
	const struct loader_entry *entries;
	struct loader *loader;
	size_t count;

	make_plugin("x.so", initialiser);
	cr_assert_eq(loader_create(directory, &loader), 0);
	entries = loader_entries(loader, &count);
	cr_assert_eq(count, 1);
	cr_assert_null(entries[0].plugin);
	cr_assert_not_null(strstr(entries[0].error, why), "'%s' does not say '%s'", entries[0].error, why);
	loader_destroy(loader);
}

Test(loader, a_good_plugin_is_found_by_kind_name_and_scheme, .init = setup, .fini = teardown)
{
	struct plugin_finder finder;
	struct loader *loader;

	make_plugin("good.so", GOOD("good"));
	cr_assert_eq(loader_create(directory, &loader), 0);
	finder = loader_finder(loader);
	cr_assert_not_null(finder.find(finder.context, BB_PLUGIN_DEVICE, "good"));
	cr_assert_null(finder.find(finder.context, BB_PLUGIN_EXPORTER, "good"));
	cr_assert_str_eq(finder.names(finder.context, BB_PLUGIN_DEVICE)[0], "good");
	cr_assert_null(finder.names(finder.context, BB_PLUGIN_EXPORTER)[0]);
	cr_assert_not_null(loader_find_scheme(loader, "two-three"));
	cr_assert_null(loader_find_scheme(loader, "two"));
	loader_destroy(loader);
}

Test(loader, another_abi_number_is_refused_before_anything_else_is_looked_at, .init = setup, .fini = teardown)
{
	/* name points nowhere: looking at it would crash */
	expect_refused(
		".abi = { 999, sizeof(struct bb_plugin), sizeof(struct bb_option), sizeof(struct bb_point_spec) }, "
		".name = (const char *)1",
		"another plugin ABI");
}

Test(loader, other_struct_sizes_are_refused, .init = setup, .fini = teardown)
{
	expect_refused(".abi = { BB_ABI_NUMBER, 8, 8, 8 }, .name = (const char *)1", "other struct sizes");
}

Test(loader, a_plugin_without_its_operations_is_refused, .init = setup, .fini = teardown)
{
	expect_refused(".abi = BB_PLUGIN_ABI, .kind = BB_PLUGIN_DEVICE, .name = \"x\", .summary = \"s\"",
		       "lacks open or close");
}

Test(loader, a_file_or_folder_that_others_may_write_is_refused, .init = setup, .fini = teardown)
{
	const struct loader_entry *entries;
	struct loader *loader;
	size_t count;

	make_plugin("good.so", GOOD("good"));
	cr_assert_eq(chmod(path_of("good.so"), 0775), 0);
	cr_assert_eq(loader_create(directory, &loader), 0);
	entries = loader_entries(loader, &count);
	cr_assert_eq(count, 1);
	cr_assert_not_null(strstr(entries[0].error, "writable"));
	loader_destroy(loader);

	cr_assert_eq(chmod(path_of("good.so"), 0755), 0);
	cr_assert_eq(chmod(directory, 0777), 0);
	cr_assert_eq(loader_create(directory, &loader), 0);
	entries = loader_entries(loader, &count);
	cr_assert_eq(count, 1);
	cr_assert_str_eq(entries[0].file, directory);
	cr_assert_not_null(strstr(entries[0].error, "writable"));
	cr_assert_null(entries[0].plugin);
	loader_destroy(loader);
}

Test(loader, a_file_that_is_no_shared_object_does_not_keep_the_others_out, .init = setup, .fini = teardown)
{
	const struct loader_entry *entries;
	struct loader *loader;
	size_t count;
	FILE *file;

	make_plugin("good.so", GOOD("good"));
	file = fopen(path_of("bad.so"), "w");
	(void)fputs("not an object", file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(loader_create(directory, &loader), 0);
	entries = loader_entries(loader, &count);
	cr_assert_eq(count, 2);
	cr_assert_not_null(entries[0].error);
	cr_assert_not_null(entries[1].plugin);

	/* the bad one is replaced by a good one, and a second look takes it */
	make_plugin("bad.so", GOOD("better"));
	cr_assert_eq(loader_scan(loader), 0);
	entries = loader_entries(loader, &count);
	cr_assert_eq(count, 2);
	cr_assert_not_null(entries[0].plugin);
	cr_assert_not_null(entries[1].plugin);
	loader_destroy(loader);
}
