/* SPDX-License-Identifier: Apache-2.0
 *
 * api_socket.c - makes the listening UNIX socket of the local API.
 *
 * Who may connect is decided by the socket's mode and group, so both must be right before the first connect() can
 * succeed, which is at listen(). They are set without following symbolic links, because the socket may have to live
 * in a folder that others can write.
 *
 * A socket file outlives an agent that was killed. It is stale when nobody accepts on it; two agents that start at
 * the same time must not both come to that conclusion, so looking, removing and binding happen under a lock on the
 * folder.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api_internal.h"

#define API_SOCKET_MODE 0660
#define API_BACKLOG     64

/* An agent that starts needs the folder for a moment only: whoever holds it for a second is none. */
#define LOCK_TRIES    100
#define LOCK_PAUSE_US 10000

_Static_assert(sizeof(((struct api_socket *)NULL)->path) == sizeof(((struct sockaddr_un *)NULL)->sun_path),
	       "a path that fits us must fit the address");

/* Opens the folder of @path, making it when there is none, and locks it. Returns the descriptor or a negative errno. */
static int socket_lock_folder(const char *path)
{
	char copy[sizeof(((struct api_socket *)NULL)->path)];
	const char *folder;
	int fd;

	strcpy(copy, path); /* api_socket_open() has checked the length */
	folder = dirname(copy);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return bb_log_error(NULL, -errno, "cannot make the folder %s for the socket", folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bb_log_error(NULL, -errno, "cannot open the folder %s for the socket", folder);
	for (int left = LOCK_TRIES; flock(fd, LOCK_EX | LOCK_NB) < 0; left--) {
		const int error = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;

		if (error == -EADDRINUSE && left > 0) {
			(void)usleep(LOCK_PAUSE_US); /* nothing runs yet that could be held up */
			continue;
		}
		close(fd);
		return bb_log_error(NULL, error, "another agent is starting in %s", folder);
	}
	return fd;
}

/* Is anybody accepting on the socket at @address? A queue that is full is somebody, too. */
static bool socket_is_live(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool live;

	if (fd < 0)
		return true; /* we cannot know, so we must not remove it */
	live = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	       (errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return live;
}

static int socket_bind(int fd, const struct sockaddr_un *address)
{
	struct stat status;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return bb_log_error(NULL, -errno, "cannot bind the socket %s", address->sun_path);
	if (lstat(address->sun_path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return bb_log_error(NULL, -EEXIST, "%s is there and is not a socket", address->sun_path);
	if (socket_is_live(address))
		return bb_log_error(NULL, -EADDRINUSE, "an agent is running at %s", address->sun_path);

	bb_log_info(NULL, "replacing the socket %s, which a dead agent left", address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return bb_log_error(NULL, -errno, "cannot remove the old socket %s", address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return bb_log_error(NULL, -errno, "cannot bind the socket %s", address->sun_path);
	return 0;
}

/* Group and mode, both before listen(): until then a connect() is refused. */
static int socket_protect(const char *path, const char *group)
{
	if (group != NULL) {
		const struct group *entry;

		errno = 0;
		entry = getgrnam(group);
		if (entry == NULL)
			return bb_log_error(NULL, errno != 0 ? -errno : -ENOENT, "socket-group: no group '%s'", group);
		if (fchownat(AT_FDCWD, path, (uid_t)-1, entry->gr_gid, AT_SYMLINK_NOFOLLOW) < 0)
			return bb_log_error(NULL, -errno, "cannot give the socket %s to the group %s", path, group);
	}
	/* bind() has applied the umask; this takes it back. */
	if (fchmodat(AT_FDCWD, path, API_SOCKET_MODE, AT_SYMLINK_NOFOLLOW) < 0)
		return bb_log_error(NULL, -errno, "cannot set the mode of the socket %s", path);
	return 0;
}

int api_socket_open(const char *path, const char *group, struct api_socket *ret_socket)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct api_socket result = {.fd = -1};
	struct stat status;
	bool bound = false;
	int folder, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return bb_log_error(NULL, -ENAMETOOLONG, "the socket's path %s has more than %zu characters", path,
				    sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	strcpy(result.path, path);

	folder = socket_lock_folder(path);
	if (folder < 0)
		return folder;
	result.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (result.fd < 0) {
		r = bb_log_error(NULL, -errno, "cannot make a socket");
		goto out;
	}
	/* Linux gives the file the mode that the unbound socket has, so it is never wider than this. */
	if (fchmod(result.fd, API_SOCKET_MODE) < 0) {
		r = bb_log_error(NULL, -errno, "cannot set the mode of a socket");
		goto out;
	}
	r = socket_bind(result.fd, &address);
	if (r < 0)
		goto out;
	bound = true;
	r = socket_protect(path, group);
	if (r < 0)
		goto out;
	if (listen(result.fd, API_BACKLOG) < 0 || lstat(path, &status) < 0) {
		r = bb_log_error(NULL, -errno, "cannot listen on %s", path);
		goto out;
	}
	result.device = status.st_dev;
	result.inode = status.st_ino;
	*ret_socket = result;
	r = 0;
out:
	if (r < 0 && bound)
		(void)unlink(path); /* best effort: the next start replaces it */
	if (r < 0 && result.fd >= 0)
		close(result.fd);
	close(folder); /* with it goes the lock */
	return r;
}

void api_socket_close(struct api_socket *listener)
{
	struct stat status;

	assert(listener->fd >= 0);
	close(listener->fd);
	if (lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
	    status.st_ino == listener->inode && unlink(listener->path) < 0)
		(void)bb_log_warning(NULL, -errno, "cannot remove the socket %s", listener->path);
	listener->fd = -1;
}
