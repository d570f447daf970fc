/* SPDX-License-Identifier: Apache-2.0
 *
 * test_configuration.c - whole configurations: several files, sections of plugins, and every fault with its place.
 */
#include <errno.h>

#include <busbar/macros.h>

#include "config_support.h"
#include "configuration.h"
#include "options.h"

TestSuite(configuration, .init = config_start, .fini = config_finish);

/* ---- plugins that exist only here ---- */

static const struct bb_option meter_options[] = {
	{.name = "low", .type = BB_OPTION_INT, .preset = "1", .min = 0, .max = 100, .help = "lower bound"},
	{.name = "high", .type = BB_OPTION_INT, .preset = "9", .min = 0, .max = 100, .help = "upper bound"},
	{.name = "community", .type = BB_OPTION_SECRET, .help = "a secret"},
	{.name = "phases", .type = BB_OPTION_LIST, .help = "a list"},
	{0},
};

static int meter_check(const struct bb_config *config)
{
	if (bb_config_int(config, "low") > bb_config_int(config, "high"))
		return bb_config_error(config, "low", "must not be above 'high'");
	return 0;
}

static const struct bb_plugin meter = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "meter",
	.options = meter_options,
	.device = {.check = meter_check, .schemes = "meter meter-tls"},
};

static const struct bb_plugin plain = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "plain",
};

static const struct bb_option web_options[] = {
	{.name = "listen", .type = BB_OPTION_LISTEN, .preset = "127.0.0.1:9628", .help = "where"},
	{0},
};

static int web_check(const struct bb_config *config)
{
	if (bb_config_address(config, "listen")->port == 22)
		return bb_config_error(config, "listen", "is for others");
	return 0;
}

static const struct bb_plugin web = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "web",
	.options = web_options,
	.exporter = {.check = web_check},
};

static const struct bb_plugin *find(void *context, enum bb_plugin_kind kind, const char *name)
{
	static const struct bb_plugin *const plugins[] = {&meter, &plain, &web};

	(void)context;
	for (size_t i = 0; i < BB_LENGTH(plugins); i++)
		if (plugins[i]->kind == kind && strcmp(plugins[i]->name, name) == 0)
			return plugins[i];
	return NULL;
}

static const char *const *names(void *context, enum bb_plugin_kind kind)
{
	static const char *const devices[] = {"meter", "plain", NULL}, *const exporters[] = {"web", NULL};

	(void)context;
	return kind == BB_PLUGIN_DEVICE ? devices : exporters;
}

static const struct plugin_finder finder = {find, names, NULL};

/* ---- loading ---- */

static struct configuration *accept(const char *text)
{
	struct configuration *configuration = NULL;

	write_file("b.yaml", text, 0640);
	cr_assert_eq(configuration_load("b.yaml", &finder, &configuration), 0, "%s", said);
	expect_said("");
	return configuration;
}

static void refuse_file(const char *lines)
{
	struct configuration *configuration = NULL;

	cr_expect_eq(configuration_load("b.yaml", &finder, &configuration), -EINVAL);
	cr_expect_null(configuration);
	expect_said(lines);
}

static void refuse(const char *text, const char *lines)
{
	write_file("b.yaml", text, 0640);
	refuse_file(lines);
}

Test(configuration, devices_and_exporters_come_out_sorted_with_their_options)
{
	struct configuration *configuration = accept("log-level: debug\n"
						     "devices:\n"
						     "  ups-b: { plugin: plain }\n"
						     "  ups-a:\n"
						     "    plugin: meter\n"
						     "    address: meter://10.0.0.5:502/1\n"
						     "    interval: 2s\n"
						     "    low: 3\n"
						     "exporters:\n"
						     "  web: { listen: '127.0.0.1:80' }\n"
						     "  second: { plugin: web, listen: '127.0.0.1:81' }\n");
	const struct bb_config *a, *second;

	cr_assert_eq(configuration->device_count, 2);
	a = configuration->devices[0].config;
	cr_expect_eq(configuration->devices[0].plugin, &meter);
	cr_expect_str_eq(bb_config_name(a), "ups-a");
	cr_expect_eq(bb_config_int(a, "interval"), 2000);
	cr_expect_eq(bb_config_int(a, "watch"), 1000);
	cr_expect_eq(bb_config_int(a, "timeout"), 3000);
	cr_expect_eq(bb_config_int(a, "stale-after"), 0, "not said: whoever asks knows the interval");
	cr_expect_eq(bb_config_int(a, "low"), 3);
	cr_expect_eq(bb_config_address(a, "address")->port, 502);
	cr_expect_eq(configuration->devices[1].plugin, &plain);

	cr_assert_eq(configuration->exporter_count, 2);
	second = configuration->exporters[0].config;
	cr_expect_str_eq(bb_config_name(second), "second");
	cr_expect_eq(bb_config_address(second, "listen")->port, 81);
	cr_expect_str_eq(bb_config_name(configuration->exporters[1].config), "web");

	cr_expect_str_eq(bb_config_string(configuration->agent, "log-level"), "debug");
	cr_expect_str_eq(bb_config_string(configuration->agent, "socket"), "/run/busbar/busbar.sock");
	cr_expect_null(bb_config_string(configuration->agent, "plugin-dir"));
	configuration_free(configuration);
	configuration_free(NULL);
}

