/* SPDX-License-Identifier: Apache-2.0
 *
 * test_options.c - what each type of option takes and refuses, and that every fault has its place.
 */
#include <errno.h>
#include <signal.h>

#include <busbar/macros.h>

#include "config_support.h"
#include "options.h"

TestSuite(options, .init = config_start, .fini = config_finish);

static const struct bb_option table[] = {
	{.name = "string", .type = BB_OPTION_STRING},
	{.name = "bool", .type = BB_OPTION_BOOL},
	{.name = "int", .type = BB_OPTION_INT, .min = -5, .max = 100},
	{.name = "any-int", .type = BB_OPTION_INT},
	{.name = "interval", .type = BB_OPTION_DURATION, .preset = "5s", .min = 100, .max = 3600000},
	{.name = "any-duration", .type = BB_OPTION_DURATION},
	{.name = "size", .type = BB_OPTION_SIZE, .min = 1024, .max = 1 << 20},
	{.name = "decimal", .type = BB_OPTION_DECIMAL, .min = 500, .max = 2500},
	{.name = "enum", .type = BB_OPTION_ENUM, .choices = "one two three"},
	{.name = "address", .type = BB_OPTION_ADDRESS, .choices = "snmp snmp-tcp"},
	{.name = "any-address", .type = BB_OPTION_ADDRESS},
	{.name = "listen", .type = BB_OPTION_LISTEN},
	{.name = "file", .type = BB_OPTION_FILE},
	{.name = "secret", .type = BB_OPTION_SECRET},
	{.name = "secret-file", .type = BB_OPTION_SECRET_FILE},
	{.name = "list", .type = BB_OPTION_LIST},
	{0},
};

static int parse_with(const struct bb_option *const *tables, const char *text, mode_t mode,
		      struct bb_config **ret_config)
{
	struct yaml_document *document;
	int r;

	write_file("f", text, mode);
	cr_assert_eq(yaml_load("f", &document), 0, "%s", said);
	r = options_parse(document->root, "ups-a", tables, ret_config);
	yaml_unload(document);
	return r;
}

static struct bb_config *accept(const char *text)
{
	static const struct bb_option *const tables[] = {table, NULL};
	struct bb_config *config = NULL;

	cr_assert_eq(parse_with(tables, text, 0640, &config), 0, "%s: %s", text, said);
	cr_expect_str_eq(said, "");
	return config;
}

static void refuse(const char *text, const char *lines)
{
	static const struct bb_option *const tables[] = {table, NULL};
	struct bb_config *config = NULL;

	cr_expect_eq(parse_with(tables, text, 0640, &config), -EINVAL, "%s", text);
	cr_expect_null(config);
	expect_said(lines);
}

struct number_case {
	const char *text;
	const char *option;
	int64_t expected;
};

Test(options, numbers_of_all_kinds_are_kept_in_their_smallest_unit)
{
	static const struct number_case cases[] = {
		{"int: 24", "int", 24},
		{"int: -5", "int", -5},
		{"int: '24'", "int", 24},
		{"any-int: -9223372036854775808", "any-int", INT64_MIN},
		{"interval: 250ms", "interval", 250},
		{"interval: 5s", "interval", 5000},
		{"interval: 5 s", "interval", 5000},
		{"interval: 0.25s", "interval", 250},
		{"interval: 2m", "interval", 120000},
		{"interval: 1h", "interval", 3600000},
		{"any-duration: 7d", "any-duration", 604800000},
		{"any-duration: 0s", "any-duration", 0},
		{"size: 4096", "size", 4096},
		{"size: 64KiB", "size", 65536},
		{"size: 1MiB", "size", 1 << 20},
		{"decimal: 2.5", "decimal", 2500},
		{"decimal: 1", "decimal", 1000},
		{"bool: true", "bool", 1},
		{"bool: Yes", "bool", 1},
		{"bool: on", "bool", 1},
		{"bool: false", "bool", 0},
		{"bool: no", "bool", 0},
		{"bool: OFF", "bool", 0},
		{"enum: one", "enum", 0},
		{"enum: three", "enum", 2},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct bb_config *config = accept(cases[i].text);

		cr_expect_eq(bb_config_int(config, cases[i].option), cases[i].expected, "%s", cases[i].text);
		cr_expect(bb_config_is_set(config, cases[i].option));
		options_free(config);
	}
}

