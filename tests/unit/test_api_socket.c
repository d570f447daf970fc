/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api_socket.c - the listening socket of the local API: who may use it, what is replaced and what is not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <busbar/macros.h>

#include "api_internal.h"

static char folder[64], path[96];

static void make_folder(void)
{
	strcpy(folder, "/tmp/busbar-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/busbar.sock", folder);
}

static void remove_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

TestSuite(api_socket, .init = make_folder, .fini = remove_folder);

static mode_t mode_of(const char *name)
{
	struct stat status;

	cr_assert_eq(lstat(name, &status), 0, "%s: %s", name, strerror(errno));
	return status.st_mode & 07777;
}

static bool connects(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool good;

	strcpy(address.sun_path, path);
	good = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return good;
}

/* A socket file that nobody listens on, as a killed agent leaves it. */
static void leave_stale_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

Test(api_socket, is_for_owner_and_group_whatever_the_umask)
{
	static const mode_t masks[] = {0, 022, 077, 0777};

	for (size_t i = 0; i < BB_LENGTH(masks); i++) {
		struct api_socket listener;
		const mode_t old = umask(masks[i]);

		cr_assert_eq(api_socket_open(path, NULL, &listener), 0);
		(void)umask(old);
		cr_expect_eq(mode_of(path), 0660, "umask %03o made %03o", masks[i], mode_of(path));
		cr_expect(connects());
		api_socket_close(&listener);
		cr_expect_eq(access(path, F_OK), -1, "a closed socket must leave nothing behind");
	}
}

Test(api_socket, replaces_what_a_dead_agent_left)
{
	struct api_socket listener;

	leave_stale_socket();
	cr_expect_not(connects());
	cr_assert_eq(api_socket_open(path, NULL, &listener), 0);
	cr_expect(connects());
	cr_expect_eq(mode_of(path), 0660);
	api_socket_close(&listener);
}

Test(api_socket, does_not_take_the_place_of_a_live_agent)
{
	struct api_socket first, second;

	cr_assert_eq(api_socket_open(path, NULL, &first), 0);
	cr_expect_eq(api_socket_open(path, NULL, &second), -EADDRINUSE);
	cr_expect(connects(), "the live agent must be reachable after that");
	api_socket_close(&first);
}

Test(api_socket, takes_an_agent_that_is_too_busy_to_accept_for_alive)
{
	struct api_socket first, second;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int clients[256];
	size_t count = 0;

	cr_assert_eq(api_socket_open(path, NULL, &first), 0);
	strcpy(address.sun_path, path);
	while (count < 256) {
		clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(clients[count++], (const struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	cr_assert_eq(errno, EAGAIN, "its queue must be full");
	cr_expect_eq(api_socket_open(path, NULL, &second), -EADDRINUSE);
	while (count > 0)
		close(clients[--count]);
	api_socket_close(&first);
}

Test(api_socket, never_removes_a_file_that_is_no_socket)
{
	struct api_socket listener;
	FILE *file = fopen(path, "w");

	fputs("precious", file);
	fclose(file);
	cr_expect_eq(api_socket_open(path, NULL, &listener), -EEXIST);
	cr_expect_eq(access(path, F_OK), 0);
}

Test(api_socket, leaves_alone_what_has_come_in_its_place)
{
	struct api_socket listener;

	cr_assert_eq(api_socket_open(path, NULL, &listener), 0);
	cr_assert_eq(unlink(path), 0);
	leave_stale_socket();
	api_socket_close(&listener);
	cr_expect_eq(access(path, F_OK), 0, "that socket was somebody else's");
}

Test(api_socket, does_not_follow_a_link_that_somebody_put_there)
{
	struct api_socket listener;
	char target[128];

	(void)snprintf(target, sizeof(target), "%s/target", folder);
	cr_assert_eq(symlink(target, path), 0);
	cr_expect_lt(api_socket_open(path, NULL, &listener), 0);
	cr_expect_eq(access(target, F_OK), -1, "nothing may come to be at the end of the link");
}

Test(api_socket, makes_a_missing_folder)
{
	struct api_socket listener;
	char inner[80];

	(void)snprintf(inner, sizeof(inner), "%s/run", folder);
	(void)snprintf(path, sizeof(path), "%s/busbar.sock", inner);
	cr_assert_eq(api_socket_open(path, NULL, &listener), 0);
	cr_expect_eq(mode_of(inner) & 022, 0, "others must not be able to write in it");
	api_socket_close(&listener);
	cr_assert_eq(rmdir(inner), 0);
}

Test(api_socket, refuses_paths_and_groups_that_cannot_be)
{
	struct api_socket listener;
	char long_path[200];

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	cr_expect_eq(api_socket_open(long_path, NULL, &listener), -ENAMETOOLONG);
	cr_expect_lt(api_socket_open(path, "no-such-group-here", &listener), 0);
	cr_expect_eq(access(path, F_OK), -1, "a refusal must leave nothing behind");
}

Test(api_socket, does_not_start_beside_an_agent_that_is_starting)
{
	struct api_socket listener;
	const int fd = open(folder, O_RDONLY | O_DIRECTORY);

	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_expect_eq(api_socket_open(path, NULL, &listener), -EADDRINUSE);
	close(fd);
	cr_assert_eq(api_socket_open(path, NULL, &listener), 0);
	api_socket_close(&listener);
}
