/* SPDX-License-Identifier: Apache-2.0
 *
 * snmp_client - libbusbar-snmp on a command line, for tests: asks real agents and prints what the library answers.
 *
 * Commands are lines on standard input, answers are lines on standard output, in the order they come:
 *
 *	open NAME KEY=VALUE …    host port version community user level auth authpass privacy privpass context timeout
 *	                         retries; prints "NAME opened RESULT"
 *	get NAME OID …           prints "NAME RESULT MILLISECONDS ERROR-INDEX OID=VALUE …"
 *	getnext NAME OID …
 *	bulk NAME REPETITIONS OID …
 *	state NAME               prints "NAME state BOOTS DROPPED"
 *	close NAME               prints "NAME closed"
 *
 * RESULT is 0 or the name of the error. At the end of its input it closes everything and leaves.
 */
#include <ctype.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/clock.h>
#include <busbar/plugin.h>
#include <busbar/snmp.h>

#define WORDS_MAX 256

struct peer {
	char name[32];
	struct bb_snmp_agent *agent;
	struct peer *next;
};

struct command {
	struct bb_task task;
	char *line;
	sem_t done;
};

struct question {
	char name[32];
	int64_t asked_ms;
	struct question *next, **self; /* so that those of a closed agent can be freed */
};

static struct bb_snmp_client *client;
static struct peer *peers;
static struct question *questions;

static const char *error_name(int result)
{
	return result ? strerrorname_np(-result) : "0";
}

static struct peer *peer_find(const char *name)
{
	for (struct peer *peer = peers; peer; peer = peer->next)
		if (strcmp(peer->name, name) == 0)
			return peer;
	fprintf(stderr, "no agent '%s'\n", name);
	exit(2);
}

static void question_free(struct question *question)
{
	*question->self = question->next;
	if (question->next)
		question->next->self = question->self;
	free(question);
}

static void print_value(const struct bb_snmp_variable *variable)
{
	char text[BB_SNMP_OID_MAX * 11];

	switch (variable->type) {
	case BB_SNMP_INTEGER:
	case BB_SNMP_UNSIGNED:
	case BB_SNMP_TICKS:
		printf("%lld", (long long)variable->number);
		break;
	case BB_SNMP_STRING:
		printf("'");
		for (size_t i = 0; i < variable->length && i < 60; i++)
			printf("%c", isalnum(variable->bytes[i]) ? variable->bytes[i] : '_');
		printf("'%zu", variable->length);
		break;
	case BB_SNMP_OBJECT:
		(void)bb_snmp_oid_print(text, sizeof(text), &variable->object);
		printf("%s", text);
		break;
	case BB_SNMP_NULL:
		printf("null");
		break;
	case BB_SNMP_END:
		printf("end");
		break;
	}
}

static void on_answer(void *context, int result, const struct bb_snmp_variable *variables, size_t count,
		      size_t error_index)
{
	struct question *question = context;
	char text[BB_SNMP_OID_MAX * 11];

	printf("%s %s %lld %zu", question->name, error_name(result), (long long)(bb_clock_ms() - question->asked_ms),
	       error_index);
	for (size_t i = 0; i < count; i++) {
		(void)bb_snmp_oid_print(text, sizeof(text), &variables[i].name);
		printf(" %s=", text);
		print_value(&variables[i]);
	}
	printf("\n");
	question_free(question);
}

static void command_ask(char **words, size_t count)
{
	struct bb_snmp_request request = {.operation = BB_SNMP_GET};
	struct bb_snmp_oid *names = calloc(WORDS_MAX, sizeof(*names));
	struct question *question = calloc(1, sizeof(*question));
	size_t first = 2;
	int r;

	if (!names || !question)
		abort();
	if (strcmp(words[0], "getnext") == 0) {
		request.operation = BB_SNMP_GETNEXT;
	} else if (strcmp(words[0], "bulk") == 0) {
		request.operation = BB_SNMP_GETBULK;
		request.max_repetitions = (unsigned)atoi(words[first++]);
	}
	for (size_t i = first; i < count; i++)
		if (bb_snmp_oid_parse(words[i], &names[request.count++]) < 0)
			abort();
	request.names = names;
	(void)snprintf(question->name, sizeof(question->name), "%s", words[1]);
	question->asked_ms = bb_clock_ms();
	question->next = questions;
	question->self = &questions;
	if (questions)
		questions->self = &question->next;
	questions = question;
	r = bb_snmp_send(peer_find(words[1])->agent, &request, on_answer, question);
	if (r < 0) {
		printf("%s refused %s\n", words[1], error_name(r));
		question_free(question);
	}
	free(names);
}