Test(options, a_duration_needs_its_unit)
{
	refuse("interval: 5", "f:1:11: interval: '5' needs a unit such as ms, s, m, h\n");
	refuse("interval: 5 parsecs", "f:1:11: interval: '5 parsecs' needs a unit such as ms, s, m, h\n");
	refuse("interval: 5S", "f:1:11: interval: '5S' needs a unit such as ms, s, m, h\n");
	refuse("interval: s", "f:1:11: interval: must be a duration such as 250ms, 5s, 2m, 12h, not 's'\n");
	refuse("interval: 1.2.3s", "f:1:11: interval: '1.2.3' is not a number\n");
	refuse("size: 5KB", "f:1:7: size: '5KB' needs no unit (bytes) or KiB, MiB, GiB\n");
	refuse("size: big", "f:1:7: size: must be a size such as 4096, 64KiB, 1MiB, not 'big'\n");
}

Test(options, what_is_out_of_range_is_told_the_range)
{
	refuse("interval: 5ms", "f:1:11: interval: out of range, must be 100ms to 1h\n");
	refuse("interval: 61m", "f:1:11: interval: out of range, must be 100ms to 1h\n");
	refuse("interval: -5s", "f:1:11: interval: out of range, must be 100ms to 1h\n");
	refuse("interval: 106751991168d", "f:1:11: interval: out of range, must be 100ms to 1h\n");
	refuse("interval: 99999999999999999999999d", "f:1:11: interval: too large\n");
	refuse("any-duration: -1s", "f:1:15: any-duration: must not be negative\n");
	refuse("int: 101", "f:1:6: int: out of range, must be -5 to 100\n");
	refuse("int: 99999999999999999999", "f:1:6: int: out of range, must be -5 to 100\n");
	refuse("int: -99999999999999999999", "f:1:6: int: out of range, must be -5 to 100\n");
	refuse("any-int: 99999999999999999999", "f:1:10: any-int: too large\n");
	refuse("size: 1023", "f:1:7: size: out of range, must be 1KiB to 1MiB\n");
	refuse("decimal: 2.501", "f:1:10: decimal: out of range, must be 0.5 to 2.5\n");
}

Test(options, a_value_of_the_wrong_type_is_refused)
{
	refuse("string: [ a ]", "f:1:9: string: must be a text, not a list\n");
	refuse("interval: { a: 1 }", "f:1:11: interval: must be a text, not a mapping\n");
	refuse("list: a", "f:1:7: list: must be a list such as [ one, two ], not a text\n");
	refuse("list: [ a, [ b ] ]", "f:1:12: list: must be a list of texts\n");
	refuse("list: [ a, ~ ]", "f:1:12: list: must be a list of texts\n");
	refuse("int: 2.5", "f:1:6: int: must be a whole number, not '2.5'\n");
	refuse("int: two", "f:1:6: int: must be a whole number, not 'two'\n");
	refuse("decimal: 2,5", "f:1:10: decimal: must be a number, not '2,5'\n");
	refuse("bool: maybe", "f:1:7: bool: must be true or false, not 'maybe'\n");
	refuse("string:", "f:1:8: string: has no value\n");
	refuse("string: ~", "f:1:9: string: has no value\n");
	refuse("list:", "f:1:6: list: has no value\n");
	refuse("string: \"a\\tb\"", "f:1:9: string: contains a control character\n");
	refuse("[ a ]", "f:1:1: ups-a: must be a mapping of options, not a list\n");
	refuse("simulator", "f:1:1: ups-a: must be a mapping of options, not a text\n");
}

Test(options, an_unknown_key_suggests_the_one_that_was_meant)
{
	refuse("intervall: 5s", "f:1:1: intervall: unknown key, did you mean 'interval'?\n");
	refuse("colour: red", "f:1:1: colour: unknown key\n");
	refuse("Interval: 5s", "f:1:1: Interval: unknown key, did you mean 'interval'?\n");
}

