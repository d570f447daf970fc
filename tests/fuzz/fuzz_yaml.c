/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_yaml.c - any bytes as a configuration: parsed or refused, never a crash, a leak or a hang.
 *
 * The tree goes on into the option tables, with an option of each type that opens no files: what a fuzzer makes up
 * should not make it read devices.
 */
#include <stddef.h>
#include <stdint.h>

#include "options.h"

static const struct bb_option options[] = {
	{.name = "string", .type = BB_OPTION_STRING},
	{.name = "bool", .type = BB_OPTION_BOOL},
	{.name = "int", .type = BB_OPTION_INT, .min = -5, .max = 100},
	{.name = "interval", .type = BB_OPTION_DURATION, .preset = "5s", .min = 100, .max = 3600000},
	{.name = "size", .type = BB_OPTION_SIZE},
	{.name = "decimal", .type = BB_OPTION_DECIMAL},
	{.name = "enum", .type = BB_OPTION_ENUM, .choices = "one two three"},
	{.name = "address", .type = BB_OPTION_ADDRESS, .choices = "snmp snmp-tcp"},
	{.name = "listen", .type = BB_OPTION_LISTEN},
	{.name = "secret", .type = BB_OPTION_SECRET},
	{.name = "list", .type = BB_OPTION_LIST},
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bb_option *const tables[] = {options, NULL};
	struct yaml_document *document;
	struct bb_config *config;

	if (yaml_parse("input", (const char *)data, size, &document) < 0)
		return 0;
	if (options_parse(document->root, "input", tables, &config) == 0) {
		(void)options_equal(config, config); /* reads every value */
		options_free(config);
	}
	yaml_unload(document);
	return 0;
}
