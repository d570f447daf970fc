/* SPDX-License-Identifier: Apache-2.0
 *
 * test_yaml_tree.c - what of YAML is taken, what is refused and where it says so, and that no file can hurt.
 */
#include <errno.h>

#include <busbar/macros.h>

#include "config_support.h"
#include "yaml_tree.h"

TestSuite(yaml_tree, .init = config_start, .fini = config_finish);

static struct yaml_document *parse(const char *text)
{
	struct yaml_document *document = NULL;

	cr_assert_eq(yaml_parse("f", text, strlen(text), &document), 0, "%s: %s", text, said);
	return document;
}

static void expect_refused(const char *text, size_t size, const char *line)
{
	struct yaml_document *document = NULL;

	cr_expect_eq(yaml_parse("f", text, size, &document), -EINVAL);
	cr_expect_null(document);
	expect_said(line);
}

#define expect_refusal(text, line) expect_refused(text, sizeof(text) - 1, line)

Test(yaml_tree, nodes_know_their_kind_and_place)
{
	struct yaml_document *document = parse("devices:\n"
					       "  ups-a: { plugin: 'simulator', list: [ a, b ] }\n"
					       "# a comment\n"
					       "log-level: debug\n");
	const struct yaml_node *device = yaml_find(yaml_find(document->root, "devices"), "ups-a");
	const struct yaml_node *list = yaml_find(device, "list");

	cr_expect_eq(document->root->kind, YAML_MAPPING);
	cr_expect_eq(document->root->count, 2);
	cr_expect_str_eq(document->root->keys[1]->text, "log-level");
	cr_expect_eq(document->root->keys[1]->line, 4);
	cr_expect_eq(document->root->keys[1]->column, 1);
	cr_expect_eq(yaml_find(document->root, "log-level")->column, 12);
	cr_expect(yaml_find(document->root, "log-level")->plain);
	cr_expect_not(yaml_find(device, "plugin")->plain);
	cr_expect_str_eq(yaml_find(device, "plugin")->text, "simulator");
	cr_expect_eq(yaml_find(device, "plugin")->line, 2);
	cr_expect_eq(yaml_find(device, "plugin")->column, 20);
	cr_expect_eq(list->kind, YAML_SEQUENCE);
	cr_expect_eq(list->count, 2);
	cr_expect_str_eq(list->values[1]->text, "b");
	cr_expect_null(yaml_find(device, "nothing"));
	cr_expect_str_eq(yaml_kind_name(device), "a mapping");
	cr_expect_str_eq(yaml_kind_name(list), "a list");
	yaml_unload(document);
	yaml_unload(NULL);
}

Test(yaml_tree, nothing_comes_in_many_spellings)
{
	struct yaml_document *document = parse("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: []\n");

	cr_expect(yaml_is_null(yaml_find(document->root, "a")));
	cr_expect(yaml_is_null(yaml_find(document->root, "b")));
	cr_expect(yaml_is_null(yaml_find(document->root, "c")));
	cr_expect_not(yaml_is_null(yaml_find(document->root, "d")), "an empty text is a text");
	cr_expect_not(yaml_is_null(yaml_find(document->root, "e")));
	cr_expect_not(yaml_is_null(yaml_find(document->root, "f")));
	cr_expect(yaml_is_null(NULL));
	yaml_unload(document);
}

Test(yaml_tree, a_file_may_say_nothing)
{
	static const char *const texts[] = {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n"};

	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		struct yaml_document *document = parse(texts[i]);

		cr_expect(yaml_is_null(document->root), "'%s'", texts[i]);
		yaml_unload(document);
	}
}

Test(yaml_tree, a_byte_order_mark_does_no_harm)
{
	struct yaml_document *document = parse("\xef\xbb\xbf"
					       "log-level: debug\n");

	cr_expect_not_null(yaml_find(document->root, "log-level"));
	yaml_unload(document);
}

Test(yaml_tree, a_key_that_stands_twice_is_refused_at_its_second_place)
{
	expect_refusal("devices:\n  ups-a: 1\n  ups-b: 2\n  ups-a: 3\n",
		       "f:4:3: ups-a: given twice, first in line 2\n");
	expect_refusal("{ a: 1, a: 2 }", "f:1:9: a: given twice, first in line 1\n");
	expect_refusal("a: 1\nb: 2\nb: 3\na: 4\na: 5\n", "f:4:1: a: given twice, first in line 1\n"
							 "f:5:1: a: given twice, first in line 4\n"
							 "f:3:1: b: given twice, first in line 2\n");
}

