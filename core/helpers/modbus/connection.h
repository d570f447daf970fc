/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - the state of a link of libbusbar-modbus, and its connection to the peer.
 */
#ifndef MODBUS_CONNECTION_H
#define MODBUS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <busbar/modbus.h>

struct modbus_link {
	int fd;      /* plus one, so that zeroed memory means closed */
	bool broken; /* the connection is of no use any more, but is still open */
	uint16_t transaction;
	struct bb_modbus_request pending; /* asked by bb_modbus_ask() */
	unsigned timeouts;                /* in a row, on this connection */
	char *host;
	uint16_t port;
	struct sockaddr_storage address; /* the last one that a connection was made to */
	socklen_t address_length;        /* 0: none yet */
	bool look_up_first;              /* that address did not answer the last time: the name may mean another now */
	size_t filled;
	uint8_t buffer[2 * BB_MODBUS_TCP_MAX];
};

bool connection_is_open(const struct modbus_link *modbus);

/** Be connected. 0 or a negative errno. Blocks. */
int connection_open(struct modbus_link *modbus, int64_t deadline_ms);

/** Accepts one that is closed. */
void connection_close(struct modbus_link *modbus);

/** Wait until the connection can do what @events of poll(2) ask. 0 or a negative errno. */
int connection_wait(const struct modbus_link *modbus, short events, int64_t deadline_ms);

/**
 * Read once what has arrived into the buffer, without waiting. 0; -EAGAIN: nothing has; or a negative errno: the
 * connection is of no use any more.
 */
int connection_receive(struct modbus_link *modbus);

#endif
