/* SPDX-License-Identifier: Apache-2.0
 *
 * api_manage.c - answers that do something: probe a device, read the configuration again, set the log level.
 *
 * What goes wrong in a reload or a probe is said once, in the log, by whoever knows. The client wants to see the same
 * lines, so they are collected while it waits: those of the main thread during a reload, those that the probed
 * device speaks during a probe. Only one of each kind can be under way.
 *
 * A probe cannot be stopped. When its client hangs up it goes on, and its end finds nobody to tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>

#include "api_internal.h"
#include "text.h"

#define LINES_MAX 100

/* Lines of the log on their way to a client. Filled under the log's lock while it is the sink. */
struct lines {
	size_t count, lost;
	char *texts[LINES_MAX + 1];
};

static void lines_add(struct lines *lines, const char *text)
{
	if (lines->count == LINES_MAX || (lines->texts[lines->count] = strdup(text)) == NULL)
		lines->lost++;
	else
		lines->count++;
}

static void lines_attach(struct lines *lines, Busbar__Response *response)
{
	response->lines = lines->texts;
	response->n_lines = lines->count;
	if (lines->lost > 0)
		response->lines[response->n_lines++] = api_text("… and more, see the log");
}

static void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->texts[i]);
}

/* A probe under way; it outlives its client, and even the API. */
struct api_probe {
	struct api *api;           /* NULL: closed */
	struct api_answer *answer; /* NULL: hung up */
	bool calling;              /* agent_probe() has not returned */
	struct lines lines;
};

struct probe_answer {
	struct api_answer answer;
	struct api_probe *probe; /* NULL: over */
	bool found;
	struct api_sweep sweep;
};

static void probe_log(void *context, enum bb_log_level level, const char *line)
{
	struct api_probe *probe = context;
	static const char voice[] = "probe: ";

	(void)level; /* the device of a probe says nothing that is not interesting here */
	if (strncmp(line, voice, sizeof(voice) - 1) == 0)
		lines_add(&probe->lines, line + sizeof(voice) - 1);
	else if (probe->calling && bb_loop_is_current(probe->api->loop))
		lines_add(&probe->lines, line);
}

/* Sends why nothing came of a probe, with the lines about it. */
static int probe_refuse(struct api_client *client, struct lines *lines, const char *text)
{
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Error error = BUSBAR__ERROR__INIT;
	int r;

	error.code = BUSBAR__ERROR__CODE__FAILED;
	error.text = api_text(text);
	response.error = &error;
	response.last = true;
	response.protocol = API_PROTOCOL;
	lines_attach(lines, &response);
	r = api_send(client, &response);
	return r < 0 ? r : API_LAST;
}

/* The probe is over for whoever asked: lets go of the log. */
static void probe_let_go(struct api_probe *probe)
{
	if (probe->api != NULL) {
		log_set_sink(NULL, NULL);
		probe->api->probe = NULL;
	}
	lines_free(&probe->lines);
	free(probe);
}

static void probe_done(void *context, struct bb_device *device, int result)
{
	struct api_probe *probe = context;
	struct probe_answer *answer = (struct probe_answer *)probe->answer;

	if (answer != NULL) {
		answer->sweep.now_ms = bb_clock_ms();
		bb_device_snapshot(device, answer->sweep.now_ms, &answer->sweep.snapshot);
		answer->found = result >= 0 && answer->sweep.snapshot.reading != NULL;
		answer->probe = NULL;
		if (answer->found) {
			answer->sweep.device = "probe";
			api_client_wake(answer->answer.client);
		} else {
			struct api_client *client = answer->answer.client;

			client->closing |= probe_refuse(client, &probe->lines,
							result < 0 ? strerror(-result) : "it said nothing") < 0;
			api_client_wake(client);
		}
	}
	probe_let_go(probe);
}

