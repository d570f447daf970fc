/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/modbus_link.h - the Modbus client that plugins share (libbusbar-modbus): a link to a TCP peer.
 *
 * All units behind one gateway share its link and so its one connection; requests are strictly one after the other,
 * which is what gateways and the serial lines behind them expect. The connection is opened with the first request and
 * kept. A reply that comes after its request was given up is recognised by its transaction number and dropped, so it
 * is never taken for the answer to another request.
 *
 * bb_modbus_read() and bb_modbus_write() block until bb_link_deadline() at the most. Thread: the worker that holds the
 * link. bb_modbus_ask() and bb_modbus_answer() never block, for polls in steps on the main loop.
 */
#ifndef BUSBAR_MODBUS_LINK_H
#define BUSBAR_MODBUS_LINK_H

#include <stdint.h>

#include <busbar/link.h>

/** For bb_builder_link(): addresses modbus-tcp://host[:port]/unit, port 502 unless said. */
extern const struct bb_link_type BB_LINK_MODBUS;

/** The unit id in the path of an address: 0 to 255, 1 when the path is empty. -EINVAL when it is something else. */
int bb_modbus_address_unit(const struct bb_address *address);

/**
 * Read @count registers (functions 03, 04) or bits (01, 02; each a word that is 0 or 1) into @ret_words, which is
 * written only on success. Returns 0; a positive exception code that the peer answered; -ETIMEDOUT; another negative
 * errno when the connection could not be made or broke; -EPROTO when the answer made no sense.
 */
int bb_modbus_read(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, uint16_t count,
		   uint16_t *ret_words);

/** Write one coil (05), one register (06), coils (15) or registers (16). Returns as bb_modbus_read(). */
int bb_modbus_write(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, const uint16_t *words,
		    uint16_t count);

/**
 * Send a read request on the connection there is, and do not wait. *@ret_fd becomes readable when there may be an answer.
 * Returns 0; or a negative errno when there is no connection, or it does not take the request: bb_modbus_read() makes
 * a new one then. A request asked before and not answered is given up.
 */
int bb_modbus_ask(struct bb_link *link, uint8_t unit, uint8_t function, uint16_t address, uint16_t count, int *ret_fd);

/** The answer to what was asked: as bb_modbus_read(), and -EAGAIN when it has not arrived whole. */
int bb_modbus_answer(struct bb_link *link, uint16_t *ret_words);

#endif
