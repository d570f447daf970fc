/* SPDX-License-Identifier: Apache-2.0
 *
 * api_test.c - which messages exporters can send as a test, and having one sent.
 *
 * Nothing is sent from here. What is asked for becomes an event, and every exporter gets that as it gets all others: in
 * order, from the journal where it owes its receivers every event, and for the audit as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_internal.h"
#include "configuration.h"
#include "events.h"
#include "text.h"

#define EXPORTERS_MAX 64 /* in one answer; each has a row in it */
#define NAMES_MAX     256

/* An exporter of the configuration that can send tests. */
struct sender {
	const char *exporter;
	const char *const *names;
};

/* Those that run; @ret_silent: one that would, but does not run, NULL: none. */
static size_t find_senders(struct agent *agent, struct sender senders[EXPORTERS_MAX], const char **ret_silent)
{
	const struct configuration *configuration = agent_configuration(agent);
	size_t count = 0;

	*ret_silent = NULL;
	for (size_t i = 0; i < configuration->exporter_count && count < EXPORTERS_MAX; i++) {
		const struct configuration_section *section = &configuration->exporters[i];
		const char *const *names = section->plugin->exporter.tests;

		if (names == NULL || names[0] == NULL)
			continue;
		if (agent_exporter_runs(agent, i))
			senders[count++] = (struct sender){bb_config_name(section->config), names};
		else
			*ret_silent = bb_config_name(section->config);
	}
	return count;
}

static bool sends(const struct sender *sender, const char *name)
{
	for (const char *const *one = sender->names; *one != NULL; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

/* Every name that some sender knows, each once, ended by NULL. Returns how many. */
static size_t collect_names(const struct sender *senders, size_t count, const char *names[NAMES_MAX + 1])
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		for (const char *const *one = senders[i].names; *one != NULL && known < NAMES_MAX; one++) {
			bool there = false;

			for (size_t j = 0; j < i && !there; j++)
				there = sends(&senders[j], *one);
			if (!there)
				names[known++] = *one;
		}
	names[known] = NULL;
	return known;
}

static int refuse_name(struct api_client *client, const struct sender *senders, size_t count, const char *name)
{
	const char *names[NAMES_MAX + 1];
	const size_t known = collect_names(senders, count, names);
	char list[400];
	size_t length = 0;

	list[0] = '\0';
	for (size_t i = 0; i < known && length + strlen(names[i]) + sizeof(", …") < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", i > 0 ? ", " : "", names[i]);
	return api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, bb_text_suggest(name, names),
			  "no exporter knows a message '%s'; there are %s", name, list);
}

/* The device that a message is to come from: as asked for, "" for none, by default the first one. NULL: no such one. */
static struct bb_device *find_device(struct agent *agent, const char *name, bool *ret_none)
{
	struct bb_registry *registry = agent_registry(agent);
	struct bb_device *device = NULL;
	struct bb_device_list *list;

	*ret_none = strcmp(name, API_AGENT) == 0;
	if (*ret_none)
		return NULL;
	if (name[0] != '\0')
		return bb_registry_find(registry, name);
	list = bb_registry_devices(registry);
	if (list->count > 0)
		device = bb_device_ref(list->devices[0]);
	*ret_none = device == NULL;
	bb_device_list_unref(list);
	return device;
}

static uint64_t emit(const struct api_client *client, const char *name, const struct bb_device *device)
{
	char source[API_SOURCE_SIZE], text[128];

	(void)snprintf(text, sizeof(text), name[0] != '\0' ? "a test of %.100s is asked for" : "a test is asked for",
		       name);
	return events_emit(&(struct bb_event){
		.kind = BB_EVENT_TEST,
		.severity = BB_SEVERITY_INFO,
		.device = device != NULL ? bb_device_name(device) : NULL,
		.subject = name,
		.source = api_source(client, source),
		.text = text,
	});
}

/* One frame with all rows: of each sender all it can send, or what it is going to send. */
static int answer_rows(struct api_client *client, const struct sender *senders, size_t count, const char *name,
		       const char *device, uint64_t event)
{
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__TestMessage rows[NAMES_MAX], *pointers[NAMES_MAX];
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		for (const char *const *one = senders[i].names; *one != NULL && length < NAMES_MAX; one++) {
			const bool usual = one == senders[i].names;
			Busbar__TestMessage *row = &rows[length];

			if (event != 0 && (name[0] == '\0' ? !usual : strcmp(*one, name) != 0))
				continue;
			busbar__test_message__init(row);
			row->exporter = api_text(senders[i].exporter);
			row->name = api_text(*one);
			row->usual = usual;
			row->device = api_text(device);
			row->event = event;
			pointers[length++] = row;
		}
	response.tests = pointers;
	response.n_tests = length;
	response.last = true;
	response.protocol = API_PROTOCOL;

	const int r = api_send(client, &response);

	return r < 0 ? r : API_LAST;
}

static int send_test(struct api_client *client, const struct sender *senders, size_t count, const char *name,
		     const char *device_name)
{
	bool none, known = name[0] == '\0';
	struct bb_device *device;
	uint64_t event;
	int step;

	for (size_t i = 0; i < count; i++)
		known |= sends(&senders[i], name);
	if (!known)
		return refuse_name(client, senders, count, name);
	device = find_device(client->api->agent, device_name, &none);
	if (device == NULL && !none) {
		step = api_check_device(client, device_name); /* it knows names that are similar */
		return step != API_MORE ? step
					: api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, NULL, "no device '%s'",
						     device_name);
	}
	event = emit(client, name, device);
	if (event == 0)
		step = api_refuse(client, BUSBAR__ERROR__CODE__FAILED, NULL, "events are not taken now");
	else
		step = answer_rows(client, senders, count, name, device != NULL ? bb_device_name(device) : "", event);
	bb_device_unref(device);
	return step;
}

static int test_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct api_client *client = answer->client;
	struct sender senders[EXPORTERS_MAX];
	const char *silent;
	const size_t count = find_senders(client->api->agent, senders, &silent);

	if (count == 0 && silent != NULL)
		return api_refuse(client, BUSBAR__ERROR__CODE__REFUSED, NULL,
				  "exporter %s does not run, and no other sends test messages", silent);
	if (count == 0)
		return api_refuse(client, BUSBAR__ERROR__CODE__REFUSED, NULL,
				  "none of the configured exporters sends test messages");
	if (request->test->list)
		return answer_rows(client, senders, count, "", "", 0);
	return send_test(client, senders, count, request->test->name, request->test->device);
}

const struct api_answer_type api_test = {
	.size = sizeof(struct api_answer),
	.begin = test_begin,
};
