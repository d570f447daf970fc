/* SPDX-License-Identifier: Apache-2.0
 *
 * master.c - where the master is, and what keeps us from it, see master.h and session.h.
 *
 * snmpd lets nobody but root use its socket unless it is told otherwise, and it does so with a line whose second number
 * is easily got wrong: folders that snmpd makes keep root as their owner and group, so they must be open to others.
 */
#include "master.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENTX_PORT 705 /* RFC 2741, section 8.1.1 */

/* ---- the option ---- */

static bool resolves(const char *host)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;

	if (strcmp(host, "localhost") == 0)
		return true;
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

/* "HOST", "HOST:PORT", "[V6]:PORT". */
static int parse_tcp(const char *text, struct session_master *master, const char **ret_fault)
{
	const bool bracket = *text == '[';
	const char *const host = text + bracket;
	const char *const end = bracket ? strchr(host, ']') : strchr(host, ':');
	const char *const colon = bracket && end ? end + 1 : end;

	master->port = AGENTX_PORT;
	if (bracket && (!end || (*colon != '\0' && *colon != ':'))) {
		*ret_fault = "must be tcp:[ADDRESS]:PORT";
		return -EINVAL;
	}
	if (colon && *colon == ':') {
		char *rest;
		const unsigned long port = strtoul(colon + 1, &rest, 10);

		if (colon[1] < '0' || colon[1] > '9' || *rest != '\0' || port == 0 || port > UINT16_MAX) {
			*ret_fault = "has no port from 1 to 65535 behind its host; an IPv6 address stands in brackets";
			return -EINVAL;
		}
		master->port = (uint16_t)port;
	}
	master->host = end ? strndup(host, (size_t)(end - host)) : strdup(host);
	if (!master->host)
		return -ENOMEM;
	if (!resolves(master->host)) {
		*ret_fault = "must name its host by number, or localhost";
		return -EINVAL;
	}
	return 0;
}

static int parse_unix(const char *path, struct session_master *master, const char **ret_fault)
{
	if (*path != '/') {
		*ret_fault = "must have an absolute path behind unix:";
		return -EINVAL;
	}
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		*ret_fault = "has a path that is too long for a socket";
		return -EINVAL;
	}
	master->path = strdup(path);
	return master->path ? 0 : -ENOMEM;
}

int session_master_parse(const char *text, struct session_master *ret_master, const char **ret_fault)
{
	struct session_master master = {0};
	const char *place = strchr(text, ':');
	int r;

	if (place)
		place += strncmp(place, "://", 3) == 0 ? 3 : 1;
	if (*text == '/') {
		r = parse_unix(text, &master, ret_fault);
	} else if (place && strncmp(text, "unix:", 5) == 0) {
		r = parse_unix(place, &master, ret_fault);
	} else if (place && strncmp(text, "tcp:", 4) == 0) {
		r = parse_tcp(place, &master, ret_fault);
	} else {
		*ret_fault = "must be unix:/PATH or tcp:HOST:PORT";
		r = -EINVAL;
	}
	if (r < 0)
		session_master_clear(&master);
	else
		*ret_master = master;
	return r;
}

void session_master_clear(struct session_master *master)
{
	free(master->path);
	free(master->host);
	*master = (struct session_master){0};
}

void master_print(const struct session_master *master, char text[MASTER_TEXT_SIZE])
{
	const bool v6 = master->host && strchr(master->host, ':');

	if (master->path)
		(void)snprintf(text, MASTER_TEXT_SIZE, "unix:%s", master->path);
	else /* a number is far shorter than the text may be */
		(void)snprintf(text, MASTER_TEXT_SIZE, v6 ? "tcp:[%s]:%u" : "tcp:%s:%u", master->host,
			       (unsigned)master->port);
}

/* ---- connecting ---- */

static int begin(const struct sockaddr *address, socklen_t length)
{
	const int on = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (address->sa_family != AF_UNIX) /* an answer does not wait for the next one; else it only is slower */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address, length) == 0 || errno == EINPROGRESS)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path)); /* its length has been checked */
	return begin((const struct sockaddr *)&address, sizeof(address));
}

int master_connect(const struct session_master *master)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	const char *host = master->host;
	struct addrinfo *found;
	char port[8];
	int fd;

	if (master->path)
		return connect_unix(master->path);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	(void)snprintf(port, sizeof(port), "%u", (unsigned)master->port);
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -EADDRNOTAVAIL;
	fd = begin(found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return fd;
}

/* ---- advice ---- */

void master_advise(const struct session_master *master, int error, char *text, size_t size)
{
	char where[MASTER_TEXT_SIZE];

	text[0] = '\0';
	master_print(master, where);
	if (error == -EACCES && master->path) {
		/* Numbers, because a look-up of names may wait for another machine. */
		(void)snprintf(text, size,
			       "; snmpd.conf lets us use it with 'agentXPerms 0660 0755 %u %u' (its folder must let us "
			       "through, too: snmpd makes it with the second number, unless it is there already)",
			       (unsigned)geteuid(), (unsigned)getegid());
	} else if (error == -ENOENT || error == -ECONNREFUSED) {
		(void)snprintf(text, size,
			       "; does snmpd run, with 'master agentx' and 'agentXSocket %s' in snmpd.conf?", where);
	} else if (error == -EAGAIN) {
		(void)snprintf(text, size, "; it hangs: connections wait that it does not take");
	}
}