static int probe_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct probe_answer *self = (struct probe_answer *)answer;
	struct api *api = answer->client->api;
	const size_t count = request->probe->n_options;
	struct api_probe *probe;
	const char **options;
	char *error = NULL;
	int r;

	if (api->probe != NULL)
		return api_refuse(answer->client, BUSBAR__ERROR__CODE__BUSY, NULL, "another probe is under way");
	probe = calloc(1, sizeof(*probe));
	options = calloc(count + 1, sizeof(*options));
	if (probe == NULL || options == NULL) {
		free(probe);
		free(options);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		options[i] = request->probe->options[i];
	probe->api = api;
	probe->answer = answer;
	probe->calling = true;
	api->probe = self->probe = probe;
	log_set_sink(probe_log, probe);
	r = agent_probe(api->agent, request->probe->address, options, probe_done, probe, &error);
	free(options);
	if (r < 0) {
		r = probe_refuse(answer->client, &probe->lines, error != NULL ? error : strerror(-r));
		free(error);
		self->probe = NULL;
		probe_let_go(probe);
		return r;
	}
	if (self->probe == NULL)
		return API_MORE; /* it is over already */
	self->probe->calling = false;
	return API_WAIT;
}

static int probe_more(struct api_answer *answer)
{
	struct probe_answer *self = (struct probe_answer *)answer;
	struct api_batch batch = {.count = 0};
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	int r;

	if (!self->found)
		return API_LAST; /* probe_done() has sent all there is */
	response.last = api_sweep_fill(&self->sweep, "", &batch);
	response.protocol = API_PROTOCOL;
	api_batch_attach(&batch, &response);
	r = api_send(answer->client, &response);
	if (r < 0)
		return r;
	return response.last ? API_LAST : API_MORE;
}

static void probe_end(struct api_answer *answer)
{
	struct probe_answer *self = (struct probe_answer *)answer;

	if (self->probe != NULL)
		self->probe->answer = NULL;
	bb_snapshot_release(&self->sweep.snapshot);
}

const struct api_answer_type api_probe = {
	.size = sizeof(struct probe_answer),
	.begin = probe_begin,
	.more = probe_more,
	.end = probe_end,
};

void api_probe_abandon(struct api_probe *probe)
{
	if (probe == NULL)
		return;
	log_set_sink(NULL, NULL);
	probe->api = NULL;
}

/* What a reload says: everything the main thread logs meanwhile, but small talk. */
struct reload_lines {
	struct bb_loop *loop;
	struct lines lines;
};

static void reload_log(void *context, enum bb_log_level level, const char *line)
{
	struct reload_lines *reload = context;

	if (level <= BB_LOG_WARNING && bb_loop_is_current(reload->loop))
		lines_add(&reload->lines, line);
}

static int reload_begin(struct api_answer *answer, const Busbar__Request *request)
{
	struct api *api = answer->client->api;
	struct reload_lines reload = {.loop = api->loop};
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	Busbar__Error error = BUSBAR__ERROR__INIT;
	int r;

	(void)request; /* it has no arguments */
	bb_log_notice(NULL, "reading the configuration again, as user %u asks", (unsigned)answer->client->uid);
	log_set_sink(reload_log, &reload);
	r = agent_reload(api->agent);
	log_set_sink(api->probe != NULL ? probe_log : NULL, api->probe);
	if (r < 0) {
		error.code = BUSBAR__ERROR__CODE__REFUSED;
		error.text = api_text("the new configuration is not taken, the old one stays in force");
		response.error = &error;
	}
	response.last = true;
	response.protocol = API_PROTOCOL;
	lines_attach(&reload.lines, &response);
	r = api_send(answer->client, &response);
	lines_free(&reload.lines);
	return r < 0 ? r : API_LAST;
}

const struct api_answer_type api_reload = {
	.size = sizeof(struct api_answer),
	.begin = reload_begin,
};

static int log_level_begin(struct api_answer *answer, const Busbar__Request *request)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug", NULL};
	const char *name = request->log_level->level;
	Busbar__Response response = BUSBAR__RESPONSE__INIT;
	enum bb_log_level level;
	int r;

	if (name[0] != '\0') {
		if (log_level_parse(name, &level) < 0)
			return api_refuse(answer->client, BUSBAR__ERROR__CODE__REQUEST, bb_text_suggest(name, names),
					  "no log level '%s': it is error, warning, notice, info or debug", name);
		log_set_level(level);
		bb_log_notice(NULL, "log level %s, as user %u asks", name, (unsigned)answer->client->uid);
	}
	response.log_level = api_text(log_level_name(log_level()));
	response.last = true;
	response.protocol = API_PROTOCOL;
	r = api_send(answer->client, &response);
	return r < 0 ? r : API_LAST;
}

const struct api_answer_type api_log_level = {
	.size = sizeof(struct api_answer),
	.begin = log_level_begin,
};