static void option_set(struct bb_snmp_options *options, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **text;
	} texts[] = {
		{"host", &options->host},       {"community", &options->community},
		{"user", &options->user},       {"auth", &options->auth},
		{"privacy", &options->privacy}, {"authpass", &options->auth_passphrase},
		{"context", &options->context}, {"privpass", &options->privacy_passphrase},
	};

	for (size_t i = 0; i < BB_LENGTH(texts); i++)
		if (strcmp(texts[i].key, key) == 0)
			*texts[i].text = value;
	if (strcmp(key, "port") == 0)
		options->port = (uint16_t)atoi(value);
	else if (strcmp(key, "version") == 0)
		options->version = strcmp(value, "1") == 0   ? BB_SNMP_V1
				   : strcmp(value, "3") == 0 ? BB_SNMP_V3
							     : BB_SNMP_V2C;
	else if (strcmp(key, "level") == 0)
		options->level = (enum bb_snmp_level)atoi(value);
	else if (strcmp(key, "timeout") == 0)
		options->timeout_ms = atoi(value);
	else if (strcmp(key, "retries") == 0)
		options->retries = atoi(value);
}

static void command_open(char **words, size_t count)
{
	struct bb_snmp_options options = {
		.host = "127.0.0.1", .version = BB_SNMP_V2C, .community = "public", .timeout_ms = 1000, .retries = 2};
	struct peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		abort();
	for (size_t i = 2; i < count; i++) {
		char *value = strchr(words[i], '=');

		*value++ = '\0';
		option_set(&options, words[i], value);
	}
	(void)snprintf(peer->name, sizeof(peer->name), "%s", words[1]);
	r = bb_snmp_agent_open(client, &options, NULL, &peer->agent);
	printf("%s opened %s\n", words[1], error_name(r));
	if (r < 0) {
		free(peer);
		return;
	}
	peer->next = peers;
	peers = peer;
}

static void peer_close(struct peer *peer)
{
	struct peer **at = &peers;

	for (struct question *question = questions, *next; question; question = next) {
		next = question->next;
		if (strcmp(question->name, peer->name) == 0)
			question_free(question);
	}
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	bb_snmp_agent_close(peer->agent);
	free(peer);
}

static void command_run(struct bb_task *task)
{
	struct command *command = (struct command *)task;
	char *words[WORDS_MAX], *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(command->line, " \n", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	if (count >= 2 && strcmp(words[0], "open") == 0) {
		command_open(words, count);
	} else if (count >= 2 && strcmp(words[0], "close") == 0) {
		peer_close(peer_find(words[1]));
		printf("%s closed\n", words[1]);
	} else if (count >= 2 && strcmp(words[0], "state") == 0) {
		const struct bb_snmp_agent *agent = peer_find(words[1])->agent;

		printf("%s state %u %llu\n", words[1], bb_snmp_agent_boots(agent),
		       (unsigned long long)bb_snmp_agent_dropped(agent));
	} else if (count >= 3) {
		command_ask(words, count);
	} else if (count == 0) {
		while (peers)
			peer_close(peers);
	}
	sem_post(&command->done);
}

static void command_post(char *line)
{
	struct command command = {.task.run = command_run, .line = line};

	sem_init(&command.done, 0, 0);
	bb_loop_post(bb_snmp_client_loop(client), &command.task);
	while (sem_wait(&command.done) != 0)
		continue; /* a signal */
	sem_destroy(&command.done);
}

int main(void)
{
	char *line = NULL, end[] = "";
	size_t size = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (bb_snmp_client_acquire(&client) < 0)
		return 1;
	while (getline(&line, &size, stdin) > 0)
		command_post(line);
	command_post(end);
	bb_snmp_client_release(client);
	free(line);
	return 0;
}
