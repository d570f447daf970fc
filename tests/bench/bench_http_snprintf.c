/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_http_snprintf FILE - what an exporter costs that is written the usual way: libmicrohttpd, and snprintf() for
 * every series of every scrape. The series are those of FILE, a page of ours; their values change from scrape to
 * scrape. Prints the port it listens on and serves until it is killed.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <unistd.h>

#include "bench_snprintf.h"

static struct series *all;
static size_t count, page_size;

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	long size;
	char *text;

	if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0)
		return NULL;
	rewind(file);
	text = calloc(1, (size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
		return NULL;
	(void)fclose(file); /* only read */
	return text;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **request)
{
	static int seen;
	static unsigned round;

	(void)context, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
	if (!*request) {
		*request = &seen;
		return MHD_YES;
	}

	char *page = malloc(page_size);
	const size_t length = write_plainly(all, count, round++, page);
	struct MHD_Response *response = MHD_create_response_from_buffer(length, page, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	(void)MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char *text = argc == 2 ? read_file(argv[1]) : NULL;
	struct MHD_Daemon *daemon;

	if (!text) {
		fprintf(stderr, "usage: bench_http_snprintf FILE\n");
		return 2;
	}
	page_size = 2 * strlen(text) + 8192;
	all = parse_page(text, &count);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
				  &address, MHD_OPTION_END);
	if (!daemon)
		return 1;
	printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