Test(configuration, empty_sections_are_fine)
{
	static const char *const texts[] = {"", "devices:\n", "devices: {}\nexporters:\n", "# nothing\n",
					    "exporters:\n  web:\n"};

	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		struct configuration *configuration = accept(texts[i]);

		cr_expect_eq(configuration->device_count, 0);
		cr_expect_eq(configuration->exporter_count, i == 4 ? 1 : 0);
		configuration_free(configuration);
	}
}

Test(configuration, unknown_top_level_keys_are_refused)
{
	refuse("device:\n  a: { plugin: plain }\n", "b.yaml:1:1: device: unknown key, did you mean 'devices'?\n");
	refuse("log_level: debug\n", "b.yaml:1:1: log_level: unknown key, did you mean 'log-level'?\n");
	refuse("alarm: []\njobs: []\n",
	       "b.yaml:1:1: alarm: unknown key, did you mean 'alarms'?\nb.yaml:2:1: jobs: unknown key\n");
	refuse("[ devices ]\n", "b.yaml:1:1: must be a mapping of keys such as 'devices:', not a list\n");
	refuse("devices\n", "b.yaml:1:1: must be a mapping of keys such as 'devices:', not a text\n");
}

Test(configuration, the_agents_own_options_are_checked)
{
	refuse("log-level: loud\n",
	       "b.yaml:1:12: log-level: must be one of: error warning notice info debug; not 'loud'\n");
	refuse("socket: [ a ]\n", "b.yaml:1:9: socket: must be a text, not a list\n");
}

Test(configuration, a_section_of_the_wrong_kind_is_refused)
{
	refuse("devices: [ a ]\n", "b.yaml:1:10: devices: must be a mapping of names to their options, not a list\n");
	refuse("exporters: web\n", "b.yaml:1:12: exporters: must be a mapping of names to their options, not a text\n");
	refuse("exporters:\n  web: 9628\n", "b.yaml:2:8: web: must be a mapping of options, not a text\n");
}

Test(configuration, a_bad_device_name_is_refused)
{
	refuse("devices:\n  Ups A: { plugin: plain }\n",
	       "b.yaml:2:3: Ups A: a name is 1 to 32 of a-z, 0-9 and '-', and does not begin with '-'\n");
	refuse("devices:\n  ../x: { plugin: plain }\n",
	       "b.yaml:2:3: ../x: a name is 1 to 32 of a-z, 0-9 and '-', and does not begin with '-'\n");
}

Test(configuration, a_missing_or_unknown_plugin_is_refused)
{
	refuse("devices:\n  ups-a: { address: 'meter://a' }\n", "b.yaml:2:3: plugin: is missing, ups-a needs it\n");
	refuse("devices:\n  ups-a:\n", "b.yaml:2:3: plugin: is missing, ups-a needs it\n");
	refuse("devices:\n  ups-a: meter\n", "b.yaml:2:10: ups-a: must be a mapping of options, not a text\n");
	refuse("devices:\n  ups-a: { plugin: metre }\n",
	       "b.yaml:2:20: plugin: there is no device plugin 'metre', did you mean 'meter'?\n");
	refuse("devices:\n  ups-a: { plugin: web }\n", "b.yaml:2:20: plugin: there is no device plugin 'web'\n");
	refuse("devices:\n  ups-a: { plugin: [ meter ] }\n",
	       "b.yaml:2:20: plugin: must be the name of a device plugin\n");
	refuse("devices:\n  ups-a: { plugin: ~ }\n", "b.yaml:2:20: plugin: must be the name of a device plugin\n");
	refuse("exporters:\n  wbe:\n", "b.yaml:2:3: wbe: there is no exporter plugin 'wbe', did you mean 'web'?\n");
	refuse("exporters:\n  mine: { plugin: wev }\n",
	       "b.yaml:2:19: plugin: there is no exporter plugin 'wev', did you mean 'web'?\n");
}

