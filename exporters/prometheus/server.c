/* SPDX-License-Identifier: Apache-2.0
 *
 * server.c - HTTP around the pages.
 *
 * libmicrohttpd runs one thread with epoll for all connections; every callback below but the deadline check is called
 * by it, so facts, page and memory need no lock. A scrape is written whole and then sent from its block of memory, as
 * fast as the client takes it, while the next scrape may already be in another block.
 *
 * The library limits connections, header sizes and inactivity; deadline.c adds the limit for a whole request.
 */
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <busbar/clock.h>
#include <busbar/listen.h>

#include "memory.h"
#include "negotiate.h"
#include "page.h"

/* Between two scrapes a connection may be idle this long, s. Scrape intervals of a minute are common. */
#define IDLE_TIMEOUT 150U
/* For the request with its headers, and the headers of the answer. Prometheus sends about 300 bytes. */
#define CONNECTION_MEMORY 8192
#define STACK_SIZE        (256 * 1024)

struct server {
	struct MHD_Daemon *daemon;
	struct bb_registry *registry;
	const struct bb_log *log;
	struct facts facts;
	struct page *page;
	struct memory memory;
	struct deadlines deadlines;
};

static const char landing_page[] = "<!DOCTYPE html>\n"
				   "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>busbar</title></head>\n"
				   "<body><h1>busbar</h1><p>Readings of UPSs, batteries and sensors for Prometheus: "
				   "<a href=\"/metrics\">/metrics</a></p></body></html>\n";

