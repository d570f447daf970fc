/* SPDX-License-Identifier: Apache-2.0
 *
 * test_notify.c - datagrams for the service manager, received by a socket of the test.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

Test(notify, a_state_arrives_at_an_abstract_socket)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64], received[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)snprintf(name, sizeof(name), "@busbar-test-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	cr_assert_eq(bind(fd, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		     0);
	setenv("NOTIFY_SOCKET", name, 1);
	cr_assert_eq(notify_send("READY=1"), 0);
	cr_assert_eq(recv(fd, received, sizeof(received) - 1, MSG_DONTWAIT), 7);
	cr_assert_str_eq(received, "READY=1");
	close(fd);
}

Test(notify, nothing_is_sent_without_a_service_manager)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(notify_send("READY=1"), 0);
}

Test(notify, a_socket_that_is_not_there_is_an_error)
{
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	cr_assert_eq(notify_send("READY=1"), -ENOENT);
}

Test(notify, the_watchdog_beats_twice_as_often_as_asked)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	cr_assert_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_watchdog_ms(), 0, "meant for another process");
}
