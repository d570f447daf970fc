/* SPDX-License-Identifier: Apache-2.0
 *
 * api_internal.h - how the files of the local API work together.
 *
 *	api_socket.c    makes the listening socket without a moment in which the wrong people can use it
 *	api.c           accepts clients, closes those that idle or do not read
 *	api_client.c    one connection: frames in, frames out, one request at a time
 *	api_requests.c  finds who answers a request; refusals
 *	api_points.c    points, get                  api_watch.c    points that change
 *	api_status.c    agent, devices               api_alarms.c   alarms, acknowledge, inhibit
 *	api_events.c    events, old and new          api_journal.c  data log, check of the journal
 *	api_plugins.c   plugins and their options    api_manage.c   probe, reload, log level
 *	api_test.c      test messages of exporters
 *
 * An answer is pulled, not pushed: more() makes the next frame when the client has taken the ones before, so that
 * neither a hundred thousand points nor a client that never reads costs more than one output buffer.
 *
 * Everything here runs on the main loop.
 */
#ifndef CORE_API_INTERNAL_H
#define CORE_API_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api.h"
#include "busbar.pb-c.h"
#include "log.h"

#define API_PROTOCOL    1
#define API_REQUEST_MAX (64 * 1024) /* bytes of a request's frame */
#define API_OUTPUT_FULL (64 * 1024) /* with so many bytes waiting, an answer makes no more */
#define API_CLIENTS_MAX 64
#define API_IDLE_MS     30000 /* without a request, or without taking anything of an answer */
#define API_BATCH       64    /* rows a frame */
#define API_SOURCE_SIZE 40
#define API_AGENT       "-" /* the agent itself where a device is asked for; no device can have that name */

/* ---- api_socket.c ---- */

/** A listening socket, and what tells it from one that somebody else has put in its place. */
struct api_socket {
	int fd;
	char path[108]; /* the size of sun_path (unix(7)) */
	dev_t device;
	ino_t inode;
};

/** Listen at @path, mode 0660, group @group unless NULL. What failed has been said; -EADDRINUSE: a live agent has it. */
int api_socket_open(const char *path, const char *group, struct api_socket *ret_socket);

/** Close, and remove the path if it still is our socket. */
void api_socket_close(struct api_socket *socket);

/* ---- api.c ---- */

struct api {
	struct bb_loop *loop;
	struct agent *agent;
	struct api_socket socket;
	struct bb_watch *watch;
	struct bb_timer *tick;
	struct api_client *clients;
	size_t client_count;
	struct api_probe *probe; /* the one that is under way, NULL: none */
	bool checking;           /* the journal is being looked over for somebody */
	int64_t started_ms;
	bool deaf; /* no descriptors left: not accepting until the next tick */
};

/** Take a client out of the list and free it. */
void api_bury(struct api *api, struct api_client *client);

/* ---- api_client.c ---- */

/** A connection. */
struct api_client {
	struct api *api;
	struct api_client *next;
	int fd;
	uid_t uid; /* of the program at the other end */
	struct bb_watch *watch;
	uint8_t *input, *output;
	size_t input_used, input_size;
	size_t output_start, output_end, output_size; /* bytes from start to end wait to be written */
	int64_t moved_ms;                             /* when it last asked for something, or took some of an answer */
	struct api_answer *answer;                    /* to the request in hand, NULL between requests */
	bool answer_waits;                            /* for something to happen, not for the client */
	bool closing;                                 /* close when the output is written */
};

/** Take over @fd. Returns 0 or a negative errno; @fd is then still the caller's. */
int api_client_create(struct api *api, int fd, struct api_client **ret_client);
void api_client_destroy(struct api_client *client);

/** Is it time to close it? */
bool api_client_is_idle(const struct api_client *client, int64_t now_ms);

/** Queue @response. 0 or -ENOMEM. */
int api_send(struct api_client *client, const Busbar__Response *response);