Test(yaml_tree, what_we_do_not_take_of_yaml_is_refused_with_its_place)
{
	expect_refusal("a: &x 1\nb: *x\n", "f:2:4: aliases are not supported, write the value again\n");
	expect_refusal("a: !!int 1\n", "f:1:4: tags are not supported\n");
	expect_refusal("a: !x [ 1 ]\n", "f:1:4: tags are not supported\n");
	expect_refusal("a: !x { b: 1 }\n", "f:1:4: tags are not supported\n");
	expect_refusal("a: 1\n---\nb: 2\n", "f:2:1: a second document; a file holds one\n");
	expect_refusal("[ a ]: 1\n", "f:1:1: a key must be a text, not a list\n");
	expect_refusal("a: \"b\\0c\"\n", "f:1:4: a text may not contain a NUL character\n");
}

Test(yaml_tree, what_is_not_yaml_is_refused_with_its_place)
{
	expect_refusal("a: [ 1, 2\n", "f:2:1: not YAML: did not find expected ',' or ']', while parsing a flow "
				      "sequence\n");
	expect_refusal("a: 1\n  b: 2\n", "f:2:4: not YAML: mapping values are not allowed in this context\n");
	expect_refusal("a: 'b\n", "f:2:1: not YAML: found unexpected end of stream, while scanning a quoted scalar\n");
	expect_refusal("a:\n\t- b\n",
		       "f:2:1: not YAML: found character that cannot start any token, while scanning for "
		       "the next token\n");
	expect_refusal("a: b\nc: \xff\xfe\n", "f:2:4: not a text file in UTF-8: invalid leading UTF-8 octet\n");
	expect_refusal("a: \x01\n", "f:1:4: not a text file in UTF-8: control characters are not allowed\n");
}

Test(yaml_tree, depth_is_bounded)
{
	char text[2 * 100 + 1];

	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	text[200] = '\0';
	expect_refused(text, 200, "f:1:33: more than 32 levels inside one another\n");
	expect_refused(text, 100, "f:1:33: more than 32 levels inside one another\n");
	text[100 + 32] = '\0';
	yaml_unload(parse(text + 100 - 32));
}

Test(yaml_tree, a_hundred_thousand_keys_take_no_square_of_time, .timeout = 20)
{
	size_t size = 100000 * 8 + 1;
	char *text = malloc(size), *at = text;
	struct yaml_document *document;

	for (int i = 0; i < 100000; i++)
		at += sprintf(at, "k%05d:\n", i);
	document = parse(text);
	cr_expect_eq(document->root->count, 100000);
	yaml_unload(document);
	free(text);
}

Test(yaml_tree, every_beginning_of_a_file_is_parsed_or_refused)
{
	static const char text[] =
		"# \xe2\x82\xac\ndevices:\n  a: { b: [ 'c', \"d\\n\" ], e: ~ }\n  f: |\n    g\nh: &i j\n";

	for (size_t size = 0; size < sizeof(text); size++) {
		char *copy = malloc(size + 1); /* on the heap, so that a sanitizer sees a read behind the end */
		struct yaml_document *document;

		memcpy(copy, text, size);
		if (yaml_parse("f", copy, size, &document) == 0)
			yaml_unload(document);
		free(copy);
		said[0] = '\0';
	}
}

Test(yaml_tree, a_file_is_loaded_with_its_mode_and_folder)
{
	struct yaml_document *document;
	char expected[80];

	write_file("a.yaml", "a: 1\n", 0640);
	cr_assert_eq(yaml_load("a.yaml", &document), 0);
	cr_expect_eq(document->mode, 0640);
	cr_expect_str_eq(document->file, "a.yaml");
	snprintf(expected, sizeof(expected), "%s", folder);
	cr_expect_str_eq(document->folder, expected);
	yaml_unload(document);
}

Test(yaml_tree, what_cannot_be_read_is_named)
{
	struct yaml_document *document = NULL;

	cr_expect_eq(yaml_load("none.yaml", &document), -ENOENT);
	expect_said("none.yaml: cannot read: No such file or directory\n");
	cr_expect_eq(yaml_load("/tmp", &document), -EINVAL);
	expect_said("/tmp: is not a regular file\n");
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	cr_expect_eq(yaml_load("fifo", &document), -EINVAL, "and nobody waits for a writer");
	expect_said("fifo: is not a regular file\n");
	write_file("large.yaml", "", 0600);
	cr_assert_eq(truncate("large.yaml", (off_t)YAML_SIZE_MAX + 1), 0);
	cr_expect_eq(yaml_load("large.yaml", &document), -EFBIG);
	expect_said("large.yaml: larger than 8 MiB: File too large\n");
	cr_expect_null(document);
}
