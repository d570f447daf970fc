/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - one question to busbard and its answer, frame by frame.
 */
#ifndef BUSBARCTL_CONNECTION_H
#define BUSBARCTL_CONNECTION_H

#include "busbar.pb-c.h"
#include "ctl.h"

/** What takes the frames of an answer returns. */
enum connection_step {
	CONNECTION_GO_ON,
	CONNECTION_ENOUGH
};

/**
 * Ask @request (its protocol version is filled in) and call @frame with each frame of the answer. A refusal goes to
 * stderr; only when lines of the log come with it, @frame gets it, and shows them instead. Returns an enum ctl_result.
 * @endless: there may be nothing to hear for days.
 */
int connection_ask(const struct ctl *ctl, Busbar__Request *request, bool endless,
		   int (*frame)(void *context, const Busbar__Response *response), void *context);

#endif