/** What a waiting answer waited for has happened: more() will be called. Harmless at any other time. */
void api_client_wake(struct api_client *client);

/* ---- api_requests.c, and who answers ---- */

/** What begin() and more() return: the last frame is sent, there is more, or there will be more after a wake-up. */
enum api_step {
	API_LAST,
	API_MORE,
	API_WAIT
};

/** Somebody who answers a command. */
struct api_answer_type {
	size_t size; /* of the struct that begins with a struct api_answer */
	/** Take what is needed from @request, which is freed afterwards. enum api_step, or negative: close the client. */
	int (*begin)(struct api_answer *answer, const Busbar__Request *request);
	/** Send one frame, or none and wait. As begin(). NULL where begin() says all. */
	int (*more)(struct api_answer *answer);
	/** Free what the answer holds, at any stage. NULL: nothing. */
	void (*end)(struct api_answer *answer);
};

/** An answer in progress; the first member of each answerer's own struct, zeroed before begin(). */
struct api_answer {
	const struct api_answer_type *type;
	struct api_client *client;
};

extern const struct api_answer_type api_status, api_points, api_watch, api_alarms, api_events, api_plugins, api_probe,
	api_reload, api_log_level, api_log, api_journal, api_acknowledge, api_inhibit, api_test;

/** Decode @bytes and begin to answer. enum api_step or negative. @ret_answer is always written, NULL: none. */
int api_answer_begin(struct api_client *client, const uint8_t *bytes, size_t length, struct api_answer **ret_answer);
void api_answer_destroy(struct api_answer *answer);

/** Send an error as the last frame; returns API_LAST or a negative errno. @suggestion may be NULL. */
int api_refuse(struct api_client *client, Busbar__Error__Code code, const char *suggestion, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** A text for a message that will only be read; NULL becomes "". */
char *api_text(const char *text);

/** Does @text fit the glob @pattern? An empty pattern fits everything. */
bool api_fits(const char *pattern, const char *text);

/** Who asks, for events: "busbarctl uid 0". Returns @source. */
const char *api_source(const struct api_client *client, char source[API_SOURCE_SIZE]);

/** Copy of a request's text; NULL when memory lacks. */
char *api_copy(const char *text);

/** Refuse when @device is a plain name and no device has it: API_LAST, else API_MORE (or negative). */
int api_check_device(struct api_client *client, const char *device);

/* ---- api_alarms.c ---- */

Busbar__Severity api_severity(enum bb_severity severity);

/** One alarm into a row, which borrows from @alarm and from the newest events. */
void api_alarm_fill(Busbar__Alarm *row, const char *device, const struct bb_alarm *alarm);

/* ---- api_points.c ---- */

/** Rows on their way into one frame. What they show must stay until the batch is sent. */
struct api_batch {
	size_t count, member_count;
	Busbar__Point rows[API_BATCH];
	Busbar__Point *pointers[API_BATCH];
	char *members[4 * API_BATCH];
};

/** Room for another row, whatever it is? */
bool api_batch_has_room(const struct api_batch *batch);

/** Add point @index of @snapshot, with ages as of @now_ms. Only when there is room. */
void api_batch_add(struct api_batch *batch, const char *device, const struct bb_snapshot *snapshot, size_t index,
		   int64_t now_ms);

/** Add to @response. */
void api_batch_attach(struct api_batch *batch, Busbar__Response *response);

/** Going through the points of one device, batch by batch. */
struct api_sweep {
	const char *device; /* its name */
	struct bb_snapshot snapshot;
	int64_t now_ms;
	size_t next;
};

/** Add points that fit the glob @pattern until the batch is full. True: the device is done. */
bool api_sweep_fill(struct api_sweep *sweep, const char *pattern, struct api_batch *batch);

/* ---- api_manage.c ---- */

/** The API goes, and @probe (NULL: none) has not ended: nobody will be told. */
void api_probe_abandon(struct api_probe *probe);

#endif
