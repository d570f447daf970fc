/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.c - see notify.h. The protocol is one datagram per message to the UNIX socket in $NOTIFY_SOCKET, whose name
 * begins with '@' in the abstract name space (sd_notify(3), NOTES).
 */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_send(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t size;
	ssize_t sent;
	int error;
	int fd;

	if (!path || !*path)
		return 0;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
	error = sent < 0 ? -errno : 0;
	close(fd);
	return error;
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long us;

	if (!usec || (pid && *pid && strtoll(pid, NULL, 10) != (long long)getpid()))
		return 0;
	us = strtoll(usec, NULL, 10);
	return us > 2000 ? (int64_t)(us / 2000) : 0;
}
