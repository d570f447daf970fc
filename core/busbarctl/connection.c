/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.c - asks busbard on its local socket: core/busbar.proto has the messages and the framing.
 *
 * One process asks one thing, so a connection lives as long as its question. The agent is trusted no more than any
 * peer: a frame is bounded before it is read, and an agent that does not answer is given up.
 */
#include "connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <busbar/macros.h>

#include "text.h"

#define PROTOCOL         1
#define FRAME_MAX        (4 * 1024 * 1024) /* frames of busbard have some 10 KiB */
#define PATIENCE_S       30                /* a probe of a device that is slow takes long */
#define QUIET_PATIENCE_S 1                 /* somebody has pressed the tabulator key */

int ctl_fail(int result, const char *format, ...)
{
	char line[1024], clean[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments); /* a line that is too long is cut */
	va_end(arguments);
	(void)bb_text_clean(clean, sizeof(clean), line, strlen(line));
	(void)fflush(stdout); /* what was said before comes first; main() looks at stdout's errors */
	(void)fprintf(stderr, "busbarctl: %s\n", clean);
	return result;
}

static int no_agent(const struct ctl *ctl, int error)
{
	const char *advice = error == EACCES ? "; who may use it is decided by its group" : "; is busbard running?";

	if (ctl->quiet)
		return CTL_NO_AGENT;
	return ctl_fail(CTL_NO_AGENT, "no agent answers at %s: %s%s", ctl->socket, strerror(error), advice);
}

static int cut_off(const struct ctl *ctl, int error)
{
	if (ctl->quiet)
		return CTL_NO_AGENT;
	if (error == 0)
		return ctl_fail(CTL_NO_AGENT, "busbard has closed the connection");
	if (error == EAGAIN)
		return ctl_fail(CTL_NO_AGENT, "busbard does not answer");
	return ctl_fail(CTL_NO_AGENT, "the connection to busbard broke: %s", strerror(error));
}

/* Returns a descriptor, or a negative errno. */
static int connect_to(const char *path, unsigned patience_s)
{
	const struct timeval patience = {.tv_sec = patience_s};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* 0, or what errno says. */
static int send_request(int fd, const Busbar__Request *request)
{
	const size_t length = busbar__request__get_packed_size(request);
	uint8_t *frame = malloc(4 + length);
	size_t sent = 0;
	ssize_t n = 0;

	if (frame == NULL)
		return ENOMEM;
	frame[0] = (uint8_t)(length >> 24);
	frame[1] = (uint8_t)(length >> 16);
	frame[2] = (uint8_t)(length >> 8);
	frame[3] = (uint8_t)length;
	(void)busbar__request__pack(request, frame + 4); /* returns the length we know */
	while (sent < 4 + length && (n = send(fd, frame + sent, 4 + length - sent, MSG_NOSIGNAL)) > 0)
		sent += (size_t)n;
	free(frame);
	return n < 0 ? errno : 0;
}

/* 0; what errno says; or −1: the other side has closed. */
static int receive_bytes(int fd, uint8_t *bytes, size_t length)
{
	while (length > 0) {
		const ssize_t n = recv(fd, bytes, length, 0);

		if (n == 0)
			return -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

static int receive_response(const struct ctl *ctl, int fd, Busbar__Response **ret_response)
{
	uint8_t head[4], *bytes;
	size_t length;
	int error = receive_bytes(fd, head, sizeof(head));

	if (error != 0)
		return cut_off(ctl, error < 0 ? 0 : error);
	length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (length > FRAME_MAX)
		return ctl_fail(CTL_NO_AGENT, "what answers at %s is not busbard", ctl->socket);
	bytes = malloc(length + 1); /* a frame may be empty */
	if (bytes == NULL)
		return ctl_fail(CTL_NO_AGENT, "no memory left");
	error = receive_bytes(fd, bytes, length);
	if (error != 0) {
		free(bytes);
		return cut_off(ctl, error < 0 ? 0 : error);
	}
	*ret_response = busbar__response__unpack(NULL, length, bytes);
	free(bytes);
	if (*ret_response == NULL)
		return ctl_fail(CTL_NO_AGENT, "what answers at %s is not busbard", ctl->socket);
	return CTL_FINE;
}

static int say_error(const struct ctl *ctl, const Busbar__Error *error, bool told)
{
	static const int results[] = {
		[BUSBAR__ERROR__CODE__NONE] = CTL_ALARM,    [BUSBAR__ERROR__CODE__PROTOCOL] = CTL_NO_AGENT,
		[BUSBAR__ERROR__CODE__REQUEST] = CTL_USAGE, [BUSBAR__ERROR__CODE__NOT_FOUND] = CTL_ALARM,
		[BUSBAR__ERROR__CODE__REFUSED] = CTL_ALARM, [BUSBAR__ERROR__CODE__FAILED] = CTL_ALARM,
		[BUSBAR__ERROR__CODE__BUSY] = CTL_NO_AGENT,
	};
	const size_t code = (size_t)error->code;
	const int result = code < BB_LENGTH(results) ? results[code] : CTL_ALARM;

	if (ctl->quiet || told)
		return result;
	if (error->suggestion[0] != '\0')
		return ctl_fail(result, "%s, did you mean '%s'?", error->text, error->suggestion);
	return ctl_fail(result, "%s", error->text);
}

int connection_ask(const struct ctl *ctl, Busbar__Request *request, bool endless,
		   int (*frame)(void *context, const Busbar__Response *response), void *context)
{
	const struct timeval forever = {.tv_sec = 0};
	const int fd = connect_to(ctl->socket, ctl->quiet ? QUIET_PATIENCE_S : PATIENCE_S);
	bool over = false;
	int result = CTL_FINE, error;

	if (fd < 0)
		return no_agent(ctl, -fd);
	request->protocol = PROTOCOL;
	error = send_request(fd, request);
	/* An agent that has too many clients says so and closes before it has heard us. */
	if (error != 0 && error != EPIPE)
		result = cut_off(ctl, error);
	if (endless && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever)) < 0)
		result = cut_off(ctl, errno);

	while (result == CTL_FINE && !over) {
		Busbar__Response *response;

		result = receive_response(ctl, fd, &response);
		if (result != CTL_FINE)
			break;
		over = response->last;
		if (response->error != NULL) {
			/* What the log says about it says it all. */
			if (response->n_lines > 0)
				(void)frame(context, response); /* it is the last one in any case */
			result = say_error(ctl, response->error, response->n_lines > 0);
			over = true;
		} else if (frame(context, response) == CONNECTION_ENOUGH) {
			over = true;
		}
		busbar__response__free_unpacked(response, NULL);
	}
	close(fd);
	return result;
}
