/* SPDX-License-Identifier: Apache-2.0
 *
 * host.c - the machine's name, our process, and whether the clock is right.
 */
#include "host.h"

#include <sys/timex.h>
#include <unistd.h>

#include <busbar/exporter.h>

void host_describe(struct message_origin *origin, const char *name)
{
	char own[MESSAGE_HOST_MAX + 1] = "";

	if (!name && gethostname(own, sizeof(own) - 1) < 0)
		own[0] = '\0'; /* a message can say that it does not know */
	message_set_host(origin, name ? name : own);
	origin->process = (unsigned)getpid();
	origin->version = bb_version();
}

bool host_clock_is_synchronised(void)
{
	struct timex question = {.modes = 0}; /* asks only */
	const int state = ntp_adjtime(&question);

	return state >= 0 && state != TIME_ERROR;
}