static const char *const content_types[PAGE_FORMAT_COUNT] = {
	[PAGE_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[PAGE_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/* Queue a text that never changes. */
static enum MHD_Result answer_static(struct MHD_Connection *connection, unsigned status, const char *type,
				     const char *text, size_t length)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_error(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return answer_static(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* Compress @length bytes of @plain. Returns 0 and the block that holds the result, or -ENOMEM. */
static int compress_page(struct memory *memory, const struct memory_block *plain, size_t length,
			 struct memory_block **ret_block, size_t *ret_length)
{
	z_stream stream = {0};
	struct memory_block *block;

	/* Level 1: a scrape is compressed once and thrown away. 15 + 16: the largest window, in gzip's framing. */
	if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	block = memory_take(memory, deflateBound(&stream, length));
	if (!block) {
		(void)deflateEnd(&stream); /* frees; nothing was compressed that could be lost */
		return -ENOMEM;
	}
	stream.next_in = (Bytef *)(uintptr_t)plain->data;
	stream.avail_in = (uInt)length;
	stream.next_out = (Bytef *)block->data;
	stream.avail_out = (uInt)block->size;

	const int status = deflate(&stream, Z_FINISH);

	*ret_length = stream.total_out;
	(void)deflateEnd(&stream);
	if (status != Z_STREAM_END) {
		memory_give(block);
		return -ENOMEM;
	}
	*ret_block = block;
	return 0;
}

/* Write the page of this moment into a block. */
static int write_page(struct server *server, enum page_format format, struct memory_block **ret_block,
		      size_t *ret_length)
{
	struct memory_block *block = NULL;
	size_t size;
	int r = facts_gather(&server->facts, server->registry);

	if (r >= 0)
		r = page_prepare(server->page, &server->facts, &size);
	if (r >= 0) {
		block = memory_take(&server->memory, size);
		if (!block)
			r = -ENOMEM;
	}
	if (r >= 0) {
		*ret_length = page_render(server->page, &server->facts, format, block->data);
		*ret_block = block;
	}
	facts_release(&server->facts);
	return r;
}

static enum MHD_Result answer_metrics(struct server *server, struct MHD_Connection *connection)
{
	const enum page_format format =
		negotiate_format(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	const bool gzip = negotiate_gzip(
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	struct memory_block *block, *compressed;
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;
	size_t length;
	int r = write_page(server, format, &block, &length);

	if (r >= 0 && gzip) {
		r = compress_page(&server->memory, block, length, &compressed, &length);
		memory_give(block);
		block = compressed;
	}
	if (r < 0) {
		(void)bb_log_error(server->log, r, "a scrape could not be answered");
		return answer_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	}

	response = MHD_create_response_from_buffer_with_free_callback_cls(length, block->data, memory_give, block);
	if (!response) {
		memory_give(block);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_types[format]) == MHD_YES &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding") == MHD_YES &&
	    (!gzip || MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip") == MHD_YES))
		result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static bool has_header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name) != NULL;
}

static struct deadline_connection *watched(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/*
 * Called twice for each request: when its headers are there, and when it is complete. An answer at the first call
 * makes the library close the connection afterwards, at the second it is kept.
 */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct server *server = context;

	(void)version;
	(void)upload;
	(void)upload_size; /* requests with a body are refused before it comes */
	if (!*request) {
		*request = server; /* any value but NULL: seen */
		if (has_header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
		    (has_header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH) &&
		     strcmp(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH),
			    "0") != 0))
			return answer_error(connection, MHD_HTTP_CONTENT_TOO_LARGE, "no request body, please\n");
		return MHD_YES;
	}
	deadline_asked(&server->deadlines, watched(connection),
		       MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!strcmp(url, "/metrics"))
		return answer_metrics(server, connection);
	if (!strcmp(url, "/"))
		return answer_static(connection, MHD_HTTP_OK, "text/html; charset=utf-8", landing_page,
				     sizeof(landing_page) - 1);
	return answer_error(connection, MHD_HTTP_NOT_FOUND, "not here; try /metrics\n");
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		deadline_closed(&server->deadlines, *socket_context);
		return;
	}

	const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	*socket_context = deadline_opened(&server->deadlines, fd, bb_clock_ms());
	if (!*socket_context)
		(void)shutdown(fd, SHUT_RDWR); /* no memory to watch it, so it gets no time at all */
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = context;

	(void)request;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		deadline_answered(&server->deadlines, watched(connection), bb_clock_ms());
}

/* What the library has to say is about clients, not about us. */
static void on_message(void *context, const char *format, va_list arguments)
{
	const struct server *server = context;
	char line[256];
	int length = vsnprintf(line, sizeof(line), format, arguments);

	if (length > 0 && (size_t)length < sizeof(line) && line[length - 1] == '\n')
		line[length - 1] = '\0';
	bb_log_debug(server->log, "libmicrohttpd: %s", line);
}

/*
 * A library that fails to start has closed the listening socket or not, depending on where it failed. It is closed here
 * unless the number is free again or stands for something else by now.
 */
static void close_if_open(int fd, ino_t socket)
{
	struct stat now;

	if (fstat(fd, &now) == 0 && now.st_ino == socket)
		(void)close(fd); /* nobody has connected yet */
}

/* Takes @fd. */
static int start_daemon(struct server *server, const struct server_options *options, int fd)
{
	struct stat listening;

	if (fstat(fd, &listening) < 0)
		return -errno;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, on_message, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
		MHD_OPTION_CONNECTION_LIMIT, options->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		options->max_connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE,
		(size_t)STACK_SIZE, MHD_OPTION_END);
	if (server->daemon)
		return 0;
	close_if_open(fd, listening.st_ino);
	return -EIO;
}

int server_start(const struct server_options *options, struct bb_registry *registry, const struct tally *tally,
		 const struct bb_log *log, char ret_where[BB_LISTEN_TEXT_SIZE], struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r, fd;

	if (!server)
		return bb_log_error(log, -ENOMEM, "cannot start");
	server->registry = registry;
	server->facts.tally = tally;
	server->log = log;
	deadlines_init(&server->deadlines, options->request_timeout_ms);
	r = page_create(&server->page);
	if (r < 0) {
		server_stop(server);
		return bb_log_error(log, r, "cannot start");
	}

	fd = bb_listen_open(&options->address, ret_where);
	if (fd < 0) {
		server_stop(server);
		return bb_log_error(log, fd, "cannot listen on %s", options->listen);
	}
	r = start_daemon(server, options, fd);
	if (r < 0) {
		server_stop(server);
		return bb_log_error(log, r, "libmicrohttpd does not start");
	}
	*ret_server = server;
	return 0;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon); /* closes all sockets, calls on_connection() for each */
	deadlines_finish(&server->deadlines);
	page_destroy(server->page);
	facts_finish(&server->facts);
	memory_finish(&server->memory);
	free(server);
}

void server_check_deadlines(struct server *server)
{
	const size_t condemned = deadlines_check(&server->deadlines, bb_clock_ms());

	if (condemned)
		bb_log_info(server->log, "closed %zu connections whose request took too long", condemned);
}
