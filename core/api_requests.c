/* SPDX-License-Identifier: Apache-2.0
 *
 * api_requests.c - from the bytes of a request to whoever answers it, and the small things that answerers share.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>
#include <busbar/registry.h>

#include "api_internal.h"
#include "text.h"

#define REFUSAL_MAX 512

/* Who answers what. PointsRequest is one message and two answers: see find_answerer(). */
static const struct {
	Busbar__Request__CommandCase command;
	const struct api_answer_type *type;
} answerers[] = {
	{BUSBAR__REQUEST__COMMAND_STATUS, &api_status},
	{BUSBAR__REQUEST__COMMAND_POINTS, &api_points},
	{BUSBAR__REQUEST__COMMAND_ALARMS, &api_alarms},
	{BUSBAR__REQUEST__COMMAND_EVENTS, &api_events},
	{BUSBAR__REQUEST__COMMAND_PLUGINS, &api_plugins},
	{BUSBAR__REQUEST__COMMAND_PROBE, &api_probe},
	{BUSBAR__REQUEST__COMMAND_RELOAD, &api_reload},
	{BUSBAR__REQUEST__COMMAND_LOG_LEVEL, &api_log_level},
	{BUSBAR__REQUEST__COMMAND_LOG, &api_log},
	{BUSBAR__REQUEST__COMMAND_JOURNAL, &api_journal},
	{BUSBAR__REQUEST__COMMAND_ACKNOWLEDGE, &api_acknowledge},
	{BUSBAR__REQUEST__COMMAND_INHIBIT, &api_inhibit},
	{BUSBAR__REQUEST__COMMAND_TEST, &api_test},
};

static const struct api_answer_type *find_answerer(const Busbar__Request *request)
{
	if (request->command_case == BUSBAR__REQUEST__COMMAND_POINTS && request->points->watch)
		return &api_watch;
	for (size_t i = 0; i < BB_LENGTH(answerers); i++) {
		if (answerers[i].command == request->command_case)
			return answerers[i].type;
	}
	return NULL;
}

int api_answer_begin(struct api_client *client, const uint8_t *bytes, size_t length, struct api_answer **ret_answer)
{
	const struct api_answer_type *type;
	struct api_answer *answer;
	Busbar__Request *request;
	int step;

	*ret_answer = NULL;
	request = busbar__request__unpack(NULL, length, bytes);
	if (request == NULL) {
		client->closing = true; /* whatever it speaks, it is not this */
		return api_refuse(client, BUSBAR__ERROR__CODE__REQUEST, NULL, "that is not a request");
	}
	type = find_answerer(request);
	if (request->protocol != API_PROTOCOL) {
		step = api_refuse(client, BUSBAR__ERROR__CODE__PROTOCOL, NULL,
				  "this busbard (%s) speaks version %d of the protocol, the client version %u",
				  BUSBAR_VERSION, API_PROTOCOL, request->protocol);
	} else if (type == NULL) {
		step = api_refuse(client, BUSBAR__ERROR__CODE__REQUEST, NULL, "this busbard (%s) has no such command",
				  BUSBAR_VERSION);
	} else {
		answer = calloc(1, type->size);
		if (answer == NULL) {
			step = -ENOMEM;
		} else {
			answer->type = type;
			answer->client = client;
			*ret_answer = answer;
			step = type->begin(answer, request);
		}
	}
	busbar__request__free_unpacked(request, NULL);
	return step;
}

void api_answer_destroy(struct api_answer *answer)
{
	if (answer == NULL)
		return;
	if (answer->type->end != NULL)
		answer->type->end(answer);
	free(answer);
}

int api_refuse(struct api_client *client, Busbar__Error__Code code, const char *suggestion, const char *format, ...)
{
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Error error = BUSBAR__ERROR__INIT;
	char line[REFUSAL_MAX], clean[REFUSAL_MAX];
	va_list arguments;
	int length, r;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length < 0)
		return -EINVAL;
	/* It may quote the request. */
	(void)bb_text_clean(clean, sizeof(clean), line, strlen(line));

	error.code = code;
	error.text = clean;
	error.suggestion = api_text(suggestion);
	response.last = true;
	response.protocol = API_PROTOCOL;
	response.error = &error;
	r = api_send(client, &response);
	return r < 0 ? r : API_LAST;
}

char *api_text(const char *text)
{
	/* The messages have no const, but nobody writes to one that is only packed. */
	return (char *)(text != NULL ? text : "");
}

bool api_fits(const char *pattern, const char *text)
{
	return pattern[0] == '\0' || fnmatch(pattern, text, 0) == 0;
}

const char *api_source(const struct api_client *client, char source[API_SOURCE_SIZE])
{
	(void)snprintf(source, API_SOURCE_SIZE, "busbarctl uid %u", (unsigned)client->uid); /* room for any number */
	return source;
}

char *api_copy(const char *text)
{
	return strdup(text != NULL ? text : "");
}

int api_check_device(struct api_client *client, const char *device)
{
	struct bb_device_list *list;
	const char **names;
	int step = API_MORE;

	if (device[0] == '\0' || strpbrk(device, "*?[") != NULL)
		return API_MORE;
	list = bb_registry_devices(agent_registry(client->api->agent));
	names = calloc(list->count + 1, sizeof(*names));
	if (names == NULL) {
		bb_device_list_unref(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		names[i] = bb_device_name(list->devices[i]);
		if (strcmp(names[i], device) == 0)
			goto out;
	}
	step = api_refuse(client, BUSBAR__ERROR__CODE__NOT_FOUND, bb_text_suggest(device, names), "no device '%s'",
			  device);
out:
	free(names);
	bb_device_list_unref(list);
	return step;
}