Test(configuration, options_of_plugin_and_core_are_known_together)
{
	refuse("devices:\n  ups-a:\n    plugin: meter\n    intervall: 5s\n    hihg: 3\n    interval: 5\n",
	       "b.yaml:4:5: intervall: unknown key, did you mean 'interval'?\n"
	       "b.yaml:5:5: hihg: unknown key, did you mean 'high'?\n"
	       "b.yaml:6:15: interval: '5' needs a unit such as ms, s, m, h\n");
}

Test(configuration, an_address_must_have_a_scheme_of_its_plugin)
{
	refuse("devices:\n  ups-a: { plugin: meter, address: 'snmp://10.0.0.1' }\n",
	       "b.yaml:2:36: address: the scheme 'snmp' is not one of: meter meter-tls\n");
	refuse("devices:\n  ups-a: { plugin: meter, address: 'mete://10.0.0.1' }\n",
	       "b.yaml:2:36: address: the scheme 'mete' is not one of: meter meter-tls\n");
	configuration_free(accept("devices:\n  ups-a: { plugin: meter, address: 'meter-tls://10.0.0.1' }\n"));
	configuration_free(accept("devices:\n  ups-a: { plugin: plain, address: 'anything://10.0.0.1' }\n"));
}

Test(configuration, plugins_check_their_own_sections)
{
	refuse("devices:\n  ups-a: { plugin: meter, low: 10 }\n", "b.yaml:2:32: low: must not be above 'high'\n");
	refuse("exporters:\n  web: { listen: ':22' }\n", "b.yaml:2:18: listen: is for others\n");
}

Test(configuration, all_faults_of_all_sections_are_reported_in_the_order_of_the_file)
{
	refuse("colour: red\n"
	       "devices:\n"
	       "  z: { plugin: metre }\n"
	       "  a: { plugin: meter, low: 200 }\n"
	       "exporters:\n"
	       "  web: { listen: nowhere }\n",
	       "b.yaml:1:1: colour: unknown key\n"
	       "b.yaml:3:16: plugin: there is no device plugin 'metre', did you mean 'meter'?\n"
	       "b.yaml:4:28: low: out of range, must be 0 to 100\n"
	       "b.yaml:6:18: listen: 'nowhere' needs a port, such as 127.0.0.1:9628\n");
}

Test(configuration, a_device_that_stands_twice_is_refused)
{
	refuse("devices:\n  ups-a: { plugin: plain }\n  ups-a: { plugin: meter }\n",
	       "b.yaml:3:3: ups-a: given twice, first in line 2\n");
}

Test(configuration, an_inline_secret_needs_a_file_closed_to_others)
{
	write_file("b.yaml", "devices:\n  ups-a: { plugin: meter, community: hunter2 }\n", 0644);
	refuse_file("b.yaml:2:38: community: a secret in a file that others can read; take their right to read it "
		    "(chmod o-r) or name a file that holds the secret\n");
	configuration_free(accept("devices:\n  ups-a: { plugin: meter, community: hunter2 }\n"));
}

/* ---- conf.d ---- */

Test(configuration, files_of_conf_d_add_to_the_main_one)
{
	struct configuration *configuration;

	cr_assert_eq(mkdir("conf.d", 0755), 0);
	write_file("conf.d/20-more.yaml", "devices:\n  c: { plugin: plain }\n", 0644);
	write_file("conf.d/10-some.yaml", "devices:\n  b: { plugin: plain }\nlog-level: info\n", 0644);
	write_file("conf.d/old.yaml~", "not: looked at\n", 0644);
	write_file("conf.d/.hidden.yaml", "not: looked at\n", 0644);
	write_file("conf.d/README", "not: looked at\n", 0644);
	configuration = accept("devices:\n  a: { plugin: plain }\n");
	cr_expect_eq(configuration->device_count, 3);
	cr_expect_str_eq(bb_config_name(configuration->devices[2].config), "c");
	cr_expect_str_eq(bb_config_string(configuration->agent, "log-level"), "info");
	configuration_free(configuration);
}

Test(configuration, the_same_name_in_two_files_is_refused_at_the_second)
{
	cr_assert_eq(mkdir("conf.d", 0755), 0);
	write_file("conf.d/a.yaml", "devices:\n  ups-a: { plugin: meter }\nsocket: /b\n", 0644);
	refuse("socket: /a\n\ndevices:\n  ups-a: { plugin: plain }\n",
	       "./conf.d/a.yaml:3:1: socket: given twice, first in b.yaml:1\n"
	       "./conf.d/a.yaml:2:3: ups-a: given twice, first in b.yaml:4\n");
}