Test(options, a_bad_choice_lists_the_good_ones)
{
	refuse("enum: tow", "f:1:7: enum: must be one of: one two three; not 'tow', did you mean 'two'?\n");
	refuse("enum: four", "f:1:7: enum: must be one of: one two three; not 'four'\n");
}

Test(options, all_faults_of_a_section_are_reported)
{
	refuse("int: x\n"
	       "colour: red\n"
	       "bool: 7\n",
	       "f:1:6: int: must be a whole number, not 'x'\n"
	       "f:2:1: colour: unknown key\n"
	       "f:3:7: bool: must be true or false, not '7'\n");
}

struct address_case {
	const char *text, *scheme, *host;
	unsigned port;
	const char *path;
};

Test(options, an_address_is_taken_apart)
{
	static const struct address_case cases[] = {
		{"snmp://10.0.0.6", "snmp", "10.0.0.6", 0, ""},
		{"snmp://ups-a.example.org:1161", "snmp", "ups-a.example.org", 1161, ""},
		{"snmp-tcp://a:65535/", "snmp-tcp", "a", 65535, ""},
		{"snmp://[2001:db8::1]", "snmp", "2001:db8::1", 0, ""},
		{"snmp://[fe80::1%eth0]:161", "snmp", "fe80::1%eth0", 161, ""},
		{"modbus-tcp://10.0.0.5:502/1", "modbus-tcp", "10.0.0.5", 502, "1"},
		{"nut://localhost/apc1500", "nut", "localhost", 0, "apc1500"},
		{"modbus-rtu:///dev/ttyUSB0", "modbus-rtu", "", 0, "dev/ttyUSB0"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const char *option = strncmp(cases[i].text, "snmp", 4) == 0 ? "address" : "any-address";
		const struct bb_address *address;
		struct bb_config *config;
		char text[100];

		snprintf(text, sizeof(text), "%s: '%s'", option, cases[i].text);
		config = accept(text);
		address = bb_config_address(config, option);
		cr_assert_not_null(address);
		cr_expect_str_eq(address->text, cases[i].text);
		cr_expect_str_eq(address->scheme, cases[i].scheme);
		cr_expect_str_eq(address->host, cases[i].host);
		cr_expect_eq(address->port, cases[i].port);
		cr_expect_str_eq(address->path, cases[i].path);
		cr_expect_str_eq(bb_config_string(config, option), cases[i].text);
		options_free(config);
	}
}

Test(options, a_malformed_address_is_refused_with_what_would_be_right)
{
	refuse("address: 10.0.0.6", "f:1:10: address: '10.0.0.6' needs a scheme, such as snmp://192.0.2.1\n");
	refuse("address: ''", "f:1:10: address: '' needs a scheme, such as snmp://192.0.2.1\n");
	refuse("address: snmp:10.0.0.6", "f:1:10: address: 'snmp:10.0.0.6' needs a scheme, such as snmp://192.0.2.1\n");
	refuse("address: http://a", "f:1:10: address: the scheme 'http' is not one of: snmp snmp-tcp\n");
	refuse("address: snm://a", "f:1:10: address: the scheme 'snm' is not one of: snmp snmp-tcp\n");
	refuse("address: snmp://", "f:1:10: address: 'snmp://' names no host\n");
	refuse("address: snmp://a:0", "f:1:10: address: the port must be 1 to 65535\n");
	refuse("address: snmp://a:65536", "f:1:10: address: the port must be a number up to 65535, not '65536'\n");
	refuse("address: snmp://a:+1", "f:1:10: address: the port must be a number up to 65535, not '+1'\n");
	refuse("address: snmp://a:99999999999999999999", "f:1:10: address: the port must be a number up to 65535\n");
	refuse("address: 'snmp://a:'", "f:1:10: address: the port must be a number up to 65535, not ''\n");
	refuse("address: snmp://fe80::1", "f:1:10: address: an IPv6 address stands in brackets, such as [::1]\n");
	refuse("address: 'snmp://[fe80::1'", "f:1:10: address: brackets hold an IPv6 address, such as [::1]\n");
	refuse("address: 'snmp://[fe80]'", "f:1:10: address: brackets hold an IPv6 address, such as [::1]\n");
	refuse("address: 'snmp://[::1%]'", "f:1:10: address: brackets hold an IPv6 address, such as [::1]\n");
	refuse("address: 'snmp://[10.0.0.1]'", "f:1:10: address: brackets hold an IPv6 address, such as [::1]\n");
	refuse("address: 'snmp://[::1]161'",
	       "f:1:10: address: only a port may follow the brackets, such as [::1]:161\n");
	refuse("address: snmp://user@host", "f:1:10: address: 'user@host' is not a host\n");
	refuse("address: 'snmp://a b'", "f:1:10: address: 'a b' is not a host\n");
}

Test(options, a_place_to_listen_needs_a_port)
{
	static const struct address_case cases[] = {
		{"127.0.0.1:9628", "", "127.0.0.1", 9628, ""},
		{"[::1]:9628", "", "::1", 9628, ""},
		{":9628", "", "", 9628, ""},
		{"localhost:0", "", "localhost", 0, ""},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const struct bb_address *address;
		struct bb_config *config;
		char text[100];

		snprintf(text, sizeof(text), "listen: '%s'", cases[i].text);
		config = accept(text);
		address = bb_config_address(config, "listen");
		cr_expect_str_eq(address->scheme, "");
		cr_expect_str_eq(address->host, cases[i].host);
		cr_expect_eq(address->port, cases[i].port);
		options_free(config);
	}
	refuse("listen: 127.0.0.1", "f:1:9: listen: '127.0.0.1' needs a port, such as 127.0.0.1:9628\n");
	refuse("listen: 9628", "f:1:9: listen: '9628' needs a port, such as 127.0.0.1:9628\n");
	refuse("listen: http://a:1", "f:1:9: listen: an IPv6 address stands in brackets, such as [::1]\n");
	refuse("listen: ::1:9628", "f:1:9: listen: an IPv6 address stands in brackets, such as [::1]\n");
}

Test(options, what_was_not_written_has_its_default)
{
	struct bb_config *config = accept("");

	cr_expect_eq(bb_config_int(config, "interval"), 5000);
	cr_expect_str_eq(bb_config_string(config, "interval"), "5s");
	cr_expect_not(bb_config_is_set(config, "interval"));
	cr_expect_null(bb_config_string(config, "string"));
	cr_expect_eq(bb_config_int(config, "int"), 0);
	cr_expect_not(bb_config_bool(config, "bool"));
	cr_expect_null(bb_config_address(config, "address"));
	cr_expect_not_null(bb_config_list(config, "list"));
	cr_expect_null(bb_config_list(config, "list")[0]);
	cr_expect_str_eq(bb_config_name(config), "ups-a");
	options_free(config);
	options_free(NULL);
}

Test(options, a_section_that_is_not_there_is_all_defaults)
{
	static const struct bb_option *const tables[] = {table, NULL};
	struct bb_config *config;

	cr_assert_eq(options_parse(NULL, "ups-a", tables, &config), 0);
	cr_expect_eq(bb_config_int(config, "interval"), 5000);
	options_free(config);
}

Test(options, a_list_keeps_its_order)
{
	struct bb_config *config = accept("list: [ one, 'two', 3 ]");
	const char *const *list = bb_config_list(config, "list");

	cr_expect_str_eq(list[0], "one");
	cr_expect_str_eq(list[1], "two");
	cr_expect_str_eq(list[2], "3");
	cr_expect_null(list[3]);
	options_free(config);
	config = accept("list: []");
	cr_expect_null(bb_config_list(config, "list")[0]);
	options_free(config);
}

Test(options, an_earlier_table_hides_options_of_a_later_one)
{
	static const struct bb_option own[] = {
		{.name = "interval", .type = BB_OPTION_INT, .preset = "7"},
		{.name = "words", .type = BB_OPTION_LIST, .preset = "a b"},
		{0},
	};
	static const struct bb_option *const tables[] = {own, table, NULL};
	struct bb_config *config = NULL;

	cr_assert_eq(parse_with(tables, "string: x", 0640, &config), 0);
	cr_expect_eq(bb_config_int(config, "interval"), 7);
	cr_expect_str_eq(bb_config_list(config, "words")[1], "b");
	options_free(config);
	cr_expect_eq(parse_with(tables, "interval: 5s", 0640, &config), -EINVAL);
	expect_said("f:1:11: interval: must be a whole number, not '5s'\n");
}

Test(options, what_is_required_must_be_there)
{
	static const struct bb_option own[] = {
		{.name = "user", .type = BB_OPTION_STRING, .required = true},
		{0},
	};
	static const struct bb_option *const tables[] = {own, NULL};
	struct bb_config *config = NULL;

	cr_expect_eq(parse_with(tables, "\n  usr: x", 0640, &config), -EINVAL);
	expect_said("f:2:3: usr: unknown key, did you mean 'user'?\n"
		    "f:2:3: user: is missing, ups-a needs it\n");
	cr_expect_eq(options_parse(NULL, "ups-a", tables, &config), -EINVAL);
	expect_said("user: is missing, ups-a needs it\n");
}

/* ---- files and secrets ---- */

Test(options, a_file_is_found_beside_the_configuration)
{
	struct bb_config *config;
	char expected[100];

	write_file("a.txt", "x", 0644);
	config = accept("file: a.txt");
	snprintf(expected, sizeof(expected), "%s/a.txt", folder);
	cr_assert_eq(chdir("/"), 0);
	cr_expect_str_eq(bb_config_string(config, "file"), expected, "wherever we are");
	cr_assert_eq(chdir(folder), 0);
	options_free(config);

	config = accept("file: /etc/passwd");
	cr_expect_str_eq(bb_config_string(config, "file"), "/etc/passwd");
	options_free(config);
}

Test(options, a_file_that_cannot_be_read_is_refused)
{
	char expected[200];

	snprintf(expected, sizeof(expected), "f:1:7: file: cannot read %s/none: No such file or directory\n", folder);
	refuse("file: none", expected);
	refuse("file: /tmp", "f:1:7: file: /tmp is not a regular file\n");
	refuse("file: ''", "f:1:7: file: names no file\n");
	if (geteuid() != 0) {
		write_file("closed", "x", 0000);
		snprintf(expected, sizeof(expected), "f:1:7: file: cannot read %s/closed: Permission denied\n", folder);
		refuse("file: closed", expected);
	}
}

Test(options, a_secret_file_must_be_closed_to_others)
{
	struct bb_config *config;

	write_file("s", "x", 0640);
	config = accept("secret-file: s");
	options_free(config);
	write_file("s", "x", 0400);
	config = accept("secret-file: s");
	options_free(config);
	write_file("s", "x", 0644);
	refuse("secret-file: s",
	       "f:1:14: secret-file: others can get at this secret (its mode is 0644); try chmod 0640\n");
	write_file("s", "x", 0602);
	refuse("secret-file: s",
	       "f:1:14: secret-file: others can get at this secret (its mode is 0602); try chmod 0640\n");
	write_file("s", "x", 0660);
	refuse("secret-file: s",
	       "f:1:14: secret-file: its group can write this secret (its mode is 0660); try chmod 0640\n");
}

Test(options, an_inline_secret_needs_a_configuration_closed_to_others)
{
	static const struct bb_option *const tables[] = {table, NULL};
	struct bb_config *config = accept("secret: hunter2");

	cr_expect_str_eq(bb_config_string(config, "secret"), "hunter2");
	options_free(config);
	cr_expect_eq(parse_with(tables, "secret: hunter2", 0644, &config), -EINVAL);
	cr_expect_null(strstr(said, "hunter2"), "a secret is never logged");
	cr_expect_eq(strncmp(said, "f:1:9: secret: a secret in a file that others can read", 50), 0, "%s", said);
	cr_expect_eq(parse_with(tables, "string: public", 0644, &config), 0, "without secrets it may be open");
	options_free(config);
}

Test(options, a_default_is_no_secret)
{
	static const struct bb_option own[] = {
		{.name = "community", .type = BB_OPTION_SECRET, .preset = "public"},
		{0},
	};
	static const struct bb_option *const tables[] = {own, NULL};
	struct bb_config *config = NULL;

	cr_assert_eq(parse_with(tables, "", 0644, &config), 0, "%s", said);
	cr_expect_str_eq(bb_config_string(config, "community"), "public");
	options_free(config);
}

/* ---- comparing ---- */

static bool equal(const char *left, const char *right)
{
	struct bb_config *a = accept(left), *b = accept(right);
	bool same = options_equal(a, b);

	cr_expect_eq(options_equal(b, a), same);
	options_free(a);
	options_free(b);
	return same;
}

Test(options, equal_means_the_same_effect)
{
	cr_expect(equal("", ""));
	cr_expect(equal("interval: 60s", "interval: 1m"));
	cr_expect(equal("interval: 5s", ""), "the default, written out");
	cr_expect(equal("bool: yes", "bool: true"));
	cr_expect(equal("list: [ a, b ]", "# comment\nlist:\n- a\n- b\n"));
	cr_expect(equal("string: a", "string: 'a'"));
	cr_expect_not(equal("interval: 60s", "interval: 2m"));
	cr_expect_not(equal("string: a", "string: b"));
	cr_expect_not(equal("string: a", ""));
	cr_expect_not(equal("string: ''", ""));
	cr_expect_not(equal("list: [ a, b ]", "list: [ b, a ]"));
	cr_expect_not(equal("list: [ a, b ]", "list: [ a ]"));
	cr_expect_not(equal("list: [ a ]", "list: []"));
	cr_expect_not(equal("enum: one", "enum: two"));
	cr_expect_not(equal("address: snmp://a", "address: snmp://b"));
}

Test(options, a_changed_secret_file_is_a_changed_option)
{
	struct bb_config *before, *after;

	write_file("s", "old", 0600);
	before = accept("secret-file: s");
	after = accept("secret-file: s");
	cr_expect(options_equal(before, after));
	options_free(after);

	write_file("s", "longer", 0600);
	after = accept("secret-file: s");
	cr_expect_not(options_equal(before, after));
	options_free(after);

	write_file("t", "old", 0600); /* as an editor saves: a new file in place of the old one */
	cr_assert_eq(rename("t", "s"), 0);
	after = accept("secret-file: s");
	cr_expect_not(options_equal(before, after));
	options_free(before);
	options_free(after);
}

/* ---- for plugins ---- */

Test(options, a_plugin_refuses_values_with_their_place)
{
	struct bb_config *config = accept("\nint: 7\n");

	cr_expect_eq(bb_config_error(config, "int", "must be even, not %d", 7), -EINVAL);
	expect_said("f:2:6: int: must be even, not 7\n");
	cr_expect_eq(bb_config_error(config, "string", "is missing when int is odd"), -EINVAL);
	expect_said("f:2:1: string: is missing when int is odd\n");
	cr_expect_eq(bb_config_error(config, NULL, "makes no sense"), -EINVAL);
	expect_said("f:2:1: ups-a: makes no sense\n");
	options_free(config);
}

Test(options, every_type_has_a_name)
{
	for (int type = BB_OPTION_STRING; type <= BB_OPTION_LIST; type++)
		cr_expect_not_null(options_type_name((enum bb_option_type)type));
}

#ifndef NDEBUG
/* A suite of its own: what is stopped leaves its folder behind. */
Test(options_of_nobody, asking_for_an_option_that_is_in_no_table_stops_a_debug_build, .signal = SIGABRT)
{
	static const struct bb_option *const tables[] = {table, NULL};
	struct bb_config *config;

	cr_assert_eq(options_parse(NULL, "ups-a", tables, &config), 0);
	(void)bb_config_int(config, "no-such-option");
}
#endif
