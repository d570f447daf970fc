/* SPDX-License-Identifier: Apache-2.0
 *
 * trap_test.c - trap-test: has exporters send a message as a test, or lists those that they can send.
 */
#include <inttypes.h>
#include <stdio.h>

#include <busbar/macros.h>

#include "connection.h"
#include "list.h"

static void test_json(struct json *json, const Busbar__TestMessage *test)
{
	json_object(json, false);
	json_key(json, "exporter");
	json_string(json, test->exporter);
	json_key(json, "message");
	json_string(json, test->name);
	json_key(json, "usual");
	json_bool(json, test->usual);
	if (test->event != 0) {
		json_key(json, "device");
		json_string(json, test->device[0] != '\0' ? test->device : NULL);
		json_key(json, "event");
		json_unsigned(json, test->event);
	}
	json_end_object(json);
}

static void test_row(struct table *table, const Busbar__TestMessage *test)
{
	table_cell(table, STYLE_BOLD, test->exporter);
	table_cell(table, STYLE_PLAIN, test->name);
	table_cell(table, STYLE_GREY, test->usual ? "unless another is named" : "");
}

static void print_sent(const Busbar__TestMessage *test)
{
	(void)printf("%s sends %s", test->exporter, test->name);
	if (test->device[0] != '\0')
		(void)printf(" as if from %s", test->device);
	(void)printf(", for event %" PRIu64 ".\n", test->event);
}

static const struct table_column test_columns[] = {{"EXPORTER", false}, {"MESSAGE", false}, {"SENT", false}};
static const struct list_layout test_layout = {
	.columns = test_columns,
	.column_count = BB_LENGTH(test_columns),
};

static int tests_frame(void *context, const Busbar__Response *response)
{
	struct list *list = context;

	list_begin(list);
	for (size_t i = 0; i < response->n_tests; i++) {
		if (list->ctl->json)
			test_json(&list->json, response->tests[i]);
		else if (list->ctl->list)
			test_row(list->table, response->tests[i]);
		else
			print_sent(response->tests[i]);
		(void)list_row(list); /* the command has no --count */
	}
	return CONNECTION_GO_ON;
}

int trap_test_run(struct ctl *ctl, int argc, char **argv)
{
	Busbar__Request request = BUSBAR__REQUEST__INIT;
	Busbar__TestRequest test = BUSBAR__TEST_REQUEST__INIT;
	struct list list = {.ctl = ctl, .layout = &test_layout, .json = {.out = stdout}};
	int result;

	if (ctl->list && (argc > 0 || ctl->device != NULL))
		return ctl_fail(CTL_USAGE, "--list sends nothing: name neither a message nor a device");
	if (argc > 0)
		test.name = argv[0];
	if (ctl->device != NULL)
		test.device = (char *)ctl->device; /* nobody writes to a message that is only packed */
	test.list = ctl->list;
	request.command_case = BUSBAR__REQUEST__COMMAND_TEST;
	request.test = &test;
	result = connection_ask(ctl, &request, false, tests_frame, &list);
	list_end(&list, result == CTL_FINE);
	return result;
}