Test(configuration, faults_in_conf_d_name_their_file)
{
	cr_assert_eq(mkdir("conf.d", 0755), 0);
	write_file("conf.d/a.yaml", "devices: [\n", 0644);
	write_file("conf.d/b.yaml", "x: 1\n---\n", 0644);
	refuse("", "./conf.d/a.yaml:2:1: not YAML: did not find expected node content, while parsing a flow node\n"
		   "./conf.d/b.yaml:2:1: a second document; a file holds one\n");
	write_file("conf.d/a.yaml", "devices: { a: { plugin: nix } }\n", 0644);
	write_file("conf.d/b.yaml", "", 0644);
	refuse("", "./conf.d/a.yaml:1:25: plugin: there is no device plugin 'nix'\n");
}

Test(configuration, secrets_count_per_file)
{
	cr_assert_eq(mkdir("conf.d", 0755), 0);
	write_file("conf.d/a.yaml", "devices: { a: { plugin: meter, community: x } }\n", 0600);
	write_file("b.yaml", "", 0644);
	struct configuration *configuration = NULL;

	cr_expect_eq(configuration_load("b.yaml", &finder, &configuration), 0, "%s", said);
	configuration_free(configuration);
}

Test(configuration, a_file_that_cannot_be_read_is_named)
{
	struct configuration *configuration = NULL;
	struct bb_config *agent = NULL;

	cr_expect_eq(configuration_load("none.yaml", &finder, &configuration), -ENOENT);
	expect_said("none.yaml: cannot read: No such file or directory\n");
	cr_expect_eq(configuration_load_agent("none.yaml", &agent), -ENOENT);
	expect_said("none.yaml: cannot read: No such file or directory\n");
	cr_expect_null(configuration);
	cr_expect_null(agent);
}

/* ---- parts ---- */

Test(configuration, the_agents_options_can_be_had_before_there_are_plugins)
{
	struct bb_config *agent = NULL;

	write_file("b.yaml", "plugin-dir: /p\ncolour: red\ndevices: { a: { plugin: no-such } }\n", 0644);
	cr_assert_eq(configuration_load_agent("b.yaml", &agent), 0, "what else is wrong is said later");
	expect_said("");
	cr_expect_str_eq(bb_config_string(agent, "plugin-dir"), "/p");
	options_free(agent);
	write_file("b.yaml", "log-level: 7\n", 0644);
	cr_expect_eq(configuration_load_agent("b.yaml", &agent), -EINVAL);
	expect_said("b.yaml:1:12: log-level: must be one of: error warning notice info debug; not '7'\n");
}

static int make(const char *const *options, struct configuration_section *ret_section)
{
	return configuration_make_device(&meter, "probe", options, ret_section);
}

Test(configuration, a_device_can_be_made_from_words_of_a_command_line)
{
	static const char *const options[] = {"address=meter://[::1]:5", "community=it's: {not} #yaml", "low=2",
					      "phases=L1,L2", NULL};
	struct configuration_section section = {0};

	write_file("x", "", 0644);
	cr_assert_eq(make(options, &section), 0, "%s", said);
	cr_expect_eq(section.plugin, &meter);
	cr_expect_str_eq(bb_config_name(section.config), "probe");
	cr_expect_str_eq(bb_config_address(section.config, "address")->host, "::1");
	cr_expect_str_eq(bb_config_string(section.config, "community"), "it's: {not} #yaml");
	cr_expect_eq(bb_config_int(section.config, "low"), 2);
	cr_expect_str_eq(bb_config_list(section.config, "phases")[1], "L2");
	cr_expect_eq(bb_config_int(section.config, "interval"), 5000);
	options_free(section.config);
}

Test(configuration, faults_of_a_command_line_name_the_option)
{
	static const struct {
		const char *options[4];
		const char *said;
	} cases[] = {
		{{"low=x"}, "low: must be a whole number, not 'x'\n"},
		{{"lwo=1"}, "lwo: unknown key, did you mean 'low'?\n"},
		{{"low"}, "low: must be written as OPTION=VALUE\n"},
		{{"=1"}, "=1: must be written as OPTION=VALUE\n"},
		{{"low=1", "low=2"}, "low: given twice\n"},
		{{"low=50"}, "low: must not be above 'high'\n"},
		{{"address=snmp://a"}, "address: the scheme 'snmp' is not one of: meter meter-tls\n"},
		{{"plugin=meter"}, "plugin: given twice\n"},
	};

	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		struct configuration_section section = {0};

		cr_expect_eq(make(cases[i].options, &section), -EINVAL, "case %zu", i);
		cr_expect_null(section.config);
		expect_said(cases[i].said);
	}
}

Test(configuration, the_sample_is_yaml)
{
	struct yaml_document *document = NULL;

	/* That it loads with the real plugins is an integration test's business. */
	cr_assert_eq(yaml_load(BUSBAR_SAMPLE, &document), 0, "%s", said);
	cr_expect_not_null(yaml_find(document->root, "devices"));
	cr_expect_not_null(yaml_find(document->root, "exporters"));
	yaml_unload(document);
}
